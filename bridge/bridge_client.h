// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/client_tls.h"
#include "core/base/clock.h"
#include "core/base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmint::bridge {

struct HttpAnswer {
  int status = 0;  // 0: the connection ended without an answer
  std::string head;
  std::string body;

  // The header's value, "" if it is absent. REQUIRES: `name` in the server's spelling.
  std::string Header(std::string_view name) const;
};

struct WebSocketFrame {
  static constexpr int kContinuation = 0;
  static constexpr int kText = 1;
  static constexpr int kBinary = 2;
  static constexpr int kClose = 8;
  static constexpr int kPing = 9;
  static constexpr int kPong = 10;

  bool is_final = true;
  int opcode = 0;
  std::string payload;

  // Of a close frame; 1005 if it has none.
  int CloseCode() const;
};

// The client's side of one connection to a bridge: HTTP requests, or a WebSocket (RFC 6455) after
// Upgrade(), in clear or by TLS. For programs that look at a bridge from outside; no extensions.
// Blocks.
//
// Threads: one; Abort() from any while it lives.
class BridgeClient {
 public:
  struct Options {
    base::Duration patience = std::chrono::seconds(10);  // of each wait
    int receive_buffer_bytes = 0;  // 0: the system's choice; a small one makes a slow reader
    // A file with the certificates that the bridge's must be signed by (PEM); empty: no TLS.
    std::string authorities = "";
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // `address`: HOST:PORT, or [IPv6]:PORT. Errors: kInvalidArgument for another one, or for the file
  // of authorities; kUnavailable if nothing that is trusted answers there.
  static absl::StatusOr<BridgeClient> Connect(const std::string& address, const Options& options);
  BridgeClient(BridgeClient&&) = default;

  // One plain request, whose answer ends with the connection.
  HttpAnswer Request(std::string_view method, std::string_view target, const Headers& headers = {},
                     std::string_view body = {});
  // Asks for the WebSocket; 101 says that it is one now. `headers` replace those of a proper
  // handshake, "" removes one.
  HttpAnswer Upgrade(std::string_view target, const Headers& headers = {});

  // Bytes as they are. False if the connection is gone.
  bool SendRaw(std::string_view bytes);
  bool SendFrame(int opcode, std::string_view payload);
  bool SendText(std::string_view text) { return SendFrame(WebSocketFrame::kText, text); }

  // Errors: kDeadlineExceeded; kUnavailable at the end of the connection; kDataLoss for a frame
  // that is none, or larger than kFrameBytesMax.
  absl::StatusOr<WebSocketFrame> ReadFrame(base::Duration patience);
  // The next text; pings on the way are answered. Errors: as above, and kCancelled with the code of
  // a close frame, such as "4401".
  absl::StatusOr<std::string> ReadText(base::Duration patience);

  // Ends the connection without a word, by RST.
  void Reset();
  // The same as far as another thread may: what is being read or sent ends.
  void Abort();

  static constexpr std::size_t kFrameBytesMax = 16 << 20;  // chosen: far above any frame

 private:
  BridgeClient(base::UniqueFd socket, std::string address, const Options& options)
      : socket_(std::move(socket)), address_(std::move(address)), options_(options) {}

  absl::Status StartTls();
  HttpAnswer ReadAnswer(bool is_upgrade);
  // Waits until so many bytes are there.
  absl::Status Need(std::size_t size, std::chrono::steady_clock::time_point deadline);
  absl::Status ReadMore(std::chrono::steady_clock::time_point deadline);
  std::string_view unread() const { return std::string_view(buffer_).substr(begin_); }
  void Skip(std::size_t size);

  base::UniqueFd socket_;
  std::unique_ptr<ClientTls> tls_;  // nullptr: in clear
  std::string address_;
  Options options_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not read yet
};

// What becomes of a payload with this mask of four bytes, and back.
std::string Masked(std::string_view payload, std::string_view mask);

}  // namespace wattmint::bridge
