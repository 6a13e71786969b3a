// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/assert.h"
#include "core/base/mutex.h"
#include "core/base/unique_fd.h"

#include <fmt/core.h>

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace wattmint::test {

// Answers every HTTP request on a free port of loopback with what it was told last, one connection
// after another. Threads: any.
class HttpServer {
 public:
  struct Answer {
    std::string status = "200 OK";
    std::string headers = {};  // each with its line break
    std::string body = {};
    bool is_silent = false;  // none at all: the client waits
  };

  HttpServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    const bool listens = bind(listener_.get(), generic, size) == 0 &&
                         listen(listener_.get(), 16) == 0 &&
                         getsockname(listener_.get(), generic, &size) == 0;
    WATTMINT_ASSERT(listens && stop_.IsOpen(), "no port for a test's server");
    address_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~HttpServer() {
    eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Such as "http://127.0.0.1:1234".
  const std::string& address() const { return address_; }

  void Serve(Answer answer) WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    answer_ = std::move(answer);
  }
  // The heads of the requests so far.
  std::vector<std::string> requests() const WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return requests_;
  }
  // Waits until so many requests have come.
  void WaitForRequests(std::size_t count) WATTMINT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    came_.Wait(mutex_, [&]() WATTMINT_REQUIRES(mutex_) { return requests_.size() >= count; });
  }

 private:
  // False when the test is over.
  bool WaitFor(int fd) const {
    pollfd fds[] = {{.fd = fd, .events = POLLIN, .revents = 0},
                    {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    while (poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
  }

  void Run() {
    while (WaitFor(listener_.get())) {
      const base::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.IsOpen()) Serve(client.get());
    }
  }

  void Serve(int client) WATTMINT_EXCLUDES(mutex_) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      if (!WaitFor(client)) return;
      const ssize_t count = recv(client, buffer, sizeof buffer, 0);
      if (count <= 0) return;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    Answer answer;
    {
      base::MutexLock lock(mutex_);
      requests_.push_back(request);
      came_.NotifyAll();
      answer = answer_;
    }
    if (answer.is_silent) {
      WaitFor(client);  // until the client gives up
      return;
    }
    const std::string text =
        fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                    answer.status, answer.headers, answer.body.size(), answer.body);
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  const base::UniqueFd listener_;
  const base::UniqueFd stop_{eventfd(0, EFD_CLOEXEC)};  // readable when the test is over
  std::string address_;
  mutable base::Mutex mutex_;  // guards all below
  base::CondVar came_;
  Answer answer_ WATTMINT_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ WATTMINT_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace wattmint::test
