// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace wattmint::access {

// Whether the text is meant to be an address on the web instead of a path.
bool IsWebAddress(std::string_view text);

// Whether such an address may be fetched. Errors: kInvalidArgument for one that is none, or that
// holds a user or a password; the message does not repeat it.
absl::Status CheckWebAddress(const std::string& address);

struct FetchOptions {
  std::string ca_file = {};         // certificates in PEM; empty: those of the system
  std::size_t bytes_max = 1 << 20;  // of the document
  base::Duration timeout = std::chrono::seconds(10);  // of all of it
};

// Gets a document by HTTPS; plain HTTP is for servers on loopback alone. Takes nothing but a whole
// answer 200, follows no redirect and unpacks nothing. Blocks; soon after `is_cancelled` answers
// true it returns.
// Errors: those of CheckWebAddress(); kUnavailable, with what is wrong, for everything else.
absl::StatusOr<std::string> FetchDocument(const std::string& address, const FetchOptions& options,
                                          const std::function<bool()>& is_cancelled);

}  // namespace wattmint::access
