// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/pipeline.h"

#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace wattmint::ingest {
namespace {

using domain::MintState;
using domain::Reading;
using domain::Rejection;
using std::chrono::hours;
using std::chrono::minutes;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    engine_.Register("M1", "alice");
    engine_.Register("M2", "bob");
  }

  Answer SubmitOne(Reading reading) { return engine_.Submit({std::move(reading)}).front(); }
  Answer SubmitAs(Submitter submitter, Reading reading) {
    return Engine::Value(engine_.TrySubmit(std::move(submitter), {std::move(reading)})).front();
  }
  Reading Point(int minutes_ago, std::string_view kwh = "1") {
    Reading reading = engine_.Hour("M1", 0, kwh);
    reading.start = engine_.clock().Now() - minutes(minutes_ago);
    reading.length = domain::Duration::zero();
    return reading;
  }
  std::size_t EventCount() { return engine_.Events().size(); }

  Engine engine_;
};

TEST_F(PipelineTest, AnAcceptedReadingHasItsTaskAndItsEvents) {
  const Answer answer = SubmitOne(engine_.Hour("M1", 3, "2.5"));
  EXPECT_EQ(answer.outcome, Outcome::kAccepted);
  EXPECT_EQ(answer.mint_state, MintState::kPending);
  const auto received = engine_.Facts<domain::MeterReadingReceived>();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].user_id, "alice") << "the owner comes from the registry";
  EXPECT_EQ(received[0].wallet_address, test::WalletOf("alice"));
  EXPECT_EQ(received[0].reading_id, answer.reading_id);
  const auto created = engine_.Facts<domain::TaskCreated>();
  ASSERT_EQ(created.size(), 1U);
  EXPECT_EQ(created[0].task_id, answer.reading_id->row());
  const auto stored = Engine::Value(engine_.queries().FindReading(*answer.reading_id));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->reading.energy.ToString(), "2.5");
}

TEST_F(PipelineTest, ZeroConsumptionAndEstimatesAreStoredAndNotMinted) {
  Reading consumed = engine_.Hour("M1", 4, "1");
  consumed.channel = domain::Channel::kConsumption;
  Reading estimated = engine_.Hour("M1", 5, "1");
  estimated.quality = domain::Quality::kEstimated;
  Reading final_value = engine_.Hour("M1", 6, "1");
  final_value.quality = domain::Quality::kFinal;
  const auto answers =
      engine_.Submit({engine_.Hour("M1", 3, "0"), consumed, estimated, final_value});
  EXPECT_EQ(answers[0].mint_state, MintState::kNotApplicable);
  EXPECT_EQ(answers[1].mint_state, MintState::kNotApplicable);
  EXPECT_EQ(answers[2].mint_state, MintState::kNotApplicable);
  EXPECT_EQ(answers[3].mint_state, MintState::kPending);
  EXPECT_EQ(engine_.Facts<domain::TaskCreated>().size(), 1U);
}

TEST_F(PipelineTest, TheSameReadingAgainIsTheFirstAnswer) {
  const Answer first = SubmitOne(engine_.Hour("M1", 3, "2.5"));
  const std::size_t events = EventCount();
  const Answer second = SubmitOne(engine_.Hour("M1", 3, "2.50"));
  EXPECT_EQ(second.outcome, Outcome::kExists);
  EXPECT_EQ(second.reading_id, first.reading_id);
  EXPECT_EQ(EventCount(), events) << "a repetition is no event";
}

TEST_F(PipelineTest, TheSameReadingTwiceInOneRequestIsAcceptedOnce) {
  const auto answers = engine_.Submit({engine_.Hour("M1", 3, "1"), engine_.Hour("M1", 3, "1")});
  EXPECT_EQ(answers[0].outcome, Outcome::kAccepted);
  EXPECT_EQ(answers[1].outcome, Outcome::kExists);
  EXPECT_EQ(answers[1].reading_id, answers[0].reading_id);
}

TEST_F(PipelineTest, ARepetitionIsAnsweredAfterARestartAndWhenItIsTooOld) {
  const Answer first = SubmitOne(engine_.Hour("M1", 3, "2.5"));
  const Reading again = engine_.Hour("M1", 3, "2.5");
  engine_.Close();
  engine_.Open();
  engine_.clock().Advance(hours(24 * 30));
  const Answer second = SubmitOne(again);
  EXPECT_EQ(second.outcome, Outcome::kExists) << "idempotency comes before the age";
  EXPECT_EQ(second.reading_id, first.reading_id);
}

TEST_F(PipelineTest, TheSameKeyWithOtherContentChangesNothing) {
  const Answer first = SubmitOne(engine_.Hour("M1", 3, "2.5"));
  Reading other_channel = engine_.Hour("M1", 3, "2.5");
  other_channel.channel = domain::Channel::kConsumption;
  for (const Reading& reading : {engine_.Hour("M1", 3, "2.6"), other_channel}) {
    const Answer second = SubmitOne(reading);
    EXPECT_EQ(second.outcome, Outcome::kRejected);
    EXPECT_EQ(second.refusal.rejection, Rejection::kExistsWithDifferentEnergy);
    EXPECT_EQ(second.reading_id, first.reading_id);
  }
  const auto stored = Engine::Value(engine_.queries().FindReading(*first.reading_id));
  EXPECT_EQ(stored->reading.energy.ToString(), "2.5");
}

TEST_F(PipelineTest, ARequestIdIsGoodForOneReadingOfAMeter) {
  Reading reading = engine_.Hour("M1", 3, "1");
  reading.request_id = "r-1";
  EXPECT_EQ(SubmitOne(reading).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitOne(reading).outcome, Outcome::kExists);
  Reading other = engine_.Hour("M1", 4, "1");
  other.request_id = "r-1";
  EXPECT_EQ(SubmitOne(other).refusal.rejection, Rejection::kRequestIdReused);
  Reading of_bob = engine_.Hour("M2", 4, "1");
  of_bob.request_id = "r-1";
  EXPECT_EQ(SubmitOne(of_bob).outcome, Outcome::kAccepted);
}

TEST_F(PipelineTest, AUserSubmitsForOwnMetersOnlyAndLearnsNothingOfOthers) {
  const Submitter alice{.user_id = "alice"};
  EXPECT_EQ(SubmitAs(alice, engine_.Hour("M1", 3, "1")).outcome, Outcome::kAccepted);
  const std::size_t events = EventCount();
  Answer foreign = SubmitAs(alice, engine_.Hour("M2", 3, "1"));
  Answer unknown = SubmitAs(alice, engine_.Hour("M3", 3, "1"));
  EXPECT_EQ(foreign.refusal.rejection, Rejection::kMeterNotPermitted);
  EXPECT_EQ(unknown.refusal.rejection, Rejection::kMeterNotPermitted);
  EXPECT_EQ(EventCount(), events) << "what strangers try is no event of the owner";
  EXPECT_EQ(SubmitOne(engine_.Hour("M3", 3, "1")).refusal.rejection, Rejection::kMeterUnknown);
}

TEST_F(PipelineTest, EnergyHasBoundsAndTheUpperOneIsIncluded) {
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "-0.000000001")).refusal.rejection,
            Rejection::kEnergyNegative);
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "100.000000001")).refusal.rejection,
            Rejection::kEnergyTooHigh);
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "100")).outcome, Outcome::kAccepted);
}

TEST_F(PipelineTest, TimeHasBoundsThatAreIncluded) {
  Reading future = engine_.Hour("M1", 0, "1");
  future.start += std::chrono::seconds(61);
  EXPECT_EQ(SubmitOne(future).refusal.rejection, Rejection::kTimeInFuture);
  future.start -= std::chrono::seconds(1);
  EXPECT_EQ(SubmitOne(future).outcome, Outcome::kAccepted);

  Reading old = engine_.Hour("M1", 7 * 24, "1");
  EXPECT_EQ(SubmitOne(old).outcome, Outcome::kAccepted);
  old = engine_.Hour("M1", 7 * 24 + 1, "1");
  EXPECT_EQ(SubmitOne(old).refusal.rejection, Rejection::kTimeTooOld);
  EXPECT_EQ(SubmitAs({.any_meter = true, .any_age = true}, old).outcome, Outcome::kAccepted);

  Reading long_one = engine_.Hour("M2", 3, "1");
  long_one.length = hours(24 * 31) + domain::Duration(1);
  long_one.start = engine_.clock().Now() - long_one.length;
  EXPECT_EQ(SubmitOne(long_one).refusal.rejection, Rejection::kIntervalTooLong);
}

TEST_F(PipelineTest, IntervalsOfAMeterNeverOverlap) {
  ASSERT_EQ(SubmitOne(engine_.Hour("M1", 3, "1")).outcome, Outcome::kAccepted);
  const Reading taken = engine_.Hour("M1", 3, "1");
  struct Case {
    const char* why;
    minutes shift;
    minutes length;
    bool overlaps;
  };
  for (const Case& c : {Case{"ends in it", minutes(-30), minutes(60), true},
                        Case{"begins in it", minutes(30), minutes(60), true},
                        Case{"lies in it", minutes(15), minutes(15), true},
                        Case{"covers it", minutes(-15), minutes(90), true},
                        Case{"shares its start", minutes(0), minutes(30), true},
                        Case{"shares its end", minutes(30), minutes(30), true}}) {
    Reading reading = taken;
    reading.start += c.shift;
    reading.length = c.length;
    EXPECT_EQ(SubmitOne(reading).refusal.rejection, Rejection::kOverlapsReading) << c.why;
  }
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 4, "1")).outcome, Outcome::kAccepted)
      << "ends at its start";
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 2, "1")).outcome, Outcome::kAccepted)
      << "starts at its end";
  Reading other_meter = taken;
  other_meter.meter_id = "M2";
  other_meter.start += minutes(30);
  EXPECT_EQ(SubmitOne(other_meter).outcome, Outcome::kAccepted);
}

TEST_F(PipelineTest, PointReadingsKeepAWindowThatIsExcluded) {
  ASSERT_EQ(SubmitOne(Point(60)).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitOne(Point(60)).outcome, Outcome::kExists);
  EXPECT_EQ(SubmitOne(Point(46)).refusal.rejection, Rejection::kWithinDuplicateWindow);
  EXPECT_EQ(SubmitOne(Point(74)).refusal.rejection, Rejection::kWithinDuplicateWindow);
  EXPECT_EQ(SubmitOne(Point(45)).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitOne(Point(75)).outcome, Outcome::kAccepted);
}

TEST_F(PipelineTest, PointsAndIntervalsAreNotCountedTwice) {
  ASSERT_EQ(SubmitOne(engine_.Hour("M1", 0, "1")).outcome, Outcome::kAccepted);
  EXPECT_EQ(SubmitOne(Point(30)).refusal.rejection, Rejection::kOverlapsReading);
  EXPECT_EQ(SubmitOne(Point(60)).refusal.rejection, Rejection::kOverlapsReading) << "at the start";
  EXPECT_EQ(SubmitOne(Point(0)).outcome, Outcome::kAccepted) << "at the end, which is excluded";
  ASSERT_EQ(SubmitOne(Point(200)).outcome, Outcome::kAccepted);
  Reading around = engine_.Hour("M1", 3, "1");
  EXPECT_EQ(SubmitOne(around).refusal.rejection, Rejection::kOverlapsReading);
  Reading from_the_point = engine_.Hour("M1", 0, "1");
  from_the_point.start = engine_.clock().Now();
  from_the_point.length = std::chrono::seconds(30);
  EXPECT_EQ(SubmitOne(from_the_point).refusal.rejection, Rejection::kOverlapsReading);
}

TEST_F(PipelineTest, APointAtTheEndOfALaterReadingIsStillInTheWay) {
  ASSERT_EQ(SubmitOne(Point(60)).outcome, Outcome::kAccepted);
  ASSERT_EQ(SubmitOne(engine_.Hour("M1", 1, "1")).outcome, Outcome::kAccepted) << "ends at it";
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 0, "1")).refusal.rejection, Rejection::kOverlapsReading)
      << "begins at it";
}

// S2-15 with C9: the inclusive window of the field refuses every second one of these.
TEST_F(PipelineTest, ADayOfQuarterHoursIsAcceptedWhole) {
  for (const domain::Duration length : {domain::Duration(minutes(15)), domain::Duration::zero()}) {
    const char* meter = length == domain::Duration::zero() ? "M1" : "M2";
    std::vector<Reading> day;
    for (int i = 0; i < 96; ++i) {
      Reading reading = engine_.Hour(meter, 0, "0.25");
      reading.start = engine_.clock().Now() - hours(24) + minutes(15 * i);
      reading.length = length;
      day.push_back(reading);
    }
    for (const Answer& answer : engine_.Submit(day)) {
      EXPECT_EQ(answer.outcome, Outcome::kAccepted) << answer.refusal.message;
    }
    for (const Answer& answer : engine_.Submit(day)) EXPECT_EQ(answer.outcome, Outcome::kExists);
  }
}

TEST_F(PipelineTest, AUserWaitsBetweenReadingsOfAMeter) {
  const Submitter alice{.user_id = "alice", .rate_limited = true};
  EXPECT_EQ(SubmitAs(alice, engine_.Hour("M1", 3, "1")).outcome, Outcome::kAccepted);
  engine_.clock().Advance(minutes(5) - std::chrono::seconds(1));
  const Reading next = engine_.Hour("M1", 1, "1");
  EXPECT_EQ(SubmitAs(alice, next).refusal.rejection, Rejection::kSubmittedTooSoon);
  engine_.clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(SubmitAs(alice, next).outcome, Outcome::kAccepted);
}

TEST_F(PipelineTest, ARefusalIsTheFirstInTheDocumentedOrder) {
  Reading everything_wrong = engine_.Hour("M1", 0, "1000");
  everything_wrong.start += hours(24 * 365);
  everything_wrong.length = hours(24 * 365);
  EXPECT_EQ(SubmitOne(everything_wrong).refusal.rejection, Rejection::kEnergyTooHigh);
  everything_wrong.energy = domain::Energy::FromNanoKwh(1);
  EXPECT_EQ(SubmitOne(everything_wrong).refusal.rejection, Rejection::kIntervalTooLong);
  everything_wrong.length = hours(1);
  EXPECT_EQ(SubmitOne(everything_wrong).refusal.rejection, Rejection::kTimeInFuture);
  everything_wrong.meter_id = "M9";
  EXPECT_EQ(SubmitOne(everything_wrong).refusal.rejection, Rejection::kMeterUnknown);
}

TEST_F(PipelineTest, TheOwnerHearsOfARefusal) {
  SubmitOne(engine_.Hour("M1", 3, "1000"));
  const auto failed = engine_.Facts<domain::MeterReadingValidationFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].user_id, "alice");
  EXPECT_EQ(failed[0].refusal.rejection, Rejection::kEnergyTooHigh);
  EXPECT_THAT(failed[0].refusal.message, HasSubstr("1000"));
  EXPECT_EQ(engine_.pipeline().counters().rejected[10], 1);
}

TEST_F(PipelineTest, AMalformedReadingIsToldToTheOwnerButNotToAStranger) {
  Candidate broken{
      engine_.Hour("M1", 3, "0"), {Rejection::kEnergyInvalid, "'x' is no decimal"}, {}};
  const auto submit = [&](Submitter submitter) {
    std::promise<absl::StatusOr<std::vector<Answer>>> promise;
    engine_.pipeline().Submit(std::move(submitter), {broken},
                              [&](auto answers) { promise.set_value(std::move(answers)); });
    return Engine::Value(promise.get_future().get()).front();
  };
  EXPECT_EQ(submit({.user_id = "bob"}).refusal.rejection, Rejection::kEnergyInvalid);
  EXPECT_EQ(engine_.Facts<domain::MeterReadingValidationFailed>().size(), 0U);
  EXPECT_EQ(submit({.user_id = "alice"}).refusal.rejection, Rejection::kEnergyInvalid);
  EXPECT_EQ(engine_.Facts<domain::MeterReadingValidationFailed>().size(), 1U);
}

TEST_F(PipelineTest, ASentinelIsAcceptedAndWaitsForAPerson) {
  const Answer answer = SubmitOne(engine_.Hour("M1", 3, "65.535"));
  EXPECT_EQ(answer.outcome, Outcome::kAccepted);
  EXPECT_EQ(answer.mint_state, MintState::kParked);
  EXPECT_THAT(answer.refusal.message, testing::StartsWith("QUARANTINE_SENTINEL: "));
  const auto task = Engine::Value(engine_.queries().FindTask(answer.reading_id->row()));
  ASSERT_TRUE(task);
  EXPECT_EQ(task->state, MintState::kParked);
  EXPECT_EQ(task->reason, answer.refusal.message);
  std::vector<std::string> story;
  for (const auto& event : engine_.Events()) story.emplace_back(Name(TypeOf(event.fact)));
  EXPECT_THAT(story, testing::ElementsAre("MeterChanged", "MeterChanged", "MeterReadingReceived",
                                          "TaskCreated", "TaskStatusChanged"));
  EXPECT_EQ(engine_.Facts<domain::MeterReadingReceived>()[0].mint_state, MintState::kParked);
  const auto change = engine_.Facts<domain::TaskStatusChanged>()[0];
  EXPECT_EQ(change.old_state, MintState::kPending);
  EXPECT_EQ(change.new_state, MintState::kParked);
  EXPECT_EQ(change.reason, task->reason);
  EXPECT_EQ(engine_.pipeline().counters().quarantined, 1);
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 3, "65.535")).mint_state, MintState::kParked)
      << "a repetition is answered as it is";
  EXPECT_EQ(engine_.Facts<domain::TaskCreated>().size(), 1U);
}

TEST_F(PipelineTest, WhatIsNotMintedNeedsNoQuarantine) {
  Reading consumed = engine_.Hour("M1", 4, "65.535");
  consumed.channel = domain::Channel::kConsumption;
  Reading estimated = engine_.Hour("M1", 5, "65.535");
  estimated.quality = domain::Quality::kEstimated;
  for (const Answer& answer : engine_.Submit({consumed, estimated})) {
    EXPECT_EQ(answer.mint_state, MintState::kNotApplicable);
  }
}

// Hours of 0.5 kWh, which end `hours_ago` hours ago, for as many days.
std::vector<Reading> Days(Engine& engine, int days, int hours_ago) {
  std::vector<Reading> readings;
  for (int hour = 24 * days; hour > 0; --hour) {
    readings.push_back(engine.Hour("M1", hours_ago + hour - 1, "0.5"));
  }
  return readings;
}

TEST_F(PipelineTest, AJumpIsMeasuredByWhatTheMeterHasShown) {
  ASSERT_EQ(SubmitOne(engine_.Hour("M1", 100, "40")).mint_state, MintState::kPending)
      << "the first reading of a meter has nothing to jump from";
  engine_.Submit(Days(engine_, 3, 10));
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 9, "90")).mint_state, MintState::kPending)
      << "40 kW have been there";
  Engine fresh;
  fresh.Register("M1", "alice");
  fresh.Submit(Days(fresh, 3, 10));
  const Answer jump = fresh.Submit({fresh.Hour("M1", 9, "5.000000001")}).front();
  EXPECT_EQ(jump.mint_state, MintState::kParked);
  EXPECT_THAT(jump.refusal.message, testing::StartsWith("QUARANTINE_JUMP: "));
  EXPECT_EQ(fresh.Submit({fresh.Hour("M1", 8, "5")}).front().mint_state, MintState::kPending)
      << "what is in quarantine is no measure";
  fresh.Close();
  fresh.Open();
  EXPECT_EQ(fresh.Submit({fresh.Hour("M1", 7, "50.1")}).front().mint_state, MintState::kParked)
      << "the peak is durable";
  EXPECT_EQ(fresh.Submit({fresh.Hour("M1", 6, "50")}).front().mint_state, MintState::kPending);
}

TEST_F(PipelineTest, AReleasedJumpRaisesTheMeasure) {
  engine_.Submit(Days(engine_, 3, 10));
  const Answer jump = SubmitOne(engine_.Hour("M1", 9, "60"));
  ASSERT_EQ(jump.mint_state, MintState::kParked);
  std::promise<absl::StatusOr<domain::MintTask>> released;
  engine_.minter().Retry(jump.reading_id->row(),
                         [&](auto task) { released.set_value(std::move(task)); });
  ASSERT_THAT(released.get_future().get(), IsOk());
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 8, "60")).mint_state, MintState::kPending)
      << "a plant that has grown is let out once";
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 7, "1")).mint_state, MintState::kPending);
  engine_.Close();
  engine_.Open();
  EXPECT_EQ(SubmitOne(engine_.Hour("M1", 6, "99")).mint_state, MintState::kPending);
}

TEST_F(PipelineTest, CountsWhatBecameOfReadings) {
  engine_.Submit(
      {engine_.Hour("M1", 3, "1"), engine_.Hour("M1", 3, "1"), engine_.Hour("M9", 3, "1")});
  const IngestCounters& counters = engine_.pipeline().counters();
  EXPECT_EQ(counters.accepted, 1);
  EXPECT_EQ(counters.existed, 1);
  EXPECT_EQ(counters.rejected[static_cast<int>(Rejection::kMeterUnknown)], 1);
}

TEST_F(PipelineTest, AfterTheStopNothingIsAcceptedAndTheOutcomeIsSaid) {
  engine_.queue().Stop();
  EXPECT_THAT(engine_.TrySubmit({.any_meter = true}, {engine_.Hour("M1", 3, "1")}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
}

// The short cut over memory must never differ from asking the database: the same random readings to
// an engine that runs through and to one that is restarted again and again.
TEST_F(PipelineTest, MemoryNeverChangesAnAnswer) {
  Engine forgetful;
  forgetful.Register("M1", "alice");
  std::mt19937 draw(20261121);
  for (int i = 0; i < 600; ++i) {
    Reading reading = engine_.Hour("M1", 0, std::to_string(1 + draw() % 3));
    reading.start = engine_.clock().Now() - minutes(5 * (draw() % 400));
    reading.length = minutes(draw() % 4 == 0 ? 0 : 5 * (1 + draw() % 6));
    reading.start -= reading.length;
    if (i % 20 == 19) {
      forgetful.Close();
      forgetful.Open();
    }
    const Answer expected = forgetful.Submit({reading}).front();
    const Answer answer = SubmitOne(reading);
    ASSERT_EQ(answer.outcome, expected.outcome) << "reading " << i;
    ASSERT_EQ(answer.refusal.rejection, expected.refusal.rejection) << "reading " << i;
  }
}

}  // namespace
}  // namespace wattmint::ingest
