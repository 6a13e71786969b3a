// SPDX-License-Identifier: Apache-2.0
#include "bridge/websocket_server.h"

#include "bridge/connection_limits.h"
#include "bridge/http_text.h"
#include "bridge/websocket_socket.h"

#include <absl/status/status.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <exception>
#include <optional>
#include <unordered_map>

namespace wattmint::bridge {
namespace {

using asio::ip::tcp;
using impl::ConnectionPtr;
using impl::Endpoint;
using impl::Guarded;
using impl::Socket;
using impl::SteadyTime;

constexpr int kGoingAway = 1001;
constexpr int kUnsupportedData = 1003;
constexpr std::size_t kPongPendingBytesMax = 64 * 1024;
constexpr int kListenBacklog = 1024;
constexpr std::chrono::milliseconds kAcceptBackoff{100};
constexpr std::chrono::milliseconds kSweepIntervalMax{1000};

class Server final : public WebSocketServer {
 public:
  Server(Options options, WebSocketHandler& handler)
      : options_(std::move(options)), handler_(handler) {
    endpoint_.init_asio(&loop_);
    endpoint_.set_max_message_size(options_.frame_bytes_max);
    endpoint_.set_max_http_body_size(options_.body_bytes_max);
    endpoint_.set_open_handshake_timeout(0);  // Sweep() does it
    endpoint_.set_close_handshake_timeout(static_cast<long>(options_.close_timeout.count()));
    endpoint_.set_user_agent("");
  }

  // Throws what asio throws.
  void Bind(const asio::ip::address& address) {
    const tcp::endpoint local(address, options_.port);
    acceptor_.open(local.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(local);
    acceptor_.listen(kListenBacklog);
    port_ = acceptor_.local_endpoint().port();
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return open_count_; }

  void Run() override {
    Accept();
    ScheduleTick();
    for (;;) {
      try {
        loop_.run();
        return;
      } catch (const std::exception& error) {
        spdlog::error("bridge: the event loop caught: {}", error.what());
      }
    }
  }

  void Post(std::function<void()> work) override { asio::post(loop_, std::move(work)); }

  void Stop(std::chrono::milliseconds deadline) override {
    asio::post(loop_, [this, deadline] { BeginStop(deadline); });
  }

 private:
  void Accept() {
    if (stopping_) return;
    acceptor_.async_accept([this](const asio::error_code& error, tcp::socket peer) {
      if (stopping_) return;
      if (!error) {
        Admit(std::move(peer));
        Accept();
        return;
      }
      // Out of descriptors or memory: trying at once again would spin.
      spdlog::warn("bridge: accept: {}", error.message());
      accept_timer_.expires_after(kAcceptBackoff);
      accept_timer_.async_wait([this](const asio::error_code&) { Accept(); });
    });
  }

  void Admit(tcp::socket peer) {
    asio::error_code error;
    const tcp::endpoint remote = peer.remote_endpoint(error);
    if (error) return;
    std::string ip = remote.address().to_string();
    if (!limits_.Enter(ip)) return;
    impl::SetOptions(peer);
    const ConnectionPtr connection = endpoint_.get_connection();
    connection->get_raw_socket() = std::move(peer);
    const std::uint64_t id = ++last_id_;
    auto socket =
        std::make_unique<Socket>(connection, std::move(ip), std::chrono::steady_clock::now());
    SetHandlers(id, *socket);
    sockets_.emplace(id, std::move(socket));
    connection->start();
  }

  void SetHandlers(std::uint64_t id, Socket& socket) {
    using websocketpp::connection_hdl;
    auto& connection = *socket.connection;
    connection.set_http_handler([this, id, &socket](connection_hdl) { OnHttp(id, socket); });
    connection.set_validate_handler(
        [this, id, &socket](connection_hdl) { return OnUpgrade(id, socket); });
    connection.set_open_handler([this, &socket](connection_hdl) { OnOpen(socket); });
    connection.set_message_handler([&socket](connection_hdl, const Endpoint::message_ptr& message) {
      OnMessage(socket, *message);
    });
    connection.set_ping_handler([&socket](connection_hdl, const std::string&) {
      return socket.PendingBytes() < kPongPendingBytesMax;
    });
    connection.set_pong_handler([&socket](connection_hdl, const std::string&) {
      socket.heard = std::chrono::steady_clock::now();
    });
    connection.set_close_handler([this, &socket](connection_hdl) { OnClose(socket); });
    connection.set_termination_handler([this, id](const ConnectionPtr&) {
      // Not at once: this is called from within the connection.
      asio::post(loop_, [this, id] { Forget(id); });
    });
  }

  void OnHttp(std::uint64_t id, Socket& socket) {
    socket.connection->defer_http_response();
    Guarded(socket, [&] {
      handler_.OnHttpRequest(impl::ToRequest(socket), [this, id](HttpResponse response) {
        asio::post(loop_, [this, id, response = std::move(response)] { Respond(id, response); });
      });
    });
  }

  // Always says yes, so that websocketpp prepares its response; that waits for the answer.
  bool OnUpgrade(std::uint64_t id, Socket& socket) {
    socket.connection->Hold();
    if (std::optional<HttpResponse> refusal = Refuse(socket)) {
      asio::post(loop_, [this, id, refusal = *std::move(refusal)] { Respond(id, refusal); });
      return true;
    }
    Guarded(socket, [&] {
      handler_.OnUpgrade(impl::ToRequest(socket), [this, id](UpgradeAnswer answer) {
        auto shared = std::make_shared<UpgradeAnswer>(std::move(answer));
        asio::post(loop_, [this, id, shared] { Answer(id, std::move(*shared)); });
      });
    });
    return true;
  }

  // Counts the socket as a WebSocket unless it is refused.
  std::optional<HttpResponse> Refuse(Socket& socket) {
    const auto& request = socket.connection->get_request();
    if (request.get_header("Sec-WebSocket-Version") != "13") {
      HttpResponse response =
          ErrorResponse(426, "UNKNOWN_VERSION", "this server speaks WebSocket version 13");
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
      return response;
    }
    if (request.get_header("Sec-WebSocket-Key").size() != 24) {
      return ErrorResponse(400, "INVALID_KEY", "Sec-WebSocket-Key has not 24 characters");
    }
    const std::string& offered = request.get_header("Sec-WebSocket-Protocol");
    const std::string picked = PickSubprotocol(offered, options_.subprotocols);
    if (picked.empty() && !offered.empty()) {
      return ErrorResponse(400, "UNKNOWN_SUBPROTOCOL", "none of the subprotocols is spoken here");
    }
    const ConnectionLimits::Verdict verdict = limits_.Upgrade(socket.ip);
    if (verdict == ConnectionLimits::Verdict::kServerFull) {
      return RetryResponse(503, "TOO_MANY_CONNECTIONS", "this server is full", 30);
    }
    if (verdict == ConnectionLimits::Verdict::kAddressFull) {
      return RetryResponse(429, "RATE_LIMIT_EXCEEDED", "too many connections of this address", 30);
    }
    socket.stage = Socket::Stage::kUpgrading;
    if (!picked.empty()) socket.connection->select_subprotocol(picked);
    return std::nullopt;
  }

  void Answer(std::uint64_t id, UpgradeAnswer answer) {
    Socket* const socket = Find(id);
    if (socket == nullptr || socket->listener != nullptr) return;
    if (const auto* refusal = std::get_if<HttpResponse>(&answer)) return Respond(id, *refusal);
    socket->listener = std::get<std::unique_ptr<WebSocketListener>>(std::move(answer));
    socket->connection->Release();
  }

  void Respond(std::uint64_t id, const HttpResponse& response) {
    Socket* const socket = Find(id);
    if (socket == nullptr || socket->listener != nullptr || socket->answered) return;
    socket->answered = true;
    const auto text = std::make_shared<const std::string>(RenderResponse(response));
    socket->connection->Respond(
        text->data(), text->size(),
        [text, connection = socket->connection](const websocketpp::lib::error_code&) {
          connection->terminate(make_error_code(websocketpp::error::http_connection_ended));
        });
  }

  void OnOpen(Socket& socket) {
    socket.stage = Socket::Stage::kOpen;
    socket.heard = socket.pinged = std::chrono::steady_clock::now();
    ++open_count_;
    socket.connection->NotifyWritable(
        [&socket] {
          socket.heard = std::chrono::steady_clock::now();  // it took bytes
          Guarded(socket, [&] { socket.listener->OnWritable(); });
        },
        options_.low_water_bytes);
    Guarded(socket, [&] { socket.listener->OnOpen(socket); });
    if (stopping_) socket.Close(kGoingAway, "the server stops");
  }

  static void OnMessage(Socket& socket, const impl::Config::message_type& message) {
    socket.heard = std::chrono::steady_clock::now();
    if (message.get_opcode() != websocketpp::frame::opcode::text) {
      return socket.Close(kUnsupportedData, "text frames only");
    }
    Guarded(socket, [&] { socket.listener->OnText(message.get_payload()); });
  }

  void OnClose(Socket& socket) {
    socket.connection->NotifyWritable(nullptr, 0);
    socket.stage = Socket::Stage::kClosed;
    --open_count_;
    Guarded(socket, [&] { socket.listener->OnClose(socket.connection->get_remote_close_code()); });
  }

  Socket* Find(std::uint64_t id) {
    const auto found = sockets_.find(id);
    return found == sockets_.end() ? nullptr : found->second.get();
  }

  void Forget(std::uint64_t id) {
    const auto found = sockets_.find(id);
    if (found == sockets_.end()) return;
    const Socket& socket = *found->second;
    limits_.Leave(socket.ip, socket.stage == Socket::Stage::kRequest
                                 ? ConnectionLimits::Kind::kPlain
                                 : ConnectionLimits::Kind::kWebSocket);
    sockets_.erase(found);
    if (stopping_ && sockets_.empty()) EndLoop();
  }

  void ScheduleTick() {
    tick_timer_.expires_after(options_.tick);
    tick_timer_.async_wait([this](const asio::error_code& error) {
      if (error || !work_) return;  // EndLoop() comes too late for a timer that has expired
      ScheduleTick();
      handler_.OnTick();
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now >= next_sweep_) Sweep(now);
    });
  }

  // Pings the quiet, and cuts the dead and those that never finish their handshake.
  void Sweep(SteadyTime now) {
    next_sweep_ =
        now + std::min<std::chrono::milliseconds>(kSweepIntervalMax, options_.ping_interval / 4);
    static const SharedFrame ping = std::make_shared<const std::string>("\x89\x00", 2);
    for (const auto& [id, socket] : sockets_) {
      const bool open = socket->stage == Socket::Stage::kOpen;
      const auto silent = now - socket->heard;
      // Who has been answered may take its time to read.
      const bool patient = open || socket->answered;
      if (silent > (patient ? options_.pong_timeout : options_.handshake_timeout)) {
        socket->Cut();
      } else if (open && now - socket->pinged >= options_.ping_interval) {
        socket->pinged = now;
        socket->Send(ping);
      }
    }
  }

  void BeginStop(std::chrono::milliseconds deadline) {
    if (std::exchange(stopping_, true)) return;
    asio::error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel();
    for (const auto& [id, socket] : sockets_) {
      if (socket->stage == Socket::Stage::kOpen) {
        socket->Close(kGoingAway, "the server stops");
      } else {
        socket->Cut();
      }
    }
    if (sockets_.empty()) return EndLoop();
    stop_timer_.expires_after(deadline);
    stop_timer_.async_wait([this](const asio::error_code& error) {
      if (error) return;
      for (const auto& [id, socket] : sockets_) socket->Cut();
    });
  }

  void EndLoop() {
    tick_timer_.cancel();
    stop_timer_.cancel();
    work_.reset();
  }

  const Options options_;
  WebSocketHandler& handler_;
  std::uint16_t port_ = 0;
  std::uint64_t last_id_ = 0;
  std::atomic<std::size_t> open_count_ = 0;
  bool stopping_ = false;
  SteadyTime next_sweep_{};
  ConnectionLimits limits_{options_.connections_max, options_.connections_per_ip_max};
  asio::io_context loop_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      loop_.get_executor()};
  Endpoint endpoint_;
  tcp::acceptor acceptor_{loop_};
  asio::steady_timer accept_timer_{loop_};
  asio::steady_timer tick_timer_{loop_};
  asio::steady_timer stop_timer_{loop_};
  std::unordered_map<std::uint64_t, std::unique_ptr<Socket>> sockets_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebSocketServer>> WebSocketServer::Listen(
    Options options, WebSocketHandler& handler) {
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  const std::string where = host + ":" + std::to_string(options.port);
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (error) return absl::InvalidArgumentError("\"" + options.host + "\" is not an IP address");
  try {
    auto server = std::make_unique<Server>(std::move(options), handler);
    server->Bind(address);
    return server;
  } catch (const std::exception& failure) {
    return absl::UnavailableError("listen on " + where + ": " + failure.what());
  }
}

}  // namespace wattmint::bridge
