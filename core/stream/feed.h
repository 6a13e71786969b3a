// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/authenticator.h"
#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/stream/cursor.h"
#include "core/stream/hub.h"
#include "core/stream/start.h"

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wattmint::stream {

// What a subscriber asked for.
struct FeedRequest {
  access::Principal principal;
  std::vector<domain::EventFilter> filters;  // as in Interest
  Start start = FromNow{};
};

struct FeedOptions {
  base::Duration heartbeat = std::chrono::seconds(15);
  base::Duration expiry_warning = std::chrono::seconds(60);  // before the credential ends
  std::size_t batch_events_max = 2'000;                      // chosen: some 400 kB
  std::size_t batch_bytes_max = 512 << 10;
};

// What one subscriber is to be told next, in the order of the contract in protos/README.md: the
// first message is Established; events in order; heartbeats; the end of history; falling behind;
// draining; the end of the credential.
//
// Threads: one at a time; the waker is called on another. Lifetime: everything passed to Open()
// must outlive it.
class Feed {
 public:
  struct Established {
    std::string epoch;
    std::string cursor;
    std::int64_t head = 0;
  };
  struct Events {
    EventList events;
  };
  struct Heartbeat {
    std::string cursor;
    std::int64_t head = 0;
    std::int64_t delivered = 0;
  };
  struct CaughtUp {
    std::string cursor;
  };
  struct FellBehind {
    std::int64_t head = 0;
    std::int64_t delivered = 0;
  };
  struct CredentialExpiring {
    base::Time expire_time{};
  };
  struct Draining {
    base::Duration reconnect_after{};
    std::string cursor;
  };
  // Answers to a change that came on the stream itself; Next() never says them.
  struct FiltersChanged {
    std::int64_t change_id = 0;
    std::int64_t holds_from = 0;  // the first sequence that the new filters decide
    std::string cursor;           // good with the new filters
  };
  struct CredentialRenewed {
    std::int64_t change_id = 0;
    std::optional<base::Time> expire_time;
  };
  struct ChangeRefused {
    std::int64_t change_id = 0;
    absl::Status why;
  };
  using Message =
      std::variant<Established, Events, Heartbeat, CaughtUp, FellBehind, CredentialExpiring,
                   Draining, FiltersChanged, CredentialRenewed, ChangeRefused>;
  struct End {
    absl::Status why;
  };
  struct Again {};  // nothing yet, but there is more to look at: call Next() again
  struct Wait {};   // nothing until the waker is called, or due()
  using Step = std::variant<Message, End, Again, Wait>;

  struct Sources {
    store::EventLog& log;
    Hub& hub;
    const CursorSigner& signer;
    access::Authenticator& authenticator;
    base::Clock& clock;
  };

  // May read from disk. Errors: as FindStart().
  static absl::StatusOr<std::unique_ptr<Feed>> Open(const Sources& sources, FeedOptions options,
                                                    FeedRequest request,
                                                    std::function<void()> waker);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // May read from disk. After End nothing but the destructor may be called.
  Step Next();
  // Whether Next() need not read from disk, as far as can be told now.
  bool IsInMemory() const { return subscription_->IsInTail(); }
  // When Next() has something to say also without an event.
  std::chrono::steady_clock::time_point due() const;

  // From here on other filters (as in Interest) decide; what was handed out before was decided by
  // the old ones. Answers without its change_id.
  FiltersChanged SetFilters(std::vector<domain::EventFilter> filters);
  // Goes on with a fresh credential. kPermissionDenied with SCOPE_CHANGED if it is another user's,
  // or sees other events.
  absl::Status Renew(access::Principal principal);
  const access::Principal& principal() const { return principal_; }
  bool is_established() const { return is_established_; }

  // The following calls of Next() tell that the server stops, and end.
  void Drain(base::Duration reconnect_after) { drain_after_ = reconnect_after; }
  // The next call of Next() asks whether the credential is still good.
  void RecheckCredential() { must_recheck_ = true; }

 private:
  Feed(const Sources& sources, FeedOptions options, access::Principal principal, Cursor place,
       std::function<void()> waker);

  std::optional<Step> NextNotice();
  std::optional<Step> NextOfCredential();
  Step NextOfLog();
  std::string CursorHere() const;

  const Sources sources_;
  const FeedOptions options_;
  const std::function<void()> waker_;
  access::Principal principal_;
  Cursor place_;  // sequence: where the stream began
  std::unique_ptr<Subscription> subscription_;

  bool is_established_ = false;
  bool has_caught_up_ = false;
  // At first, and after a renewal: the key may have gone before anybody knew of this stream.
  bool must_recheck_ = true;
  bool has_warned_ = false;
  std::optional<base::Duration> drain_after_;
  bool has_told_drain_ = false;
  bool owes_heartbeat_ = false;
  bool owes_fell_behind_ = false;
  std::chrono::steady_clock::time_point heartbeat_at_;
};

}  // namespace wattmint::stream
