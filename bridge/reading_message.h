// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/json_value.h"
#include "core/domain/reading.h"

#include <absl/status/statusor.h>

namespace wattmint::bridge {

// The reading of a SubmitReading message: bridge/README.md, "Client messages". Whether it may be
// accepted is the core's to say. Errors: kInvalidArgument naming the member.
absl::StatusOr<domain::Reading> ReadReading(const JsonValue& data);

}  // namespace wattmint::bridge
