// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/protocol.h"
#include "bridge/session_context.h"
#include "bridge/session_stream.h"
#include "bridge/subscription_set.h"
#include "bridge/websocket_server.h"
#include "core/access/principal.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wattmint::bridge {

// What one session is subscribed to: works its Subscribe and Unsubscribe, one after the other.
//
// A job is told first as it stands, by what the core answers for one place in the log. Meanwhile
// the stream stands still, so that it goes on at or before that place, and misses nothing behind
// it. All of a Subscribe is done, or nothing.
//
// Threads: the owner's. Lifetime: ends before everything passed to the constructor; answers that
// come later are dropped.
class SessionSubscriptions {
 public:
  using Send = std::function<void(const SharedFrame&)>;
  using Refuse = std::function<void(ProtocolError)>;
  // `number`: of the session, in the audit log. `send` and `refuse` tell the client.
  SessionSubscriptions(const SessionContext& context, const ServerMessages& messages,
                       WebSocketConnection& connection, SessionStream& stream, std::int64_t number,
                       Send send, Refuse refuse);
  ~SessionSubscriptions();
  SessionSubscriptions(const SessionSubscriptions&) = delete;
  SessionSubscriptions& operator=(const SessionSubscriptions&) = delete;

  // Whose they are. Later ones are of the same user and scope.
  void Use(const access::Principal& principal);
  // REQUIRES: Use() was called.
  void Change(const std::string& id, const SubscribeCommand& command);
  void Change(const std::string& id, const UnsubscribeCommand& command);
  // Goes on with what waits for the socket.
  void Pump();
  // Forgets everything, also what is under way.
  void Clear();

  bool Has(Channel::Kind kind) const { return set_.Has(kind); }
  // Whether the stream stands still for a change.
  bool IsChanging() const { return change_ != nullptr; }

 private:
  using Command = std::variant<SubscribeCommand, UnsubscribeCommand>;
  struct Waiting {
    std::string id;
    Command command;
  };
  // A Subscribe that is being worked.
  struct Pending {
    std::string id;
    SubscribeCommand command;
    SubscriptionSet set;
    std::optional<std::int64_t> after;        // where its stream begins; nothing: without events
    std::optional<std::int64_t> interrupted;  // where the stream stood that it interrupts
    bool begins_at_job = false;               // it is new, and begins where its first job stands
    std::deque<Channel> jobs;                 // that were not asked for yet
    std::vector<SharedFrame> snapshots;       // of those that were
    std::size_t snapshot_bytes = 0;
    bool is_asking = false;
  };

  template <typename What>
  void Enqueue(const std::string& id, const What& command);
  void WorkWaiting();
  void Do(const std::string& id, const SubscribeCommand& command);
  void Do(const std::string& id, const UnsubscribeCommand& command);
  bool IsAllowed(const Channel& channel) const;
  // The set after `command`; nothing, and the client was told, if it is refused.
  std::optional<SubscriptionSet> Apply(const std::string& id, const SubscribeCommand& command);
  stream::Cursor PlaceOf(const SubscriptionSet& set) const;
  void AskForJob();
  void OnBatch(const absl::StatusOr<store::BatchState>& batch);
  // False, and the client was told, if it is too much.
  bool Keep(const Channel& job, const store::BatchState& batch);
  void Fail(ProtocolError error);
  void Finish();
  void Restart(std::int64_t after);
  void Adopt(SubscriptionSet set);

  const SessionContext& context_;
  const ServerMessages& messages_;
  WebSocketConnection& connection_;
  SessionStream& stream_;
  const std::int64_t number_;
  const Send send_;
  const Refuse refuse_;

  access::Principal principal_;
  access::EventScope scope_;
  SubscriptionSet set_;
  // Both take hardly any memory of a session that is quiet.
  std::unique_ptr<Pending> change_;
  std::list<Waiting> waiting_;
  // shared: answers of the core hold it weakly, to know whether they are still wanted.
  std::shared_ptr<const bool> wanted_;
};

}  // namespace wattmint::bridge
