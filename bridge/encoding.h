// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/json_writer.h"
#include "core/base/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// How the server spells its frames; the client chooses one by subprotocol: bridge/README.md,
// "Frames".
enum class Encoding { kJson, kFlat, kCloudEvents, kProto };

inline constexpr std::size_t kEncodingsCount = 4;

// One of each, by encoding.
template <typename T>
using ByEncoding = std::array<T, kEncodingsCount>;

// Names of all subprotocols, in the order of the encodings; the first is the default.
std::vector<std::string> Subprotocols();
// kJson for what is none of them.
Encoding EncodingOf(std::string_view subprotocol);

// What a message says beside its data. Texts must outlive it.
struct Envelope {
  std::string_view type;
  base::Time time{};
  std::int64_t sequence = 0;     // of an event; 0: it is none
  std::string_view answered_id;  // JSON of the client's id; "" if there is none
  std::string_view event_id;     // these three for kCloudEvents only
  std::string_view source;
  std::string_view subject;  // "" if there is none
};

// Opens a message; the members of its data follow. kProto is spelled as kJson here.
void OpenMessage(Encoding encoding, const Envelope& envelope, JsonWriter& json);
std::string CloseMessage(Encoding encoding, JsonWriter&& json);

}  // namespace wattmint::bridge
