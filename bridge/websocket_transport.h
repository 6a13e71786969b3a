// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it.

#include "bridge/websocket_server.h"

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>
#include <utility>
#include <vector>

namespace wattmint::bridge::impl {

using websocketpp::transport::buffer;
using websocketpp::transport::write_handler;

inline constexpr std::size_t kFramesPerWrite = 64;

// The write side of a connection. Shared frames go straight to the socket when it takes them;
// websocketpp's own writes (pong, close) are merged with them at frame boundaries.
template <typename Config>
class Transport : public websocketpp::transport::asio::connection<Config> {
 public:
  using Base = websocketpp::transport::asio::connection<Config>;
  using ptr = std::shared_ptr<Transport>;
  using Base::Base;

  std::size_t Write(const SharedFrame& frame) {
    if (broken_) return 0;
    if (!waiting_ && queue_.empty()) {
      const ssize_t sent =
          ::send(Descriptor(), frame->data(), frame->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(frame->size())) return 0;
      if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        broken_ = true;  // the reading side hears of it as well, and ends the connection
        return 0;
      }
      front_sent_ = sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    Push({frame, nullptr});
    Wait();
    return PendingBytes();
  }

  std::size_t WriteAll(const std::vector<SharedFrame>& frames) {
    if (broken_) return 0;
    for (const SharedFrame& frame : frames) Push({frame, nullptr});
    if (!waiting_) Flush();
    return PendingBytes();
  }

  std::size_t PendingBytes() const { return queued_bytes_ - front_sent_; }

  void NotifyWritable(std::function<void()> on_writable, std::size_t low_water_bytes) {
    on_writable_ = std::move(on_writable);
    low_water_bytes_ = low_water_bytes;
  }

  // Keeps the handshake's response back until Release(), or for ever if Respond() comes.
  void Hold() { hold_ = true; }

  void Release() {
    hold_ = false;
    if (!held_) return;
    const Held held = *std::exchange(held_, std::nullopt);
    Base::async_write(held.bytes, held.size, held.done);
  }

  void Respond(const char* bytes, std::size_t size, write_handler done) {
    held_.reset();
    Base::async_write(bytes, size, std::move(done));
  }

  // What websocketpp calls: first for the handshake, then for its own frames.
  void async_write(const char* bytes, std::size_t size, write_handler done) {
    if (hold_) {
      held_ = Held{bytes, size, std::move(done)};
    } else {
      Base::async_write(bytes, size, std::move(done));
    }
  }

  void async_write(const std::vector<buffer>& buffers, write_handler done) {
    std::string bytes;
    for (const buffer& part : buffers) bytes.append(part.buf, part.len);
    Push({std::make_shared<const std::string>(std::move(bytes)), std::move(done)});
    if (!waiting_) Flush();
  }

 private:
  struct Item {
    SharedFrame frame;
    write_handler done;
  };
  struct Held {
    const char* bytes;
    std::size_t size;
    write_handler done;
  };

  ptr Self() { return std::static_pointer_cast<Transport>(Base::get_shared()); }
  int Descriptor() { return this->get_raw_socket().native_handle(); }

  void Push(Item item) {
    queued_bytes_ += item.frame->size();
    queue_.push_back(std::move(item));
  }

  void Wait() {
    if (std::exchange(waiting_, true)) return;
    this->get_raw_socket().async_wait(asio::ip::tcp::socket::wait_write,
                                      [self = Self()](const asio::error_code& error) {
                                        self->waiting_ = false;
                                        if (error) {
                                          self->Fail();
                                          return;
                                        }
                                        self->Flush();
                                        if (self->on_writable_ && !self->broken_ &&
                                            self->PendingBytes() <= self->low_water_bytes_) {
                                          self->on_writable_();
                                        }
                                      });
  }

  void Flush() {
    const ptr self = Self();
    while (!queue_.empty()) {
      std::array<iovec, kFramesPerWrite> parts;
      std::size_t bytes = 0;
      msghdr message{};
      message.msg_iovlen = Gather(parts, bytes);
      message.msg_iov = parts.data();
      const ssize_t sent = ::sendmsg(Descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return Fail();
      if (sent > 0) Consume(static_cast<std::size_t>(sent));
      if (sent < static_cast<ssize_t>(bytes)) return Wait();
    }
    queue_.shrink_to_fit();
  }

  // Fills `parts` from the queue; returns how many were filled.
  std::size_t Gather(std::array<iovec, kFramesPerWrite>& parts, std::size_t& bytes) {
    std::size_t count = 0;
    for (const Item& item : queue_) {
      if (count == kFramesPerWrite) break;
      const std::size_t offset = count == 0 ? front_sent_ : 0;
      iovec& part = parts[count++];
      part.iov_base = const_cast<char*>(item.frame->data()) + offset;
      part.iov_len = item.frame->size() - offset;
      bytes += part.iov_len;
    }
    return count;
  }

  void Consume(std::size_t sent) {
    std::vector<write_handler> done;
    while (sent > 0) {
      Item& front = queue_.front();
      const std::size_t rest = front.frame->size() - front_sent_;
      if (sent < rest) {
        front_sent_ += sent;
        break;
      }
      sent -= rest;
      front_sent_ = 0;
      queued_bytes_ -= front.frame->size();
      if (front.done) done.push_back(std::move(front.done));
      queue_.pop_front();
    }
    for (const write_handler& handler : done) handler(std::error_code());
  }

  void Fail() {
    broken_ = true;
    queued_bytes_ = front_sent_ = 0;
    for (const Item& item : std::exchange(queue_, {})) {
      if (item.done) item.done(make_error_code(websocketpp::transport::error::pass_through));
    }
  }

  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t front_sent_ = 0;  // of the first frame in queue_
  bool waiting_ = false;        // for the socket to become writable
  bool broken_ = false;
  bool hold_ = false;
  std::optional<Held> held_;
  std::size_t low_water_bytes_ = 0;
  std::function<void()> on_writable_;
};

template <typename Config>
struct TransportEndpoint : websocketpp::transport::asio::endpoint<Config> {
  using transport_con_type = Transport<Config>;
  using transport_con_ptr = typename transport_con_type::ptr;
};

// websocketpp without locks and loggers (its access log prints credentials of query strings), with
// small buffers.
struct Config : websocketpp::config::asio {
  using type = Config;
  using concurrency_type = websocketpp::concurrency::none;
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;
  struct transport_config : websocketpp::config::asio::transport_config {
    using concurrency_type = type::concurrency_type;
    using alog_type = type::alog_type;
    using elog_type = type::elog_type;
    static const bool enable_multithreading = false;
    static const long timeout_socket_post_init = 0;
  };
  using transport_type = TransportEndpoint<transport_config>;
  static const bool enable_multithreading = false;
  static const bool enable_extensions = false;
  static const std::size_t connection_read_buffer_size = 1024;
};

}  // namespace wattmint::bridge::impl
