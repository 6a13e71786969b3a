// SPDX-License-Identifier: Apache-2.0
#include "bridge/encoding.h"

#include "core/base/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr ByEncoding<std::string_view> kSubprotocols = {"wattmint.v1.json", "wattmint.v1.flat",
                                                        "cloudevents.json", "wattmint.v1.proto"};

// Source: CloudEvents 1.0, JSON event format, and its extension "sequence".
void OpenCloudEvent(const Envelope& envelope, JsonWriter& json) {
  json.String("specversion", "1.0").String("id", envelope.event_id);
  json.String("source", envelope.source);
  json.String("type", fmt::format("wattmint.v1.{}", envelope.type));
  json.String("time", base::FormatRfc3339(envelope.time));
  if (!envelope.subject.empty()) json.String("subject", envelope.subject);
  if (envelope.sequence != 0) json.String("sequence", fmt::format("{:019}", envelope.sequence));
  if (!envelope.answered_id.empty()) {
    const bool is_text = envelope.answered_id.front() == '"';
    if (is_text) json.Raw("replyto", envelope.answered_id);
    if (!is_text) json.String("replyto", envelope.answered_id);
  }
  json.String("datacontenttype", "application/json");
}

}  // namespace

std::vector<std::string> Subprotocols() { return {kSubprotocols.begin(), kSubprotocols.end()}; }

Encoding EncodingOf(std::string_view subprotocol) {
  const auto found = std::ranges::find(kSubprotocols, subprotocol);
  if (found == kSubprotocols.end()) return Encoding::kJson;
  return static_cast<Encoding>(found - kSubprotocols.begin());
}

void OpenMessage(Encoding encoding, const Envelope& envelope, JsonWriter& json) {
  if (encoding == Encoding::kCloudEvents) {
    OpenCloudEvent(envelope, json);
  } else {
    json.String("type", envelope.type);
    if (envelope.sequence != 0) json.Number("seq", envelope.sequence);
    if (!envelope.answered_id.empty()) json.Raw("id", envelope.answered_id);
    json.String(encoding == Encoding::kFlat ? "time" : "timestamp",
                base::FormatRfc3339(envelope.time));
  }
  if (encoding != Encoding::kFlat) json.Begin("data");
}

std::string CloseMessage(Encoding encoding, JsonWriter&& json) {
  if (encoding != Encoding::kFlat) json.End();
  return std::move(json).Take();
}

}  // namespace wattmint::bridge
