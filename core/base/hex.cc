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
  Bytes bytes(text.size() / 2 + 1);  // libsodium wants memory also for an empty text
  size_t size = 0;
  if (sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                     nullptr) != 0) {
    return InvalidArgument("not hexadecimal: an even number of digits 0-9 and a-f is expected");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace wattmint::base
