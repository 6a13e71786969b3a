// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/encoding.h"
#include "core/domain/event.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// The event as JSON, with the field names of bridge/README.md. Energy and the tokens of one reading
// are exact numbers; other 64-bit values are text. `epoch`: of the log that it is from.
// kProto is spelled as kJson.
std::string EncodeEvent(const domain::Event& event, Encoding encoding, std::string_view epoch);

// An event of a later version, of which only its place, its time and the number of its
// wattmint.v1.EventType (0: none) are known.
struct UnknownEvent {
  std::int64_t sequence = 0;
  domain::Time time{};
  int type = 0;
};
std::string EncodeUnknown(const UnknownEvent& event, Encoding encoding, std::string_view epoch);

}  // namespace wattmint::bridge
