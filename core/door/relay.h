// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/door/police.h"
#include "core/door/refusal.h"
#include "core/door/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace wattmint::door {

// One connection through the door: the client's socket on one side, one to the server on the
// other, and the police in between. Bytes go from one side to the other as both are ready; what
// a side does not take is kept, some 64 KiB at most each way, and no more is read meanwhile.
//
// It knows nothing of waiting: it is told when a side is ready, and says what to wait for.
// Thread-compatible; `scratch` may be shared by all relays of a thread.
class Relay {
 public:
  enum class State {
    kWaiting,  // for the preface of HTTP/2
    kGreeted,  // the preface has come: Open() it
    kOpen,
    kLeaving,  // the server has ended; its last bytes are on their way
    kOver,
  };

  Relay(std::unique_ptr<Transport> client, const PoliceLimits& limits,
        std::span<std::uint8_t> scratch);

  State state() const { return state_; }
  // Set when it is over because of the client.
  std::optional<Refusal> refusal() const { return refusal_; }

  // The way to the server. REQUIRES: state() is kGreeted.
  void Open(std::unique_ptr<Transport> server);

  // A side has become ready; `events` are those of epoll. REQUIRES: it has such a side.
  void ServeClient(std::uint32_t events, Police::Instant now);
  void ServeServer(std::uint32_t events, Police::Instant now);

  // What to wait for, as events of epoll; nothing if the side must not be watched at all.
  std::uint32_t ClientInterest() const;
  std::optional<std::uint32_t> ServerInterest() const;

  int client_fd() const { return client_.transport->fd(); }
  // REQUIRES: it has a server.
  int server_fd() const { return server_.transport->fd(); }
  bool HasServer() const { return server_.transport != nullptr; }

 private:
  // A side, and what it has yet to take.
  struct End {
    std::unique_ptr<Transport> transport;
    std::vector<std::uint8_t> pending;

    // Both answer false if the side has ended. REQUIRES of Send(): nothing is pending, or the side
    // is not open yet.
    bool Send(std::span<const std::uint8_t> bytes);
    bool Flush();
  };

  bool CanReadClient() const;
  void ReadClient(Police::Instant now);
  void ReadServer();

  Police police_;
  const std::span<std::uint8_t> scratch_;
  State state_ = State::kWaiting;
  std::optional<Refusal> refusal_;
  End client_;
  End server_;
};

}  // namespace wattmint::door
