// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/time.h"
#include "core/store/event_log.h"
#include "core/stream/cursor.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <variant>

namespace wattmint::stream {

// Where a reader of the log begins.
struct FromNow {};     // what is new
struct FromOldest {};  // the oldest event that is kept
struct FromSequence {
  std::int64_t sequence = 1;  // included
};
// The first event that was committed then or later; what is new when there is none yet.
struct FromTime {
  domain::Time time;
};
// Behind the later of the cursor and `last_sequence`.
struct FromCursor {
  std::string cursor;
  std::int64_t last_sequence = 0;
};
using Start = std::variant<FromNow, FromOldest, FromSequence, FromTime, FromCursor>;

// The log that a start is looked for in.
struct StartPlace {
  store::EventLog& log;
  const store::LogBounds& bounds;
  std::int64_t head = 0;  // the last that is published
  const CursorSigner& signer;
  const Cursor& expected;  // what a cursor must be for; its sequence means nothing
};

// The sequence behind which a reader begins. May read from disk. Errors: kOutOfRange with COMPACTED
// and the detail oldest_sequence, also when events of the time that was asked for may be gone;
// kInvalidArgument with CURSOR_INVALID or START_IN_FUTURE; kFailedPrecondition with EPOCH_CHANGED,
// FILTER_CHANGED or SCOPE_CHANGED; the log's.
absl::StatusOr<std::int64_t> FindStart(const Start& start, const StartPlace& place);

// The status (kOutOfRange) with the reason COMPACTED and the detail oldest_sequence.
absl::Status Compacted(absl::Status why, std::int64_t first);

// The first event that was committed at `time` or later, `last` + 1 when there is none up to there.
// Times of events never decrease. REQUIRES: all from `first` to `last` are kept.
absl::StatusOr<std::int64_t> FirstCommittedSince(domain::Time time, std::int64_t first,
                                                 std::int64_t last, store::EventLog& log);

}  // namespace wattmint::stream
