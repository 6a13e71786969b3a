// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signing_policy.h"

#include "core/base/status.h"
#include "core/ledger/mint_text.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <vector>

namespace wattmint::ledger {
namespace {

using domain::TokenAmount;
using std::chrono::days;
using std::chrono::sys_days;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

constexpr std::string_view kWallet = "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur";
constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
constexpr auto kLater = absl::StatusCode::kUnavailable;

TokenAmount Units(std::int64_t base_units) { return TokenAmount::FromBaseUnits(base_units); }

class SigningPolicyTest : public testing::Test {
 protected:
  // As a signer that is started: with what was kept last.
  void Start(SigningPolicy::Limits limits) {
    policy_ = std::make_unique<SigningPolicy>(std::move(limits), kept_, [this](const auto& day) {
      if (trouble_.ok()) kept_ = day;
      ++keeps_;
      return trouble_;
    });
  }
  static std::string Text(const std::string& key, std::int64_t base_units) {
    return MintText{"ledger-1", {key, std::string(kWallet), Units(base_units)}}.ToString();
  }
  absl::Status Admit(const std::string& text) { return policy_->Admit(text, now_); }
  absl::Status Admit(const std::string& key, std::int64_t base_units) {
    return Admit(Text(key, base_units));
  }

  domain::Time now_ = sys_days{std::chrono::year{2026} / 6 / 1} + std::chrono::hours(23);
  SigningPolicy::Day kept_;
  int keeps_ = 0;
  absl::Status trouble_;
  std::unique_ptr<SigningPolicy> policy_;
};

TEST_F(SigningPolicyTest, SignsMintsAndNothingElse) {
  Start({});
  EXPECT_THAT(Admit("k1", 10), IsOk());
  for (const std::string& text :
       {std::string("transfer everything"), Text("k1", 10) + " ", Text("k1", 0), std::string()}) {
    EXPECT_THAT(Admit(text), StatusIs(kRefused)) << text;
  }
  const std::string nowhere = MintText{"ledger-1", {"k1", "nowhere", Units(1)}}.ToString();
  EXPECT_THAT(Admit(nowhere), StatusIs(kRefused, HasSubstr("wallet")));
  EXPECT_EQ(keeps_, 0) << "without a limit of a day there is nothing to keep";
}

TEST_F(SigningPolicyTest, RefusesAnotherLedger) {
  Start({.ledger_id = "ledger-1"});
  EXPECT_THAT(Admit("k1", 10), IsOk());
  Start({.ledger_id = "ledger-2"});
  EXPECT_THAT(Admit("k1", 10), StatusIs(kRefused, HasSubstr("another ledger")));
}

TEST_F(SigningPolicyTest, RefusesWhatIsAboveALimitByItself) {
  Start({.per_mint = Units(1'000)});
  EXPECT_THAT(Admit("k1", 1'000), IsOk());
  EXPECT_THAT(Admit("k2", 1'001), StatusIs(kRefused, HasSubstr("limit of 0.000001 for one mint")));
  Start({.per_day = Units(1'000)});
  EXPECT_THAT(Admit("k3", 1'001), StatusIs(kRefused, HasSubstr("for a day")));
}

TEST_F(SigningPolicyTest, PutsOffWhatIsAboveTheDayUntilTheNext) {
  Start({.per_day = Units(1'000)});
  EXPECT_THAT(Admit("k1", 600), IsOk());
  EXPECT_THAT(Admit("k2", 401), StatusIs(kLater, HasSubstr("for a day")));
  EXPECT_THAT(Admit("k3", 400), IsOk()) << "exactly the rest";
  EXPECT_THAT(Admit("k4", 1), StatusIs(kLater));
  now_ += std::chrono::hours(1);
  EXPECT_THAT(Admit("k2", 401), IsOk());
  now_ -= std::chrono::hours(1);
  EXPECT_THAT(Admit("k5", 600), StatusIs(kLater)) << "a clock that goes back brings nothing back";
}

TEST_F(SigningPolicyTest, ATextThatComesAgainCountsOnce) {
  Start({.per_day = Units(1'000)});
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Admit("k1", 600), IsOk());
  EXPECT_THAT(Admit("k2", 400), IsOk());
  EXPECT_THAT(Admit("k1", 600), IsOk()) << "also when the day is full";
}

TEST_F(SigningPolicyTest, ARestartForgetsAtMostAStepOfTheDay) {
  std::int64_t admitted = 0;
  for (int restart = 0; restart < 20; ++restart) {
    Start({.per_day = Units(100'000)});
    for (int i = 0; i < 10; ++i) {
      const absl::Status status = Admit(std::to_string(restart * 10 + i), 777);
      if (status.ok()) admitted += 777;
      EXPECT_LE(admitted, kept_.set_aside.base_units()) << "set aside before it is signed";
    }
  }
  EXPECT_LE(admitted, 100'000);
  EXPECT_GE(admitted, 100'000 - 20 * 1'000 - 777);
}

TEST_F(SigningPolicyTest, KeepsADayInFewSteps) {
  Start({.per_day = Units(1'000'000)});
  for (int i = 0; i < 10'000; ++i) ASSERT_THAT(Admit(std::to_string(i), 100), IsOk());
  EXPECT_LE(keeps_, 100);
  EXPECT_EQ(kept_.set_aside, Units(1'000'000));
}

TEST_F(SigningPolicyTest, SignsNothingThatItCannotKeep) {
  Start({.per_day = Units(1'000)});
  trouble_ = base::Unavailable("the disk is full");
  EXPECT_THAT(Admit("k1", 600), StatusIs(kLater, HasSubstr("full")));
  trouble_ = absl::OkStatus();
  EXPECT_THAT(Admit("k1", 600), IsOk());
  EXPECT_THAT(Admit("k2", 400), IsOk()) << "what failed did not count";
}

TEST_F(SigningPolicyTest, GreatNumbersDoNotOverflow) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  Start({.per_day = Units(kMax)});
  EXPECT_THAT(Admit("k1", kMax - 1), IsOk());
  EXPECT_THAT(Admit("k2", kMax), StatusIs(kLater));
  EXPECT_THAT(Admit("k3", 1), IsOk());
}

}  // namespace
}  // namespace wattmint::ledger
