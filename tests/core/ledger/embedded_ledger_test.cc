// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/embedded_ledger.h"

#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/ledger/book_verification.h"
#include "core/ledger/key_signer.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace wattmint::ledger {
namespace {

using domain::TokenAmount;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using test::WalletOf;
using testing::AllOf;
using testing::HasSubstr;

MintOrder Order(const std::string& key, std::int64_t base_units,
                std::string wallet = WalletOf("w")) {
  return {key, std::move(wallet), TokenAmount::FromBaseUnits(base_units)};
}

class EmbeddedLedgerTest : public testing::Test {
 protected:
  EmbeddedLedgerTest() { Open(); }

  void Open() {
    ledger_.reset();
    book_.reset();
    book_ = Engine::Value(storage::SqliteLedgerBook::Open({.path = path()}));
    ledger_ = std::make_unique<EmbeddedLedger>(*book_, clock_, signer_);
  }
  std::string path() const { return (dir_ / "ledger.db").string(); }

  SignedMint Sign(const MintOrder& order) {
    return Engine::Value(ledger_->Sign(std::vector{order}).front());
  }
  absl::StatusOr<Receipt> Mint(const MintOrder& order) {
    return ledger_->Submit(std::vector{Sign(order)}).front();
  }
  absl::StatusOr<Supply> Verify(const std::string& key) {
    return VerifyBook(*book_, key, [this](std::int64_t height) { verified_ = height; });
  }
  test::TempDir dir_;
  test::FakeClock clock_;
  KeySigner signer_{Ed25519Seed{7}};
  std::unique_ptr<storage::SqliteLedgerBook> book_;
  std::unique_ptr<EmbeddedLedger> ledger_;
  std::int64_t verified_ = 0;
};

TEST_F(EmbeddedLedgerTest, MintsOnceAndSaysSoForEver) {
  const SignedMint mint = Sign(Order("k1", 2'500'000'000));
  EXPECT_EQ(ledger_->Submit(std::vector{mint}).front()->verdict, Verdict::kMinted);
  for (int i = 0; i < 3; ++i) {
    const auto again = ledger_->Submit(std::vector{mint}).front();
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->verdict, Verdict::kAlreadyMinted);
    EXPECT_EQ(again->tokens.base_units(), 2'500'000'000);
    EXPECT_EQ(again->height, 1);
    EXPECT_EQ(again->signature, mint.signature);
    Open();
  }
  EXPECT_EQ(ledger_->GetSupply()->tokens.ToString(), "2.5");
  EXPECT_EQ(ledger_->GetBalance(WalletOf("w"))->base_units(), 2'500'000'000);
  EXPECT_EQ(ledger_->GetBalance(WalletOf("nobody"))->base_units(), 0);
}

TEST_F(EmbeddedLedgerTest, AKeyWithAnotherAmountOrWalletIsAConflict) {
  ASSERT_THAT(Mint(Order("k1", 10)), IsOk());
  const auto amount = Mint(Order("k1", 11));
  ASSERT_THAT(amount, IsOk());
  EXPECT_EQ(amount->verdict, Verdict::kConflict);
  EXPECT_EQ(amount->tokens.base_units(), 10) << "what was really minted";
  EXPECT_EQ(Mint(Order("k1", 10, WalletOf("thief")))->verdict, Verdict::kConflict);
  EXPECT_EQ(ledger_->GetSupply()->tokens.base_units(), 10);
}

TEST_F(EmbeddedLedgerTest, AKeyTwiceInOneCallIsMintedOnce) {
  const auto receipts = ledger_->Submit(std::vector{Sign(Order("k1", 10)), Sign(Order("k2", 20)),
                                                    Sign(Order("k1", 10)), Sign(Order("k2", 21))});
  EXPECT_EQ(receipts[0]->verdict, Verdict::kMinted);
  EXPECT_EQ(receipts[1]->verdict, Verdict::kMinted);
  EXPECT_EQ(receipts[2]->verdict, Verdict::kAlreadyMinted);
  EXPECT_EQ(receipts[3]->verdict, Verdict::kConflict);
  EXPECT_EQ(ledger_->GetSupply()->tokens.base_units(), 30);
  EXPECT_EQ(ledger_->GetSupply()->mints, 2);
}

TEST_F(EmbeddedLedgerTest, TheSignatureIsTheStandardOne) {
  const SignedMint mint = Sign(Order("k1", 10));
  const auto signature = Engine::Value(base::DecodeBase58Array<64>(mint.signature));
  const auto key = Engine::Value(base::DecodeBase58Array<32>(ledger_->public_key()));
  EXPECT_TRUE(VerifyEd25519(key, mint.bytes, signature));
  EXPECT_FALSE(VerifyEd25519(key, mint.bytes + "x", signature));
  EXPECT_FALSE(VerifyEd25519(Ed25519PublicKey{1}, mint.bytes, signature)) << "a small-order key";
}

TEST_F(EmbeddedLedgerTest, ForgedAndForeignMintsAreRefusedForGood) {
  SignedMint altered = Sign(Order("k1", 10));
  altered.bytes.replace(altered.bytes.find("10\n"), 2, "99");
  EXPECT_THAT(ledger_->Submit(std::vector{altered}).front(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("signature")));
  SignedMint unsigned_one = Sign(Order("k1", 10));
  unsigned_one.signature = "nope";
  EXPECT_THAT(ledger_->Submit(std::vector{unsigned_one}).front(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  test::TempDir other;
  auto other_book =
      Engine::Value(storage::SqliteLedgerBook::Open({.path = (other / "ledger.db").string()}));
  EmbeddedLedger other_ledger(*other_book, clock_, signer_);
  EXPECT_THAT(other_ledger.Submit(std::vector{Sign(Order("k1", 10))}).front(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("for ledger")));
  EXPECT_THAT(Mint(Order("k1", 10, "no-wallet")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Solana address")));
  EXPECT_EQ(ledger_->GetSupply()->mints, 0);
}

// A signer that answers what a test gave it for the first texts, and right after that.
class OddSigner final : public Signer {
 public:
  explicit OddSigner(Signer& right) : right_(right) {}
  const Ed25519PublicKey& public_key() const override { return right_.public_key(); }
  std::vector<absl::StatusOr<Ed25519Signature>> Sign(std::span<const std::string> texts) override {
    auto signatures = right_.Sign(texts);
    std::copy(odd.begin(), odd.end(), signatures.begin());
    return signatures;
  }
  std::vector<absl::StatusOr<Ed25519Signature>> odd;

 private:
  Signer& right_;
};

TEST_F(EmbeddedLedgerTest, ASignatureThatIsWrongIsNeverUsed) {
  OddSigner odd(signer_);
  ledger_ = std::make_unique<EmbeddedLedger>(*book_, clock_, odd);
  KeySigner other(Ed25519Seed{8});
  const std::string text = Sign(Order("k1", 10)).bytes;
  odd.odd = {Ed25519Signature{}, other.Sign(std::vector{text}).front(),
             signer_.Sign(std::vector{text}).front()};
  const auto mints = ledger_->Sign(
      std::vector{Order("k1", 10), Order("k1", 10), Order("k2", 20), Order("k3", 30)});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(mints[i], StatusIs(absl::StatusCode::kUnavailable, HasSubstr("wrong by"))) << i;
  }
  EXPECT_THAT(ledger_->Submit(std::vector{Engine::Value(mints[3])}).front(), IsOk());
}

TEST_F(EmbeddedLedgerTest, OneThatTheSignerRefusesDoesNotStopTheOthers) {
  OddSigner odd(signer_);
  ledger_ = std::make_unique<EmbeddedLedger>(*book_, clock_, odd);
  odd.odd = {base::InvalidArgument("above 5 GRX"), base::DeadlineExceeded("it hangs")};
  const auto mints = ledger_->Sign(std::vector{Order("k1", 10), Order("k2", 20), Order("k3", 30)});
  EXPECT_THAT(mints[0], StatusIs(absl::StatusCode::kInvalidArgument, "above 5 GRX"));
  EXPECT_THAT(mints[1], StatusIs(absl::StatusCode::kDeadlineExceeded, "it hangs"));
  EXPECT_THAT(mints[2], IsOk());
}

TEST_F(EmbeddedLedgerTest, ABookGoesOnWithTheKeyThatItBeganWith) {
  const KeySigner other(Ed25519Seed{8});
  EXPECT_THAT(CheckKey(*book_, other.public_key()), IsOk()) << "nothing is signed yet";
  ASSERT_THAT(Mint(Order("k1", 10)), IsOk());
  ASSERT_THAT(Mint(Order("k2", 10)), IsOk());
  EXPECT_THAT(CheckKey(*book_, signer_.public_key()), IsOk());
  EXPECT_THAT(CheckKey(*book_, other.public_key()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("entry 2"), HasSubstr("bring that one back"))));
}

TEST_F(EmbeddedLedgerTest, TheSupplyNeverOverflows) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  ASSERT_THAT(Mint(Order("k1", kMax - 5)), IsOk());
  const auto receipts = ledger_->Submit(std::vector{Sign(Order("k2", 5)), Sign(Order("k3", 1))});
  EXPECT_THAT(receipts[0], IsOk());
  EXPECT_THAT(receipts[1], StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("overflow")));
  EXPECT_EQ(ledger_->GetSupply()->tokens.base_units(), kMax);
}

TEST_F(EmbeddedLedgerTest, AWholeBookVerifies) {
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Mint(Order("k" + std::to_string(i), i + 1)), IsOk());
  const auto supply = Verify(ledger_->public_key());
  ASSERT_THAT(supply, IsOk());
  EXPECT_EQ(supply->tokens.base_units(), 50 * 51 / 2);
  EXPECT_EQ(supply->mints, 50);
  EXPECT_EQ(verified_, 50);
}

TEST_F(EmbeddedLedgerTest, AnEmptyBookVerifies) {
  EXPECT_EQ(Verify(ledger_->public_key())->mints, 0);
  EXPECT_THAT(Verify("not a key"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(EmbeddedLedgerTest, AnotherKeyDoesNotVerify) {
  ASSERT_THAT(Mint(Order("k1", 10)), IsOk());
  const std::string other = base::EncodeBase58(Ed25519Key(Ed25519Seed{8}).public_key());
  EXPECT_THAT(Verify(other),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 1 has a wrong")));
}

TEST(MintTextTest, ComesBackFromItsOneForm) {
  const MintText text{"ledger-1", Order("k1", 123)};
  const auto parsed = MintText::Parse(text.ToString());
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->ledger_id, "ledger-1");
  EXPECT_EQ(parsed->order.tokens.base_units(), 123);
}

TEST(MintTextTest, RefusesEveryOtherForm) {
  const std::string good = MintText{"l", Order("k", 123)}.ToString();
  for (const std::string& bad :
       {std::string(), std::string("wattmint mint 2\n"), good + "\n",
        good.substr(0, good.size() - 1), "x" + good, MintText{"l", Order("k", 0)}.ToString(),
        MintText{"l", Order("k", -5)}.ToString()}) {
    EXPECT_THAT(MintText::Parse(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
  std::string zeros = good;
  zeros.replace(zeros.find("123"), 3, "0123");
  EXPECT_THAT(MintText::Parse(zeros), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wattmint::ledger
