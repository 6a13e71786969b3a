// SPDX-License-Identifier: Apache-2.0
#include "core/stream/start.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/wire/event_codec.h"

#include <string>
#include <utility>

namespace wattmint::stream {
namespace {

absl::StatusOr<domain::Time> TimeOf(std::int64_t sequence, store::EventLog& log) {
  WATTMINT_ASSIGN_OR_RETURN(const auto events, log.Read(sequence, 1, 1));
  if (events.empty()) return base::DataLoss("the log has no event {}", sequence);
  return wire::DecodeTime(events.front().payload);
}

absl::Status CheckStart(std::int64_t from, const StartPlace& place) {
  const std::int64_t first = place.bounds.first;
  if (from < first) {
    return Compacted(
        base::OutOfRange("event {} is not kept any more; the oldest is {}", from, first), first);
  }
  if (from <= place.head + 1) return absl::OkStatus();
  return access::WithReason(
      base::InvalidArgument("event {} is not in the log, which ends at {}", from, place.head),
      "START_IN_FUTURE");
}

// What each start means before it is looked at whether it is kept.
struct Finder {
  const StartPlace& place;

  absl::StatusOr<std::int64_t> operator()(FromNow) const { return place.head; }
  absl::StatusOr<std::int64_t> operator()(FromOldest) const { return place.bounds.first - 1; }
  absl::StatusOr<std::int64_t> operator()(FromSequence from) const { return from.sequence - 1; }

  absl::StatusOr<std::int64_t> operator()(FromTime from) const {
    const std::int64_t first = place.bounds.first;
    WATTMINT_ASSIGN_OR_RETURN(const std::int64_t found,
                              FirstCommittedSince(from.time, first, place.head, place.log));
    if (found > first || first == 1) return found - 1;
    // The one before the oldest may have been of that time too.
    return Compacted(
        base::OutOfRange("events of that time may not be kept any more; the oldest is {}", first),
        first);
  }

  absl::StatusOr<std::int64_t> operator()(const FromCursor& from) const {
    const absl::StatusOr<Cursor> cursor = place.signer.Decode(from.cursor);
    if (!cursor.ok()) return access::WithReason(cursor.status(), "CURSOR_INVALID");
    auto after = ResumeAfter(*cursor, place.expected, from.last_sequence, place.head);
    if (after.ok() || access::ReasonOf(after.status()).has_value()) return after;
    return access::WithReason(after.status(), "START_IN_FUTURE");
  }
};

}  // namespace

absl::StatusOr<std::int64_t> FindStart(const Start& start, const StartPlace& place) {
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t after, std::visit(Finder{place}, start));
  WATTMINT_RETURN_IF_ERROR(CheckStart(after + 1, place));
  return after;
}

absl::Status Compacted(absl::Status why, std::int64_t first) {
  return access::WithDetail(access::WithReason(std::move(why), "COMPACTED"), "oldest_sequence",
                            std::to_string(first));
}

absl::StatusOr<std::int64_t> FirstCommittedSince(domain::Time time, std::int64_t first,
                                                 std::int64_t last, store::EventLog& log) {
  std::int64_t end = last + 1;
  while (first < end) {
    const std::int64_t middle = first + (end - first) / 2;
    WATTMINT_ASSIGN_OR_RETURN(const domain::Time committed, TimeOf(middle, log));
    if (committed < time) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return first;
}

}  // namespace wattmint::stream
