// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/socket_signer.h"

#include "core/ledger/signer_protocol.h"
#include "tests/core/ledger/scripted_signer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <latch>
#include <optional>

namespace wattmint::ledger {
namespace {

using std::chrono::milliseconds;
using test::IsOk;
using test::IsOkAndHolds;
using test::SignerPeer;
using test::StatusIs;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class SocketSignerTest : public testing::Test {
 protected:
  ~SocketSignerTest() override { Stop(); }

  // One script for each connection that will be made.
  void Play(std::vector<test::ScriptedSigner::Script> scripts) {
    Stop();
    fake_.emplace(socket_, std::move(scripts));
  }
  // Lets go of the connection, so that scripts that wait for its end get there.
  void Stop() {
    signer_.emplace(Options(), key_.public_key());
    fake_.reset();
  }
  SocketSigner::Options Options() const { return {.socket = socket_, .timeout = timeout_}; }

  auto Sign(const std::vector<std::string>& texts) { return signer_->Sign(texts); }
  auto SignOne(const std::string& text) { return Sign({text}).front(); }
  Ed25519Signature Right(const std::string& text) { return *key_.Sign(std::vector{text}).front(); }
  // A script that signs what comes until the core closes.
  auto Well() {
    return [this](SignerPeer& peer) {
      peer.Greet(key_);
      peer.Sign(key_, served_);
      peer.WaitUntilClosed();
    };
  }
  // A script that greets and answers the first request with this.
  auto Answering(std::string answer) {
    return [this, answer](SignerPeer& peer) {
      peer.Greet(key_);
      peer.ReadText();
      peer.Write(answer);
      peer.WaitUntilClosed();
    };
  }

  const test::TempDir directory_;
  const std::filesystem::path socket_ = directory_ / "signer.sock";
  base::Duration timeout_ = std::chrono::seconds(20);
  int served_ = 1;  // requests that Well() answers
  KeySigner key_{Ed25519Seed{7}};
  std::optional<SocketSigner> signer_;
  std::optional<test::ScriptedSigner> fake_;
};

TEST_F(SocketSignerTest, AsksForTheKey) {
  Play({[this](SignerPeer& peer) { peer.Greet(key_); }});
  EXPECT_THAT(SocketSigner::AskKey(Options()), IsOkAndHolds(key_.public_key()));
}

TEST_F(SocketSignerTest, SignsManyOverOneConnection) {
  served_ = 1'001;
  Play({Well()});
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) texts.push_back(fmt::format("text {}\nwith lines\n", i));
  const auto signatures = Sign(texts);
  ASSERT_EQ(signatures.size(), texts.size());
  for (int i = 0; i < 1'000; ++i) EXPECT_THAT(signatures[i], IsOkAndHolds(Right(texts[i])));
  EXPECT_THAT(SignOne(std::string(kSignerTextBytesMax, 'x')), IsOk());
}

TEST_F(SocketSignerTest, OneThatIsRefusedDoesNotStopTheOthers) {
  Play({[this](SignerPeer& peer) {
    peer.Greet(key_);
    peer.Sign(key_, 1);
    peer.ReadText();
    peer.Write("refused 2 above 5 GRX\n");
    peer.ReadText();
    peer.Write("later 3 tomorrow\n");
    const std::string last = peer.ReadText();
    peer.Write("signed 4 " + base::EncodeBase58(Right(last)) + "\n");
    peer.WaitUntilClosed();
  }});
  const auto signatures = Sign({"a", "", "b", "c", std::string(kSignerTextBytesMax + 1, 'x'), "d"});
  EXPECT_THAT(signatures[0], IsOkAndHolds(Right("a")));
  EXPECT_THAT(signatures[1], StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not 0")));
  EXPECT_THAT(signatures[2],
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("above 5 GRX")));
  EXPECT_THAT(signatures[3], StatusIs(kUnavailable, HasSubstr("tomorrow")));
  EXPECT_THAT(signatures[4], StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4097")));
  EXPECT_THAT(signatures[5], IsOkAndHolds(Right("d")));
}

TEST_F(SocketSignerTest, NobodyThereIsForAllToTryLater) {
  signer_.emplace(Options(), key_.public_key());
  EXPECT_THAT(Sign({"a", "b"}), Each(StatusIs(kUnavailable, AllOf(HasSubstr("signer.sock is away"),
                                                                  HasSubstr("No such file")))));
  EXPECT_THAT(SocketSigner::AskKey(Options()), StatusIs(kUnavailable, HasSubstr("is away")));
  EXPECT_THAT(Sign({}), testing::IsEmpty());
  const std::filesystem::path too_long(std::string(200, 'x'));
  EXPECT_THAT(SocketSigner::AskKey({.socket = too_long}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  signer_.emplace(SocketSigner::Options{.socket = too_long}, key_.public_key());
  EXPECT_THAT(SignOne("a"), StatusIs(kUnavailable)) << "a wrong path is no reason to refuse a mint";
}

TEST_F(SocketSignerTest, ASignerThatWasStartedAgainIsFoundAtOnce) {
  Play({[this](SignerPeer& peer) {
          peer.Greet(key_);
          peer.Sign(key_, 1);
        },
        Well()});
  EXPECT_THAT(SignOne("a"), IsOk());
  EXPECT_THAT(SignOne("b"), IsOkAndHolds(Right("b")));
}

TEST_F(SocketSignerTest, WhatWasAnsweredBeforeTheConnectionBrokeStands) {
  Play({[this](SignerPeer& peer) {
    peer.Greet(key_);
    peer.Sign(key_, 2);
    peer.ReadText();
  }});
  const auto signatures = Sign({"a", "b", "c", "d"});
  EXPECT_THAT(signatures[0], IsOkAndHolds(Right("a")));
  EXPECT_THAT(signatures[1], IsOkAndHolds(Right("b")));
  EXPECT_THAT(signatures[2], StatusIs(kUnavailable, HasSubstr("closed")));
  EXPECT_THAT(signatures[3], StatusIs(kUnavailable, HasSubstr("refused")));
}

TEST_F(SocketSignerTest, ATextAtWhichItHangsUpDoesNotHoldUpTheOthers) {
  served_ = 2;
  Play({[this](SignerPeer& peer) {
          peer.Greet(key_);
          peer.Sign(key_, 1);
          peer.ReadText();
        },
        Well()});
  const auto signatures = Sign({"a", "poison", "c", "d"});
  EXPECT_THAT(signatures[0], IsOkAndHolds(Right("a")));
  EXPECT_THAT(signatures[1], StatusIs(kUnavailable));
  EXPECT_THAT(signatures[2], IsOkAndHolds(Right("c")));
  EXPECT_THAT(signatures[3], IsOkAndHolds(Right("d")));
}

TEST_F(SocketSignerTest, ASignerThatAlwaysHangsUpEndsTheBatch) {
  const auto hang_up = [this](SignerPeer& peer) {
    peer.Greet(key_);
    peer.ReadText();
  };
  Play({hang_up, hang_up, hang_up});
  EXPECT_THAT(Sign({"a", "b", "c", "d", "e", "f"}), Each(StatusIs(kUnavailable)));
}

TEST_F(SocketSignerTest, AHangEndsInTimeAndKeepsWhatCameBefore) {
  timeout_ = milliseconds(60);
  Play({[this](SignerPeer& peer) {
          peer.Greet(key_);
          peer.Sign(key_, 1);
          peer.WaitUntilClosed();
        },
        Well()});
  const auto signatures = Sign({"a", "b", "c"});
  EXPECT_THAT(signatures[0], IsOkAndHolds(Right("a")));
  EXPECT_THAT(signatures[1],
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("did not answer in time")));
  EXPECT_THAT(signatures[2], StatusIs(absl::StatusCode::kDeadlineExceeded));
  signer_.emplace(SocketSigner::Options{.socket = socket_}, key_.public_key());
  EXPECT_THAT(SignOne("b"), IsOk());
}

TEST_F(SocketSignerTest, OneThatDoesNotGreetEndsInTime) {
  timeout_ = milliseconds(60);
  const auto silent = [](SignerPeer& peer) { peer.WaitUntilClosed(); };
  Play({silent, silent});
  EXPECT_THAT(SignOne("a"), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(SocketSigner::AskKey(Options()), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(SocketSignerTest, AnotherKeyIsNotTaken) {
  KeySigner other(Ed25519Seed{8});
  Play({[&](SignerPeer& peer) { peer.Greet(other); }});
  EXPECT_THAT(Sign({"a", "b"}),
              Each(StatusIs(kUnavailable, HasSubstr(base::EncodeBase58(other.public_key())))));
}

TEST_F(SocketSignerTest, WhatIsNotOfTheProtocolEndsTheConnection) {
  const std::string signature = base::EncodeBase58(Right("a"));
  const std::pair<std::string, std::string> cases[] = {
      {"garbage\n", "not of the protocol: garbage"},
      {std::string("\x00\xff\x80\n", 4), "not of the protocol: ???"},
      {std::string(kSignerLineBytesMax, 'x'), "more than 512 bytes"},
      {"signed 1 " + signature + "1\n", "not of the protocol"},
      {"signed 2 " + signature + "\n", "out of order"},
      {"signed 1 " + signature.substr(0, 40) + "\n", "not of the protocol"},
      {"error not for you\n", "it says: not for you"},
  };
  for (const auto& [answer, reason] : cases) {
    Play({Answering(answer)});
    EXPECT_THAT(SignOne("a"), StatusIs(kUnavailable, HasSubstr(reason))) << answer;
  }
}

TEST_F(SocketSignerTest, AnAnswerThatWasCutOffIsNone) {
  Play({[this](SignerPeer& peer) {
    peer.Greet(key_);
    peer.ReadText();
    peer.Write("signed 1 " + base::EncodeBase58(Right("a")));
  }});
  EXPECT_THAT(SignOne("a"), StatusIs(kUnavailable, HasSubstr("closed")));
}

TEST_F(SocketSignerTest, AnswersThatNobodyAskedForSpoilOnlyTheirConnection) {
  const std::string unasked = "signed 1 " + base::EncodeBase58(Right("b")) + "\n" + "signed 2 " +
                              base::EncodeBase58(Right("b")) + "\n";
  Play({Answering(unasked), Well()});
  EXPECT_THAT(Sign({"a"}), Each(IsOk()));
  EXPECT_THAT(SignOne("b"), IsOkAndHolds(Right("b")));
}

TEST_F(SocketSignerTest, ASignerThatReadsNothingBeforeItAnswersDoesNotLockUp) {
  constexpr int kCount = 64;  // what may be unanswered at a time
  const std::string text(kSignerTextBytesMax, 'x');
  Play({[&](SignerPeer& peer) {
    peer.Greet(key_);
    for (int i = 0; i < kCount; ++i) {
      peer.Write(fmt::format("refused {} {}\n", i + 1, std::string(kSignerReasonBytesMax, 'r')));
    }
    peer.WaitUntilClosed();
  }});
  for (const auto& answer : Sign(std::vector<std::string>(kCount, text))) {
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(SocketSignerTest, CallsAtTheSameTimeHaveAConnectionEach) {
  std::latch both_came(2);
  const auto together = [&](SignerPeer& peer) {
    peer.Greet(key_);
    const std::string text = peer.ReadText();
    both_came.arrive_and_wait();
    peer.Write("signed 1 " + base::EncodeBase58(Right(text)) + "\n");
    peer.WaitUntilClosed();
  };
  Play({together, together});
  std::thread other([this] { EXPECT_THAT(SignOne("a"), IsOkAndHolds(Right("a"))); });
  EXPECT_THAT(SignOne("b"), IsOkAndHolds(Right("b")));
  other.join();
}

}  // namespace
}  // namespace wattmint::ledger
