// SPDX-License-Identifier: Apache-2.0
#include "core/door/front_door.h"

#include "core/base/status.h"
#include "tests/core/door/frames.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <array>
#include <deque>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace wattmint::door {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

constexpr seconds kPatience{10};  // of the tests, for what must happen

// One end of a connection, which blocks.
class Peer {
 public:
  explicit Peer(base::UniqueFd socket) : socket_(std::move(socket)) { SetTimeout(kPatience); }
  Peer() : Peer(base::UniqueFd(::socket(AF_INET, SOCK_STREAM, 0))) {}

  // To the door, from an address of loopback.
  bool Connect(int port, const char* from = "127.0.0.1") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from, &address.sin_addr);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (bind(socket_.get(), generic, sizeof address) != 0) return false;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(static_cast<in_port_t>(port));
    return connect(socket_.get(), generic, sizeof address) == 0;
  }
  bool Send(std::string_view bytes) {
    return send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // So many bytes, or those that came before the end.
  std::string Receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t received = 0;
    while (received < size) {
      const ssize_t piece = recv(socket_.get(), bytes.data() + received, size - received, 0);
      if (piece <= 0) break;
      received += static_cast<std::size_t>(piece);
    }
    bytes.resize(received);
    return bytes;
  }
  bool HasEnded() {
    char byte = 0;
    const ssize_t size = recv(socket_.get(), &byte, 1, 0);
    return size == 0 || (size < 0 && errno == ECONNRESET);
  }
  // Waits so long for anything to happen.
  bool IsQuiet(milliseconds timeout) {
    SetTimeout(timeout);
    char byte = 0;
    const bool is_quiet = recv(socket_.get(), &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
    SetTimeout(kPatience);
    return is_quiet;
  }
  int fd() const { return socket_.get(); }

 private:
  void SetTimeout(milliseconds timeout) {
    timeval value{};
    value.tv_sec = timeout.count() / 1'000;
    value.tv_usec = timeout.count() % 1'000 * 1'000;
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
  }

  base::UniqueFd socket_;
};

class FrontDoorTest : public testing::Test {
 protected:
  FrontDoorTest() { options_.patience = std::chrono::hours(1); }

  void Open() {
    auto opened = FrontDoor::Open(options_, [this](base::UniqueFd fd) {
      base::MutexLock lock(mutex_);
      handed_on_.push_back(std::move(fd));
      changed_.NotifyAll();
    });
    ASSERT_THAT(opened, IsOk());
    door_ = *std::move(opened);
  }
  Peer Connect(const char* from = "127.0.0.1") {
    Peer client;
    EXPECT_TRUE(client.Connect(door_->port(), from));
    return client;
  }
  Peer Greet(const char* from = "127.0.0.1") {
    Peer client = Connect(from);
    EXPECT_TRUE(client.Send(kPreface));
    return client;
  }
  // The server's end of the next connection that greeted.
  Peer NextAtServer() {
    base::MutexLock lock(mutex_);
    const bool is_there = changed_.WaitFor(
        mutex_, kPatience, [this]() WATTMINT_REQUIRES(mutex_) { return !handed_on_.empty(); });
    EXPECT_TRUE(is_there);
    if (!is_there) return Peer();
    base::UniqueFd fd = std::move(handed_on_.front());
    handed_on_.pop_front();
    lock.Unlock();
    fcntl(fd.get(), F_SETFL, 0);  // as a server that blocks
    Peer server(std::move(fd));
    EXPECT_EQ(server.Receive(kPreface.size()), kPreface);
    return server;
  }
  static void ExpectExchange(Peer& client, Peer& server) {
    const std::string data = Frame(kData, {.stream = 1, .payload_bytes = 300'000});
    std::thread sender([&] { EXPECT_TRUE(client.Send(data)); });
    EXPECT_TRUE(server.Receive(data.size()) == data);
    sender.join();
    sender = std::thread([&] { EXPECT_TRUE(server.Send(data)); });
    EXPECT_TRUE(client.Receive(data.size()) == data);
    sender.join();
  }
  std::int64_t Refused(Refusal refusal) const {
    return door_->counters().refused[static_cast<std::size_t>(refusal)];
  }
  bool WaitForOpen(std::int64_t count) {
    base::MutexLock lock(mutex_);
    for (int i = 0; i < 5'000; ++i) {
      if (door_->counters().open == count) return true;
      changed_.WaitFor(mutex_, milliseconds(2), [] { return false; });
    }
    return false;
  }

  FrontDoor::Options options_;
  base::Mutex mutex_;  // guards handed_on_
  base::CondVar changed_;
  std::deque<base::UniqueFd> handed_on_ WATTMINT_GUARDED_BY(mutex_);
  std::unique_ptr<FrontDoor> door_;
};

TEST_F(FrontDoorTest, HandsOnWhoGreetsAndCarriesTheBytes) {
  Open();
  Peer client = Greet();
  Peer server = NextAtServer();
  ExpectExchange(client, server);
  EXPECT_EQ(door_->counters().accepted, 1);
  EXPECT_EQ(door_->counters().open, 1);
  server = Peer();
  EXPECT_TRUE(client.HasEnded());
  EXPECT_TRUE(WaitForOpen(0));
}

TEST_F(FrontDoorTest, AClientThatLeavesIsGoneForTheServer) {
  Open();
  Peer client = Greet();
  Peer server = NextAtServer();
  client = Peer();
  EXPECT_TRUE(server.HasEnded());
}

TEST_F(FrontDoorTest, ClosesWhoSaysNothing) {
  options_.patience = milliseconds(20);
  Open();
  EXPECT_TRUE(Connect().HasEnded());
  Peer slow = Connect();
  EXPECT_TRUE(slow.Send(kPreface.substr(0, 23)));
  EXPECT_TRUE(slow.HasEnded());
  Peer client = Greet();
  Peer server = NextAtServer();
  EXPECT_TRUE(client.IsQuiet(milliseconds(60))) << "who has greeted may take their time";
  EXPECT_EQ(Refused(Refusal::kSilent), 2);
}

TEST_F(FrontDoorTest, ClosesWhoMisbehaves) {
  Open();
  Peer browser = Connect();
  EXPECT_TRUE(browser.Send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(browser.HasEnded());
  Peer client = Greet();
  Peer server = NextAtServer();
  EXPECT_TRUE(client.Send(Frame(kHeaders, {.stream = 1, .payload_bytes = 16'385})));
  EXPECT_TRUE(client.HasEnded());
  EXPECT_TRUE(server.HasEnded());
  EXPECT_EQ(Refused(Refusal::kNotHttp2), 1);
  EXPECT_EQ(Refused(Refusal::kLargeFrame), 1);
}

TEST_F(FrontDoorTest, NobodyComesInWhileItIsFull) {
  options_.connections_max = 2;
  Open();
  Peer first = Greet();
  Peer first_at_server = NextAtServer();
  Peer second = Greet();
  Peer second_at_server = NextAtServer();
  EXPECT_TRUE(Connect().HasEnded());
  EXPECT_EQ(Refused(Refusal::kFull), 1);
  first = Peer();
  EXPECT_TRUE(WaitForOpen(1));
  Peer third = Greet();
  Peer third_at_server = NextAtServer();
  ExpectExchange(third, third_at_server);
  ExpectExchange(second, second_at_server);
}

TEST_F(FrontDoorTest, TheSilentMakeRoomOldestFirst) {
  options_.connections_max = 3;
  Open();
  Peer oldest = Connect();
  ASSERT_TRUE(WaitForOpen(1));
  Peer older = Connect();
  ASSERT_TRUE(WaitForOpen(2));
  Peer first = Greet();
  Peer first_at_server = NextAtServer();
  Peer second = Greet();
  Peer second_at_server = NextAtServer();
  EXPECT_TRUE(oldest.HasEnded());
  EXPECT_TRUE(older.Send(kPreface));
  Peer older_at_server = NextAtServer();
  for (auto [client, server] :
       {std::pair{&first, &first_at_server}, std::pair{&second, &second_at_server},
        std::pair{&older, &older_at_server}}) {
    ExpectExchange(*client, *server);
  }
  EXPECT_EQ(Refused(Refusal::kSilent), 1);
}

TEST_F(FrontDoorTest, OneAddressTakesNoMoreThanItsShare) {
  options_.connections_per_address_max = 1;
  Open();
  Peer first = Greet("127.0.0.2");
  Peer first_at_server = NextAtServer();
  EXPECT_TRUE(Connect("127.0.0.2").HasEnded());
  Peer other = Greet("127.0.0.3");
  Peer other_at_server = NextAtServer();
  first = Peer();
  EXPECT_TRUE(WaitForOpen(1));
  Peer again = Greet("127.0.0.2");
  Peer again_at_server = NextAtServer();
  EXPECT_EQ(Refused(Refusal::kAddressFull), 1);
}

TEST_F(FrontDoorTest, WhoHasMostMakesRoomForWhoHasLess) {
  options_.connections_max = 3;
  Open();
  Peer first = Greet("127.0.0.2");
  Peer first_at_server = NextAtServer();
  Peer second = Greet("127.0.0.2");
  Peer second_at_server = NextAtServer();
  Peer other = Greet("127.0.0.3");
  Peer other_at_server = NextAtServer();
  EXPECT_TRUE(Connect("127.0.0.2").HasEnded());
  EXPECT_EQ(Refused(Refusal::kFull), 1);
  Peer late = Greet("127.0.0.4");
  Peer late_at_server = NextAtServer();
  EXPECT_TRUE(first.HasEnded());
  EXPECT_EQ(Refused(Refusal::kAddressFull), 1);
  EXPECT_TRUE(Connect("127.0.0.5").HasEnded()) << "all have the same";
  EXPECT_EQ(Refused(Refusal::kFull), 2);
  ExpectExchange(second, second_at_server);
  ExpectExchange(other, other_at_server);
  ExpectExchange(late, late_at_server);
}

TEST_F(FrontDoorTest, WhatTheServerSentLastIsDeliveredAlsoToASlowReader) {
  Open();
  Peer client = Greet();
  Peer server = NextAtServer();
  const std::string last = Frame(kData, {.stream = 1, .payload_bytes = 200'000});
  EXPECT_TRUE(server.Send(last));
  server = Peer();
  EXPECT_TRUE(client.Receive(last.size()) == last);
  EXPECT_TRUE(client.HasEnded());
}

TEST_F(FrontDoorTest, AfterStoppingOnlyWhatIsOpenStays) {
  Open();
  const int port = door_->port();
  Peer silent = Connect();
  ASSERT_TRUE(WaitForOpen(1));
  Peer client = Greet();
  Peer server = NextAtServer();
  door_->StopAccepting();
  door_->StopAccepting();
  EXPECT_TRUE(silent.HasEnded());
  EXPECT_FALSE(Peer().Connect(port));
  ExpectExchange(client, server);
  EXPECT_FALSE(door_->WaitUntilEmpty(milliseconds(1)));
  server = Peer();
  EXPECT_TRUE(door_->WaitUntilEmpty(kPatience));
}

TEST_F(FrontDoorTest, TwoDoorsAreNotAtOneAddress) {
  Open();
  FrontDoor::Options same;
  same.address = "127.0.0.1:" + std::to_string(door_->port());
  EXPECT_THAT(FrontDoor::Open(same, [](base::UniqueFd) {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("in use")));
}

// For a scope, only `free` descriptors are left to the process.
class FewDescriptors {
 public:
  explicit FewDescriptors(int free) {
    getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<base::UniqueFd> next;  // there may be gaps between descriptors that are taken
    while (std::ssize(next) < free) next.emplace_back(dup(0));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next.back().get() + 1);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

TEST_F(FrontDoorTest, AFloodThatTakesEveryDescriptorKeepsNobodyOut) {
  Open();
  std::vector<Peer> flood(30);
  std::vector<Peer> honest(5);
  const FewDescriptors few(4);
  for (Peer& client : flood) ASSERT_TRUE(client.Connect(door_->port()));
  for (Peer& client : honest) {
    ASSERT_TRUE(client.Connect(door_->port()));
    ASSERT_TRUE(client.Send(kPreface));
    Peer server = NextAtServer();
    ExpectExchange(client, server);
  }
  EXPECT_GE(Refused(Refusal::kSilent), 26);
}

TEST_F(FrontDoorTest, WithoutADescriptorItWaitsAndThenHearsAgain) {
  Open();
  std::vector<Peer> clients(2);
  std::optional<FewDescriptors> few(3);  // as many as one connection takes
  ASSERT_TRUE(clients[0].Connect(door_->port()));
  ASSERT_TRUE(clients[0].Send(kPreface));
  std::optional<Peer> server(NextAtServer());
  ASSERT_TRUE(clients[1].Connect(door_->port()));
  ASSERT_TRUE(clients[1].Send(kPreface));
  const double before = CpuSeconds();
  EXPECT_TRUE(clients[1].IsQuiet(milliseconds(400)));
  EXPECT_LT(CpuSeconds() - before, 0.1) << "it spins";
  server.reset();
  EXPECT_TRUE(clients[0].HasEnded());
  server.emplace(NextAtServer());
  ExpectExchange(clients[1], *server);
}

TEST_F(FrontDoorTest, ManyComeAndGoAtOnceUntilItStops) {
  Open();
  std::atomic<bool> is_over{false};
  std::atomic<int> answered{0};
  std::thread server([&] {
    while (!is_over) {
      base::UniqueFd fd;
      {
        base::MutexLock lock(mutex_);
        changed_.WaitFor(mutex_, milliseconds(10),
                         [this]() WATTMINT_REQUIRES(mutex_) { return !handed_on_.empty(); });
        if (handed_on_.empty()) continue;
        fd = std::move(handed_on_.front());
        handed_on_.pop_front();
      }
      fcntl(fd.get(), F_SETFL, 0);
      Peer peer(std::move(fd));
      EXPECT_EQ(peer.Receive(kPreface.size()), kPreface);
      EXPECT_TRUE(peer.Send(Frame(kSettings)));
    }
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      Peer client;
      while (client.Connect(door_->port())) {
        if (client.Send(kPreface) && client.Receive(9) == Frame(kSettings)) ++answered;
        client = Peer();
      }
    });
  }
  while (answered < 200) std::this_thread::yield();
  door_->StopAccepting();
  for (std::thread& client : clients) client.join();
  is_over = true;
  server.join();
  EXPECT_TRUE(door_->WaitUntilEmpty(kPatience));
  EXPECT_GE(door_->counters().accepted, answered);
}

}  // namespace
}  // namespace wattmint::door
