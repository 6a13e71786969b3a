// SPDX-License-Identifier: Apache-2.0
#include "bridge/session.h"

#include "bridge/core_refusal.h"
#include "core/access/authorizer.h"
#include "core/access/reason.h"
#include "core/base/status.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace wattmint::bridge {
namespace {

constexpr std::string_view kMethod = "GET /ws";  // in the audit log
constexpr std::chrono::seconds kTickMax{5};      // chosen: the time of day may be set

}  // namespace

Session::Session(const SessionContext& context, SessionStart start,
                 std::optional<access::Principal> principal)
    : context_(context),
      delivery_(start.delivery),
      channels_at_start_(std::move(start.channels)),
      messages_(context.messages[static_cast<std::size_t>(delivery_.encoding)]),
      inbound_(context.options.inbound, context.clock),
      submissions_(
          context, messages_, [this](const SharedFrame& frame) { Send(frame); },
          [this](ProtocolError error) { SendError(std::move(error)); }),
      principal_(std::move(principal)) {
  submissions_.Use(std::move(start.credential));
  if (!principal_) unauthenticated_.emplace(context.counters.sessions_unauthenticated);
}

Session::~Session() {
  if (!entry_) return;
  subscriptions_.reset();
  --context_.counters.sessions_open;
}

void Session::OnOpen(WebSocketConnection& connection) {
  connection_ = &connection;
  entry_.emplace(context_.registry, *this,
                 static_cast<SessionId>(++context_.counters.sessions_opened));
  ++context_.counters.sessions_open;
  opened_at_ = context_.clock.Steady();
  stream_ = std::make_unique<SessionStream>(context_, connection, *entry_, delivery_,
                                            [this](const absl::Status& why) { OnStreamLost(why); });
  subscriptions_ = std::make_unique<SessionSubscriptions>(
      context_, messages_, connection, *stream_, number(),
      [this](const SharedFrame& frame) { Send(frame); },
      [this](ProtocolError error) { SendError(std::move(error)); });
  const SessionOptions& options = context_.options;
  heartbeat_at_ = context_.clock.Steady() + options.heartbeat;
  authenticate_by_ = context_.clock.Steady() + options.authenticate_within;
  Send(messages_.Connected(fmt::format("s{}", entry_->id()),
                           principal_ ? base::Duration::zero() : options.authenticate_within,
                           {.subscriptions = options.subscriptions.channels_max,
                            .object_subscriptions = options.subscriptions.object_channels_max,
                            .user_subscriptions = options.subscriptions.user_channels_max,
                            .frame_bytes = options.frame_bytes_max,
                            .frames_per_minute = options.inbound.frames_per_minute}));
  context_.audit.StreamOpened(number(), kMethod, principal_.value_or(access::Principal()));
  if (principal_) Welcome("", *std::exchange(principal_, std::nullopt));
}

void Session::OnClose(int code) {
  is_closing_ = true;
  subscriptions_->Clear();
  stream_->End();
  const auto length = context_.clock.Steady() - opened_at_;
  context_.audit.StreamEnded(
      number(), std::chrono::duration_cast<base::Duration>(length),
      access::WithReason(base::Cancelled("the session was closed"), fmt::format("CLOSE_{}", code)));
}

void Session::OnText(std::string_view text) {
  ++context_.counters.frames_received;
  if (is_closing_) return;
  std::variant<Command, ProtocolError> parsed = ParseCommand(text);
  auto* error = std::get_if<ProtocolError>(&parsed);
  if (!TakesFrame(error != nullptr ? error->id : std::get<Command>(parsed).id)) return;
  if (error != nullptr) return SendError(std::move(*error));
  const auto& command = std::get<Command>(parsed);
  const bool needs_principal = std::holds_alternative<SubscribeCommand>(command.what) ||
                               std::holds_alternative<UnsubscribeCommand>(command.what) ||
                               std::holds_alternative<SubmitReadingCommand>(command.what);
  if (needs_principal && !principal_) {
    return SendError({.id = command.id,
                      .code = error_code::kAuthenticationRequired,
                      .message = "the first message must be Authenticate"});
  }
  std::visit([&](const auto& what) { Handle(command.id, what); }, command.what);
}

bool Session::TakesFrame(const std::string& id) {
  const InboundLimits& limits = context_.options.inbound;
  switch (inbound_.Frame()) {
    case InboundLimiter::Verdict::kTake:
      return true;
    case InboundLimiter::Verdict::kTakeAndWarn:
      Send(messages_.RateLimitWarning(inbound_.used(), limits.burst_frames));
      return true;
    case InboundLimiter::Verdict::kRefuse:
      ++context_.counters.frames_refused;
      SendError({.id = id,
                 .code = error_code::kRateLimit,
                 .message = "too many frames",
                 .retry_after_ms = Milliseconds(inbound_.retry_after()) + 1});
      return false;
    case InboundLimiter::Verdict::kClose:
      ++context_.counters.frames_refused;
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
  context_.core.Authenticate(command.credential, [this, id, credential = command.credential,
                                                  alive = std::weak_ptr<const bool>(alive_)](
                                                     absl::StatusOr<access::Principal> principal) {
    if (alive.expired()) return;
    OnAuthenticated(id, credential, std::move(principal));
  });
}

void Session::OnAuthenticated(const std::string& id, const client::Credential& credential,
                              absl::StatusOr<access::Principal> principal) {
  is_authenticating_ = false;
  if (is_closing_) return;
  if (!principal.ok()) {
    context_.audit.Refused(kMethod, nullptr, principal.status());
    const ProtocolError error = CredentialRefusal(id, principal.status());
    SendError(error);
    if (error.retry_after_ms) {  // no fault of the client's, who may try again
      authenticate_by_ = context_.clock.Steady() + context_.options.authenticate_within;
      return;
    }
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
  context_.audit.Renewed(number(), *principal);
  submissions_.Use(credential);
  Welcome(id, *std::move(principal));
}

void Session::Welcome(const std::string& id, access::Principal principal) {
  principal_ = std::move(principal);
  unauthenticated_.reset();
  scope_ = access::ScopeOf(*principal_);
  subscriptions_->Use(*principal_);
  has_warned_of_expiry_ = false;
  // The revocation may have come while the credential was being checked.
  if (context_.revoked_keys.contains(principal_->key_id)) return OnKeyRevoked(principal_->key_id);
  Send(messages_.Authenticated(id, *principal_));
  CheckCredential();
  entry_->Hurry();  // it may expire before the last one would have
  if (!is_closing_) SubscribeAtStart(std::exchange(channels_at_start_, ""));
}

void Session::SubscribeAtStart(std::string_view channels) {
  auto parsed = ParseChannelList(channels);
  if (auto* error = std::get_if<ProtocolError>(&parsed)) return SendError(std::move(*error));
  SubscribeCommand command{.channels = std::get<std::vector<Channel>>(std::move(parsed))};
  if (!command.channels.empty()) Handle("", command);
}

void Session::Handle(const std::string& id, const SubscribeCommand& command) {
  subscriptions_->Change(id, command);
}

void Session::Handle(const std::string& id, const UnsubscribeCommand& command) {
  subscriptions_->Change(id, command);
}

void Session::Handle(const std::string& id, const PingCommand& command) {
  Send(messages_.Pong(id, command.timestamp));
}

void Session::Handle(const std::string& id, const SubmitReadingCommand& command) {
  submissions_.Submit(id, command.reading);
}

void Session::OnStreamLost(const absl::Status& why) {
  subscriptions_->Clear();
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

void Session::Pump() {
  if (is_closing_) return;
  stream_->Pump();
  if (!is_closing_) subscriptions_->Pump();
}

SessionRegistry::Time Session::OnTick() {
  if (is_closing_) return SessionRegistry::Time::max();
  const auto now = context_.clock.Steady();
  if (!principal_ && !is_authenticating_ && now >= authenticate_by_) {
    Close(close_code::kNotAuthenticated, "no Authenticate in time");
  }
  CheckCredential();
  if (!is_closing_) stream_->OnTick();
  if (!is_closing_ && now >= heartbeat_at_) {
    heartbeat_at_ = now + context_.options.heartbeat;
    Beat();
  }
  return is_closing_ ? SessionRegistry::Time::max() : NextTick();
}

SessionRegistry::Time Session::NextTick() const {
  const SessionRegistry::Time now = context_.clock.Steady();
  SessionRegistry::Time next = std::min({now + kTickMax, heartbeat_at_, stream_->retry_at()});
  if (!principal_) next = std::min(next, authenticate_by_);
  if (principal_ && principal_->expires_at) {
    const base::Time until = has_warned_of_expiry_
                                 ? *principal_->expires_at
                                 : *principal_->expires_at - context_.options.expiry_warning;
    const base::Duration left = until - context_.clock.Now();
    if (left < kTickMax) next = std::min(next, now + left);  // it may be years
  }
  return next;
}

void Session::Beat() {
  Pump();  // so that the cursor is as far as can be
  if (is_closing_ || connection_->PendingBytes() >= context_.options.queue_bytes_max) return;
  if (subscriptions_->IsChanging()) return;  // there is no cursor to tell now
  const std::int64_t delivered = stream_->IsRunning() ? stream_->position() : context_.hub.head();
  ++context_.counters.heartbeats_sent;
  Send(messages_.Heartbeat(stream_->Cursor(), delivered, context_.upstream));
}

void Session::CheckCredential() {
  if (is_closing_ || !principal_ || !principal_->expires_at) return;
  const base::Time now = context_.clock.Now();
  if (now >= *principal_->expires_at) {
    return Close(close_code::kBadCredential, "the credential has expired");
  }
  if (now < *principal_->expires_at - context_.options.expiry_warning) return;
  if (std::exchange(has_warned_of_expiry_, true)) return;
  Send(messages_.CredentialExpiring(*principal_->expires_at));
}

void Session::Broadcast(Channel::Kind channel, const ByEncoding<SharedFrame>& frames) {
  if (is_closing_ || !subscriptions_->Has(channel)) return;
  if (connection_->PendingBytes() >= context_.options.queue_bytes_max) return;
  Send(frames[static_cast<std::size_t>(delivery_.encoding)]);
}

void Session::OnKeyRevoked(std::string_view key_id) {
  if (principal_ && !key_id.empty() && principal_->key_id == key_id) {
    Close(close_code::kBadCredential, "the key was revoked");
  }
}

void Session::OnLogReplaced() { Close(close_code::kStreamLost, "the log was replaced"); }

void Session::Drain(base::Duration reconnect_after) {
  if (is_closing_) return;
  Send(messages_.Draining(reconnect_after, stream_->Cursor()));
  subscriptions_->Clear();
  stream_->End();
  is_closing_ = true;
}

void Session::Send(const SharedFrame& frame) {
  ++context_.counters.messages_sent;
  // Events wait in the log. Who goes on asking, and reads no answer, would fill our memory instead.
  if (connection_->Send(frame) > context_.options.unread_bytes_max) {
    Close(close_code::kTooManyFrames, "the answers are not read");
  }
}

void Session::SendError(ProtocolError error) {
  ++context_.counters.errors_sent;
  Send(messages_.Error(error));
}

void Session::Close(int code, std::string_view reason) {
  if (std::exchange(is_closing_, true)) return;
  subscriptions_->Clear();
  stream_->End();
  connection_->Close(code, reason);
}

}  // namespace wattmint::bridge
