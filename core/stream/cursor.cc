// SPDX-License-Identifier: Apache-2.0
#include "core/stream/cursor.h"

#include "core/access/reason.h"
#include "core/base/base64.h"
#include "core/base/bytes.h"
#include "core/base/hmac.h"
#include "core/base/status.h"

#include <algorithm>

namespace wattmint::stream {
namespace {

// Layout: version (1 byte), sequence (8), filter hash (8), length of the epoch (1), epoch, scope,
// HMAC-SHA-256 of all that (32). Numbers are big-endian.
constexpr char kVersion = 1;
constexpr std::size_t kFixedBytes = 1 + 8 + 8 + 1;
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kTextBytesMax = 512;

void AppendNumber(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint64_t ReadNumber(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

absl::Status Malformed() { return base::InvalidArgument("the cursor is not one of this server"); }

absl::Status Mismatch(std::string_view reason, std::string_view what) {
  return access::WithReason(
      base::FailedPrecondition("the cursor was made for another {}; start anew", what), reason);
}

}  // namespace

std::string CursorSigner::Encode(const Cursor& cursor) const {
  std::string bytes(1, kVersion);
  AppendNumber(static_cast<std::uint64_t>(cursor.sequence), bytes);
  AppendNumber(cursor.filter_hash, bytes);
  bytes.push_back(static_cast<char>(cursor.epoch.size()));
  bytes += cursor.epoch;
  bytes += cursor.scope;
  const auto mac = base::HmacSha256(key_, base::AsBytes(bytes));
  bytes += base::AsText(mac);
  return base::EncodeBase64(base::AsBytes(bytes), base::Base64::kUrlSafe);
}

absl::StatusOr<Cursor> CursorSigner::Decode(std::string_view text) const {
  if (text.size() > kTextBytesMax) return Malformed();
  const auto decoded = base::DecodeBase64(text, base::Base64::kUrlSafe);
  if (!decoded.ok() || decoded->size() < kFixedBytes + kMacBytes) return Malformed();
  const std::string_view all = base::AsText(*decoded);
  const std::string_view fields = all.substr(0, all.size() - kMacBytes);
  const auto mac = base::HmacSha256(key_, base::AsBytes(fields));
  if (!base::ConstantTimeEqual(mac, base::AsBytes(all.substr(fields.size())))) return Malformed();
  const auto epoch_size = static_cast<std::uint8_t>(fields[kFixedBytes - 1]);
  if (fields[0] != kVersion || fields.size() < kFixedBytes + epoch_size) return Malformed();
  Cursor cursor;
  cursor.sequence = static_cast<std::int64_t>(ReadNumber(fields.substr(1)));
  cursor.filter_hash = ReadNumber(fields.substr(9));
  cursor.epoch = fields.substr(kFixedBytes, epoch_size);
  cursor.scope = fields.substr(kFixedBytes + epoch_size);
  return cursor;
}

absl::StatusOr<std::int64_t> ResumeAfter(const Cursor& cursor, const Cursor& expected,
                                         std::int64_t last_sequence, std::int64_t head) {
  if (cursor.epoch != expected.epoch) return Mismatch("EPOCH_CHANGED", "log");
  if (cursor.filter_hash != expected.filter_hash) return Mismatch("FILTER_CHANGED", "filter");
  if (cursor.scope != expected.scope) return Mismatch("SCOPE_CHANGED", "user");
  const std::int64_t after = std::max(cursor.sequence, last_sequence);
  if (last_sequence < 0 || after > head) {
    return base::InvalidArgument("the last sequence {} is not in the log, which ends at {}", after,
                                 head);
  }
  return after;
}

}  // namespace wattmint::stream
