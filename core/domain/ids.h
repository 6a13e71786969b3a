// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::domain {

inline constexpr std::size_t kIdBytesMax = 64;  // chosen: fits every meter serial that we have seen

// Whether `text` is a meter id: 1 to kIdBytesMax bytes of [A-Za-z0-9._:-].
bool IsMeterId(std::string_view text);

// Whether `text` is a user id: 1 to kIdBytesMax bytes of [A-Za-z0-9._:@-].
bool IsUserId(std::string_view text);

// Whether `text` is a wallet: a Solana address, base58 of exactly 32 bytes.
bool IsWalletAddress(std::string_view text);

// Whether `text` is a key that a meter may sign with: base58 of the 32 bytes of an Ed25519 public
// key under which only the owner of its secret can sign.
bool IsMeterKey(std::string_view text);

// Whether `text` may be a request id: at most kIdBytesMax bytes of printable ASCII; empty means
// none.
bool IsRequestId(std::string_view text);

// Identity of an accepted reading: a UUID of version 7 (RFC 9562) whose random part holds the row
// number of the reading, so that it is found without an index.
//   48 bits: milliseconds of the accept time; 4 bits: version 7; 12 bits: salt of the log;
//   2 bits: variant; 62 bits: row number.
class ReadingId {
 public:
  ReadingId() = default;
  // REQUIRES: row >= 1, salt < 4096.
  ReadingId(Time accept_time, std::uint16_t salt, std::int64_t row);
  // Parses the 36-character text form, lower or upper case; nothing if it is no id of ours.
  static std::optional<ReadingId> Parse(std::string_view text);

  std::int64_t row() const;
  std::uint16_t salt() const;
  std::int64_t accept_ms() const;
  // Lower case, hyphenated.
  std::string ToString() const;

  friend auto operator<=>(const ReadingId&, const ReadingId&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace wattmint::domain
