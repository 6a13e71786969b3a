// SPDX-License-Identifier: Apache-2.0
#include "cli/signer_server.h"

#include "core/base/base58.h"
#include "core/base/unix_socket.h"
#include "core/ledger/key_signer.h"
#include "core/ledger/mint_text.h"
#include "core/ledger/socket_signer.h"
#include "tests/core/ledger/scripted_signer.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace wattmint::cli {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::SignerPeer;
using test::StatusIs;
using testing::HasSubstr;

class SignerServerTest : public testing::Test {
 protected:
  ~SignerServerTest() override { Stop(); }

  void Start(uid_t client_uid = geteuid()) {
    server_ = test::Engine::Value(
        SignerServer::Open({.socket = socket_, .client_uid = client_uid}, key_, policy_, clock_));
    thread_ = std::thread([this] { EXPECT_THAT(server_->Run(stop_), IsOk()); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    EXPECT_EQ(eventfd_write(stop_.get(), 1), 0);
    thread_.join();
    server_.reset();
  }
  // Somebody who speaks by hand.
  SignerPeer Connect() { return SignerPeer(test::Engine::Value(base::ConnectUnix(socket_))); }
  SignerPeer Greet() {
    SignerPeer peer = Connect();
    peer.Write("wattmint signer 1\n");
    EXPECT_EQ(peer.ReadLine(), "key " + base::EncodeBase58(key_.public_key()) + "\n");
    return peer;
  }
  static std::string Text(std::int64_t base_units) {
    return ledger::MintText{
        "ledger-1", {"k1", test::WalletOf("w"), domain::TokenAmount::FromBaseUnits(base_units)}}
        .ToString();
  }

  test::TempDir directory_;
  const std::filesystem::path socket_ = directory_ / "signer.sock";
  test::FakeClock clock_;
  ledger::KeySigner key_{ledger::Ed25519Seed{7}};
  ledger::SigningPolicy policy_{{.per_mint = domain::TokenAmount::FromBaseUnits(1'000)},
                                {},
                                [](const auto&) { return absl::OkStatus(); }};
  const base::UniqueFd stop_{eventfd(0, EFD_CLOEXEC)};
  std::unique_ptr<SignerServer> server_;
  std::thread thread_;
};

TEST_F(SignerServerTest, SignsForACore) {
  Start();
  const ledger::SocketSigner::Options options{.socket = socket_};
  EXPECT_THAT(ledger::SocketSigner::AskKey(options), IsOkAndHolds(key_.public_key()));
  ledger::SocketSigner signer(options, key_.public_key());
  std::vector<std::string> texts;
  for (int i = 1; i <= 1'001; ++i) texts.push_back(Text(i));
  texts.push_back("anything else");
  const auto signatures = signer.Sign(texts);
  const auto expected = key_.Sign(texts);
  for (int i = 0; i < 1'000; ++i) ASSERT_THAT(signatures[i], IsOkAndHolds(*expected[i])) << i;
  EXPECT_THAT(signatures[1'000], StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("the signer refuses: 0.000001001 GRX")));
  EXPECT_THAT(signatures[1'001],
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no mint text")));
}

TEST_F(SignerServerTest, ListensForItsOwnUserAlone) {
  Start();
  struct stat info {};
  ASSERT_EQ(stat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  Stop();
  EXPECT_FALSE(std::filesystem::exists(socket_)) << "it goes with its process";
}

TEST_F(SignerServerTest, TurnsAnotherUserAway) {
  Start(geteuid() + 1);
  SignerPeer peer = Connect();
  EXPECT_EQ(peer.ReadLine(), fmt::format("error user {} is not welcome\n", geteuid()));
  EXPECT_EQ(peer.ReadLine(), "");
}

TEST_F(SignerServerTest, TakesNoSocketThatIsInUse) {
  Start();
  EXPECT_THAT(SignerServer::Open({.socket = socket_, .client_uid = 0}, key_, policy_, clock_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("already")));
  Greet();
}

TEST_F(SignerServerTest, EndsWhoDoesNotKeepToTheProtocol) {
  Start();
  const std::pair<std::string, std::string> cases[] = {
      {"sign 2 1\nx", "error request 2 came out of order\n"},
      {"sign 1 5000\n", "error what came is not of the protocol: sign 1 5000\n"},
      {"wattmint signer 1\n", "error what came is not of the protocol: wattmint signer 1\n"},
      {"\n", "error what came is not of the protocol: no reason given\n"},
      {std::string(600, 'x'), "error a line came that has more than 512 bytes\n"},
  };
  for (const auto& [sent, answer] : cases) {
    SignerPeer peer = Greet();
    peer.Write(sent);
    EXPECT_EQ(peer.ReadLine(), answer);
    EXPECT_EQ(peer.ReadLine(), "") << "and closes";
  }
  SignerPeer newer = Connect();
  newer.Write("wattmint signer 2\n");
  EXPECT_EQ(newer.ReadLine(), "error this signer begins with: wattmint signer 1\n");
  Greet();
}

TEST_F(SignerServerTest, TakesARequestInPiecesAndManyAtOnce) {
  Start();
  SignerPeer peer = Greet();
  const std::string text = Text(5);
  const std::string request = fmt::format("sign 1 {}\n{}", text.size(), text);
  for (const char c : request) peer.Write(std::string(1, c));
  const std::string answer =
      "signed 1 " + base::EncodeBase58(*key_.Sign(std::span(&text, 1)).front()) + "\n";
  EXPECT_EQ(peer.ReadLine(), answer);
  std::string many;
  for (int i = 2; i <= 200; ++i) many += fmt::format("sign {} {}\n{}", i, text.size(), text);
  peer.Write(many);
  for (int i = 2; i <= 200; ++i) {
    EXPECT_EQ(peer.ReadLine(), fmt::format("signed {} {}", i, answer.substr(9)));
  }
}

TEST_F(SignerServerTest, OneThatIsSlowOrGoneDoesNotHoldUpTheOthers) {
  Start();
  std::vector<SignerPeer> stuck;
  for (int i = 0; i < 15; ++i) {
    stuck.push_back(Greet());
    stuck.back().Write("sign 1 100\nhalf");
  }
  SignerPeer last = Greet();
  SignerPeer one_too_many = Connect();
  EXPECT_EQ(one_too_many.ReadLine(), "error there are 16 connections already\n");
  last.Write("sign 1 1\nx");
  EXPECT_THAT(last.ReadLine(), testing::StartsWith("refused 1 "));
  stuck.clear();
  ledger::SocketSigner signer({.socket = socket_}, key_.public_key());
  const std::string text = Text(5);
  EXPECT_THAT(signer.Sign(std::span(&text, 1)).front(), IsOk());
}

}  // namespace
}  // namespace wattmint::cli
