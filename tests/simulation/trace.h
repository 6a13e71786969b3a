// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

namespace wattmint::simulation {

// What happened, in order: a digest that is the same for the same seed, and lines for people.
// Threads: one at a time.
class Trace {
 public:
  explicit Trace(bool prints) : prints_(prints) {}

  template <typename... Args>
  void Note(fmt::format_string<Args...> format, Args&&... args) {
    const std::string line = fmt::format(format, std::forward<Args>(args)...);
    for (const char c : line) Mix(static_cast<unsigned char>(c));
    if (prints_) fmt::print("{}\n", line);
  }
  void Mix(std::uint64_t value) { digest_ = (digest_ ^ value) * 1'099'511'628'211u; }
  std::uint64_t digest() const { return digest_; }

 private:
  const bool prints_;
  std::uint64_t digest_ = 14'695'981'039'346'656'037u;  // FNV-1a
};

}  // namespace wattmint::simulation
