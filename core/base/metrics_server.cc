// SPDX-License-Identifier: Apache-2.0
#include "core/base/metrics_server.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/tcp_socket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace wattmint::base {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kRequestBytesMax = 8 << 10;  // chosen: far more than a scraper sends
constexpr std::chrono::milliseconds kDescriptorPause{100};

std::string Reply(std::string_view status, std::string_view extra, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: {}\r\n{}Connection: close\r\n\r\n{}",
      status, body.size(), extra, body);
}

// The first word, which is taken off `text`.
std::string_view Word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

absl::StatusOr<UniqueFd> ListenAt(const std::string& address) {
  WATTMINT_ASSIGN_OR_RETURN(const std::vector<TcpAddress> found, Resolve(address));
  absl::StatusOr<UniqueFd> listener = ListenTcp(found.front());
  if (listener.ok()) return listener;
  return Unavailable("cannot listen for metrics at {}: {}", address, Message(listener.status()));
}

}  // namespace

struct MetricsServer::Connection {
  UniqueFd fd;
  Instant deadline;
  std::string request;
  std::string answer;
  std::size_t sent = 0;  // bytes of the answer
  short ready = 0;       // what poll() says of it
};

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(const Options& options,
                                                                    Page page) {
  WATTMINT_ASSIGN_OR_RETURN(UniqueFd listener, ListenAt(options.address));
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.IsOpen()) return Unavailable("no descriptor is free for the metrics");
  return std::unique_ptr<MetricsServer>(
      new MetricsServer(options, std::move(page), std::move(listener), std::move(stop)));
}

MetricsServer::MetricsServer(const Options& options, Page page, UniqueFd listener, UniqueFd stop)
    : options_(options),
      page_(std::move(page)),
      listener_(std::move(listener)),
      stop_(std::move(stop)),
      port_(LocalAddress(listener_).port()),
      thread_([this] { Run(); }) {
  WATTMINT_ASSERT(options_.connections_max >= 1, "room for {} connections",
                  options_.connections_max);
}

MetricsServer::~MetricsServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void MetricsServer::Run() {
  while (WaitForWork()) {
    connections_.remove_if([this](Connection& connection) { return !Serve(connection); });
    AcceptAll(steady_clock::now());
  }
}

bool MetricsServer::WaitForWork() {
  const Instant now = steady_clock::now();
  const bool may_accept = now >= accept_after_;
  std::vector<pollfd> polled = {{stop_.get(), POLLIN, 0},
                                {listener_.get(), static_cast<short>(may_accept ? POLLIN : 0), 0}};
  Instant wake_up = may_accept ? Instant::max() : accept_after_;
  for (const Connection& connection : connections_) {
    const short events = connection.answer.empty() ? POLLIN : POLLOUT;
    polled.push_back({connection.fd.get(), events, 0});
    wake_up = std::min(wake_up, connection.deadline);
  }
  int timeout_ms = -1;
  if (wake_up != Instant::max()) {
    timeout_ms = static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>(std::max(wake_up - now, Instant::duration()))
            .count());
  }
  poll(polled.data(), polled.size(), timeout_ms);
  auto entry = polled.begin() + 2;
  for (Connection& connection : connections_) connection.ready = (entry++)->revents;
  return polled.front().revents == 0;
}

void MetricsServer::AcceptAll(Instant now) {
  if (now < accept_after_) return;
  for (;;) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.IsOpen()) {
      if (connections_.size() == options_.connections_max) connections_.pop_front();
      connections_.push_back({std::move(fd), now + options_.connection_max, "", ""});
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // Until then the client waits in the kernel, and poll() would not.
      accept_after_ = now + kDescriptorPause;
      return;
    }
  }
}

bool MetricsServer::Serve(Connection& connection) {
  if (steady_clock::now() >= connection.deadline) return false;
  if (connection.ready == 0) return true;
  if (connection.answer.empty()) {
    std::array<char, 4'096> buffer;
    const ssize_t size = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    connection.request.append(buffer.data(), static_cast<std::size_t>(size));
    connection.answer = AnswerTo(connection.request);
    if (connection.answer.empty()) return true;
  }
  const std::string_view left = std::string_view(connection.answer).substr(connection.sent);
  const ssize_t size = send(connection.fd.get(), left.data(), left.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  connection.sent += static_cast<std::size_t>(size);
  return connection.sent < connection.answer.size();
}

std::string MetricsServer::AnswerTo(std::string_view request) const {
  if (request.find("\r\n\r\n") == std::string_view::npos) {
    if (request.size() <= kRequestBytesMax) return "";
    return Reply("431 Request Header Fields Too Large", "", "the request is too long\n");
  }
  std::string_view line = request.substr(0, request.find("\r\n"));
  const std::string_view method = Word(line);
  const std::string_view target = Word(line);
  if (line != "HTTP/1.1" && line != "HTTP/1.0")
    return Reply("400 Bad Request", "", "this is no HTTP/1.1\n");
  if (method != "GET") {
    return Reply("405 Method Not Allowed", "Allow: GET\r\n", "only GET is understood\n");
  }
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Reply("404 Not Found", "", "the metrics are at /metrics\n");
  }
  return Reply("200 OK", "", page_());
}

}  // namespace wattmint::base
