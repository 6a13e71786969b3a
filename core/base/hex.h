// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace wattmint::base {

// Lower case.
std::string EncodeHex(ByteView bytes);

// Either case. Errors: kInvalidArgument; the text is not repeated, since it may be a secret.
absl::StatusOr<Bytes> DecodeHex(std::string_view text);

}  // namespace wattmint::base
