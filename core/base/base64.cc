// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.h"

#include "core/base/status.h"

#include <sodium.h>

namespace wattmint::base {
namespace {

int SodiumVariant(Base64 alphabet) {
  return alphabet == Base64::kPadded ? sodium_base64_VARIANT_ORIGINAL
                                     : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

}  // namespace

std::string EncodeBase64(ByteView bytes, Base64 alphabet) {
  const int variant = SodiumVariant(alphabet);
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
  text.pop_back();
  return text;
}

absl::StatusOr<Bytes> DecodeBase64(std::string_view text, Base64 alphabet) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, SodiumVariant(alphabet)) != 0) {
    return InvalidArgument("not {}base64", alphabet == Base64::kUrlSafe ? "URL-safe " : "");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace wattmint::base
