// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// What each message of the protocol contains, in words and types: what the AsyncAPI document is
// made of. The encoders and the parser say the same in code; asyncapi_test compares every entry
// with their real frames, so that a message, or a member, that is missing here fails.

enum class MemberType : std::uint8_t {
  kText,
  kTime,           // RFC 3339, UTC
  kDecimal,        // a number with at most 9 fraction digits
  kDecimalOrText,  // the same, or the same as text
  kNumber,         // any number
  kCount,          // a whole number of 0 to 2^53 - 1
  kBigNumber,      // a 64-bit number, as text
  kBool,
  kWord,      // one of `words`
  kTexts,     // a list
  kWords,     // a list, each one of `words`
  kChannels,  // a list of channels, in either spelling
  kObject,    // of `members`
  kObjects,   // a list of such
};

enum class Presence : std::uint8_t {
  kAlways,
  kSometimes,
  kOrNull,           // always there, but may be null
  kSometimesOrNull,  // null is as good as absent
};

// What may stand where a word does; taken from the names in code.
using Words = std::vector<std::string_view> (*)();

struct Member {
  std::string_view name;
  MemberType type;
  Presence presence;
  std::string_view about;
  Words words = nullptr;
  std::span<const Member> members = {};
};

struct MessageShape {
  std::string_view name;  // the frame's `type`
  std::string_view about;
  std::span<const Member> members;  // of `data`
};

// A message of the client.
struct CommandShape {
  MessageShape message;
  std::string_view answer;  // the server message that answers it; an Error may as well
  // Members of exactly one of these groups must be there; none: no such rule.
  std::span<const std::span<const std::string_view>> choices;
  std::span<const std::string_view> examples;  // JSON of `data`
};

// One of each domain::EventType, in that order.
std::span<const MessageShape> EventShapes();
// Of an event that the bridge is too old to know.
const MessageShape& UnknownEventShape();
// One of each of CommandNames().
std::span<const CommandShape> CommandShapes();
// The server's messages: server_message_shapes.h.

// The words for members of these types.
std::vector<std::string_view> QualityWords();
std::vector<std::string_view> EnergyChannelWords();
std::vector<std::string_view> MintStateWords();
std::vector<std::string_view> RejectionWords();
std::vector<std::string_view> EventTypeWords();
std::vector<std::string_view> SeverityWords();
std::vector<std::string_view> RoleWords();
std::vector<std::string_view> ErrorCodeWords();  // of `Error` frames

}  // namespace wattmint::bridge
