// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace wattmint::base {

// RFC 4648: section 4 with padding, or section 5 (for URLs and tokens) without.
enum class Base64 { kPadded, kUrlSafe };

std::string EncodeBase64(ByteView bytes, Base64 alphabet);

// Errors: kInvalidArgument, also for the other alphabet, missing or needless padding, and spaces;
// the text is not repeated, since it may be a secret.
absl::StatusOr<Bytes> DecodeBase64(std::string_view text, Base64 alphabet);

}  // namespace wattmint::base
