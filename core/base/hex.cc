// SPDX-License-Identifier: Apache-2.0
#include "core/base/hex.h"

#include "core/base/status.h"

#include <sodium.h>

namespace wattmint::base {

std::string EncodeHex(ByteView bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

absl::StatusOr<Bytes> DecodeHex(std::string_view text) {
  Bytes bytes(text.size() / 2);
  if (text.size() % 2 != 0 || sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(),
                                             nullptr, nullptr, nullptr) != 0) {
    return InvalidArgument("not hexadecimal: an even number of digits 0-9 and a-f is expected");
  }
  return bytes;
}

}  // namespace wattmint::base
