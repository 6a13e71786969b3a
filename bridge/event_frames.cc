// SPDX-License-Identifier: Apache-2.0
#include "bridge/event_frames.h"

#include "bridge/json_encoder.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"

#include <absl/hash/hash.h>

namespace wattmint::bridge {

absl::StatusOr<SharedFrame> EventFrames::Get(const store::EventRecord& event, Encoding encoding) {
  std::vector<Slot>& slots = slots_[static_cast<std::size_t>(encoding)];
  if (slots.empty()) slots.resize(frames_max_);
  Slot& slot = slots[static_cast<std::size_t>(event.sequence) % slots.size()];
  const std::size_t payload_hash = absl::HashOf(event.body->payload);
  if (slot.sequence == event.sequence && slot.payload_hash == payload_hash) return slot.frame;
  WATTMINT_ASSIGN_OR_RETURN(SharedFrame frame, Make(event, encoding));
  ++encoded_count_;
  // History must not drive out what is live.
  if (event.sequence >= slot.sequence) slot = {event.sequence, payload_hash, frame};
  return frame;
}

void EventFrames::Reset(const std::string& epoch) {
  epoch_ = epoch;
  for (std::vector<Slot>& slots : slots_) slots.clear();
}

absl::StatusOr<SharedFrame> EventFrames::Make(const store::EventRecord& event,
                                              Encoding encoding) const {
  if (encoding == Encoding::kProto) {
    std::string bytes;
    wire::AppendEvent(event.sequence, event.body->payload, bytes);
    return FrameBinary(bytes);
  }
  const absl::StatusOr<domain::Event> decoded =
      wire::DecodePayload(event.sequence, event.body->payload);
  if (decoded.ok()) return FrameText(EncodeEvent(*decoded, encoding, epoch_));
  WATTMINT_ASSIGN_OR_RETURN(const wire::UnknownFact unknown,
                            wire::DecodeUnknown(event.body->payload));
  return FrameText(EncodeUnknown({event.sequence, unknown.time, unknown.type}, encoding, epoch_));
}

}  // namespace wattmint::bridge
