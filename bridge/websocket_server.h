// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17: websocket_server.cc, the only file that sees websocketpp and asio, is compiled so.

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wattmint::door {
class TlsSession;
}

namespace wattmint::bridge {

// The bytes of one WebSocket frame, header included, ready for any number of sockets.
// shared: every connection that has still to write the frame holds it.
using SharedFrame = std::shared_ptr<const std::string>;

// Frames `text`, or `bytes`, once. A server's frames are not masked.
SharedFrame FrameText(std::string_view text);
SharedFrame FrameBinary(std::string_view bytes);
SharedFrame FramePong(std::string_view payload);  // REQUIRES: at most 125 bytes

struct HttpRequest {
  std::string method = "";
  std::string target = "";  // path and query, as it came
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = "";
  std::string remote_ip = "";    // that limits count it by: client_address.h
  std::string subprotocol = "";  // of an upgrade: the one that was picked, "" if none was offered

  // The header's value, "" if it is absent. The name is compared without case.
  std::string_view Header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = "";
  // Follows `body`: bytes that live as long as the program. They are not copied, so that clients
  // who ask for a large file and do not read cost no memory.
  std::string_view lasting_body = "";
};

// What a client takes of compressed messages (RFC 7692).
enum class Compression {
  kNone,
  kAlone,   // each by itself: the client keeps nothing of those before
  kStream,  // each may refer to the compressed ones before
};

// One open socket. Owner's thread only; valid from OnOpen() until OnClose() returns.
class WebSocketConnection {
 public:
  virtual ~WebSocketConnection() = default;

  // Writes the frame, or queues what the socket does not take now. Returns PendingBytes().
  virtual std::size_t Send(const SharedFrame& frame) = 0;

  // As Send() of each, by as few system calls as can be.
  virtual std::size_t SendAll(const std::vector<SharedFrame>& frames) = 0;

  // Fetches what Send() looks at into the processor's cache. Pays for some of many in a row: the
  // processor waits for all of them at once, then.
  virtual void Prefetch() {}

  // The same as long as it is open.
  virtual Compression compression() const = 0;

  // Bytes that wait in this process. The kernel's buffer holds about 150 KiB more.
  virtual std::size_t PendingBytes() const = 0;

  // Starts the closing handshake, behind what is queued. OnClose() follows, not from within.
  virtual void Close(int code, std::string_view reason) = 0;
};

// What one connection tells its owner, on the owner's thread. The server destroys it after
// OnClose(), or without any call if the connection was lost before it was open.
class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;
  virtual void OnOpen(WebSocketConnection& connection) = 0;
  // `text` is valid UTF-8 of at most Options::frame_bytes_max bytes.
  virtual void OnText(std::string_view text) = 0;
  // PendingBytes() fell to Options::low_water_bytes or less after something had been queued.
  virtual void OnWritable() = 0;
  // `code` is the one that the client sent, or 1006.
  virtual void OnClose(int code) = 0;
};

// Accepts the connection by a listener, or refuses it by a response.
using UpgradeAnswer = std::variant<std::unique_ptr<WebSocketListener>, HttpResponse>;

// Replies may be called from any thread, at once or later; the first call counts. A request that
// is not answered within Options::handshake_timeout is closed.
using UpgradeReply = std::function<void(UpgradeAnswer)>;
using HttpReply = std::function<void(HttpResponse)>;

// Why the server turned a connection away, or ended it, by itself.
enum class ServerLimit {
  kServerFull,
  kAddressFull,
  kHandshakeTimeout,  // no whole request in time, or no answer to it
  kNoPong,
  kMalformed,  // what came was no proper request, or no proper upgrade
};

inline constexpr std::size_t kServerLimitsCount = 5;

// What the server asks and tells, on the owner's thread.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  virtual void OnHttpRequest(const HttpRequest& request, HttpReply reply) = 0;
  virtual void OnUpgrade(const HttpRequest& request, UpgradeReply reply) = 0;
  // Every Options::tick.
  virtual void OnTick() = 0;
  // To be counted.
  virtual void OnLimit(ServerLimit) {}
};

// HTTP and WebSocket on a port: one thread, one event loop. Several may share the port.
//
// Threads: Run() blocks its caller, the owner's thread, until Stop() has ended everything.
// Post() and Stop() from any thread. Lifetime: `handler` must outlive the server.
// Errors: exceptions of the libraries, and of handlers, end here; a connection that causes one is
// closed.
class WebSocketServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";  // an address, or "localhost"
    std::uint16_t port = 0;          // 0: any free one
    std::size_t connections_max = 10'000;
    std::size_t connections_per_ip_max = 20;
    // Connections of every kind, plain HTTP requests as well, if that is less than what the limits
    // of each kind come to: what there are descriptors for.
    std::size_t held_max = std::numeric_limits<std::size_t>::max();
    std::size_t frame_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 16 * 1024;
    std::size_t low_water_bytes = 64 * 1024;
    std::chrono::milliseconds handshake_timeout{10'000};
    std::chrono::milliseconds close_timeout{5'000};
    std::chrono::milliseconds ping_interval{30'000};
    std::chrono::milliseconds pong_timeout{60'000};
    std::chrono::milliseconds tick{250};
    // Addresses of proxies whose X-Forwarded-For says who a WebSocket is from. Without them, and
    // for all others, that is who is connected.
    std::vector<std::string> trusted_proxies = {};
    // Whether permessage-deflate is agreed on with clients that offer it.
    bool compresses = true;
    // Subprotocols that are spoken, the default first.
    std::vector<std::string> subprotocols = {};
    // Puts TLS on a connection that was accepted, on the thread of its server; nullptr refuses it.
    // If not set, all is in clear. The handshake counts as a part of the request.
    std::function<std::unique_ptr<door::TlsSession>(int fd)> tls = {};
  };

  // Binds and listens; connections wait until Run(). Errors: kInvalidArgument (host),
  // kUnavailable (the port is taken, or may not be used).
  static absl::StatusOr<std::unique_ptr<WebSocketServer>> Listen(Options options,
                                                                 WebSocketHandler& handler);
  // One server for each handler, all on one port and with its limits together. The first accepts,
  // and gives each connection to the server that has the fewest; the others run until the first has
  // stopped as well. REQUIRES: a handler; the first server ends (Run(), or its life if that was
  // never called) before any is destroyed.
  static absl::StatusOr<std::vector<std::unique_ptr<WebSocketServer>>> ListenAll(
      Options options, const std::vector<WebSocketHandler*>& handlers);
  virtual ~WebSocketServer() = default;

  virtual std::uint16_t port() const = 0;

  virtual void Run() = 0;

  // Runs `work` on the owner's thread, in the order of posting. Dropped once Run() has returned.
  virtual void Post(std::function<void()> work) = 0;

  // Stops listening, closes every connection with 1001 and cuts those that are still there after
  // `deadline`. Calling it again has no effect.
  virtual void Stop(std::chrono::milliseconds deadline) = 0;

  // Open WebSocket connections. Any thread.
  virtual std::size_t connections() const = 0;
};

}  // namespace wattmint::bridge
