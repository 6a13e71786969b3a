// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include <string_view>

namespace wattmint::rpc {

// The one place where an error becomes what a client sees: code, message, and google.rpc details
// (ErrorInfo with domain "wattmint" always; BadRequest, RetryInfo where they apply). The table is
// in protos/README.md. What is our own bug or the machine's trouble is logged, and told without its
// inside.
grpc::Status ToGrpc(const absl::Status& status);

// The same status, naming the field of the request that is wrong. REQUIRES: !status.ok().
absl::Status WithField(absl::Status status, std::string_view field);

// kInvalidArgument that names a field.
absl::Status BadField(std::string_view field, std::string_view message);

// kResourceExhausted with OVERLOADED.
absl::Status Overloaded(std::string_view message);

// kUnavailable with DRAINING.
absl::Status IsDraining();

}  // namespace wattmint::rpc
