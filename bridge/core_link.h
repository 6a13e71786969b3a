// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/event_scope.h"
#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/client/credential.h"
#include "core/domain/filter.h"
#include "core/store/event_log.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
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
};

struct HistoryPage {
  std::vector<store::EventRecord> events;  // of the scope and the filter, in order
  std::int64_t next_sequence = 1;          // what matches before it is in `events`
};

struct NewTicket {
  std::string text;
  base::Time expires_at{};
};

// What the bridge asks of the core. Answers arrive on the thread that owns the sessions, never
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
  virtual void ReadHistory(HistoryRequest request, Done<HistoryPage> done) = 0;
};

}  // namespace wattmint::bridge
