// SPDX-License-Identifier: Apache-2.0
#include "bridge/event_frames.h"

#include "bridge/json_encoder.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"

namespace wattmint::bridge {

EventFrames::EventFrames(std::size_t frames_max) : slots_(frames_max) {}

absl::StatusOr<SharedFrame> EventFrames::Get(const store::EventRecord& event) {
  Slot& slot = slots_[static_cast<std::size_t>(event.sequence) % slots_.size()];
  if (slot.sequence == event.sequence) return slot.frame;
  WATTMINT_ASSIGN_OR_RETURN(const domain::Event decoded,
                            wire::DecodePayload(event.sequence, event.body->payload));
  ++encoded_count_;
  SharedFrame frame = FrameText(EncodeEvent(decoded));
  // History must not drive out what is live.
  if (event.sequence > slot.sequence) slot = {event.sequence, frame};
  return frame;
}

void EventFrames::Clear() { slots_.assign(slots_.size(), Slot{}); }

}  // namespace wattmint::bridge
