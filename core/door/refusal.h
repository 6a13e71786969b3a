// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wattmint::door {

// Why the front door closed a connection, or let none in.
enum class Refusal : std::uint8_t {
  kFull,           // as many connections as there may be
  kAddressFull,    // as many of one address, or more than others when there was no room
  kSilent,         // no preface in time, or one more was waiting for it than there is room for
  kTls,            // no TLS, no HTTP/2 in it, or no certificate that we trust
  kNotHttp2,       // another preface
  kLargeFrame,     // longer than we said we take
  kLargeHeaders,   // a header block longer than any call needs, or in too many pieces
  kBrokenHeaders,  // another frame within a header block
  kManyStreams,    // more calls at once than the server allows
  kFalseAck,       // agreed to settings that we did not send
  kManyResets,
  kManyPings,
  kManySettings,
  kManyIdleFrames,  // frames that bring nothing
};
constexpr std::size_t kRefusalCount = 14;

// For metrics, such as "many_resets".
constexpr std::string_view Name(Refusal refusal) {
  constexpr std::array<std::string_view, kRefusalCount> kNames = {
      "full",          "address_full",    "silent",       "tls",       "not_http2",   "large_frame",
      "large_headers", "broken_headers",  "many_streams", "false_ack", "many_resets", "many_pings",
      "many_settings", "many_idle_frames"};
  return kNames[static_cast<std::size_t>(refusal)];
}
static_assert(Name(Refusal::kManyIdleFrames) == "many_idle_frames");

}  // namespace wattmint::door
