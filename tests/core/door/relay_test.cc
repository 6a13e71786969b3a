// SPDX-License-Identifier: Apache-2.0
#include "core/door/relay.h"

#include "tests/core/door/frames.h"

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wattmint::door {
namespace {

using State = Relay::State;
using testing::Optional;

// Both ends of a connection, none of which blocks.
struct Ends {
  Ends() {
    int both[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    ours = base::UniqueFd(both[0]);
    theirs = base::UniqueFd(both[1]);
  }
  std::unique_ptr<Transport> Take() { return std::make_unique<PlainTransport>(std::move(theirs)); }

  base::UniqueFd ours;    // the test's
  base::UniqueFd theirs;  // the relay's
};

class RelayTest : public testing::Test {
 protected:
  RelayTest() : relay_(client_.Take(), PoliceLimits{}, scratch_) {}

  void Send(Ends& ends, std::string_view bytes) {
    ASSERT_EQ(send(ends.ours.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Whatever has arrived.
  static std::string Receive(Ends& ends) {
    std::string all;
    std::array<char, 4'096> buffer;
    for (;;) {
      const ssize_t size = recv(ends.ours.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  // Fills what the system keeps, and says how much that was.
  static std::size_t Fill(Ends& ends) {
    const std::string piece(1'000, 'x');
    std::size_t sent = 0;
    while (send(ends.ours.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) sent += 1'000;
    return sent;
  }
  void ServeClient(std::uint32_t events = EPOLLIN) { relay_.ServeClient(events, now_); }
  void ServeServer(std::uint32_t events = EPOLLIN) { relay_.ServeServer(events, now_); }
  void Open() {
    Send(client_, kPreface);
    ServeClient();
    ASSERT_EQ(relay_.state(), State::kGreeted);
    relay_.Open(server_.Take());
    ASSERT_EQ(relay_.state(), State::kOpen);
    ASSERT_EQ(Receive(server_), kPreface);
  }
  static std::string Data(std::size_t size) {
    return Frame(kData, {.stream = 1, .payload_bytes = size});
  }

  std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(64 << 10);
  Ends client_;
  Ends server_;
  Police::Instant now_{std::chrono::hours(1)};
  Relay relay_;
};

TEST_F(RelayTest, AsksForTheServerOnceTheClientHasGreeted) {
  for (const char byte : kPreface) {
    EXPECT_EQ(relay_.state(), State::kWaiting);
    EXPECT_EQ(relay_.ClientInterest(), EPOLLIN);
    Send(client_, {&byte, 1});
    ServeClient();
  }
  EXPECT_EQ(relay_.state(), State::kGreeted);
  EXPECT_FALSE(relay_.HasServer());
  relay_.Open(server_.Take());
  EXPECT_EQ(Receive(server_), kPreface);
  EXPECT_THAT(relay_.ServerInterest(), Optional(EPOLLIN));
}

TEST_F(RelayTest, CarriesBytesBothWays) {
  Open();
  Send(client_, Data(1'000));
  ServeClient();
  EXPECT_EQ(Receive(server_), Data(1'000));
  Send(server_, Data(2'000));
  ServeServer();
  EXPECT_EQ(Receive(client_), Data(2'000));
}

TEST_F(RelayTest, RefusesWithoutPassingOnWhatItRefused) {
  Open();
  Send(client_, Frame(kGoAway, {.payload_bytes = 20'000}));
  ServeClient();
  EXPECT_EQ(relay_.state(), State::kOver);
  EXPECT_THAT(relay_.refusal(), Optional(Refusal::kLargeFrame));
  EXPECT_EQ(Receive(server_), "");
}

TEST_F(RelayTest, ReadsNoMoreThanTheOtherSideTakes) {
  Open();
  std::size_t sent = 0;
  for (const std::string data = Data(991); relay_.ClientInterest() == EPOLLIN; ServeClient()) {
    Send(client_, data);
    sent += data.size();
  }
  EXPECT_EQ(relay_.ClientInterest(), 0U) << "nothing is read while the server takes nothing";
  EXPECT_THAT(relay_.ServerInterest(), Optional(EPOLLIN | EPOLLOUT));
  Send(client_, Data(991));
  std::string received = Receive(server_);
  ServeServer(EPOLLOUT);
  received += Receive(server_);
  EXPECT_EQ(received.size(), sent + 1'000);
  EXPECT_EQ(relay_.ClientInterest(), EPOLLIN);
}

TEST_F(RelayTest, AClientThatTakesNothingHoldsUpItsOwnServerOnly) {
  Open();
  std::size_t sent = 0;
  for (int i = 0; i < 10; ++i) {
    sent += Fill(server_);
    ServeServer();
  }
  EXPECT_EQ(Fill(server_), 0U);
  EXPECT_THAT(relay_.ServerInterest(), Optional(0U));
  EXPECT_EQ(relay_.ClientInterest(), EPOLLIN | EPOLLOUT);
  std::size_t received = 0;
  for (std::size_t size = 1; size > 0; received += size) {
    size = Receive(client_).size();
    ServeClient(EPOLLOUT);
    ServeServer();
  }
  EXPECT_EQ(received, sent);
}

TEST_F(RelayTest, TheLastBytesOfTheServerReachTheClient) {
  Open();
  for (int i = 0; i < 5; ++i) {
    Fill(server_);
    ServeServer();
  }
  ASSERT_THAT(relay_.ServerInterest(), Optional(0U)) << "the client's side is not full";
  server_.ours = base::UniqueFd();
  ServeServer(EPOLLIN | EPOLLHUP);
  EXPECT_EQ(relay_.state(), State::kLeaving);
  EXPECT_EQ(relay_.ServerInterest(), std::nullopt);
  std::string last;
  while (relay_.state() == State::kLeaving) {
    last = Receive(client_);
    ASSERT_FALSE(last.empty());
    ServeClient(EPOLLOUT);
  }
  EXPECT_EQ(relay_.state(), State::kOver);
  EXPECT_EQ(relay_.refusal(), std::nullopt);
}

TEST_F(RelayTest, EndsWithTheClient) {
  Open();
  client_.ours = base::UniqueFd();
  ServeClient();
  EXPECT_EQ(relay_.state(), State::kOver);
  EXPECT_EQ(relay_.refusal(), std::nullopt);
}

TEST_F(RelayTest, AServerThatIsGoneBeforeItBeganEndsIt) {
  Send(client_, kPreface);
  ServeClient();
  server_.ours = base::UniqueFd();
  relay_.Open(server_.Take());
  EXPECT_EQ(relay_.state(), State::kOver);
}

}  // namespace
}  // namespace wattmint::door
