// SPDX-License-Identifier: Apache-2.0
#include "core/door/front_door.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

namespace wattmint::door {
namespace {

constexpr std::size_t kScratchBytes = 64 << 10;
constexpr int kEventsMax = 256;    // chosen: of one turn
constexpr int kNewcomersMax = 64;  // chosen: of one turn and listener
constexpr std::chrono::milliseconds kDescriptorPause{100};
constexpr int kUnackedMaxMs = 30'000;  // a peer that takes nothing for so long is gone

// One socket for each address; with port 0, all get the port of the first.
absl::StatusOr<std::vector<base::UniqueFd>> ListenEverywhere(const std::string& address) {
  WATTMINT_ASSIGN_OR_RETURN(std::vector<base::TcpAddress> found, base::Resolve(address));
  std::vector<base::UniqueFd> listeners;
  absl::Status why;
  for (base::TcpAddress& one : found) {
    if (one.port() == 0 && !listeners.empty()) {
      one.set_port(base::LocalAddress(listeners.front()).port());
    }
    auto listener = base::ListenTcp(one);
    if (listener.ok()) {
      listeners.push_back(*std::move(listener));
    } else {
      why = listener.status();
    }
  }
  // A name may stand for addresses of a family that this machine does not have.
  if (!listeners.empty()) return listeners;
  return base::Unavailable("cannot listen at {}: {}", address, base::Message(why));
}

void SetOptions(const base::UniqueFd& socket) {
  constexpr int kOn = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  setsockopt(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnackedMaxMs, sizeof kUnackedMaxMs);
}

// Both ends; neither is open if no descriptor is left.
std::pair<base::UniqueFd, base::UniqueFd> SocketPair() {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

bool IsAnybodyWaiting(const base::UniqueFd& listener) {
  pollfd waiting{listener.get(), POLLIN, 0};
  return poll(&waiting, 1, 0) == 1;
}

// Signals are for other threads; writing to a client that has left must raise none.
void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct FrontDoor::Connection {
  std::unique_ptr<Relay> relay;  // nullptr once it has ended
  std::string address_key;
  Connections* list = nullptr;  // that it is in
  Connections::iterator place;
  Instant begin_time;
  Instant deadline;  // while it is hurried
  Watch client;
  Watch server;

  void MoveTo(Connections& other) {
    other.splice(other.end(), *list, place);
    list = &other;
  }
};

absl::StatusOr<std::unique_ptr<Transport>> FrontDoor::WrapPlain(base::UniqueFd socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

absl::StatusOr<std::unique_ptr<FrontDoor>> FrontDoor::Open(const Options& options, HandOn hand_on,
                                                           Wrap wrap) {
  WATTMINT_ASSIGN_OR_RETURN(auto listeners, ListenEverywhere(options.address));
  base::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  base::UniqueFd wake_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.IsOpen() || !wake_up.IsOpen()) return base::Unavailable("no descriptor is left");
  return std::unique_ptr<FrontDoor>(new FrontDoor(options, std::move(hand_on), std::move(wrap),
                                                  std::move(listeners), std::move(epoll),
                                                  std::move(wake_up)));
}

FrontDoor::FrontDoor(const Options& options, HandOn hand_on, Wrap wrap,
                     std::vector<base::UniqueFd> listeners, base::UniqueFd epoll,
                     base::UniqueFd wake_up)
    : options_(options),
      hand_on_(std::move(hand_on)),
      wrap_(std::move(wrap)),
      epoll_(std::move(epoll)),
      wake_up_(std::move(wake_up)),
      port_(base::LocalAddress(listeners.front()).port()),
      listeners_(std::move(listeners)),
      scratch_(kScratchBytes),
      quota_(options.connections_per_address_max),
      thread_([this] { Run(); }) {}

FrontDoor::~FrontDoor() {
  {
    base::MutexLock lock(mutex_);
    phase_ = Phase::kEnding;
  }
  eventfd_write(wake_up_.get(), 1);
  thread_.join();
}

void FrontDoor::StopAccepting() {
  base::MutexLock lock(mutex_);
  if (phase_ == Phase::kAccepting) phase_ = Phase::kStopping;
  eventfd_write(wake_up_.get(), 1);
  changed_.Wait(mutex_, [this]() WATTMINT_REQUIRES(mutex_) { return phase_ == Phase::kStopped; });
}

bool FrontDoor::WaitUntilEmpty(base::Duration timeout) {
  base::MutexLock lock(mutex_);
  WATTMINT_ASSERT(phase_ == Phase::kStopped, "it still accepts");
  return changed_.WaitFor(mutex_, timeout, [this] { return counters_.open == 0; });
}

void FrontDoor::Run() {
  BlockSignals();
  SetWatch(wake_up_watch_, wake_up_.get(), EPOLLIN);
  SetListening(true);
  while (FollowPhase()) {
    ServeEvents(WaitMilliseconds(std::chrono::steady_clock::now()));
    const Instant now = std::chrono::steady_clock::now();
    EndLate(now);
    if (now >= listen_after_) SetListening(true);
    if (std::exchange(has_newcomers_, false)) {
      for (const base::UniqueFd& listener : listeners_) AcceptFrom(listener, now);
    }
    ended_.clear();
  }
}

bool FrontDoor::FollowPhase() {
  eventfd_t count = 0;
  eventfd_read(wake_up_.get(), &count);
  base::MutexLock lock(mutex_);
  if (phase_ == Phase::kStopping) {
    SetListening(false);
    listeners_.clear();
    // Who waits for the server's last bytes may stay; nobody is handed on any more.
    for (auto next = hurried_.begin(); next != hurried_.end();) {
      Connection& connection = *next++;
      if (connection.relay->state() == Relay::State::kWaiting) End(connection);
    }
    phase_ = Phase::kStopped;
    changed_.NotifyAll();
  }
  if (phase_ == Phase::kStopped && counters_.open == 0) changed_.NotifyAll();
  return phase_ != Phase::kEnding;
}

// -1: until there is an event.
int FrontDoor::WaitMilliseconds(Instant now) const {
  Instant wake_up = Instant::max();
  if (!hurried_.empty()) wake_up = hurried_.front().deadline;
  if (!is_listening_ && !listeners_.empty()) wake_up = std::min(wake_up, listen_after_);
  if (wake_up == Instant::max()) return -1;
  return static_cast<int>(
      std::chrono::ceil<std::chrono::milliseconds>(std::max(wake_up - now, Instant::duration()))
          .count());
}

void FrontDoor::ServeEvents(int timeout_ms) {
  std::array<epoll_event, kEventsMax> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsMax, timeout_ms);
  const Instant now = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    Watch& watch = *static_cast<Watch*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (&watch == &listener_watch_) {
      has_newcomers_ = true;
    } else if (watch.connection != nullptr) {
      Serve(watch, events[static_cast<std::size_t>(i)].events, now);
    }
  }
}

void FrontDoor::SetListening(bool is_wanted) {
  if (is_wanted == is_listening_) return;
  is_listening_ = is_wanted;
  const std::optional<std::uint32_t> readable = EPOLLIN;
  for (const base::UniqueFd& listener : listeners_) {
    listener_watch_.events = is_wanted ? std::nullopt : readable;  // one watch for all
    SetWatch(listener_watch_, listener.get(), is_wanted ? readable : std::nullopt);
  }
}

void FrontDoor::AcceptFrom(const base::UniqueFd& listener, Instant now) {
  for (int i = 0; i < kNewcomersMax; ++i) {
    const bool is_full = hurried_.size() + open_.size() >= options_.connections_max;
    if (is_full && !hurried_.empty() && hurried_.front().begin_time >= now) return;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    base::UniqueFd socket(accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.IsOpen()) {
      std::string key = AddressQuota::KeyOf(address);
      if (!is_full || MakeRoom(now, quota_.CountOf(key)) || TakeFromGreedier(key)) {
        LetIn(std::move(socket), std::move(key), now);
      } else {
        Count(Refusal::kFull);
      }
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // No descriptor is left, or so it says before it looks whether anybody waits.
      if (!IsAnybodyWaiting(listener)) return;
      if (hurried_.empty()) PauseListening(now);
      if (!MakeRoom(now, 0)) return;
    }
  }
}

// The clients wait in the kernel; epoll would not, and the door would spin.
void FrontDoor::PauseListening(Instant now) {
  listen_after_ = now + kDescriptorPause;
  SetListening(false);
}

// Ends the oldest connection that is not at work, of an address that has so many at least. One that
// came in this turn has its own yet to come: what it sent may be there.
bool FrontDoor::MakeRoom(Instant now, std::size_t connections_min) {
  const auto oldest = std::find_if(
      hurried_.begin(), hurried_.end(), [this, connections_min](const Connection& connection) {
        return quota_.CountOf(connection.address_key) >= connections_min;
      });
  if (oldest == hurried_.end() || oldest->begin_time >= now) return false;
  if (oldest->relay->state() == Relay::State::kWaiting) Count(Refusal::kSilent);
  End(*oldest);
  return true;
}

// Whoever has most gives one up for whoever has less, so that no few addresses keep all others out.
bool FrontDoor::TakeFromGreedier(const std::string& address_key) {
  const auto greedier = quota_.FindGreedier(address_key);
  if (!greedier) return false;
  const auto oldest = std::find_if(
      open_.begin(), open_.end(),
      [&greedier](const Connection& connection) { return connection.address_key == *greedier; });
  if (oldest == open_.end()) return false;
  Count(Refusal::kAddressFull);
  End(*oldest);
  return true;
}

void FrontDoor::LetIn(base::UniqueFd socket, std::string address_key, Instant now) {
  if (!quota_.Take(address_key)) return Count(Refusal::kAddressFull);
  SetOptions(socket);
  auto transport = wrap_(std::move(socket));
  if (!transport.ok()) {
    quota_.Return(address_key);
    return Count(Refusal::kFull);
  }
  Connection& connection = hurried_.emplace_back();
  connection.relay = std::make_unique<Relay>(*std::move(transport), options_.police, scratch_);
  connection.address_key = std::move(address_key);
  connection.list = &hurried_;
  connection.place = std::prev(hurried_.end());
  connection.begin_time = now;
  connection.deadline = now + options_.patience;
  connection.client.connection = &connection;
  connection.server.connection = &connection;
  ++counters_.accepted;
  ++counters_.open;
  Arrange(connection, now);
}

void FrontDoor::Serve(Watch& watch, std::uint32_t events, Instant now) {
  Connection& connection = *watch.connection;
  if (connection.relay == nullptr) return;  // ended by another event of this turn
  Relay& relay = *connection.relay;
  if (&watch == &connection.client) {
    relay.ServeClient(events, now);
  } else {
    relay.ServeServer(events, now);
  }
  if (relay.state() == Relay::State::kGreeted) OpenWay(connection, now);
  Arrange(connection, now);
}

void FrontDoor::OpenWay(Connection& connection, Instant now) {
  connection.MoveTo(open_);
  auto ends = SocketPair();
  while (!ends.first.IsOpen() && MakeRoom(now, 0)) ends = SocketPair();
  if (!ends.first.IsOpen()) {
    Count(Refusal::kFull);
    return End(connection);
  }
  hand_on_(std::move(ends.second));
  connection.relay->Open(std::make_unique<PlainTransport>(std::move(ends.first)));
}

// After the relay's state has changed: where the connection belongs, and what to wait for.
void FrontDoor::Arrange(Connection& connection, Instant now) {
  if (connection.relay == nullptr) return;
  const Relay& relay = *connection.relay;
  if (relay.state() == Relay::State::kOver) {
    if (relay.refusal()) Count(*relay.refusal());
    return End(connection);
  }
  if (relay.state() == Relay::State::kLeaving && connection.list == &open_) {
    connection.MoveTo(hurried_);
    connection.begin_time = now;
    connection.deadline = now + options_.patience;
  }
  SetWatch(connection.client, relay.client_fd(), relay.ClientInterest());
  if (relay.HasServer()) SetWatch(connection.server, relay.server_fd(), relay.ServerInterest());
}

void FrontDoor::SetWatch(Watch& watch, int fd, std::optional<std::uint32_t> events) {
  if (watch.events == events) return;
  epoll_event event{};
  event.events = events.value_or(0);
  event.data.ptr = &watch;
  const int action = !events ? EPOLL_CTL_DEL : watch.events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  epoll_ctl(epoll_.get(), action, fd, &event);
  watch.events = events;
}

void FrontDoor::EndLate(Instant now) {
  while (!hurried_.empty() && hurried_.front().deadline <= now) {
    Connection& connection = hurried_.front();
    if (connection.relay->state() == Relay::State::kWaiting) Count(Refusal::kSilent);
    End(connection);
  }
}

void FrontDoor::End(Connection& connection) {
  connection.relay.reset();  // closes its sockets, which epoll forgets
  quota_.Return(connection.address_key);
  connection.MoveTo(ended_);
  --counters_.open;
}

void FrontDoor::Count(Refusal refusal) { ++counters_.refused[static_cast<std::size_t>(refusal)]; }

}  // namespace wattmint::door
