// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace wattmint::base {

// Serves one page of text to whoever gets /metrics by HTTP: what Prometheus scrapes. It asks for no
// credential, so it belongs on loopback or on a network of its own.
//
// One thread makes one page after another and waits for no client: a connection that takes too long
// is closed, and when there are too many the oldest, so that idle ones cannot keep scrapes out.
// Threads: any. Lifetime: what `page` uses must outlive it.
class MetricsServer {
 public:
  struct Options {
    std::string address = "127.0.0.1:0";  // port 0: any free one
    Duration connection_max = std::chrono::seconds(5);
    std::size_t connections_max = 16;  // chosen: some scrapers, and room for the lost
  };
  // Called on the server's thread; must not throw.
  using Page = std::function<std::string()>;

  // Serves when it returns. Errors: kInvalidArgument for no HOST:PORT; kUnavailable when nothing
  // can listen there.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const Options& options, Page page);
  // Ends at once, whatever clients do.
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  int port() const { return port_; }

 private:
  struct Connection;
  using Instant = std::chrono::steady_clock::time_point;

  MetricsServer(const Options& options, Page page, UniqueFd listener, UniqueFd stop);

  void Run();
  // False when it is time to end.
  bool WaitForWork();
  void AcceptAll(Instant now);
  // False when the connection has nothing left to do.
  bool Serve(Connection& connection);
  std::string AnswerTo(std::string_view request) const;

  const Options options_;
  const Page page_;
  const UniqueFd listener_;
  const UniqueFd stop_;  // readable when it is time to end
  int port_ = 0;

  // The thread's only.
  std::list<Connection> connections_;  // oldest first
  Instant accept_after_{};             // once no descriptor was free
  std::thread thread_;
};

}  // namespace wattmint::base
