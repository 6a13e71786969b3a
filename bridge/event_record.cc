// SPDX-License-Identifier: Apache-2.0
#include "bridge/event_record.h"

#include "core/wire/event_codec.h"

#include <absl/status/statusor.h>

#include <memory>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr auto kNoType = static_cast<domain::EventType>(0);

}  // namespace

store::EventRecord MakeRecord(std::int64_t sequence, std::string payload) {
  absl::StatusOr<domain::EventAttributes> attributes = wire::DecodeAttributes(payload);
  if (!attributes.ok()) {
    attributes = domain::EventAttributes{.type = kNoType,
                                         .audience = domain::EventAttributes::Audience::kAdmin};
  }
  return {sequence, std::make_shared<const store::EventRecord::Body>(std::move(payload),
                                                                     *std::move(attributes))};
}

bool IsUnknown(const store::EventRecord& event) { return event.body->attributes.type == kNoType; }

}  // namespace wattmint::bridge
