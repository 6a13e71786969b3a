// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/protocol.h"
#include "bridge/session_context.h"
#include "bridge/session_stream.h"
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

// Close codes of our own: bridge/README.md, "Close codes".
namespace close_code {
inline constexpr int kInternal = 1011;
inline constexpr int kBadCredential = 4401;
inline constexpr int kNotAuthenticated = 4408;
inline constexpr int kTooManyFrames = 4429;
inline constexpr int kStreamLost = 4503;
}  // namespace close_code

// One browser's connection: authenticates, subscribes, streams.
//
//   Connecting -> Open, with the credential of the upgrade, or
//   Connecting -> Authenticating -> Open, with the first message
//
// It knows neither sockets nor gRPC. Threads: the owner's. Lifetime: ends before its context.
class Session final : public WebSocketListener {
 public:
  // `principal`: who came with a good credential; nobody else until Authenticate.
  Session(const SessionContext& context, std::optional<access::Principal> principal);
  ~Session() override;

  void OnOpen(WebSocketConnection& connection) override;
  void OnText(std::string_view text) override;
  void OnWritable() override { Pump(); }
  void OnClose(int code) override;

  // Sends what the session's stream has and the socket takes.
  void Pump();
  // Looks at the clock: heartbeat, credential, deadlines. Often enough: every quarter of a second.
  void OnTick();
  // Sends `frame` if the session is subscribed to the channel.
  void Broadcast(Channel::Kind channel, const SharedFrame& frame);
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

  bool TakesFrame();
  void OnAuthenticated(const std::string& id, absl::StatusOr<access::Principal> principal);
  void Welcome(const std::string& id, access::Principal principal);
  bool IsAllowed(const Channel& channel) const;
  // The set after `command`; nothing, and an error was sent, if it is refused.
  std::optional<SubscriptionSet> Apply(const std::string& id, const SubscribeCommand& command);
  // The sequence behind which a new stream of `set` begins; nothing, and an error was sent, if the
  // start is refused.
  std::optional<std::int64_t> FindStart(const std::string& id, const StreamStart& start,
                                        const stream::Cursor& place);
  stream::Cursor PlaceOf(const SubscriptionSet& set) const;
  void Restart(std::int64_t after);
  void OnStreamLost(const absl::Status& why);
  void CheckCredential();
  std::string CursorText() const;
  void SendError(ProtocolError error);
  void Close(int code, std::string_view reason);

  const SessionContext& context_;
  SessionId id_ = 0;
  WebSocketConnection* connection_ = nullptr;
  std::unique_ptr<SessionStream> stream_;
  InboundLimiter inbound_;

  std::optional<access::Principal> principal_;
  access::EventScope scope_;
  SubscriptionSet subscriptions_;
  bool is_authenticating_ = false;
  bool has_warned_of_expiry_ = false;
  bool is_closing_ = false;
  std::chrono::steady_clock::time_point authenticate_by_{};
  std::chrono::steady_clock::time_point heartbeat_at_{};
  // shared: answers of the core hold it weakly, to know whether the session still lives.
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace wattmint::bridge
