// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/encoding.h"
#include "bridge/session_context.h"
#include "core/domain/event.h"

#include <optional>
#include <string>
#include <vector>

namespace wattmint::bridge {

// Examples of what the server sends, made by the encoders themselves: always the same bytes.

// An event of that type with every field of its message filled; nothing for a type that this
// version does not know.
std::optional<domain::Event> SampleEvent(domain::EventType type);

// The texts of the frames of the server's messages that are no events, at least one of each; each
// member is in one of them. kProto is spelled as kJson.
std::vector<std::string> SampleMessages(Encoding encoding, const SessionOptions& options);

// Of the log that sample events are from.
inline constexpr std::string_view kSampleEpoch = "01890a5d-ac96-7ab2-9c1f-3d2b8a6e4f00";

}  // namespace wattmint::bridge
