// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/Exception.h>
#include <absl/status/status.h>

#include <string_view>
#include <type_traits>
#include <utility>

namespace wattmint::storage {

// What SQLite's result code means to us; `doing` begins the sentence ("committing").
//   kResourceExhausted  the disk (or a quota) is full
//   kUnavailable        I/O error, busy, no such file, read-only: the environment may recover
//   kDataLoss           the file is corrupt, or no database
//   kInternal           our own bug: a broken constraint, wrong SQL
absl::Status ToStatus(const SQLite::Exception& exception, std::string_view doing);

// Runs `work`, which answers a Status or a StatusOr. SQLite's exceptions end here.
template <typename Work>
std::invoke_result_t<Work> Guarded(std::string_view doing, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const SQLite::Exception& exception) {
    return ToStatus(exception, doing);
  }
}

}  // namespace wattmint::storage
