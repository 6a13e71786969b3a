// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it: the socket that websocketpp reads and
// writes, in clear or by TLS.

#include "core/door/tls_session.h"

#include <websocketpp/transport/asio/security/none.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace wattmint::bridge::impl {

// websocketpp's plain socket, until Secure() puts TLS on it. TLS works on the descriptor itself, as
// send() does, so that both have one write side, and a quiet connection has no buffers.
//
// Threads: the owner's.
class TlsSocket : public websocketpp::transport::asio::basic_socket::connection {
 public:
  using Base = websocketpp::transport::asio::basic_socket::connection;
  using executor_type = asio::ip::tcp::socket::executor_type;

  // REQUIRES: nothing was read or written.
  void Secure(std::unique_ptr<door::TlsSession> tls) { tls_ = std::move(tls); }

  void PrefetchSocket() {
    __builtin_prefetch(&get_raw_socket());
    __builtin_prefetch(&tls_);
  }

  // As send() and sendmsg() that do not wait; bytes of which -1 with EAGAIN says that they were not
  // taken are to be tried again first.
  ssize_t SendBytes(const char* bytes, std::size_t size) {
    if (tls_ == nullptr) {
      return ::send(get_raw_socket().native_handle(), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    const iovec part{const_cast<char*>(bytes), size};
    return Encrypt(&part, 1);
  }

  ssize_t SendParts(iovec* parts, std::size_t count) {
    if (tls_ != nullptr) return Encrypt(parts, count);
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    return ::sendmsg(get_raw_socket().native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  // What websocketpp calls.
  bool is_secure() const { return tls_ != nullptr; }
  TlsSocket& get_socket() { return *this; }

  // What asio calls then.
  executor_type get_executor() { return get_raw_socket().get_executor(); }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) {
      get_raw_socket().async_read_some(buffers, std::forward<Handler>(handler));
      return;
    }
    const asio::mutable_buffer room = *asio::buffer_sequence_begin(buffers);
    MoveSoon([this, room] { return tls_->Read(room.data(), room.size()); }, Raw::wait_read,
             tls_->HasUnread() ? Step::kPost : Step::kWait, std::forward<Handler>(handler));
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_ == nullptr) {
      get_raw_socket().async_write_some(buffers, std::forward<Handler>(handler));
      return;
    }
    const asio::const_buffer bytes = *asio::buffer_sequence_begin(buffers);
    MoveSoon([this, bytes] { return tls_->Write(bytes.data(), bytes.size()); }, Raw::wait_write,
             Step::kPost, std::forward<Handler>(handler));
  }

 protected:
  void async_shutdown(websocketpp::transport::asio::socket::shutdown_handler done) {
    if (tls_ != nullptr) tls_->Close();
    Base::async_shutdown(std::move(done));
  }

 private:
  using Raw = asio::ip::tcp::socket;
  using Record = std::array<char, door::TlsSession::kRecordBytesMax>;

  enum class Step { kPost, kWait, kMove };

  // One asynchronous read or write, as asio::async_compose() wants it.
  template <typename Move>
  struct Operation {
    TlsSocket& socket;
    Move move;
    Raw::wait_type readiness;
    Step step;

    template <typename Self>
    void operator()(Self& self, const asio::error_code& error = {}) {
      const Step now = std::exchange(step, Step::kMove);
      if (now == Step::kPost) return asio::post(socket.get_executor(), std::move(self));
      if (now == Step::kWait) return Wait(self, readiness);
      if (error) return self.complete(error, 0);
      const door::Moved moved = move();
      switch (moved.state) {
        case door::Moved::State::kDone:
          return self.complete({}, moved.bytes);
        case door::Moved::State::kEnded:
          return self.complete(asio::error::eof, 0);
        case door::Moved::State::kBlocked:
          return Wait(self, socket.tls_->WantsToWrite() ? Raw::wait_write : readiness);
      }
    }

    template <typename Self>
    void Wait(Self& self, Raw::wait_type until) {
      Raw& raw = socket.get_raw_socket();
      raw.async_wait(until, std::move(self));  // this is gone now
    }
  };

  template <typename Move, typename Handler>
  void MoveSoon(Move move, Raw::wait_type readiness, Step first, Handler&& handler) {
    asio::async_compose<Handler, void(asio::error_code, std::size_t)>(
        Operation<Move>{*this, std::move(move), readiness, first}, handler, get_raw_socket());
  }

  // Many small frames become one record, and a frame that is alone is not copied.
  ssize_t Encrypt(const iovec* parts, std::size_t count) {
    Record record;
    std::size_t sent = 0;
    std::size_t offset = 0;  // in the first of `parts`
    while (count > 0) {
      const char* bytes = static_cast<const char*>(parts->iov_base) + offset;
      std::size_t size = parts->iov_len - offset;
      if (count > 1 && size < record.size()) {
        size = Gather(parts, count, offset, record);
        bytes = record.data();
      }
      const door::Moved moved = tls_->Write(bytes, size);
      if (moved.state != door::Moved::State::kDone) {
        if (sent > 0) break;
        errno = moved.state == door::Moved::State::kBlocked ? EAGAIN : EPIPE;
        return -1;
      }
      sent += moved.bytes;
      offset += moved.bytes;
      for (; count > 0 && offset >= parts->iov_len; --count) offset -= parts++->iov_len;
    }
    return static_cast<ssize_t>(sent);
  }

  // Fills `record` from the parts; returns how far.
  static std::size_t Gather(const iovec* parts, std::size_t count, std::size_t offset,
                            Record& record) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && size < record.size(); ++i) {
      const std::size_t taken = std::min(parts[i].iov_len - offset, record.size() - size);
      std::memcpy(record.data() + size, static_cast<const char*>(parts[i].iov_base) + offset,
                  taken);
      size += taken;
      offset = 0;
    }
    return size;
  }

  std::unique_ptr<door::TlsSession> tls_;  // nullptr: in clear
};

// websocketpp's policy of sockets.
struct TlsSockets : websocketpp::transport::asio::basic_socket::endpoint {
  using socket_con_type = TlsSocket;
  using socket_con_ptr = socket_con_type::ptr;
};

}  // namespace wattmint::bridge::impl
