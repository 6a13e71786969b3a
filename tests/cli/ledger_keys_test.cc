// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_keys.h"

#include "core/base/base58.h"
#include "core/ledger/embedded_ledger.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/core/ledger/scripted_signer.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace wattmint::cli {
namespace {

namespace fs = std::filesystem;
using ledger::Ed25519Seed;
using ledger::KeySigner;
using test::IsOk;
using test::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kVariable = "LEDGER_KEYS_TEST_SEED";
const std::string kHex = std::string(62, '0') + "07";
const Ed25519Seed kSeed = [] {
  Ed25519Seed seed{};
  seed.back() = 7;
  return seed;
}();

class LedgerKeysTest : public testing::Test {
 protected:
  LedgerKeysTest() {
    EXPECT_THAT(data_.Create(), IsOk());
    book_ = test::Engine::Value(storage::SqliteLedgerBook::Open({.path = data_.ledger()}));
  }
  ~LedgerKeysTest() override { unsetenv(kVariable); }

  auto Open(const LedgerKeySettings& settings) { return OpenSigner(settings, data_, *book_); }
  void Write(const fs::path& path, std::string_view text) {
    std::ofstream(path) << text;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }
  void Mint(ledger::Signer& signer) {
    test::FakeClock clock;
    ledger::EmbeddedLedger ledger(*book_, clock, signer);
    const ledger::MintOrder order{"k1", test::WalletOf("w"), domain::TokenAmount::FromBaseUnits(5)};
    const auto mint = test::Engine::Value(ledger.Sign(std::vector{order}).front());
    EXPECT_THAT(ledger.Submit(std::vector{mint}).front(), IsOk());
  }

  test::TempDir directory_;
  const DataDirectory data_{directory_ / "data"};
  const fs::path file_ = directory_ / "my.key";
  const fs::path socket_ = directory_ / "signer.sock";
  std::unique_ptr<storage::SqliteLedgerBook> book_;
  KeySigner key_{kSeed};
};

TEST_F(LedgerKeysTest, TheDefaultFileIsMadeOnceForItsOwnerAlone) {
  const auto first = Open({});
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(fs::status(data_.ledger_key()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  const auto second = Open({});
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*first)->public_key(), (*second)->public_key());
  EXPECT_THAT(data_.FindLedgerPublicKey(), test::IsOkAndHolds((*first)->public_key()));
}

TEST_F(LedgerKeysTest, ALostKeyIsNotReplacedByANewOne) {
  ASSERT_THAT(Open({}), IsOk());
  fs::remove(data_.ledger_key());
  EXPECT_THAT(Open({}), StatusIs(absl::StatusCode::kNotFound, HasSubstr("bring it back")));
  EXPECT_FALSE(fs::exists(data_.ledger_key()));
}

TEST_F(LedgerKeysTest, EveryPlaceGivesTheSameKey) {
  Write(file_, kHex + "\n");
  const auto of_file = Open({.file = file_});
  ASSERT_THAT(of_file, IsOk());
  EXPECT_EQ((*of_file)->public_key(), key_.public_key());
  setenv(kVariable, kHex.c_str(), 1);
  const auto of_variable = Open({.variable = kVariable});
  ASSERT_THAT(of_variable, IsOk());
  EXPECT_EQ((*of_variable)->public_key(), key_.public_key());
  EXPECT_EQ(std::string(std::getenv(kVariable)), "") << "wiped";
  test::ScriptedSigner fake(socket_, {[this](test::SignerPeer& peer) { peer.Greet(key_); }});
  const auto of_socket = Open({.signer_socket = socket_});
  ASSERT_THAT(of_socket, IsOk());
  EXPECT_EQ((*of_socket)->public_key(), key_.public_key());
}

TEST_F(LedgerKeysTest, OnlyOnePlaceMayBeNamed) {
  const LedgerKeySettings cases[] = {{.file = "a", .variable = "b"},
                                     {.file = "a", .signer_socket = "c"},
                                     {.variable = "b", .signer_socket = "c"},
                                     {.file = "a", .variable = "b", .signer_socket = "c"}};
  for (const LedgerKeySettings& settings : cases) {
    EXPECT_THAT(Open(settings),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("keep one of them")));
  }
}

TEST_F(LedgerKeysTest, WhatIsNoKeyIsNotRepeated) {
  for (const std::string& text :
       {kHex.substr(2), kHex + "00", "zz" + kHex.substr(2), kHex + kHex}) {
    Write(file_, text);
    EXPECT_THAT(Open({.file = file_}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("my.key"), HasSubstr("64 hex"), Not(HasSubstr("0000")))));
    setenv(kVariable, text.c_str(), 1);
    EXPECT_THAT(Open({.variable = kVariable}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(kVariable), Not(HasSubstr("0000")))));
  }
  EXPECT_THAT(Open({.variable = kVariable}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("is not set")));
  EXPECT_THAT(Open({.file = directory_ / "none.key"}), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LedgerKeysTest, AFileMustBeItsOwnersAlone) {
  Write(file_, kHex);
  fs::permissions(file_, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(Open({.file = file_}),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("chmod 600")));
}

TEST_F(LedgerKeysTest, TheLedgerKeepsTheKeyThatItBeganWith) {
  ASSERT_THAT(Open({}), IsOk());
  Write(file_, kHex);
  EXPECT_THAT(Open({.file = file_}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("ledger.pub"), HasSubstr("nothing is minted yet"))));
  fs::remove(data_.ledger_public_key());
  EXPECT_THAT(Open({.file = file_}), IsOk());
  Mint(key_);
  EXPECT_THAT(Open({.file = file_}), IsOk());
  EXPECT_THAT(Open({}), StatusIs(absl::StatusCode::kFailedPrecondition,
                                 Not(HasSubstr("nothing is minted yet"))));
  fs::remove(data_.ledger_public_key());
  EXPECT_THAT(Open({}), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("entry 1")));
  EXPECT_FALSE(fs::exists(data_.ledger_public_key())) << "a wrong key is not noted";
}

TEST_F(LedgerKeysTest, ASignerThatIsAwayIsWaitedForOnceItsKeyIsKnown) {
  const LedgerKeySettings settings{.signer_socket = socket_};
  EXPECT_THAT(Open(settings),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("before the first start")));
  ASSERT_THAT(data_.PinLedgerPublicKey(key_.public_key()), IsOk());
  const auto signer = Open(settings);
  ASSERT_THAT(signer, IsOk());
  const std::string text = "text";
  EXPECT_THAT((*signer)->Sign(std::span(&text, 1)).front(),
              StatusIs(absl::StatusCode::kUnavailable));
  test::ScriptedSigner fake(socket_, {[this](test::SignerPeer& peer) {
                              peer.Greet(key_);
                              peer.Sign(key_, 1);
                            }});
  EXPECT_THAT((*signer)->Sign(std::span(&text, 1)).front(), IsOk());
}

TEST_F(LedgerKeysTest, ASignerWithAnotherKeyStopsTheStart) {
  ASSERT_THAT(data_.PinLedgerPublicKey(key_.public_key()), IsOk());
  KeySigner other(Ed25519Seed{9});
  test::ScriptedSigner fake(socket_, {[&](test::SignerPeer& peer) { peer.Greet(other); }});
  EXPECT_THAT(Open({.signer_socket = socket_}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(base::EncodeBase58(other.public_key()))));
}

TEST_F(LedgerKeysTest, ASignerMakesAKeyOnlyWhenToldSo) {
  EXPECT_THAT(OpenKey({}, data_, MissingKey::kRefuse), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(data_.ledger_key()));
  EXPECT_THAT(OpenKey({}, data_, MissingKey::kMake), IsOk());
  EXPECT_THAT(OpenKey({}, data_, MissingKey::kRefuse), IsOk());
}

}  // namespace
}  // namespace wattmint::cli
