// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <absl/status/statusor.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace wattmint::base {

// Base58 with Bitcoin's alphabet, as Solana writes its keys (32 bytes) and signatures (64 bytes).
// Source: https://datatracker.ietf.org/doc/html/draft-msporny-base58-03.
std::string EncodeBase58(ByteView bytes);

// Errors: kInvalidArgument, also for more than 128 characters, since the work is quadratic.
absl::StatusOr<Bytes> DecodeBase58(std::string_view text);

// Decodes exactly `Size` bytes. Errors: as DecodeBase58(), and kInvalidArgument for another size.
// Example: DecodeBase58Array<32>(wallet_address).
template <size_t Size>
absl::StatusOr<std::array<uint8_t, Size>> DecodeBase58Array(std::string_view text) {
  WATTMINT_ASSIGN_OR_RETURN(const Bytes bytes, DecodeBase58(text));
  if (bytes.size() != Size) {
    return InvalidArgument("base58 of {} bytes is expected, not {}", Size, bytes.size());
  }
  std::array<uint8_t, Size> array;
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

}  // namespace wattmint::base
