// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace wattmint::base {

// For each code one function that makes a status from a checked format string:
//   return NotFound("meter {} is unknown", meter_id);
#define WATTMINT_IMPL_STATUS_FACTORY(Code)                                 \
  template <typename... Args>                                              \
  absl::Status Code(fmt::format_string<Args...> format, Args&&... args) {  \
    return absl::Status(absl::StatusCode::k##Code,                         \
                        fmt::format(format, std::forward<Args>(args)...)); \
  }
WATTMINT_IMPL_STATUS_FACTORY(Aborted)
WATTMINT_IMPL_STATUS_FACTORY(AlreadyExists)
WATTMINT_IMPL_STATUS_FACTORY(Cancelled)
WATTMINT_IMPL_STATUS_FACTORY(DataLoss)
WATTMINT_IMPL_STATUS_FACTORY(DeadlineExceeded)
WATTMINT_IMPL_STATUS_FACTORY(FailedPrecondition)
WATTMINT_IMPL_STATUS_FACTORY(Internal)
WATTMINT_IMPL_STATUS_FACTORY(InvalidArgument)
WATTMINT_IMPL_STATUS_FACTORY(NotFound)
WATTMINT_IMPL_STATUS_FACTORY(OutOfRange)
WATTMINT_IMPL_STATUS_FACTORY(PermissionDenied)
WATTMINT_IMPL_STATUS_FACTORY(ResourceExhausted)
WATTMINT_IMPL_STATUS_FACTORY(Unauthenticated)
WATTMINT_IMPL_STATUS_FACTORY(Unavailable)
WATTMINT_IMPL_STATUS_FACTORY(Unimplemented)
#undef WATTMINT_IMPL_STATUS_FACTORY

// The message alone, as a std type that fmt and spdlog print. Valid as long as `status`.
inline std::string_view Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}
std::string_view Message(absl::Status&& status) = delete;

}  // namespace wattmint::base
