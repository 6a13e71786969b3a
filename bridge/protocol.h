// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/channel.h"
#include "core/client/credential.h"
#include "core/domain/filter.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wattmint::bridge {

// Names of refusals on the wire: bridge/README.md, "Error codes".
namespace error_code {
inline constexpr std::string_view kInvalidMessage = "INVALID_MESSAGE";
inline constexpr std::string_view kInvalidMessageType = "INVALID_MESSAGE_TYPE";
inline constexpr std::string_view kInvalidAuthentication = "INVALID_AUTHENTICATION_DATA";
inline constexpr std::string_view kInvalidSubscription = "INVALID_SUBSCRIPTION_DATA";
inline constexpr std::string_view kInvalidUnsubscription = "INVALID_UNSUBSCRIPTION_DATA";
inline constexpr std::string_view kInvalidRoom = "INVALID_ROOM";
inline constexpr std::string_view kAccessDenied = "ACCESS_DENIED";
inline constexpr std::string_view kAuthenticationRequired = "AUTHENTICATION_REQUIRED";
inline constexpr std::string_view kAuthenticationFailed = "AUTHENTICATION_FAILED";
inline constexpr std::string_view kInvalidApiKey = "INVALID_API_KEY";
inline constexpr std::string_view kSubscriptionLimit = "SUBSCRIPTION_LIMIT_EXCEEDED";
inline constexpr std::string_view kRateLimit = "RATE_LIMIT_EXCEEDED";
inline constexpr std::string_view kInvalidCursor = "INVALID_CURSOR";
inline constexpr std::string_view kCursorCompacted = "CURSOR_COMPACTED";
inline constexpr std::string_view kCursorEpoch = "CURSOR_EPOCH_MISMATCH";
inline constexpr std::string_view kCursorFilter = "CURSOR_FILTER_MISMATCH";
inline constexpr std::string_view kCursorScope = "CURSOR_SCOPE_MISMATCH";
inline constexpr std::string_view kUpstreamUnavailable = "UPSTREAM_UNAVAILABLE";
inline constexpr std::string_view kInternal = "INTERNAL";
}  // namespace error_code

struct AuthenticateCommand {
  client::Credential credential;
};

// Where a stream begins: what is new, the beginning, or behind a cursor.
struct StreamStart {
  enum class Kind { kNow, kBeginning, kResume };
  Kind kind = Kind::kNow;
  bool is_given = false;  // the client named it
  std::string cursor;
  std::int64_t last_sequence = 0;
};

struct SubscribeCommand {
  std::vector<Channel> channels;              // empty: `filter` is given
  std::optional<domain::EventFilter> filter;  // normalized
  StreamStart start;
};

struct UnsubscribeCommand {
  std::vector<Channel> channels;  // empty: everything
};

struct PingCommand {
  std::string timestamp;  // JSON, as it came; "" if absent
};

struct Command {
  std::string id;  // JSON, as it came; "" if absent
  std::variant<AuthenticateCommand, SubscribeCommand, UnsubscribeCommand, PingCommand> what;
};

// What a client is told instead of an answer.
struct ProtocolError {
  std::string id = "";         // as Command::id
  std::string_view code = {};  // of error_code
  std::string message = "";
  std::string channel = "";  // the one that is at fault, or ""
  std::optional<std::int64_t> retry_after_ms = {};
  std::optional<std::int64_t> oldest_sequence = {};
};

inline constexpr std::size_t kChannelsPerMessageMax = 20;  // Source: requirement S1-11

// Reads one client message in any of its spellings. Total: whatever the bytes are, the answer is a
// command or one error.
std::variant<Command, ProtocolError> ParseCommand(std::string_view text);

}  // namespace wattmint::bridge
