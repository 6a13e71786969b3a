// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/counters.h"
#include "bridge/error_codes.h"
#include "bridge/protocol.h"
#include "bridge/session_context.h"
#include "bridge/session_stream.h"
#include "bridge/session_subscriptions.h"
#include "bridge/submissions.h"
#include "bridge/websocket_server.h"
#include "core/access/principal.h"

#include <absl/status/status.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// What the upgrade said besides who comes.
struct SessionStart {
  Delivery delivery = {};
  client::Credential credential = {};  // that the principal came by
  std::string channels = "";           // separated by commas: subscribed once it is known who comes
};

// One browser's connection: authenticates, subscribes, streams.
//
//   Connecting -> Open, with the credential of the upgrade, or
//   Connecting -> Authenticating -> Open, with the first message
//
// It knows neither sockets nor gRPC. Threads: the owner's. Lifetime: ends before its context.
class Session final : public WebSocketListener {
 public:
  // `principal`: who came with a good credential; nobody else until Authenticate.
  Session(const SessionContext& context, SessionStart start,
          std::optional<access::Principal> principal);
  ~Session() override;

  void OnOpen(WebSocketConnection& connection) override;
  void OnText(std::string_view text) override;
  void OnWritable() override { Pump(); }
  void OnClose(int code) override;

  // Sends what the session's stream has and the socket takes.
  void Pump();
  // Looks at the clock: heartbeat, credential, deadlines. Returns when it is to be called again.
  SessionRegistry::Time OnTick();
  // Sends the frame of its encoding if the session is subscribed to the channel.
  void Broadcast(Channel::Kind channel, const ByEncoding<SharedFrame>& frames);
  // Ends the session if it came by that API key.
  void OnKeyRevoked(std::string_view key_id);
  // The log that its cursors speak of is gone.
  void OnLogReplaced();
  // Tells the client to come back, with its cursor. The server closes the connection.
  void Drain(base::Duration reconnect_after);

 private:
  void Handle(const std::string& id, const AuthenticateCommand& command);
  void Handle(const std::string& id, const SubscribeCommand& command);
  void Handle(const std::string& id, const UnsubscribeCommand& command);
  void Handle(const std::string& id, const PingCommand& command);
  void Handle(const std::string& id, const SubmitReadingCommand& command);

  bool TakesFrame(const std::string& id);
  void OnAuthenticated(const std::string& id, const client::Credential& credential,
                       absl::StatusOr<access::Principal> principal);
  // In the audit log.
  std::int64_t number() const { return static_cast<std::int64_t>(entry_->id()); }
  void Welcome(const std::string& id, access::Principal principal);
  void SubscribeAtStart(std::string_view channels);
  void OnStreamLost(const absl::Status& why);
  void CheckCredential();
  SessionRegistry::Time NextTick() const;
  // Tells how far the stream is.
  void Beat();
  void Send(const SharedFrame& frame);
  void SendError(ProtocolError error);
  void Close(int code, std::string_view reason);

  const SessionContext& context_;
  const Delivery delivery_;
  std::string channels_at_start_;  // empty once they are subscribed
  const ServerMessages& messages_;
  SessionRegistry::Time opened_at_;
  WebSocketConnection* connection_ = nullptr;
  std::optional<SessionRegistry::Entry> entry_;  // once it is open
  std::unique_ptr<SessionStream> stream_;
  std::unique_ptr<SessionSubscriptions> subscriptions_;
  InboundLimiter inbound_;
  Submissions submissions_;

  std::optional<CountedIn> unauthenticated_;  // until it is known who comes
  std::optional<access::Principal> principal_;
  access::EventScope scope_;
  bool is_authenticating_ = false;
  bool has_warned_of_expiry_ = false;
  bool is_closing_ = false;
  SessionRegistry::Time authenticate_by_{};
  SessionRegistry::Time heartbeat_at_{};
  // shared: answers of the core hold it weakly, to know whether the session still lives.
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace wattmint::bridge
