// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it.

#include "bridge/websocket_server.h"
#include "bridge/write_queue.h"

#include <websocketpp/transport/asio/connection.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
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
// websocketpp's only own frame, close, is merged with them at a frame boundary and is the last one.
template <typename Config>
class Transport : public websocketpp::transport::asio::connection<Config> {
 public:
  using Base = websocketpp::transport::asio::connection<Config>;
  using ptr = std::shared_ptr<Transport>;
  using Base::Base;

  std::size_t Write(const SharedFrame& frame) {
    if (broken_ || has_said_close_) return PendingBytes();
    std::size_t taken = 0;
    if (!waiting_ && queue_.IsEmpty()) {
      const ssize_t sent = this->SendBytes(frame->data(), frame->size());
      if (sent == static_cast<ssize_t>(frame->size())) return 0;
      if (sent < 0 && CheckBroken()) return 0;
      if (sent > 0) taken = static_cast<std::size_t>(sent);
    }
    queue_.Push(frame, nullptr, taken);
    Wait();
    return PendingBytes();
  }

  std::size_t WriteAll(const std::vector<SharedFrame>& frames) {
    if (frames.size() == 1) return Write(frames.front());
    if (broken_ || has_said_close_) return PendingBytes();
    std::size_t next = 0;
    std::size_t taken = 0;  // of frames[next]
    bool takes_more = !waiting_ && queue_.IsEmpty();
    while (takes_more && next < frames.size()) {
      const std::size_t through = WriteSome(frames, next, taken);
      next += through;
      takes_more = through == kFramesPerWrite;
    }
    if (broken_) return 0;
    for (; next < frames.size(); ++next) {
      queue_.Push(frames[next], nullptr, std::exchange(taken, 0));
    }
    if (!queue_.IsEmpty()) Wait();
    return PendingBytes();
  }

  void Prefetch() {
    this->PrefetchSocket();
    __builtin_prefetch(&queue_);
    __builtin_prefetch(&has_said_close_);
  }

  std::size_t PendingBytes() const { return queue_.bytes(); }

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

  // What is held back holds this connection: without an answer both would stay for ever.
  void Drop() { held_.reset(); }

  void Respond(const std::vector<buffer>& parts, write_handler done) {
    held_.reset();
    Base::async_write(parts, std::move(done));
  }

  // What websocketpp calls: first for the handshake, then for close frames.
  void async_write(const char* bytes, std::size_t size, write_handler done) {
    if (hold_) {
      held_ = Held{bytes, size, std::move(done)};
    } else {
      Base::async_write(bytes, size, std::move(done));
    }
  }

  void async_write(const std::vector<buffer>& buffers, write_handler done) {
    if (std::exchange(has_said_close_, true)) return Finish(std::move(done), {});
    std::string bytes;
    for (const buffer& part : buffers) bytes.append(part.buf, part.len);
    queue_.Push(std::make_shared<const std::string>(std::move(bytes)), std::move(done));
    if (!waiting_) Flush();
  }

  // What websocketpp has do what it writes. At once: it looks no further at what came in before the
  // frame is on its way.
  std::error_code dispatch(const std::function<void()>& work) {
    work();
    return {};
  }

 private:
  struct Held {
    const char* bytes;
    std::size_t size;
    write_handler done;
  };

  using Parts = std::array<iovec, kFramesPerWrite>;

  ptr Self() { return std::static_pointer_cast<Transport>(Base::get_shared()); }
  int Descriptor() { return this->get_raw_socket().native_handle(); }

  // After a write has failed: whether that is for ever. Then the reading side hears of it as well,
  // and ends the connection.
  bool CheckBroken() {
    broken_ = errno != EAGAIN && errno != EINTR;
    if (broken_) ::shutdown(Descriptor(), SHUT_RDWR);
    return broken_;
  }

  // Writes frames from `first` on by one system call. Returns how many are through; of the next the
  // socket has `taken` bytes.
  std::size_t WriteSome(const std::vector<SharedFrame>& frames, std::size_t first,
                        std::size_t& taken) {
    Parts parts;
    std::size_t count = 0;
    for (std::size_t i = first; i < frames.size() && count < parts.size(); ++i) {
      parts[count++] = {const_cast<char*>(frames[i]->data()), frames[i]->size()};
    }
    const ssize_t sent = this->SendParts(parts.data(), count);
    if (sent < 0) {
      CheckBroken();
      return 0;
    }
    taken = static_cast<std::size_t>(sent);
    std::size_t through = 0;
    while (through < count && taken >= parts[through].iov_len) taken -= parts[through++].iov_len;
    return through;
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
    while (!queue_.IsEmpty()) {
      Parts parts;
      const ssize_t sent = this->SendParts(parts.data(), queue_.Gather(parts));
      if (sent < 0) return CheckBroken() ? Fail() : Wait();
      for (auto& done : queue_.Consume(static_cast<std::size_t>(sent))) {
        Finish(std::move(done), {});
      }
    }
  }

  // Not from within the call that wrote: a listener may be on the stack. `done` does not keep its
  // connection, this one, alive.
  void Finish(write_handler done, std::error_code error) {
    Base::dispatch([self = Self(), done = std::move(done), error] { done(error); });
  }

  void Fail() {
    broken_ = true;
    for (auto& done : queue_.Clear()) {
      Finish(std::move(done), make_error_code(websocketpp::transport::error::pass_through));
    }
  }

  WriteQueue queue_;
  bool waiting_ = false;  // for the socket to become writable
  bool broken_ = false;
  bool has_said_close_ = false;
  bool hold_ = false;
  std::optional<Held> held_;
  std::size_t low_water_bytes_ = 0;
  std::function<void()> on_writable_;
};

}  // namespace wattmint::bridge::impl
