// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it.

#include "bridge/log.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace wattmint::bridge::impl {

inline constexpr int kListenBacklog = 1024;
inline constexpr std::chrono::milliseconds kAcceptBackoff{100};

// Accepts the connections of one port on the loop of the first of its takers, and gives each to the
// taker that has the fewest: all are as full as each other, however few the connections are.
//
// Until Close() the loop of every taker goes on, so that nothing is given to one that has ended.
// Threads: that of the first loop, but for the constructor. Lifetime: ends before every loop.
class Acceptor {
 public:
  using Socket = asio::ip::tcp::socket;
  struct Taker {
    asio::io_context& loop;
    // Connections that it was given and that have not ended: it counts them down.
    std::atomic<std::size_t>& held_count;
    std::function<void(Socket)> take;  // called on its loop
  };

  // Listens; connections wait until Run(). Throws what asio throws. REQUIRES: a taker.
  Acceptor(const asio::ip::tcp::endpoint& local, std::vector<Taker> takers)
      : takers_(std::move(takers)), acceptor_(takers_.front().loop), timer_(takers_.front().loop) {
    acceptor_.open(local.protocol());
    acceptor_.set_option(asio::ip::tcp::acceptor::reuse_address(true));
    acceptor_.bind(local);
    acceptor_.listen(kListenBacklog);
    local_ = acceptor_.local_endpoint();
    for (Taker& taker : takers_) guards_.emplace_back(taker.loop.get_executor());
  }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  std::uint16_t port() const { return local_.port(); }

  void Run() {
    if (is_closed_) return;
    acceptor_.async_accept([this](const asio::error_code& error, Socket peer) {
      if (is_closed_) return;
      if (!error) {
        Run();
        return Give(std::move(peer));
      }
      // Out of descriptors or memory: trying at once again would spin.
      WebsocketLog()->warn("accept: {}", error.message());
      timer_.expires_after(kAcceptBackoff);
      timer_.async_wait([this](const asio::error_code&) { Run(); });
    });
  }

  void Close() {
    is_closed_ = true;
    asio::error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    guards_.clear();
  }

 private:
  using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;

  void Give(Socket peer) {
    Taker& taker = *std::min_element(
        takers_.begin(), takers_.end(),
        [](const Taker& a, const Taker& b) { return a.held_count < b.held_count; });
    ++taker.held_count;
    if (&taker == &takers_.front()) return taker.take(std::move(peer));
    Socket moved(taker.loop, local_.protocol(), peer.release());
    asio::post(taker.loop,
               [&taker, peer = std::move(moved)]() mutable { taker.take(std::move(peer)); });
  }

  std::vector<Taker> takers_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  asio::ip::tcp::endpoint local_;
  std::vector<WorkGuard> guards_;
  bool is_closed_ = false;
};

}  // namespace wattmint::bridge::impl
