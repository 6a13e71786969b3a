// SPDX-License-Identifier: Apache-2.0
#include "core/domain/ids.h"

#include "core/base/assert.h"
#include "core/base/base58.h"
#include "core/base/ed25519.h"
#include "core/base/uuid.h"

#include <algorithm>

namespace wattmint::domain {
namespace {

constexpr std::uint64_t kVersion7 = 0x7000;
constexpr std::uint64_t kVersionMask = 0xf000;
constexpr std::uint64_t kSaltMask = 0x0fff;
constexpr std::uint64_t kVariant = std::uint64_t{1} << 63;
constexpr std::uint64_t kVariantMask = std::uint64_t{3} << 62;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool IsId(std::string_view text, std::string_view marks) {
  if (text.empty() || text.size() > kIdBytesMax) return false;
  return std::ranges::all_of(text, [marks](char c) {
    return IsAlphanumeric(c) || marks.find(c) != std::string_view::npos;
  });
}

std::uint64_t LoadBigEndian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

void StoreBigEndian(std::uint64_t value, std::uint8_t* bytes) {
  for (int i = 7; i >= 0; --i, value >>= 8) bytes[i] = static_cast<std::uint8_t>(value);
}

}  // namespace

bool IsMeterId(std::string_view text) { return IsId(text, "._:-"); }

bool IsUserId(std::string_view text) { return IsId(text, "._:@-"); }

bool IsWalletAddress(std::string_view text) {
  return text.size() >= 32 && text.size() <= 44 && base::DecodeBase58Array<32>(text).ok();
}

bool IsMeterKey(std::string_view text) {
  const auto key = base::DecodeBase58Array<32>(text);
  return key.ok() && base::IsEd25519PublicKey(*key);
}

bool IsRequestId(std::string_view text) {
  return text.size() <= kIdBytesMax &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

ReadingId::ReadingId(Time accept_time, std::uint16_t salt, std::int64_t row) {
  WATTMINT_ASSERT(row >= 1 && salt <= kSaltMask, "row {}, salt {}", row, salt);
  const auto ms =
      std::chrono::floor<std::chrono::milliseconds>(accept_time).time_since_epoch().count();
  StoreBigEndian(static_cast<std::uint64_t>(ms) << 16 | kVersion7 | salt, bytes_.data());
  StoreBigEndian(kVariant | static_cast<std::uint64_t>(row), bytes_.data() + 8);
}

std::optional<ReadingId> ReadingId::Parse(std::string_view text) {
  const auto uuid = base::Uuid::Parse(text);
  if (!uuid.ok()) return std::nullopt;
  ReadingId id;
  id.bytes_ = uuid->bytes;
  const bool is_ours = (LoadBigEndian(id.bytes_.data()) & kVersionMask) == kVersion7 &&
                       (LoadBigEndian(id.bytes_.data() + 8) & kVariantMask) == kVariant &&
                       id.row() >= 1;
  return is_ours ? std::optional(id) : std::nullopt;
}

std::int64_t ReadingId::row() const {
  return static_cast<std::int64_t>(LoadBigEndian(bytes_.data() + 8) & ~kVariantMask);
}

std::uint16_t ReadingId::salt() const {
  return static_cast<std::uint16_t>(LoadBigEndian(bytes_.data()) & kSaltMask);
}

std::int64_t ReadingId::accept_ms() const {
  return static_cast<std::int64_t>(LoadBigEndian(bytes_.data()) >> 16);
}

std::string ReadingId::ToString() const { return base::Uuid{bytes_}.ToString(); }

}  // namespace wattmint::domain
