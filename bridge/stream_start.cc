// SPDX-License-Identifier: Apache-2.0
#include "bridge/stream_start.h"

#include "core/access/reason.h"
#include "core/base/status.h"

#include <algorithm>
#include <string>

namespace wattmint::bridge {
namespace {

std::string_view CursorErrorCode(const absl::Status& status) {
  const std::string reason = access::ReasonOf(status).value_or("");
  if (reason == "EPOCH_CHANGED") return error_code::kCursorEpoch;
  if (reason == "FILTER_CHANGED") return error_code::kCursorFilter;
  if (reason == "SCOPE_CHANGED") return error_code::kCursorScope;
  return error_code::kInvalidCursor;
}

ProtocolError Refusal(const absl::Status& status) {
  return {.code = CursorErrorCode(status), .message = std::string(base::Message(status))};
}

}  // namespace

std::variant<std::int64_t, ProtocolError> FindStart(const StreamStart& start,
                                                    const stream::Cursor& place,
                                                    const SessionContext& context) {
  const std::int64_t head = context.hub.head();
  if (start.kind == StreamStart::Kind::kNow) return head;
  if (start.kind == StreamStart::Kind::kBeginning) return std::int64_t{0};
  const absl::StatusOr<stream::Cursor> cursor = context.signer.Decode(start.cursor);
  if (!cursor.ok()) return Refusal(cursor.status());
  // Another bridge may have been ahead of this one: that is no fault of the client's.
  const std::int64_t seen = std::max(cursor->sequence, start.last_sequence);
  if (cursor->epoch == place.epoch && seen > head) {
    return ProtocolError{.code = error_code::kUpstreamUnavailable,
                         .message = "this server has not come so far yet",
                         .retry_after_ms = kRetryMs};
  }
  const absl::StatusOr<std::int64_t> after =
      stream::ResumeAfter(*cursor, place, start.last_sequence, head);
  if (!after.ok()) return Refusal(after.status());
  return *after;
}

}  // namespace wattmint::bridge
