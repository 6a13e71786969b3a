// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/channel.h"
#include "bridge/error_codes.h"
#include "core/client/credential.h"
#include "core/domain/filter.h"
#include "core/domain/reading.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wattmint::bridge {

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

struct SubmitReadingCommand {
  domain::Reading reading;
};

struct Command {
  std::string id;  // JSON, as it came; "" if absent
  std::variant<AuthenticateCommand, SubscribeCommand, UnsubscribeCommand, PingCommand,
               SubmitReadingCommand>
      what;
};

// When a client shall try again what cannot be done now, unless the core said when.
inline constexpr std::int64_t kRetryMs = 1'000;

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

// The types of client messages, as clients are told to spell them.
std::vector<std::string_view> CommandNames();

// Reads one client message in any of its spellings. Total: whatever the bytes are, the answer is a
// command or one error.
std::variant<Command, ProtocolError> ParseCommand(std::string_view text);

// Reads names of channels that are separated by commas. Total; at most kChannelsPerMessageMax.
std::variant<std::vector<Channel>, ProtocolError> ParseChannelList(std::string_view text);

}  // namespace wattmint::bridge
