// SPDX-License-Identifier: Apache-2.0
#include "bridge/session_subscriptions.h"

#include "bridge/core_refusal.h"
#include "bridge/stream_start.h"
#include "core/access/authorizer.h"
#include "core/base/status.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace wattmint::bridge {
namespace {

constexpr std::string_view kSessionMethod = "GET /ws";  // in the audit log
constexpr std::size_t kWaitingMax = 20;        // chosen: a burst of frames. Source: InboundLimits
constexpr std::size_t kTasksPerFrameMax = 32;  // chosen: some 12 KiB
// Of the tasks in one Subscribe: the 1,000 of one job always fit. They go out at once, on top of
// the queue_bytes_max that may wait for the socket, and must stay below unread_bytes_max.
constexpr std::size_t kSnapshotBytesMax = 704 * 1024;

std::vector<std::string> NamesOf(const std::vector<Channel>& channels) {
  std::vector<std::string> names;
  for (const Channel& channel : channels) names.push_back(channel.Name());
  return names;
}

// Who resumes has them, and is told all that happened to them since.
std::deque<Channel> JobsToTell(const SubscribeCommand& command) {
  std::deque<Channel> jobs;
  if (command.start.kind == StreamStart::Kind::kResume) return jobs;
  for (const Channel& channel : command.channels) {
    const bool is_new = std::ranges::find(jobs, channel) == jobs.end();
    if (channel.kind == Channel::Kind::kJob && is_new) jobs.push_back(channel);
  }
  return jobs;
}

}  // namespace

SessionSubscriptions::SessionSubscriptions(const SessionContext& context,
                                           const ServerMessages& messages,
                                           WebSocketConnection& connection, SessionStream& stream,
                                           std::int64_t number, Send send, Refuse refuse)
    : context_(context),
      messages_(messages),
      connection_(connection),
      stream_(stream),
      number_(number),
      send_(std::move(send)),
      refuse_(std::move(refuse)) {}

SessionSubscriptions::~SessionSubscriptions() { Clear(); }

void SessionSubscriptions::Use(const access::Principal& principal) {
  principal_ = principal;
  scope_ = access::ScopeOf(principal);
}

void SessionSubscriptions::Clear() {
  wanted_.reset();
  change_.reset();
  waiting_.clear();
  Adopt({});
}

void SessionSubscriptions::Change(const std::string& id, const SubscribeCommand& command) {
  Enqueue(id, command);
}

void SessionSubscriptions::Change(const std::string& id, const UnsubscribeCommand& command) {
  Enqueue(id, command);
}

template <typename What>
void SessionSubscriptions::Enqueue(const std::string& id, const What& command) {
  if (waiting_.size() >= kWaitingMax) {
    return refuse_({.id = id,
                    .code = error_code::kRateLimit,
                    .message = "wait for the answers to the changes before",
                    .retry_after_ms = kRetryMs});
  }
  waiting_.push_back({id, command});
  WorkWaiting();
}

void SessionSubscriptions::WorkWaiting() {
  while (!change_ && !waiting_.empty()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    const bool was_running = stream_.IsRunning();
    stream_.Flush();                                  // it was subscribed when this happened
    if (was_running && !stream_.IsRunning()) return;  // it is lost, and the session ends
    std::visit([&](const auto& command) { Do(next.id, command); }, next.command);
    if (!change_) stream_.Pump();
  }
}

bool SessionSubscriptions::IsAllowed(const Channel& channel) const {
  using Reach = access::EventScope::Reach;
  if (scope_.reach == Reach::kEverything) return true;
  if (channel.kind == Channel::Kind::kBatches) return false;
  return !channel.IsOfUser() || (scope_.reach == Reach::kOwn && channel.id == scope_.user_id);
}

std::optional<SubscriptionSet> SessionSubscriptions::Apply(const std::string& id,
                                                           const SubscribeCommand& command) {
  SubscriptionSet set = set_;
  if (command.filter) {
    set.Replace(*command.filter);
    return set;
  }
  const auto denied =
      std::ranges::find_if_not(command.channels, [this](const auto& c) { return IsAllowed(c); });
  if (denied != command.channels.end()) {
    context_.audit.Refused(kSessionMethod, &principal_,
                           base::PermissionDenied("a channel that is for others"));
    refuse_({.id = id,
             .code = error_code::kAccessDenied,
             .message = "this channel is for others",
             .channel = denied->Name()});
    return std::nullopt;
  }
  if (!set.Add(command.channels, context_.options.subscriptions)) {
    refuse_({.id = id,
             .code = error_code::kSubscriptionLimit,
             .message = "too many subscriptions; Connected tells the limits"});
    return std::nullopt;
  }
  return set;
}

stream::Cursor SessionSubscriptions::PlaceOf(const SubscriptionSet& set) const {
  return {.epoch = context_.upstream.epoch,
          .sequence = 0,
          .filter_hash = set.Hash(),
          .scope = stream::ScopeName(scope_)};
}

void SessionSubscriptions::Do(const std::string& id, const SubscribeCommand& command) {
  std::optional<SubscriptionSet> set = Apply(id, command);
  if (!set) return;
  const bool is_new = !stream_.IsRunning() || command.filter || set_.filter();
  if (!is_new && command.start.is_given) {
    return refuse_({.id = id,
                    .code = error_code::kInvalidSubscription,
                    .message = "start and resume are for a new subscription only"});
  }
  if (context_.upstream.epoch.empty()) {
    return refuse_({.id = id,
                    .code = error_code::kUpstreamUnavailable,
                    .message = "the core has not been reached yet",
                    .retry_after_ms = kRetryMs});
  }
  Pending change{.id = id, .command = command, .set = *std::move(set)};
  if (stream_.IsRunning()) change.interrupted = stream_.position();
  if (change.set.HasEvents()) {
    change.after = change.interrupted;
    if (is_new) {
      auto found = FindStart(command.start, PlaceOf(change.set), context_);
      if (auto* error = std::get_if<ProtocolError>(&found)) {
        error->id = id;
        return refuse_(std::move(*error));
      }
      change.after = std::get<std::int64_t>(found);
    }
  }
  change.jobs = JobsToTell(command);
  change.begins_at_job = is_new && command.start.kind == StreamStart::Kind::kNow;
  change_ = std::make_unique<Pending>(std::move(change));
  if (change_->jobs.empty()) return Finish();
  stream_.End();
  AskForJob();
}

void SessionSubscriptions::Do(const std::string& id, const UnsubscribeCommand& command) {
  std::vector<std::string> removed = set_.Names();
  SubscriptionSet set = set_;
  set.Remove(command.channels);
  Adopt(std::move(set));
  ++context_.counters.subscription_changes;
  const std::vector<std::string> remaining = set_.Names();
  std::erase_if(removed, [&](const std::string& name) {
    return std::ranges::find(remaining, name) != remaining.end();
  });
  if (!set_.HasEvents()) {
    stream_.End();
  } else if (!removed.empty()) {
    Restart(stream_.position());
  }
  send_(messages_.Unsubscribed(id, remaining, removed, stream_.Cursor()));
  context_.audit.SubscribedTo(number_, remaining);
  stream_.Pump();
}

void SessionSubscriptions::Pump() {
  if (change_ && !change_->is_asking) AskForJob();
}

void SessionSubscriptions::AskForJob() {
  if (connection_.PendingBytes() >= context_.options.queue_bytes_max) return;  // Pump() goes on
  change_->is_asking = true;
  if (scope_.reach == access::EventScope::Reach::kPublic) {
    return OnBatch(store::BatchState{.tasks = {}, .sequence = context_.hub.head()});
  }
  wanted_ = std::make_shared<const bool>(true);
  context_.core.ReadBatch(
      {.scope = scope_, .batch_id = change_->jobs.front().id, .wanted = wanted_},
      [this, wanted = std::weak_ptr<const bool>(wanted_)](
          const absl::StatusOr<store::BatchState>& batch) {
        if (!wanted.expired()) OnBatch(batch);
      });
}

void SessionSubscriptions::OnBatch(const absl::StatusOr<store::BatchState>& batch) {
  Pending& change = *change_;
  change.is_asking = false;
  const Channel job = change.jobs.front();
  if (!batch.ok()) {
    Fail(BatchRefusal(change.id, job.Name(), batch.status()));
  } else if (Keep(job, *batch)) {
    if (std::exchange(change.begins_at_job, false)) change.after = batch->sequence;
    change.jobs.pop_front();
    if (!change.jobs.empty()) return AskForJob();
    Finish();
  }
  WorkWaiting();
}

bool SessionSubscriptions::Keep(const Channel& job, const store::BatchState& batch) {
  std::span<const domain::MintTask> rest = batch.tasks;
  do {
    const auto part = rest.first(std::min(rest.size(), kTasksPerFrameMax));
    rest = rest.subspan(part.size());
    change_->snapshots.push_back(
        messages_.JobSnapshot(job.id, batch.sequence, part, !rest.empty()));
    change_->snapshot_bytes += change_->snapshots.back()->size();
  } while (!rest.empty() && change_->snapshot_bytes <= kSnapshotBytesMax);
  if (change_->snapshot_bytes <= kSnapshotBytesMax) return true;
  Fail({.id = change_->id,
        .code = error_code::kSubscriptionLimit,
        .message = "these jobs have too many tasks: name fewer of them in one message",
        .channel = job.Name()});
  return false;
}

void SessionSubscriptions::Fail(ProtocolError error) {
  const std::optional<std::int64_t> interrupted = std::exchange(change_, nullptr)->interrupted;
  if (interrupted) Restart(*interrupted);
  refuse_(std::move(error));
  stream_.Pump();
}

void SessionSubscriptions::Finish() {
  const auto finished = std::exchange(change_, nullptr);
  const Pending& change = *finished;
  Adopt(change.set);
  ++context_.counters.subscription_changes;
  change.after ? Restart(*change.after) : stream_.End();
  const std::int64_t head = context_.hub.head();
  send_(messages_.Subscribed(change.id, {.channels = set_.Names(),
                                         .filter = set_.filter() ? &*set_.filter() : nullptr,
                                         .added = NamesOf(change.command.channels),
                                         .cursor = stream_.Cursor(),
                                         .epoch = context_.upstream.epoch,
                                         .head_sequence = head,
                                         .is_replaying = change.after.value_or(head) < head}));
  for (const SharedFrame& snapshot : change.snapshots) send_(snapshot);
  context_.audit.SubscribedTo(number_, set_.Names());
  stream_.Pump();
}

void SessionSubscriptions::Restart(std::int64_t after) {
  stream_.Start(set_.ToInterest(scope_), PlaceOf(set_), after);
}

void SessionSubscriptions::Adopt(SubscriptionSet set) {
  context_.channels.Change(set_.Names(), set.Names());
  set_ = std::move(set);
}

}  // namespace wattmint::bridge
