// SPDX-License-Identifier: Apache-2.0
#include "core/client/event_frame.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <optional>

namespace wattmint::client {
namespace {

constexpr std::uint64_t kBatchTag = v1::SubscribeResponse::kBatchFieldNumber << 3 | 2;
constexpr std::uint64_t kEventTag = v1::EventBatch::kEventsFieldNumber << 3 | 2;
constexpr std::uint64_t kSequenceTag = v1::Event::kSequenceFieldNumber << 3;

// Takes one varint off the front.
std::optional<std::uint64_t> TakeVarint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    value |= std::uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// Takes `tag`, a length and so many bytes off the front.
std::optional<std::string_view> TakeField(std::uint64_t tag, std::string_view& bytes) {
  if (TakeVarint(bytes) != tag) return std::nullopt;
  const std::optional<std::uint64_t> size = TakeVarint(bytes);
  if (!size.has_value() || *size > bytes.size()) return std::nullopt;
  const std::string_view field = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return field;
}

absl::StatusOr<std::vector<RawEvent>> ParseBatch(std::string_view batch) {
  std::vector<RawEvent> events;
  while (!batch.empty()) {
    std::optional<std::string_view> event = TakeField(kEventTag, batch);
    if (!event.has_value()) return base::DataLoss("a batch of events is broken");
    if (TakeVarint(*event) != kSequenceTag) return base::DataLoss("an event has no sequence");
    const std::optional<std::uint64_t> sequence = TakeVarint(*event);
    const std::int64_t last = events.empty() ? 0 : events.back().sequence;
    if (!sequence.has_value() || static_cast<std::int64_t>(*sequence) <= last) {
      return base::DataLoss("an event does not come after event {}", last);
    }
    events.push_back({static_cast<std::int64_t>(*sequence), *event});
  }
  return events;
}

}  // namespace

absl::StatusOr<EventFrame> ParseEventFrame(std::string_view bytes) {
  EventFrame frame;
  if (std::string_view rest = bytes; !rest.empty() && TakeVarint(rest) == kBatchTag) {
    rest = bytes;
    const std::optional<std::string_view> batch = TakeField(kBatchTag, rest);
    if (!batch.has_value() || !rest.empty()) return base::DataLoss("a message is broken");
    WATTMINT_ASSIGN_OR_RETURN(frame.events, ParseBatch(*batch));
    return frame;
  }
  if (!frame.control.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::DataLoss("a message is broken");
  }
  return frame;
}

}  // namespace wattmint::client
