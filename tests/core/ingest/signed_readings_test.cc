// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/pipeline.h"
#include "tests/support/engine.h"
#include "tests/support/signing_meter.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

// Signatures and counters on the way through the pipeline.
namespace wattmint::ingest {
namespace {

using domain::Reading;
using domain::Rejection;
using test::Engine;
using test::IsOk;
using test::SigningMeter;
using testing::HasSubstr;

void Register(Engine& engine, std::string meter_id, std::string public_key) {
  std::promise<absl::StatusOr<domain::Meter>> promise;
  engine.registrar().Register({.meter_id = std::move(meter_id),
                               .user_id = "alice",
                               .wallet_address = test::WalletOf("alice"),
                               .public_key = std::move(public_key)},
                              [&](auto meter) { promise.set_value(std::move(meter)); });
  ASSERT_THAT(promise.get_future().get(), IsOk());
}

void SetKey(Engine& engine, std::string meter_id, std::string public_key) {
  std::promise<absl::StatusOr<domain::Meter>> promise;
  engine.registrar().SetKey(std::move(meter_id), std::move(public_key),
                            [&](auto meter) { promise.set_value(std::move(meter)); });
  ASSERT_THAT(promise.get_future().get(), IsOk());
}

class SignedReadingsTest : public testing::Test {
 protected:
  SignedReadingsTest() { Register(engine_, "M1", device_.public_key()); }

  Answer SubmitOne(Reading reading) { return engine_.Submit({std::move(reading)}).front(); }
  Answer SubmitSigned(int hours_ago, std::int64_t counter) {
    return SubmitOne(device_.Signed(engine_.Hour("M1", hours_ago, "1"), counter));
  }
  void Restart() {
    engine_.Close();
    engine_.Open();
  }

  Engine engine_;
  const SigningMeter device_{1};
};

TEST_F(SignedReadingsTest, ASignedReadingIsStoredWithTheKeyThatVerifiedIt) {
  const Answer answer = SubmitSigned(3, 7);
  ASSERT_EQ(answer.outcome, Outcome::kAccepted) << answer.refusal.message;
  const auto stored = Engine::Value(engine_.queries().FindReading(*answer.reading_id));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->reading.meter_counter, 7);
  EXPECT_EQ(stored->reading.meter_signature,
            device_.Signed(engine_.Hour("M1", 3, "1"), 7).meter_signature);
  EXPECT_EQ(stored->public_key, device_.public_key());
}

TEST_F(SignedReadingsTest, OfAMeterWithoutAKeyTheSignatureIsStoredAsItCame) {
  engine_.Register("M2", "bob");
  Reading reading = engine_.Hour("M2", 3, "1");
  reading.meter_signature = "anything";
  reading.meter_counter = 5;
  const Answer answer = SubmitOne(reading);
  ASSERT_EQ(answer.outcome, Outcome::kAccepted);
  const auto stored = Engine::Value(engine_.queries().FindReading(*answer.reading_id));
  EXPECT_EQ(stored->reading.meter_signature, "anything");
  EXPECT_EQ(stored->reading.meter_counter, 5);
  EXPECT_EQ(stored->public_key, "") << "nobody verified it";
  reading = engine_.Hour("M2", 2, "1");
  reading.meter_signature = "anything";
  reading.meter_counter = 5;
  EXPECT_EQ(SubmitOne(reading).outcome, Outcome::kAccepted) << "nor is the counter looked at";
}

TEST_F(SignedReadingsTest, OfAMeterWithAKeyEveryReadingIsSigned) {
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "1")).refusal.rejection,
            Rejection::kMeterSignatureMissing);
  Reading altered = device_.Signed(engine_.Hour("M1", 3, "1"), 1);
  altered.energy = domain::Energy::FromNanoKwh(2);
  EXPECT_EQ(SubmitOne(altered).refusal.rejection, Rejection::kMeterSignatureInvalid);
  EXPECT_EQ(engine_.Facts<domain::MeterReadingReceived>().size(), 0U);
}

TEST_F(SignedReadingsTest, WhereEverySignatureIsRequiredAMeterNeedsAKey) {
  Engine strict({}, {.signatures_required = true});
  Register(strict, "M1", device_.public_key());
  strict.Register("M2", "bob");
  const Reading hour = strict.Hour("M2", 3, "1");
  EXPECT_EQ(strict.Submit({hour}).front().refusal.rejection, Rejection::kMeterSignatureMissing);
  EXPECT_EQ(strict.Submit({device_.Signed(hour, 1)}).front().refusal.rejection,
            Rejection::kMeterSignatureInvalid);
  EXPECT_EQ(strict.Submit({device_.Signed(strict.Hour("M1", 3, "1"), 1)}).front().outcome,
            Outcome::kAccepted);
}

TEST_F(SignedReadingsTest, ACounterThatDoesNotGoUpIsRefused) {
  ASSERT_EQ(SubmitSigned(9, 5).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitSigned(8, 5).refusal.rejection, Rejection::kMeterCounterReplayed);
  const Answer lower = SubmitSigned(8, 4);
  EXPECT_EQ(lower.refusal.rejection, Rejection::kMeterCounterReplayed);
  EXPECT_THAT(lower.refusal.message, HasSubstr("counter 4"));
  EXPECT_THAT(lower.refusal.message, HasSubstr("not above 5"));
  EXPECT_EQ(SubmitSigned(8, 6).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitSigned(10, 900).outcome, Outcome::kAccepted)
      << "an earlier hour, a later counter";
  EXPECT_EQ(SubmitSigned(7, 899).refusal.rejection, Rejection::kMeterCounterReplayed);
}

TEST_F(SignedReadingsTest, TheCounterIsAsDurableAsTheReading) {
  ASSERT_EQ(SubmitSigned(9, 5).outcome, Outcome::kAccepted);
  Restart();
  EXPECT_EQ(SubmitSigned(8, 5).refusal.rejection, Rejection::kMeterCounterReplayed);
  EXPECT_EQ(SubmitSigned(8, 6).outcome, Outcome::kAccepted);
}

TEST_F(SignedReadingsTest, ARefusedReadingDoesNotUseItsCounterUp) {
  EXPECT_EQ(SubmitOne(device_.Signed(engine_.Hour("M1", 3, "1000"), 50)).refusal.rejection,
            Rejection::kEnergyTooHigh);
  EXPECT_EQ(SubmitSigned(3, 1).outcome, Outcome::kAccepted);
}

TEST_F(SignedReadingsTest, CountersOfOneRequestAreLookedAtInItsOrder) {
  const auto answers = engine_.Submit({device_.Signed(engine_.Hour("M1", 9, "1"), 1),
                                       device_.Signed(engine_.Hour("M1", 8, "1"), 3),
                                       device_.Signed(engine_.Hour("M1", 7, "1"), 2)});
  EXPECT_EQ(answers[0].outcome, Outcome::kAccepted);
  EXPECT_EQ(answers[1].outcome, Outcome::kAccepted);
  EXPECT_EQ(answers[2].refusal.rejection, Rejection::kMeterCounterReplayed);
}

TEST_F(SignedReadingsTest, TheSameReadingAgainExistsWhateverItIsSignedWith) {
  const Answer first = SubmitSigned(3, 7);
  for (const Reading& again :
       {device_.Signed(engine_.Hour("M1", 3, "1"), 7),
        device_.Signed(engine_.Hour("M1", 3, "1"), 2),
        SigningMeter(2).Signed(engine_.Hour("M1", 3, "1"), 9), engine_.Hour("M1", 3, "1")}) {
    const Answer answer = SubmitOne(again);
    EXPECT_EQ(answer.outcome, Outcome::kExists);
    EXPECT_EQ(answer.reading_id, first.reading_id);
  }
  EXPECT_EQ(SubmitSigned(2, 8).outcome, Outcome::kAccepted) << "nor does that move the counter";
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "2")).refusal.rejection,
            Rejection::kExistsWithDifferentEnergy);
}

TEST_F(SignedReadingsTest, TheSignatureIsCheckedAfterAllElseAndTheCounterLast) {
  const Submitter alice{.user_id = "alice", .rate_limited = true};
  const auto submit = [&](Reading reading) {
    return Engine::Value(engine_.TrySubmit(alice, {std::move(reading)})).front().refusal.rejection;
  };
  ASSERT_EQ(submit(device_.Signed(engine_.Hour("M1", 3, "1"), 7)), Rejection::kNone);
  EXPECT_EQ(submit(engine_.Hour("M1", 2, "1")), Rejection::kSubmittedTooSoon) << "not MISSING";
  EXPECT_EQ(submit(SigningMeter(2).Signed(engine_.Hour("M1", 2, "1"), 8)),
            Rejection::kSubmittedTooSoon)
      << "not INVALID";
  engine_.clock().Advance(std::chrono::minutes(5));
  Reading unsigned_one = engine_.Hour("M1", 2, "1");
  unsigned_one.meter_counter = 7;
  EXPECT_EQ(submit(unsigned_one), Rejection::kMeterSignatureMissing) << "not REPLAYED";
  EXPECT_EQ(submit(SigningMeter(2).Signed(engine_.Hour("M1", 2, "1"), 7)),
            Rejection::kMeterSignatureInvalid)
      << "not REPLAYED";
  EXPECT_EQ(submit(device_.Signed(engine_.Hour("M1", 2, "1"), 7)),
            Rejection::kMeterCounterReplayed);
}

TEST_F(SignedReadingsTest, TheOwnerHearsOfEachRefusal) {
  ASSERT_EQ(SubmitSigned(9, 5).outcome, Outcome::kAccepted);
  SubmitOne(engine_.Hour("M1", 3, "1"));
  SubmitOne(SigningMeter(2).Signed(engine_.Hour("M1", 3, "1"), 6));
  SubmitSigned(3, 5);
  const auto failed = engine_.Facts<domain::MeterReadingValidationFailed>();
  ASSERT_EQ(failed.size(), 3U);
  EXPECT_EQ(failed[0].refusal.rejection, Rejection::kMeterSignatureMissing);
  EXPECT_EQ(failed[1].refusal.rejection, Rejection::kMeterSignatureInvalid);
  EXPECT_EQ(failed[2].refusal.rejection, Rejection::kMeterCounterReplayed);
  for (const auto& fact : failed) EXPECT_EQ(fact.user_id, "alice");
  for (const int rejection : {17, 18, 19}) {
    EXPECT_EQ(engine_.pipeline().counters().rejected[rejection], 1);
  }
}

TEST_F(SignedReadingsTest, ANewKeyBeginsAnewAndAnOldOneGoesOn) {
  const SigningMeter other(2);
  ASSERT_EQ(SubmitSigned(20, 5).outcome, Outcome::kAccepted);
  SetKey(engine_, "M1", other.public_key());
  EXPECT_EQ(SubmitSigned(19, 6).refusal.rejection, Rejection::kMeterSignatureInvalid);
  EXPECT_EQ(SubmitOne(other.Signed(engine_.Hour("M1", 19, "1"), 1)).outcome, Outcome::kAccepted);
  SetKey(engine_, "M1", "");
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 18, "1")).outcome, Outcome::kAccepted);
  SetKey(engine_, "M1", device_.public_key());
  EXPECT_EQ(SubmitSigned(17, 5).refusal.rejection, Rejection::kMeterCounterReplayed);
  Restart();
  EXPECT_EQ(SubmitSigned(17, 5).refusal.rejection, Rejection::kMeterCounterReplayed);
  EXPECT_EQ(SubmitSigned(17, 6).outcome, Outcome::kAccepted);
}

// What is verified when it is submitted may be of another key when it is written.
TEST_F(SignedReadingsTest, TheKeyThatCountsIsTheOneWhenTheReadingIsWritten) {
  const SigningMeter other(2);
  std::promise<void> go;
  engine_.queue().Submit(std::make_unique<store::FunctionOp>(
      [&, ready = go.get_future().share()](store::WriteContext&) {
        ready.wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {}));
  std::promise<absl::StatusOr<domain::Meter>> set;
  engine_.registrar().SetKey("M1", other.public_key(),
                             [&](auto meter) { set.set_value(std::move(meter)); });
  std::promise<absl::StatusOr<std::vector<Answer>>> submitted;
  engine_.pipeline().Submit({.any_meter = true},
                            {{device_.Signed(engine_.Hour("M1", 3, "1"), 1), {}, {}},
                             {other.Signed(engine_.Hour("M1", 2, "1"), 1), {}, {}}},
                            [&](auto answers) { submitted.set_value(std::move(answers)); });
  go.set_value();
  ASSERT_THAT(set.get_future().get(), IsOk());
  const auto answers = Engine::Value(submitted.get_future().get());
  EXPECT_EQ(answers[0].refusal.rejection, Rejection::kMeterSignatureInvalid) << "by the old key";
  EXPECT_EQ(answers[1].outcome, Outcome::kAccepted) << "by the new one";
}

TEST_F(SignedReadingsTest, TheOlderTextHasNoCounterAndLeavesTheLastOneAlone) {
  Engine lenient({}, {.legacy_signatures = true});
  Register(lenient, "M1", device_.public_key());
  const auto point = [&](int hours_ago) {
    Reading reading = lenient.Hour("M1", hours_ago, "1.5");
    reading.length = domain::Duration::zero();
    return reading;
  };
  const auto submit = [&](const Reading& reading) { return lenient.Submit({reading}).front(); };
  ASSERT_EQ(submit(device_.Signed(point(9), 5)).outcome, Outcome::kAccepted);
  const Reading legacy = device_.LegacySigned(point(8), test::WalletOf("alice"));
  const Answer answer = submit(legacy);
  ASSERT_EQ(answer.outcome, Outcome::kAccepted) << answer.refusal.message;
  EXPECT_EQ(Engine::Value(lenient.queries().FindReading(*answer.reading_id))->public_key,
            device_.public_key());
  EXPECT_EQ(submit(legacy).outcome, Outcome::kExists);
  EXPECT_EQ(submit(device_.Signed(point(7), 5)).refusal.rejection,
            Rejection::kMeterCounterReplayed);
  lenient.Close();
  lenient.Open();
  EXPECT_EQ(submit(device_.Signed(point(7), 5)).refusal.rejection,
            Rejection::kMeterCounterReplayed);
}

// The counter in memory must never differ from the one in the database: the same random readings,
// under two keys that change, to an engine that runs through and to one that is restarted.
TEST_F(SignedReadingsTest, MemoryNeverChangesAnAnswer) {
  Engine forgetful;
  Register(forgetful, "M1", device_.public_key());
  const SigningMeter devices[] = {SigningMeter(1), SigningMeter(2)};
  std::size_t current = 0;
  int replays = 0;
  std::mt19937 draw(20261122);
  for (int i = 0; i < 150; ++i) {
    if (draw() % 10 == 0) {
      current = draw() % 2;
      SetKey(engine_, "M1", devices[current].public_key());
      SetKey(forgetful, "M1", devices[current].public_key());
    }
    if (i % 15 == 14) {
      forgetful.Close();
      forgetful.Open();
    }
    const auto counter = static_cast<std::int64_t>(1 + i / 3 + draw() % 8);
    const Reading reading = devices[draw() % 8 == 0 ? 1 - current : current].Signed(
        engine_.Hour("M1", i, "1"), counter);
    const Answer expected = forgetful.Submit({reading}).front();
    const Answer answer = SubmitOne(reading);
    ASSERT_EQ(answer.outcome, expected.outcome) << "reading " << i;
    ASSERT_EQ(answer.refusal.rejection, expected.refusal.rejection) << "reading " << i;
    if (answer.refusal.rejection == Rejection::kMeterCounterReplayed) ++replays;
  }
  EXPECT_GT(replays, 10);
}

}  // namespace
}  // namespace wattmint::ingest
