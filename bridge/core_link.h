// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/event_scope.h"
#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/client/credential.h"
#include "core/domain/filter.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"
#include "core/store/event_log.h"
#include "core/store/queries.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wattmint::bridge {

// A stretch of the log, for somebody of that scope.
struct HistoryRequest {
  access::EventScope scope;
  std::optional<domain::EventFilter> filter;  // normalized; none: everything in the scope
  std::int64_t from_sequence = 1;             // included
  int events_max = 256;
  // Once it has expired nobody wants the answer any more, and the core need not be asked.
  std::weak_ptr<const bool> wanted = {};
};

struct HistoryPage {
  std::vector<store::EventRecord> events;  // of the scope and the filter, in order
  std::int64_t next_sequence = 1;          // what matches before it is in `events`
};

// The tasks of a batch, for somebody of that scope.
struct BatchRequest {
  access::EventScope scope;  // never kPublic: no task is public
  std::string batch_id;
  std::weak_ptr<const bool> wanted = {};  // as HistoryRequest's
};

struct NewTicket {
  std::string text;
  base::Time expires_at{};
};

// What became of a submitted reading.
struct SubmitAnswer {
  enum class Outcome { kAccepted = 1, kExists = 2, kRejected = 3 };  // as wattmint.v1.SubmitOutcome
  Outcome outcome = Outcome::kAccepted;
  std::string reading_id = "";
  std::optional<domain::Rejection> rejection = {};
  std::string message = "";
  std::optional<domain::MintState> mint_state = {};
};

// What the bridge asks of the core. To sessions, answers arrive on the thread that owns them, never
// within the call.
//
// Errors: kUnauthenticated and kPermissionDenied with a reason (core/access/reason.h);
// kResourceExhausted with a time to retry after; kOutOfRange for history that is not kept any more;
// kUnavailable and kDeadlineExceeded when the core can't be asked.
class CoreLink {
 public:
  template <typename T>
  using Done = std::function<void(absl::StatusOr<T>)>;

  virtual ~CoreLink() = default;
  // Who the credential stands for. A ticket is used up.
  virtual void Authenticate(client::Credential credential, Done<access::Principal> done) = 0;
  virtual void CreateTicket(client::Credential credential, Done<NewTicket> done) = 0;
  // kUnavailable for all that may go well later; every other error stays.
  virtual void ReadHistory(HistoryRequest request, Done<HistoryPage> done) = 0;
  // Every task with what its clients are told of it. Errors: as ReadHistory().
  virtual void ReadBatch(BatchRequest request, Done<store::BatchState> done) = 0;
  // In the name of whoever the credential stands for. Also kInvalidArgument; with kUnavailable and
  // kDeadlineExceeded it may have been accepted all the same: the same again tells.
  virtual void SubmitReading(client::Credential credential, domain::Reading reading,
                             Done<SubmitAnswer> done) = 0;
};

}  // namespace wattmint::bridge
