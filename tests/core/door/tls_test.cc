// SPDX-License-Identifier: Apache-2.0
#include "core/door/tls.h"

#include "tests/core/door/tls_client.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <openssl/ssl.h>

#include <csignal>
#include <fstream>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace wattmint::door {
namespace {

using test::CertificateAuthority;
using test::Identity;
using test::IsOk;
using test::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using State = Moved::State;

class TlsTest : public testing::Test {
 protected:
  // A client and the server's end of its connection.
  struct Pair {
    std::unique_ptr<Transport> server;
    std::unique_ptr<TlsClient> client;
    std::vector<std::uint8_t> room = std::vector<std::uint8_t>(Transport::kReadBytesMin);

    // Lets both take steps until the client's first words came or one side has ended.
    std::string Hello() {
      bool is_sent = false;
      for (;;) {
        const State step = is_sent ? State::kDone : client->Connect();
        if (step == State::kDone && !is_sent) is_sent = client->Send("hello") == State::kDone;
        const Moved moved = server->Read(room);
        if (moved.state == State::kDone)
          return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(moved.bytes)};
        if (moved.state == State::kEnded || step == State::kEnded) return "";
      }
    }
  };

  TlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // as on the door's thread
    Write(authority_.Issue("first"));
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name, std::ios::trunc) << text;
  }
  void Write(const Identity& identity) {
    Write("certificate", identity.certificate);
    Write("key", identity.key);
  }
  TlsServer::Options Options() {
    return {.files = {.certificate = directory_ / "certificate",
                      .key = directory_ / "key",
                      .client_ca = client_ca_},
            .protocol = protocol_,
            .resumption = resumption_,
            .look_every = {},
            .on_renewed = [this](const absl::Status& status) { renewals_.push_back(status); }};
  }
  void Open() {
    auto opened = TlsServer::Open(Options());
    ASSERT_THAT(opened, IsOk());
    server_ = *std::move(opened);
  }
  Pair Connect(TlsClient::Options options = {}) {
    int both[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
    if (options.ca.empty()) options.ca = authority_.certificate();
    Pair pair;
    pair.client = std::make_unique<TlsClient>(base::UniqueFd(both[0]), options);
    auto accepted = server_->Accept(base::UniqueFd(both[1]));
    EXPECT_THAT(accepted, IsOk());
    pair.server = *std::move(accepted);
    return pair;
  }
  // Who answers a client that comes now.
  std::string ServerName() {
    Pair pair = Connect();
    EXPECT_EQ(pair.Hello(), "hello");
    return pair.client->ServerName();
  }
  // Whether a client is spared the whole handshake by what `first`, who has said hello, was given.
  bool IsResumed(Pair& first) {
    const std::string answer = "answer";
    first.server->Write({reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()});
    std::string received;
    while (received.empty()) received = first.client->Receive();
    EXPECT_EQ(received, answer);
    Pair second = Connect({.session = first.client->Session()});
    EXPECT_EQ(second.Hello(), "hello");
    return second.client->IsResumed();
  }
  void RequireClientCertificates() {
    Write("client-ca", authority_.certificate());
    client_ca_ = directory_ / "client-ca";
  }

  const test::TempDir directory_;
  CertificateAuthority authority_;
  CertificateAuthority stranger_;
  std::string client_ca_;
  std::string protocol_ = "h2";
  TlsServer::Resumption resumption_ = TlsServer::Resumption::kNone;
  std::vector<absl::Status> renewals_;
  std::unique_ptr<TlsServer> server_;
};

TEST_F(TlsTest, CarriesBytesBothWaysInClear) {
  Open();
  Pair pair = Connect();
  EXPECT_EQ(pair.Hello(), "hello");
  const std::string answer(100'000, 'a');
  std::span<const std::uint8_t> left(reinterpret_cast<const std::uint8_t*>(answer.data()),
                                     answer.size());
  std::string received;
  while (received.size() < answer.size()) {
    if (!left.empty()) left = left.subspan(pair.server->Write(left).bytes);
    received += pair.client->Receive();
  }
  EXPECT_EQ(received, answer);
  pair.client.reset();
  EXPECT_EQ(pair.server->Read(pair.room).state, State::kEnded);
  EXPECT_FALSE(pair.server->HasFailed());
}

TEST_F(TlsTest, WhoEndsWithoutAWordDidNotFail) {
  Open();
  Pair pair = Connect();
  EXPECT_EQ(pair.Hello(), "hello");
  pair.client->Vanish();
  pair.client.reset();
  EXPECT_EQ(pair.server->Read(pair.room).state, State::kEnded);
  EXPECT_FALSE(pair.server->HasFailed());
}

TEST_F(TlsTest, WhoKeepsChangingKeysIsCut) {
  Open();
  Pair pair = Connect();
  EXPECT_EQ(pair.Hello(), "hello");
  int changes = 0;
  for (; changes < 1'000; ++changes) {
    ASSERT_NE(pair.client->ChangeKeys(), State::kBlocked);
    if (pair.server->Read(pair.room).state == State::kEnded) break;
  }
  EXPECT_GT(changes, 50);
  EXPECT_LT(changes, 150);
  EXPECT_TRUE(pair.server->HasFailed());
}

TEST_F(TlsTest, ReadingDoesNotGoOnForAsLongAsAClientHasKeysToChange) {
  Open();
  Pair pair = Connect();
  EXPECT_EQ(pair.Hello(), "hello");
  for (int i = 0; i < 5; ++i) ASSERT_NE(pair.client->ChangeKeys(), State::kBlocked);
  ASSERT_EQ(pair.client->Send("later"), State::kDone);
  EXPECT_EQ(pair.server->Read(pair.room).state, State::kBlocked) << "others have their turn";
}

TEST_F(TlsTest, SpeaksNoOlderVersionAndNoOtherProtocol) {
  Open();
  EXPECT_EQ(Connect({.version_max = TLS1_2_VERSION}).Hello(), "hello");
  for (const TlsClient::Options& options :
       {TlsClient::Options{.version_max = TLS1_1_VERSION},
        TlsClient::Options{.protocols = std::string("\10http/1.1")}}) {
    Pair pair = Connect(options);
    EXPECT_EQ(pair.Hello(), "");
    EXPECT_EQ(pair.server->Read(pair.room).state, State::kEnded);
    EXPECT_TRUE(pair.server->HasFailed());
  }
}

TEST_F(TlsTest, SpeaksTheProtocolThatItIsFor) {
  protocol_ = "http/1.1";
  Open();
  EXPECT_EQ(Connect({.protocols = std::string("\2h2\10http/1.1")}).Hello(), "hello");
  EXPECT_EQ(Connect({.protocols = ""}).Hello(), "hello");
  EXPECT_EQ(Connect({.protocols = std::string("\2h2")}).Hello(), "");
}

TEST_F(TlsTest, WhoComesAgainIsSparedTheSignatureWhileTheFilesAreTheSame) {
  resumption_ = TlsServer::Resumption::kByTicket;
  Open();
  Pair first = Connect();
  EXPECT_EQ(first.Hello(), "hello");
  EXPECT_TRUE(IsResumed(first));
  Write(authority_.Issue("second"));
  EXPECT_FALSE(IsResumed(first));
}

TEST_F(TlsTest, NobodyIsSparedTheHandshakeUnlessAskedFor) {
  Open();
  Pair first = Connect();
  EXPECT_EQ(first.Hello(), "hello");
  EXPECT_FALSE(IsResumed(first));
}

TEST_F(TlsTest, WhatIsNoTlsFails) {
  Open();
  int both[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both), 0);
  const base::UniqueFd client(both[0]);
  const auto server = server_->Accept(base::UniqueFd(both[1]));
  ASSERT_THAT(server, IsOk());
  ASSERT_EQ(send(client.get(), "PRI * HTTP/2.0\r\n\r\n", 18, 0), 18);
  std::vector<std::uint8_t> room(Transport::kReadBytesMin);
  EXPECT_EQ((*server)->Read(room).state, State::kEnded);
  EXPECT_TRUE((*server)->HasFailed());
}

TEST_F(TlsTest, ClientsMustShowACertificateOfOurs) {
  RequireClientCertificates();
  Open();
  EXPECT_EQ(Connect({.identity = authority_.Issue("bridge")}).Hello(), "hello");
  EXPECT_EQ(Connect({}).Hello(), "");
  EXPECT_EQ(Connect({.identity = stranger_.Issue("bridge")}).Hello(), "");
  EXPECT_EQ(Connect({.identity = authority_.Issue("late", std::chrono::seconds(-1))}).Hello(), "");
}

TEST_F(TlsTest, TakesRenewedFilesForTheNextConnection) {
  Open();
  Pair before = Connect();
  EXPECT_EQ(before.Hello(), "hello");
  const base::Time first_end = server_->expire_time();
  Write(authority_.Issue("second", std::chrono::hours(2)));
  EXPECT_EQ(ServerName(), "second");
  EXPECT_THAT(renewals_, ElementsAre(IsOk()));
  EXPECT_GT(server_->expire_time(), first_end + std::chrono::minutes(50));
  EXPECT_EQ(before.client->Send("more"), State::kDone);
  EXPECT_EQ(before.server->Read(before.room).bytes, 4U) << "an open connection stays";
}

TEST_F(TlsTest, KeepsTheFormerFilesUntilTheNewOnesFit) {
  Open();
  const Identity next = authority_.Issue("second");
  Write("certificate", next.certificate);
  EXPECT_EQ(ServerName(), "first");
  EXPECT_EQ(ServerName(), "first");
  ASSERT_EQ(renewals_.size(), 1U) << "told once";
  EXPECT_THAT(renewals_[0], StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the key of")));
  Write("key", next.key);
  EXPECT_EQ(ServerName(), "second");
  std::filesystem::remove(directory_ / "certificate");
  EXPECT_EQ(ServerName(), "second");
}

TEST_F(TlsTest, ReloadTakesTheFilesAtOnceAndTellsWhatCameOfIt) {
  auto options = Options();
  options.look_every = std::chrono::hours(1);
  auto opened = TlsServer::Open(options);
  ASSERT_THAT(opened, IsOk());
  server_ = *std::move(opened);
  EXPECT_EQ(ServerName(), "first");
  Write(authority_.Issue("second"));
  EXPECT_EQ(ServerName(), "first");
  server_->Reload();
  EXPECT_EQ(ServerName(), "second");
  Write("key", "no PEM");
  server_->Reload();
  EXPECT_EQ(ServerName(), "second");
  EXPECT_THAT(renewals_, ElementsAre(IsOk(), StatusIs(absl::StatusCode::kInvalidArgument)));
}

TEST_F(TlsTest, WhoIsTrustedIsRenewedAsWell) {
  RequireClientCertificates();
  Open();
  EXPECT_EQ(Connect({.identity = stranger_.Issue("bridge")}).Hello(), "");
  Write("client-ca", stranger_.certificate());
  EXPECT_EQ(Connect({.identity = stranger_.Issue("bridge")}).Hello(), "hello");
  EXPECT_EQ(Connect({.identity = authority_.Issue("bridge")}).Hello(), "");
}

TEST_F(TlsTest, FilesThatAreNoneAreNamed) {
  for (const char* name : {"certificate", "key"}) {
    Write(name, "no PEM");
    EXPECT_THAT(TlsServer::Open(Options()).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(directory_ / name)));
    Write(authority_.Issue("first"));
  }
  client_ca_ = "/nowhere/ca.pem";
  EXPECT_THAT(TlsServer::Open(Options()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(client_ca_)));
}

}  // namespace
}  // namespace wattmint::door
