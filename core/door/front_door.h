// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/tcp_socket.h"
#include "core/base/unique_fd.h"
#include "core/door/address_quota.h"
#include "core/door/police.h"
#include "core/door/refusal.h"
#include "core/door/relay.h"

#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::door {

// What went through a door since it was opened. Threads: any.
struct DoorCounters {
  std::atomic<std::int64_t> accepted{0};
  std::atomic<std::int64_t> open{0};  // now
  std::array<std::atomic<std::int64_t>, kRefusalCount> refused{};
};

// Stands between the network and a server of HTTP/2 that cannot defend itself: it owns the
// listening sockets, takes connections in, lets the police see every frame of theirs, and gives the
// server its end of a pair of sockets once a client has shown the preface of HTTP/2.
//
// It never goes deaf and never spins. When there are as many connections as there may be, the
// oldest that has not shown its preface makes room, of an address with no fewer than the
// newcomer's. If there is none, the address that has most gives one up for one that has less; else
// the newcomer is closed. Out of descriptors, the oldest without a preface makes room; if there is
// none, newcomers are left in the kernel for a moment. One thread does all of it. Threads: any.
// Lifetime: what `hand_on` uses must outlive it.
class FrontDoor {
 public:
  struct Options {
    std::string address = "127.0.0.1:0";  // port 0: any free one
    std::size_t connections_max = 5'000;  // each takes three descriptors
    std::size_t connections_per_address_max = 500;
    // For a client to show the preface, and to take the last bytes of a server that has ended.
    base::Duration patience = std::chrono::seconds(5);
    PoliceLimits police;
  };
  // Gives the server its end of a connection. Called on the door's thread.
  using HandOn = std::function<void(base::UniqueFd)>;
  // Makes the client's end. Called on the door's thread.
  using Wrap = std::function<absl::StatusOr<std::unique_ptr<Transport>>(base::UniqueFd)>;
  static absl::StatusOr<std::unique_ptr<Transport>> WrapPlain(base::UniqueFd socket);

  // Listens when it returns. Errors: kInvalidArgument for no HOST:PORT; kUnavailable when nothing
  // can listen there.
  static absl::StatusOr<std::unique_ptr<FrontDoor>> Open(const Options& options, HandOn hand_on,
                                                         Wrap wrap = WrapPlain);
  // Closes every connection.
  ~FrontDoor();
  FrontDoor(const FrontDoor&) = delete;
  FrontDoor& operator=(const FrontDoor&) = delete;

  int port() const { return port_; }
  const DoorCounters& counters() const { return counters_; }

  // Lets nobody in any more; once it returns, nothing is handed on. Doing so twice is the same.
  void StopAccepting();
  // Waits until the server has ended all connections and the clients have what it sent them; false
  // if the time came first. REQUIRES: StopAccepting().
  bool WaitUntilEmpty(base::Duration timeout);

 private:
  struct Connection;
  using Connections = std::list<Connection>;
  using Instant = std::chrono::steady_clock::time_point;
  // A socket as epoll names it.
  struct Watch {
    Connection* connection = nullptr;     // whose it is; nullptr: the door's own
    std::optional<std::uint32_t> events;  // that are waited for; nothing: it is not watched
  };
  enum class Phase { kAccepting, kStopping, kStopped, kEnding };

  FrontDoor(const Options& options, HandOn hand_on, Wrap wrap,
            std::vector<base::UniqueFd> listeners, base::UniqueFd epoll, base::UniqueFd wake_up);

  // What the thread does.
  void Run();
  // False when it is time to end.
  bool FollowPhase();
  int WaitMilliseconds(Instant now) const;
  void ServeEvents(int timeout_ms);
  void SetListening(bool is_wanted);
  void PauseListening(Instant now);
  void AcceptFrom(const base::UniqueFd& listener, Instant now);
  bool MakeRoom(Instant now, std::size_t connections_min);
  bool TakeFromGreedier(const std::string& address_key);
  void LetIn(base::UniqueFd socket, std::string address_key, Instant now);
  void Serve(Watch& watch, std::uint32_t events, Instant now);
  void OpenWay(Connection& connection, Instant now);
  void Arrange(Connection& connection, Instant now);
  void SetWatch(Watch& watch, int fd, std::optional<std::uint32_t> events);
  void EndLate(Instant now);
  void End(Connection& connection);
  void Count(Refusal refusal);

  const Options options_;
  const HandOn hand_on_;
  const Wrap wrap_;
  const base::UniqueFd epoll_;
  const base::UniqueFd wake_up_;  // readable when there is a new phase
  int port_ = 0;
  DoorCounters counters_;

  base::Mutex mutex_;  // guards phase_
  base::CondVar changed_;
  Phase phase_ WATTMINT_GUARDED_BY(mutex_) = Phase::kAccepting;

  // The thread's only.
  std::vector<base::UniqueFd> listeners_;
  Watch listener_watch_;
  Watch wake_up_watch_;
  bool is_listening_ = false;
  bool has_newcomers_ = false;  // a listener is ready
  Instant listen_after_{};      // while no descriptor was free
  std::vector<std::uint8_t> scratch_;
  AddressQuota quota_;
  Connections hurried_;  // who has to greet or to leave in time, the first of them first
  Connections open_;
  Connections ended_;  // until the events that name them are served
  std::thread thread_;
};

}  // namespace wattmint::door
