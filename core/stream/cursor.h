// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::stream {

// A place in one log for one filter and one scope. Good on gRPC, WebSocket and the command line
// alike.
struct Cursor {
  std::string epoch;
  std::int64_t sequence = 0;  // everything up to here was delivered
  std::uint64_t filter_hash = 0;
  std::string scope;  // ScopeName() of who it was made for

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// Cursors as opaque text: base64url of the fields and an HMAC-SHA-256 over them, so that nobody can
// make one up. Threads: any.
class CursorSigner {
 public:
  using Key = std::array<std::uint8_t, 32>;
  explicit CursorSigner(const Key& key) : key_(key) {}

  std::string Encode(const Cursor& cursor) const;
  // kInvalidArgument for text that this key did not sign.
  absl::StatusOr<Cursor> Decode(std::string_view text) const;

 private:
  const Key key_;
};

// Where a stream that presents `cursor` goes on: behind the later of the cursor and
// `last_sequence`. kFailedPrecondition with the reason EPOCH_CHANGED, FILTER_CHANGED or
// SCOPE_CHANGED (core/access/reason.h) when the cursor is not for this stream; kInvalidArgument
// when last_sequence is above `head`.
absl::StatusOr<std::int64_t> ResumeAfter(const Cursor& cursor, const Cursor& expected,
                                         std::int64_t last_sequence, std::int64_t head);

}  // namespace wattmint::stream
