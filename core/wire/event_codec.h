// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"
#include "core/domain/filter.h"
#include "core/domain/time.h"

#include "absl/status/statusor.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::wire {

// An event on its way to bytes and back. A payload is a serialised wattmint.v1.Event without its
// sequence; it is what the log stores. Since fields of a message may come in any order, the
// streamed event is its sequence field followed by the payload, so that nobody above the store has
// to know the sequence before the commit.

std::string EncodePayload(domain::Time time, const domain::Fact& fact);
// kDataLoss when the bytes are no event.
absl::StatusOr<domain::Event> DecodePayload(std::int64_t sequence, std::string_view payload);
// When the event was committed. Errors: as DecodePayload().
absl::StatusOr<domain::Time> DecodeTime(std::string_view payload);
absl::StatusOr<domain::EventAttributes> DecodeAttributes(std::string_view payload);

// What can be told of an event whose fact this version does not know.
struct UnknownFact {
  domain::Time time{};
  int type = 0;  // number of its wattmint.v1.EventType; 0: it says none
};
// Errors: kDataLoss when the bytes are no event at all.
absl::StatusOr<UnknownFact> DecodeUnknown(std::string_view payload);

// Appends the serialised event: sequence field, payload.
void AppendEvent(std::int64_t sequence, std::string_view payload, std::string& out);
// Appends one element of the field `events` (number 1 in EventBatch and ReadEventsResponse alike):
// tag, length, sequence field, payload. A run of these is the serialised EventBatch.
void AppendEventField(std::int64_t sequence, std::string_view payload, std::string& out);
// The same for what AppendEvent() made.
void AppendEventField(std::string_view event, std::string& out);
// How many bytes AppendEventField adds.
std::size_t EventFieldSize(std::int64_t sequence, std::size_t payload_size);

}  // namespace wattmint::wire
