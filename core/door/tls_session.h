// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17: the bridge's side of websocketpp is compiled so.

#include "core/door/moved.h"

#include <cstddef>
#include <memory>

// Of OpenSSL.
struct ssl_st;

namespace wattmint::door {

// The server's end of one TLS connection, on a socket that somebody else owns. Its handshake is
// part of reading. Between two records it keeps no buffers.
//
// Thread-compatible. Lifetime: the socket must outlive it.
class TlsSession {
 public:
  // `fd` must not block. Takes `session`, which must be new.
  TlsSession(int fd, ssl_st* session);
  // Closes.
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // REQUIRES: size > 0. After a write that was blocked, the next must begin with the same bytes,
  // and must not be shorter.
  Moved Read(void* room, std::size_t size);
  Moved Write(const void* bytes, std::size_t size);

  // Whether reading waits for the socket to be writable.
  bool WantsToWrite() const { return wants_to_write_; }
  // Whether bytes that came are yet to be read, so that the socket need not become readable.
  bool HasUnread() const;
  // Whether it ended for reasons of TLS.
  bool HasFailed() const { return has_failed_; }

  // Says that nothing more will come, if that can be said at once. Nothing may be written
  // afterwards.
  void Close();

  static constexpr std::size_t kRecordBytesMax = 16'384;  // in clear; RFC 8446, section 5.1

 private:
  // OpenSSL's, for each message.
  static void NoteMessage(int is_written, int version, int type, const void* bytes,
                          std::size_t size, ssl_st* session, void* self);

  struct Deleter {
    void operator()(ssl_st* session) const;
  };

  const int fd_;
  const std::unique_ptr<ssl_st, Deleter> session_;
  bool wants_to_write_ = false;
  bool has_failed_ = false;
  bool is_broken_ = false;  // nothing more may be sent
  int messages_count_ = 0;  // of handshakes, and alerts
};

}  // namespace wattmint::door
