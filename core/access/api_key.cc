// SPDX-License-Identifier: Apache-2.0
#include "core/access/api_key.h"

#include "core/base/base58.h"
#include "core/base/bytes.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace wattmint::access {
namespace {

constexpr std::string_view kMark = "wm_";
constexpr std::size_t kKeyIdSize = 8;
constexpr std::size_t kSecretStart = kMark.size() + kKeyIdSize + 1;
// 32 bytes in base58: 32 characters if all are zero, 44 at the most.
constexpr std::size_t kSecretSizeMin = 32;
constexpr std::size_t kSecretSizeMax = 44;

template <std::size_t Size>
std::string RandomBase58(base::RandomSource& random) {
  std::array<std::uint8_t, Size> bytes{};
  random.Fill(bytes);
  return base::EncodeBase58(bytes);
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

NewApiKey MakeApiKey(base::RandomSource& random) {
  NewApiKey key;
  // The low digits of a number that is much longer are as good as evenly spread.
  const std::string digits = RandomBase58<24>(random);
  key.key_id = digits.substr(digits.size() - kKeyIdSize);
  key.text = fmt::format("{}{}_{}", kMark, key.key_id, RandomBase58<32>(random));
  key.sha256 = base::Sha256(base::AsBytes(key.text));
  return key;
}

bool LooksLikeApiKey(std::string_view text) { return text.starts_with(kMark); }

std::optional<std::string_view> KeyIdOf(std::string_view text) {
  if (!LooksLikeApiKey(text) || text.size() < kSecretStart + kSecretSizeMin ||
      text.size() > kSecretStart + kSecretSizeMax || text[kSecretStart - 1] != '_') {
    return std::nullopt;
  }
  const std::string_view key_id = text.substr(kMark.size(), kKeyIdSize);
  const std::string_view secret = text.substr(kSecretStart);
  if (!std::ranges::all_of(key_id, IsAlphanumeric)) return std::nullopt;
  if (!std::ranges::all_of(secret, IsAlphanumeric)) return std::nullopt;
  return key_id;
}

}  // namespace wattmint::access
