// SPDX-License-Identifier: Apache-2.0
#include "bridge/session.h"

#include "core/access/authorizer.h"
#include "core/access/reason.h"
#include "core/base/status.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace wattmint::bridge {
namespace {

constexpr std::int64_t kRetryMs = 1'000;

// What a refused credential is called on the wire; kUpstreamUnavailable when the core did not say.
std::string_view CredentialErrorCode(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnauthenticated) {
    return access::ReasonOf(status) == access::reason::kInvalidApiKey
               ? error_code::kInvalidApiKey
               : error_code::kAuthenticationFailed;
  }
  if (status.code() == absl::StatusCode::kPermissionDenied) return error_code::kAccessDenied;
  if (status.code() == absl::StatusCode::kResourceExhausted) return error_code::kRateLimit;
  return error_code::kUpstreamUnavailable;
}

std::string_view CursorErrorCode(const absl::Status& status) {
  const std::string reason = access::ReasonOf(status).value_or("");
  if (reason == "EPOCH_CHANGED") return error_code::kCursorEpoch;
  if (reason == "FILTER_CHANGED") return error_code::kCursorFilter;
  if (reason == "SCOPE_CHANGED") return error_code::kCursorScope;
  return error_code::kInvalidCursor;
}

std::vector<std::string> Names(const std::vector<Channel>& channels) {
  std::vector<std::string> names;
  for (const Channel& channel : channels) names.push_back(channel.Name());
  return names;
}

}  // namespace

Session::Session(const SessionContext& context, std::optional<access::Principal> principal)
    : context_(context),
      inbound_(context.options.inbound, context.clock),
      principal_(std::move(principal)) {}

Session::~Session() {
  if (id_ != 0) context_.registry.Remove(id_);
}

void Session::OnOpen(WebSocketConnection& connection) {
  connection_ = &connection;
  id_ = context_.registry.Add(*this);
  stream_ = std::make_unique<SessionStream>(context_, connection, id_,
                                            [this](const absl::Status& why) { OnStreamLost(why); });
  const SessionOptions& options = context_.options;
  heartbeat_at_ = context_.clock.Steady() + options.heartbeat;
  authenticate_by_ = context_.clock.Steady() + options.authenticate_within;
  connection.Send(context_.messages.Connected(
      fmt::format("s{}", id_), principal_ ? base::Duration::zero() : options.authenticate_within,
      {.subscriptions = options.subscriptions.channels_max,
       .object_subscriptions = options.subscriptions.object_channels_max,
       .user_subscriptions = options.subscriptions.user_channels_max,
       .frame_bytes = options.frame_bytes_max,
       .frames_per_minute = options.inbound.frames_per_minute}));
  spdlog::info("bridge: session s{} opened", id_);
  if (principal_) Welcome("", *std::exchange(principal_, std::nullopt));
}

void Session::OnClose(int code) {
  is_closing_ = true;
  stream_->End();
  spdlog::info("bridge: session s{} closed by {}", id_, code);
}

void Session::OnText(std::string_view text) {
  if (is_closing_ || !TakesFrame()) return;
  std::variant<Command, ProtocolError> parsed = ParseCommand(text);
  if (auto* error = std::get_if<ProtocolError>(&parsed)) return SendError(std::move(*error));
  const auto& command = std::get<Command>(parsed);
  const bool needs_principal = std::holds_alternative<SubscribeCommand>(command.what) ||
                               std::holds_alternative<UnsubscribeCommand>(command.what);
  if (needs_principal && !principal_) {
    return SendError({.id = command.id,
                      .code = error_code::kAuthenticationRequired,
                      .message = "the first message must be Authenticate"});
  }
  std::visit([&](const auto& what) { Handle(command.id, what); }, command.what);
}

bool Session::TakesFrame() {
  const InboundLimits& limits = context_.options.inbound;
  switch (inbound_.Frame()) {
    case InboundLimiter::Verdict::kTake:
      return true;
    case InboundLimiter::Verdict::kTakeAndWarn:
      connection_->Send(context_.messages.RateLimitWarning(inbound_.used(), limits.burst_frames));
      return true;
    case InboundLimiter::Verdict::kRefuse:
      SendError({.code = error_code::kRateLimit,
                 .message = "too many frames",
                 .retry_after_ms = Milliseconds(inbound_.retry_after()) + 1});
      return false;
    case InboundLimiter::Verdict::kClose:
      Close(close_code::kTooManyFrames, "too many frames");
      return false;
  }
  return false;
}

void Session::Handle(const std::string& id, const AuthenticateCommand& command) {
  if (std::exchange(is_authenticating_, true)) {
    return SendError({.id = id,
                      .code = error_code::kInvalidAuthentication,
                      .message = "another credential is being checked"});
  }
  context_.core.Authenticate(command.credential,
                             [this, id, alive = std::weak_ptr<const bool>(alive_)](
                                 absl::StatusOr<access::Principal> principal) {
                               if (!alive.expired()) OnAuthenticated(id, std::move(principal));
                             });
}

void Session::OnAuthenticated(const std::string& id, absl::StatusOr<access::Principal> principal) {
  is_authenticating_ = false;
  if (is_closing_) return;
  if (!principal.ok()) {
    const std::string_view code = CredentialErrorCode(principal.status());
    ProtocolError error{.id = id, .code = code, .message = "the credential was refused"};
    if (code == error_code::kUpstreamUnavailable || code == error_code::kRateLimit) {
      error.message = "the credential can't be checked now";
      const auto retry_after = access::RetryAfterOf(principal.status());
      error.retry_after_ms = retry_after ? Milliseconds(*retry_after) : kRetryMs;
      return SendError(std::move(error));
    }
    SendError(std::move(error));
    // A session that has a good credential keeps it as long as that lasts.
    if (!principal_) Close(close_code::kBadCredential, "the credential was refused");
    return;
  }
  const bool is_same = !principal_ || (principal->user_id == principal_->user_id &&
                                       access::ScopeOf(*principal) == scope_);
  if (!is_same) {
    return SendError({.id = id,
                      .code = error_code::kAccessDenied,
                      .message = "the credential is for another user, or allows something else"});
  }
  Welcome(id, *std::move(principal));
}

void Session::Welcome(const std::string& id, access::Principal principal) {
  principal_ = std::move(principal);
  scope_ = access::ScopeOf(*principal_);
  has_warned_of_expiry_ = false;
  // The revocation may have come while the credential was being checked.
  if (context_.revoked_keys.contains(principal_->key_id)) return OnKeyRevoked(principal_->key_id);
  connection_->Send(context_.messages.Authenticated(id, *principal_));
  CheckCredential();
}

bool Session::IsAllowed(const Channel& channel) const {
  using Reach = access::EventScope::Reach;
  if (scope_.reach == Reach::kEverything) return true;
  if (channel.kind == Channel::Kind::kBatches) return false;
  return !channel.IsOfUser() || (scope_.reach == Reach::kOwn && channel.id == scope_.user_id);
}

std::optional<SubscriptionSet> Session::Apply(const std::string& id,
                                              const SubscribeCommand& command) {
  SubscriptionSet set = subscriptions_;
  if (command.filter) {
    set.Replace(*command.filter);
    return set;
  }
  const auto denied =
      std::ranges::find_if_not(command.channels, [this](const auto& c) { return IsAllowed(c); });
  if (denied != command.channels.end()) {
    SendError({.id = id,
               .code = error_code::kAccessDenied,
               .message = "this channel is for others",
               .channel = denied->Name()});
    return std::nullopt;
  }
  if (!set.Add(command.channels, context_.options.subscriptions)) {
    SendError({.id = id,
               .code = error_code::kSubscriptionLimit,
               .message = "too many subscriptions; Connected tells the limits"});
    return std::nullopt;
  }
  return set;
}

stream::Cursor Session::PlaceOf(const SubscriptionSet& set) const {
  return {.epoch = context_.upstream.epoch,
          .sequence = 0,
          .filter_hash = set.Hash(),
          .scope = stream::ScopeName(scope_)};
}

std::optional<std::int64_t> Session::FindStart(const std::string& id, const StreamStart& start,
                                               const stream::Cursor& place) {
  const std::int64_t head = context_.hub.head();
  if (start.kind == StreamStart::Kind::kNow) return head;
  if (start.kind == StreamStart::Kind::kBeginning) return 0;
  absl::StatusOr<stream::Cursor> cursor = context_.signer.Decode(start.cursor);
  absl::Status refusal = cursor.status();
  if (cursor.ok()) {
    // Another bridge may have been ahead of this one: that is no fault of the client's.
    const std::int64_t seen = std::max(cursor->sequence, start.last_sequence);
    if (cursor->epoch == place.epoch && seen > head) {
      SendError({.id = id,
                 .code = error_code::kUpstreamUnavailable,
                 .message = "this server has not come so far yet",
                 .retry_after_ms = kRetryMs});
      return std::nullopt;
    }
    const absl::StatusOr<std::int64_t> after =
        stream::ResumeAfter(*cursor, place, start.last_sequence, head);
    if (after.ok()) return *after;
    refusal = after.status();
  }
  SendError(
      {.id = id, .code = CursorErrorCode(refusal), .message = std::string(base::Message(refusal))});
  return std::nullopt;
}

void Session::Handle(const std::string& id, const SubscribeCommand& command) {
  std::optional<SubscriptionSet> set = Apply(id, command);
  if (!set) return;
  const bool is_new = !stream_->IsRunning() || command.filter || subscriptions_.filter();
  if (!is_new && command.start.is_given) {
    return SendError({.id = id,
                      .code = error_code::kInvalidSubscription,
                      .message = "start and resume are for a new subscription only"});
  }
  if (context_.upstream.epoch.empty()) {
    return SendError({.id = id,
                      .code = error_code::kUpstreamUnavailable,
                      .message = "the core has not been reached yet",
                      .retry_after_ms = kRetryMs});
  }
  std::optional<std::int64_t> after;
  if (set->HasEvents()) {
    after = is_new ? FindStart(id, command.start, PlaceOf(*set)) : stream_->position();
    if (!after) return;
  }
  subscriptions_ = *std::move(set);
  if (after) Restart(*after);
  const std::int64_t head = context_.hub.head();
  connection_->Send(context_.messages.Subscribed(
      id, {.channels = subscriptions_.Names(),
           .filter = subscriptions_.filter() ? &*subscriptions_.filter() : nullptr,
           .added = Names(command.channels),
           .cursor = CursorText(),
           .epoch = context_.upstream.epoch,
           .head_sequence = head,
           .is_replaying = after.value_or(head) < head}));
  spdlog::info("bridge: session s{} subscribed, {} channels", id_, subscriptions_.Names().size());
  Pump();
}

void Session::Handle(const std::string& id, const UnsubscribeCommand& command) {
  std::vector<std::string> removed = subscriptions_.Names();
  subscriptions_.Remove(command.channels);
  const std::vector<std::string> remaining = subscriptions_.Names();
  std::erase_if(removed, [&](const std::string& name) {
    return std::ranges::find(remaining, name) != remaining.end();
  });
  if (!subscriptions_.HasEvents()) {
    stream_->End();
  } else if (!removed.empty()) {
    Restart(stream_->position());
  }
  connection_->Send(context_.messages.Unsubscribed(id, remaining, removed, CursorText()));
  Pump();
}

void Session::Handle(const std::string& id, const PingCommand& command) {
  connection_->Send(context_.messages.Pong(id, command.timestamp));
}

void Session::Restart(std::int64_t after) {
  stream_->Start(subscriptions_.ToInterest(scope_), PlaceOf(subscriptions_), after);
}

void Session::OnStreamLost(const absl::Status& why) {
  subscriptions_ = {};
  const bool is_compacted = why.code() == absl::StatusCode::kOutOfRange;
  ProtocolError error{
      .code = is_compacted ? error_code::kCursorCompacted : error_code::kInternal,
      .message = is_compacted ? "these events are not kept any more" : "internal error"};
  const std::map<std::string, std::string> details = access::DetailsOf(why);
  if (const auto oldest = details.find("oldest_sequence"); oldest != details.end()) {
    std::int64_t sequence = 0;
    if (absl::SimpleAtoi(oldest->second, &sequence)) error.oldest_sequence = sequence;
  }
  SendError(std::move(error));
  Close(is_compacted ? close_code::kStreamLost : close_code::kInternal, "the stream has ended");
}

std::string Session::CursorText() const { return stream_->IsRunning() ? stream_->Cursor() : ""; }

void Session::Pump() {
  if (!is_closing_) stream_->Pump();
}

void Session::OnTick() {
  if (is_closing_) return;
  const auto now = context_.clock.Steady();
  if (!principal_ && now >= authenticate_by_) {
    return Close(close_code::kNotAuthenticated, "no Authenticate in time");
  }
  CheckCredential();
  if (is_closing_) return;
  stream_->OnTick();
  if (now < heartbeat_at_) return;
  heartbeat_at_ = now + context_.options.heartbeat;
  Pump();  // so that the cursor is as far as can be
  if (is_closing_ || connection_->PendingBytes() >= context_.options.queue_bytes_max) return;
  const std::int64_t delivered = stream_->IsRunning() ? stream_->position() : context_.hub.head();
  connection_->Send(context_.messages.Heartbeat(CursorText(), delivered, context_.upstream));
}

void Session::CheckCredential() {
  if (!principal_ || !principal_->expires_at) return;
  const base::Time now = context_.clock.Now();
  if (now >= *principal_->expires_at) {
    return Close(close_code::kBadCredential, "the credential has expired");
  }
  if (now < *principal_->expires_at - context_.options.expiry_warning) return;
  if (std::exchange(has_warned_of_expiry_, true)) return;
  connection_->Send(context_.messages.CredentialExpiring(*principal_->expires_at));
}

void Session::Broadcast(Channel::Kind channel, const SharedFrame& frame) {
  if (is_closing_ || !subscriptions_.Has(channel)) return;
  if (connection_->PendingBytes() < context_.options.queue_bytes_max) connection_->Send(frame);
}

void Session::OnKeyRevoked(std::string_view key_id) {
  if (principal_ && !key_id.empty() && principal_->key_id == key_id) {
    Close(close_code::kBadCredential, "the key was revoked");
  }
}

void Session::OnLogReplaced() { Close(close_code::kStreamLost, "the log was replaced"); }

void Session::Drain(base::Duration reconnect_after) {
  if (is_closing_) return;
  connection_->Send(context_.messages.Draining(reconnect_after, CursorText()));
  stream_->End();
  is_closing_ = true;
}

void Session::SendError(ProtocolError error) { connection_->Send(context_.messages.Error(error)); }

void Session::Close(int code, std::string_view reason) {
  if (std::exchange(is_closing_, true)) return;
  stream_->End();
  connection_->Close(code, reason);
}

}  // namespace wattmint::bridge
