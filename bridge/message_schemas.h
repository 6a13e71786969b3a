// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/encoding.h"
#include "bridge/message_catalogue.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace wattmint::bridge {

// JSON schemas (draft 7) of what the catalogue describes. Members that are not named may be there:
// some may be added.
using OrderedJson = nlohmann::ordered_json;

// {"$ref": "#/components/<kind>/<name>"}.
OrderedJson Reference(std::string_view kind, std::string_view name);

// The schema's name in #/components/schemas: of the data, of a frame, or of a command's two forms.
// A frame of kProto that is JSON is that of kJson.
std::string FrameSchemaName(std::string_view type, Encoding encoding);
std::string CommandSchemaName(std::string_view type);
std::string BesideSchemaName(std::string_view type);  // members beside the type, without `data`

OrderedJson DataSchema(const MessageShape& shape);

// What a frame says beside its data.
struct FrameTraits {
  enum class Has { kNever, kSometimes, kAlways };
  Has sequence = Has::kNever;
  Has answered_id = Has::kNever;
};
// REQUIRES: encoding is not kProto.
OrderedJson FrameSchema(const MessageShape& shape, Encoding encoding, FrameTraits traits);

// The data of a command: as DataSchema(), with its choices.
OrderedJson CommandDataSchema(const CommandShape& shape);
OrderedJson CommandSchema(const CommandShape& shape);
OrderedJson BesideSchema(const CommandShape& shape);

// A channel in either spelling; its name is "Channel".
OrderedJson ChannelSchema();

}  // namespace wattmint::bridge
