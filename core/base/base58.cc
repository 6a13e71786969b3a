// SPDX-License-Identifier: Apache-2.0
#include "core/base/base58.h"

namespace wattmint::base {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr size_t kBase58LengthMax = 128;

// Numbers are worked in limbs that hold five base58 digits or four bytes, least significant first;
// their groups are counted from the end of the text, so that only the first one may be short.
constexpr size_t kLimbDigits = 5;
constexpr size_t kLimbBytes = 4;
constexpr uint64_t kDigitLimb = 58ull * 58 * 58 * 58 * 58;
constexpr uint64_t kByteLimb = uint64_t{1} << 32;
constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> MakeDigits() {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}
constexpr std::array<uint8_t, 256> kDigits = MakeDigits();

// number = number * factor + addend, in limbs of the given base.
void MultiplyAdd(std::vector<uint32_t>& number, uint64_t base, uint64_t factor, uint64_t addend) {
  uint64_t carry = addend;
  for (uint32_t& limb : number) {
    carry += limb * factor;
    limb = static_cast<uint32_t>(carry % base);
    carry /= base;
  }
  for (; carry != 0; carry /= base) number.push_back(static_cast<uint32_t>(carry % base));
}

}  // namespace

std::string EncodeBase58(ByteView bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](uint8_t b) { return b != 0; });
  const auto zeros = static_cast<size_t>(first - bytes.begin());
  std::vector<uint32_t> limbs;
  uint64_t group = 0;
  for (size_t i = zeros; i < bytes.size(); ++i) {
    group = group << 8 | bytes[i];
    if ((bytes.size() - i - 1) % kLimbBytes != 0) continue;
    MultiplyAdd(limbs, kDigitLimb, kByteLimb, group);
    group = 0;
  }
  std::string text;
  for (uint32_t limb : limbs) {
    for (size_t i = 0; i < kLimbDigits; ++i, limb /= 58) text += kAlphabet[limb % 58];
  }
  while (!text.empty() && text.back() == kAlphabet[0]) text.pop_back();
  text.append(zeros, kAlphabet[0]);
  std::reverse(text.begin(), text.end());
  return text;
}

absl::StatusOr<Bytes> DecodeBase58(std::string_view text) {
  if (text.size() > kBase58LengthMax) {
    return InvalidArgument("base58 has at most {} characters, not {}", kBase58LengthMax,
                           text.size());
  }
  const size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  std::vector<uint32_t> limbs;
  uint64_t group = 0;
  uint64_t factor = 1;
  for (size_t i = zeros; i < text.size(); ++i) {
    const uint8_t digit = kDigits[static_cast<uint8_t>(text[i])];
    if (digit == kNoDigit) return InvalidArgument("character {} is not base58", i + 1);
    group = group * 58 + digit;
    factor *= 58;
    if ((text.size() - i - 1) % kLimbDigits != 0) continue;
    MultiplyAdd(limbs, kByteLimb, factor, group);
    group = 0;
    factor = 1;
  }
  Bytes bytes;
  for (uint32_t limb : limbs) {
    for (size_t i = 0; i < kLimbBytes; ++i, limb >>= 8) bytes.push_back(static_cast<uint8_t>(limb));
  }
  while (!bytes.empty() && bytes.back() == 0) bytes.pop_back();
  bytes.resize(bytes.size() + zeros);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

}  // namespace wattmint::base
