// SPDX-License-Identifier: Apache-2.0
#include "bridge/websocket_server.h"

#include "bridge/client_address.h"
#include "bridge/connection_limits.h"
#include "bridge/deflate_offer.h"
#include "bridge/http_text.h"
#include "bridge/log.h"
#include "bridge/message_inflater.h"
#include "bridge/websocket_acceptor.h"
#include "bridge/websocket_inbound.h"
#include "bridge/websocket_socket.h"
#include "bridge/websocket_table.h"

#include <absl/status/status.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <optional>

namespace wattmint::bridge {
namespace {

using asio::ip::tcp;
using impl::Acceptor;
using impl::ConnectionPtr;
using impl::Endpoint;
using impl::Guarded;
using impl::Socket;

constexpr std::size_t kPongPendingBytesMax = 64 * 1024;

class Server final : public WebSocketServer {
 public:
  // `limits`: of all that share the port.
  Server(Options options, WebSocketHandler& handler, std::shared_ptr<ConnectionLimits> limits)
      : options_(std::move(options)), handler_(handler), limits_(std::move(limits)) {
    endpoint_.init_asio(&loop_);
    endpoint_.set_max_message_size(options_.frame_bytes_max);
    endpoint_.set_max_http_body_size(options_.body_bytes_max);
    endpoint_.set_open_handshake_timeout(0);  // Sweep() does it
    endpoint_.set_close_handshake_timeout(static_cast<long>(options_.close_timeout.count()));
    endpoint_.set_user_agent("");
  }

  Acceptor::Taker AsTaker() {
    return {loop_, held_count_, [this](tcp::socket peer) { Take(std::move(peer)); }};
  }

  // Accepts for all that take.
  void Use(std::unique_ptr<Acceptor> acceptor) { acceptor_ = std::move(acceptor); }
  void set_port(std::uint16_t port) { port_ = port; }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return open_count_; }

  void Run() override {
    if (acceptor_ != nullptr) acceptor_->Run();
    ScheduleTick();
    for (;;) {
      try {
        loop_.run();
        return;
      } catch (const std::exception& error) {
        WebsocketLog()->error("the event loop caught: {}", error.what());
      }
    }
  }

  void Post(std::function<void()> work) override { asio::post(loop_, std::move(work)); }

  void Stop(std::chrono::milliseconds deadline) override {
    asio::post(loop_, [this, deadline] { BeginStop(deadline); });
  }

 private:
  void Take(tcp::socket peer) {
    if (stopping_ || !Admit(std::move(peer))) --held_count_;
  }

  bool Admit(tcp::socket peer) {
    asio::error_code error;
    const tcp::endpoint remote = peer.remote_endpoint(error);
    if (error) return false;
    std::string address = impl::TextOf(remote.address());
    const bool is_proxy = IsTrusted(address);
    if (!Enter(CountedAddress(address),
               is_proxy ? ConnectionLimits::From::kProxy : ConnectionLimits::From::kClient)) {
      return false;
    }
    impl::SetOptions(peer);
    const ConnectionPtr connection = endpoint_.get_connection();
    connection->get_raw_socket() = std::move(peer);
    if (options_.tls) {
      auto tls = options_.tls(connection->get_raw_socket().native_handle());
      if (tls == nullptr) {
        limits_->Leave(CountedAddress(address), ConnectionLimits::Kind::kPlain);
        return false;
      }
      connection->Secure(std::move(tls));
    }
    const std::uint64_t id = sockets_.Add(
        std::make_unique<Socket>(connection, std::move(address), std::chrono::steady_clock::now()));
    SetHandlers(id, *sockets_.Find(id));
    connection->start();
    return true;
  }

  bool Enter(const std::string& ip, ConnectionLimits::From from) {
    using Verdict = ConnectionLimits::Verdict;
    Verdict verdict = limits_->Enter(ip, from);
    if (verdict == Verdict::kServerFull && MakeRoom()) verdict = limits_->Replace(ip, from);
    if (verdict != Verdict::kYes) CountFull(verdict);
    return verdict == Verdict::kYes;
  }

  bool MakeRoom() {
    const bool is_made = sockets_.CutOldestRequest();
    if (is_made) handler_.OnLimit(ServerLimit::kServerFull);
    return is_made;
  }

  void CountFull(ConnectionLimits::Verdict verdict) {
    handler_.OnLimit(verdict == ConnectionLimits::Verdict::kServerFull ? ServerLimit::kServerFull
                                                                       : ServerLimit::kAddressFull);
  }

  bool IsTrusted(const std::string& peer) const {
    const auto& trusted = options_.trusted_proxies;
    return std::find(trusted.begin(), trusted.end(), peer) != trusted.end();
  }

  void SetHandlers(std::uint64_t id, Socket& socket) {
    using websocketpp::connection_hdl;
    auto& connection = *socket.connection;
    connection.set_http_handler([this, id, &socket](connection_hdl) { OnHttp(id, socket); });
    connection.set_validate_handler(
        [this, id, &socket](connection_hdl) { return OnUpgrade(id, socket); });
    connection.set_open_handler([this, &socket](connection_hdl) { OnOpen(socket); });
    connection.set_message_handler(
        [this, &socket](connection_hdl, const Endpoint::message_ptr& message) {
          impl::OnMessage(socket, *message, inflater_, options_.frame_bytes_max);
        });
    connection.set_ping_handler([&socket](connection_hdl, const std::string& payload) {
      if (socket.PendingBytes() < kPongPendingBytesMax) socket.Send(FramePong(payload));
      return false;  // websocketpp's pong would not be in order with our frames
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
    if (std::optional<HttpResponse> refusal = Refuse(id, socket)) {
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
  std::optional<HttpResponse> Refuse(std::uint64_t id, Socket& socket) {
    const std::string& offered =
        socket.connection->get_request().get_header("Sec-WebSocket-Protocol");
    const std::string picked = PickSubprotocol(offered, options_.subprotocols);
    if (picked.empty() && !offered.empty()) {
      return ErrorResponse(400, "UNKNOWN_SUBPROTOCOL", "none of the subprotocols is spoken here");
    }
    if (IsTrusted(socket.peer)) {
      const std::string client = ForwardedAddress(
          socket.peer, socket.connection->get_request().get_header("X-Forwarded-For"),
          options_.trusted_proxies);
      limits_->Move(std::exchange(socket.ip, client), client);
    }
    const ConnectionLimits::Verdict verdict = limits_->Upgrade(socket.ip);
    if (verdict != ConnectionLimits::Verdict::kYes) CountFull(verdict);
    if (verdict == ConnectionLimits::Verdict::kServerFull) {
      return RetryResponse(503, "TOO_MANY_CONNECTIONS", "this server is full", 30);
    }
    if (verdict == ConnectionLimits::Verdict::kAddressFull) {
      return RetryResponse(429, "RATE_LIMIT_EXCEEDED", "too many connections of this address", 30);
    }
    socket.stage = Socket::Stage::kUpgrading;
    sockets_.EndRequest(id);
    // Not by select_subprotocol(), which throws for a list with empty elements.
    if (!picked.empty()) socket.connection->append_header("Sec-WebSocket-Protocol", picked);
    socket.subprotocol = picked;
    AgreeOnCompression(socket);
    return std::nullopt;
  }

  void AgreeOnCompression(Socket& socket) {
    if (!options_.compresses) return;
    auto& connection = *socket.connection;
    const std::optional<DeflateTerms> terms =
        AcceptDeflate(connection.get_request().get_header("Sec-WebSocket-Extensions"));
    if (!terms) return;
    connection.takes_compressed = true;
    connection.append_header("Sec-WebSocket-Extensions", terms->answer);
    socket.agreed_compression = terms->compression;
  }

  void Answer(std::uint64_t id, UpgradeAnswer answer) {
    Socket* const socket = sockets_.Find(id);
    if (socket == nullptr || socket->listener != nullptr) return;
    if (const auto* refusal = std::get_if<HttpResponse>(&answer)) return Respond(id, *refusal);
    socket->listener = std::get<std::unique_ptr<WebSocketListener>>(std::move(answer));
    socket->connection->Release();
  }

  void Respond(std::uint64_t id, const HttpResponse& response) {
    Socket* const socket = sockets_.Find(id);
    if (socket == nullptr || socket->listener != nullptr || socket->answered) return;
    socket->answered = true;
    const auto text = std::make_shared<const std::string>(RenderResponse(response));
    const std::string_view last = response.lasting_body;
    socket->connection->Respond(
        {{text->data(), text->size()}, {last.data(), last.size()}},
        [text, connection = socket->connection](const websocketpp::lib::error_code&) {
          connection->terminate(make_error_code(websocketpp::error::http_connection_ended));
        });
  }

  void OnOpen(Socket& socket) {
    socket.stage = Socket::Stage::kOpen;
    impl::ForgetHeaders(socket);
    socket.heard = socket.pinged = std::chrono::steady_clock::now();
    ++open_count_;
    WebsocketLog()->debug("{} is open, by {}", socket.peer,
                          socket.subprotocol.empty() ? "no subprotocol" : socket.subprotocol);
    socket.connection->NotifyWritable(
        [&socket] {
          socket.heard = std::chrono::steady_clock::now();  // it took bytes
          Guarded(socket, [&] { socket.listener->OnWritable(); });
        },
        options_.low_water_bytes);
    Guarded(socket, [&] { socket.listener->OnOpen(socket); });
    if (stopping_) socket.Close(impl::kGoingAway, "the server stops");
  }

  void OnClose(Socket& socket) {
    socket.connection->NotifyWritable(nullptr, 0);
    socket.stage = Socket::Stage::kClosed;
    --open_count_;
    WebsocketLog()->debug("{} is closed, by {} of the client", socket.peer,
                          socket.connection->get_remote_close_code());
    Guarded(socket, [&] { socket.listener->OnClose(socket.connection->get_remote_close_code()); });
  }

  void Forget(std::uint64_t id) {
    const Socket* const socket = sockets_.Find(id);
    if (socket == nullptr) return;
    socket->connection->Drop();
    if (impl::IsRefusedByLibrary(*socket)) handler_.OnLimit(ServerLimit::kMalformed);
    limits_->Leave(socket->ip, socket->stage == Socket::Stage::kRequest
                                   ? ConnectionLimits::Kind::kPlain
                                   : ConnectionLimits::Kind::kWebSocket);
    --held_count_;
    sockets_.Remove(id);
    if (stopping_ && sockets_.IsEmpty()) EndLoop();
  }

  void ScheduleTick() {
    tick_timer_.expires_after(options_.tick);
    tick_timer_.async_wait([this](const asio::error_code& error) {
      if (error || !work_) return;  // EndLoop() comes too late for a timer that has expired
      ScheduleTick();
      handler_.OnTick();
      sockets_.Sweep(std::chrono::steady_clock::now(), options_, handler_);
    });
  }

  void BeginStop(std::chrono::milliseconds deadline) {
    if (std::exchange(stopping_, true)) return;
    if (acceptor_ != nullptr) acceptor_->Close();
    sockets_.CloseAll();
    if (sockets_.IsEmpty()) return EndLoop();
    stop_timer_.expires_after(deadline);
    stop_timer_.async_wait([this](const asio::error_code& error) {
      if (!error) sockets_.CutAll();
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
  std::atomic<std::size_t> open_count_ = 0;
  std::atomic<std::size_t> held_count_ = 0;  // connections of every stage
  bool stopping_ = false;
  MessageInflater inflater_;
  const std::shared_ptr<ConnectionLimits> limits_;  // shared: by the servers of the port
  asio::io_context loop_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      loop_.get_executor()};
  Endpoint endpoint_;
  std::unique_ptr<Acceptor> acceptor_;  // nullptr: another of the port's servers has it
  asio::steady_timer tick_timer_{loop_};
  asio::steady_timer stop_timer_{loop_};
  impl::SocketTable sockets_;
};

// websocketpp finds the order of the machine's bytes when it first needs it, and remembers it
// without a lock: so before several threads do.
void PrepareForThreads() {
  static const std::uint64_t prepared = websocketpp::lib::net::_htonll(1);
  static_cast<void>(prepared);
}

// Throws what asio throws.
std::vector<std::unique_ptr<WebSocketServer>> ServersOf(
    const tcp::endpoint& local, const WebSocketServer::Options& options,
    const std::vector<WebSocketHandler*>& handlers) {
  PrepareForThreads();
  const auto limits = std::make_shared<ConnectionLimits>(
      options.connections_max, options.connections_per_ip_max, options.held_max);
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<Acceptor::Taker> takers;
  for (WebSocketHandler* const handler : handlers) {
    servers.push_back(std::make_unique<Server>(options, *handler, limits));
    takers.push_back(servers.back()->AsTaker());
  }
  auto acceptor = std::make_unique<Acceptor>(local, std::move(takers));
  for (const auto& server : servers) server->set_port(acceptor->port());
  servers.front()->Use(std::move(acceptor));
  return {std::make_move_iterator(servers.begin()), std::make_move_iterator(servers.end())};
}

}  // namespace

absl::StatusOr<std::unique_ptr<WebSocketServer>> WebSocketServer::Listen(
    Options options, WebSocketHandler& handler) {
  auto servers = ListenAll(std::move(options), {&handler});
  if (!servers.ok()) return servers.status();
  return std::move(servers->front());
}

absl::StatusOr<std::vector<std::unique_ptr<WebSocketServer>>> WebSocketServer::ListenAll(
    Options options, const std::vector<WebSocketHandler*>& handlers) {
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  const std::string where = host + ":" + std::to_string(options.port);
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (error) return absl::InvalidArgumentError("\"" + options.host + "\" is not an IP address");
  try {
    return ServersOf(tcp::endpoint(address, options.port), options, handlers);
  } catch (const std::exception& failure) {
    return absl::UnavailableError("listen on " + where + ": " + failure.what());
  }
}

}  // namespace wattmint::bridge
