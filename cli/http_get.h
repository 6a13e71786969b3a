// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace wattmint::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Asks a bridge for one path, without TLS; blocks for some seconds at most.
// Errors: kUnavailable if nothing answers, or no HTTP.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, std::string_view path);

}  // namespace wattmint::cli
