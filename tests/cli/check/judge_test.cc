// SPDX-License-Identifier: Apache-2.0
// Every way in which a server can break a promise is planted here, and found.
#include "cli/check/judge.h"

#include "tests/cli/check/violations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace wattmint::check {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int16_t kAnn = 0;
constexpr std::int16_t kBob = 1;
constexpr std::uint16_t kReceived = 10;
constexpr std::uint16_t kCreated = 14;
constexpr std::int64_t kFirst = 101;

std::uint64_t Grpc(std::int64_t sequence) { return static_cast<std::uint64_t>(sequence) * 2; }
std::uint64_t Json(std::int64_t sequence) { return static_cast<std::uint64_t>(sequence) * 2 + 1; }

// The log has events 101 to 112: Ann's with even sequences, Bob's with odd ones; their types take
// turns in pairs: 101 and 102 were received, 103 and 104 are tasks, ...
class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    for (int i = 0; i < 12; ++i) Append();
  }
  void Append() {
    const std::int64_t sequence = log_.head() + 1;
    const std::int16_t user = sequence % 2 == 0 ? kAnn : kBob;
    const std::uint16_t type = (sequence - kFirst) / 2 % 2 == 0 ? kReceived : kCreated;
    log_.Append({Grpc(sequence), Json(sequence), type, user, user});
  }
  Judge Make(Interest interest = {}, std::int64_t after = kFirst - 1) {
    Judge judge("subscriber", std::move(interest), log_, violations_);
    judge.OnBegin(after);
    return judge;
  }
  static void Send(Judge& judge, std::initializer_list<std::int64_t> sequences) {
    std::vector<Judge::Received> events;
    for (const std::int64_t sequence : sequences) events.push_back({sequence, Grpc(sequence)});
    judge.OnEvents(events);
  }
  std::vector<std::string> Found() { return violations_.Take(); }

  ReferenceLog log_{kFirst};
  Violations violations_;
};

TEST_F(JudgeTest, WhatIsForEverybodyComesToEverybodyButWhoAskedForTheirOwn) {
  constexpr std::uint16_t kAlert = 23;
  log_.Append({Grpc(113), Json(113), kAlert, LogEntry::kEverybody, LogEntry::kOther});
  Judge ann = Make({.user = kAnn}, 111);
  Send(ann, {112, 113});
  EXPECT_THAT(Found(), IsEmpty());
  Judge missed = Make({.user = kBob}, 112);
  missed.OnHeartbeat(113, 113, "cursor");
  EXPECT_THAT(Found(), testing::SizeIs(1));
  Judge own = Make({.user = kBob, .is_own_only = true}, 112);
  own.OnHeartbeat(113, 113, "cursor");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(JudgeTest, WhatIsRightIsRight) {
  Judge judge = Make();
  Send(judge, {101, 102, 103});
  EXPECT_FALSE(judge.HasAll(112));
  judge.OnCaughtUp();
  Send(judge, {104, 105, 106, 107, 108, 109, 110, 111, 112});
  judge.OnHeartbeat(112, 112, "c");
  EXPECT_TRUE(judge.HasAll(112));
  judge.Finish(112);
  EXPECT_EQ(judge.delivered(), 12);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(JudgeTest, AStreamMayBeginAnywhere) {
  Judge judge = Make({}, 110);
  Send(judge, {111, 112});
  judge.Finish(112);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(JudgeTest, OnlyWhatIsTheirsAndAskedForIsDue) {
  Judge judge = Make({.user = kAnn, .meters = {}, .types = {kCreated}});
  Send(judge, {104, 108, 112});
  EXPECT_TRUE(judge.HasAll(112));
  judge.Finish(112);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(JudgeTest, AMissingEventIsFoundWhenTheNextOneComes) {
  Judge judge = Make();
  Send(judge, {101, 103});
  EXPECT_THAT(Found(), ElementsAre("reliable 102"));
}

TEST_F(JudgeTest, MissingEventsOfOnePlaceAreFoundOnce) {
  Judge judge = Make();
  Send(judge, {101, 107, 109});
  EXPECT_THAT(Found(), ElementsAre("reliable 102", "reliable 108"));
}

TEST_F(JudgeTest, AMissingEventIsFoundWhenAHeartbeatPassesIt) {
  Judge judge = Make();
  Send(judge, {101});
  judge.OnHeartbeat(112, 102, "c");
  EXPECT_THAT(Found(), ElementsAre("reliable 102"));
}

TEST_F(JudgeTest, AMissingEventIsFoundAtTheEnd) {
  Judge judge = Make({.user = kAnn, .meters = {}, .types = {}});
  Send(judge, {102, 104, 106, 108, 110});
  EXPECT_TRUE(judge.HasAll(111));
  EXPECT_FALSE(judge.HasAll(112));
  judge.Finish(112);
  EXPECT_THAT(Found(), ElementsAre("reliable 112"));
}

TEST_F(JudgeTest, AnEventThatTheLogLacksIsFound) {
  Judge judge = Make({}, 111);
  Send(judge, {112, 113});
  EXPECT_THAT(Found(), ElementsAre("reliable 113"));
}

TEST_F(JudgeTest, AnEventWithAnotherContentIsFound) {
  Judge judge = Make();
  judge.OnEvents(std::vector<Judge::Received>{{101, Grpc(102)}});
  EXPECT_THAT(Found(), ElementsAre("reliable 101"));
}

TEST_F(JudgeTest, EachEncodingHasItsOwnContent) {
  Judge judge = Make({.encoding = Interest::Encoding::kJson});
  judge.OnEvents(std::vector<Judge::Received>{{101, Json(101)}, {102, Grpc(102)}});
  EXPECT_THAT(Found(), ElementsAre("reliable 102"));
}

TEST_F(JudgeTest, AnEventThatComesLateIsOutOfOrder) {
  Judge judge = Make();
  Send(judge, {102, 101, 103});
  EXPECT_THAT(Found(), ElementsAre("reliable 101", "ordered 101"));
  Send(judge, {101});
  EXPECT_THAT(Found(), ElementsAre("unique 101"));
}

TEST_F(JudgeTest, AnEventThatComesTwiceIsFound) {
  Judge judge = Make();
  Send(judge, {101, 102, 102, 103, 101});
  EXPECT_THAT(Found(), ElementsAre("unique 102", "unique 101"));
}

TEST_F(JudgeTest, AnEventThatComesAgainAfterAResumptionIsFound) {
  Judge judge = Make();
  Send(judge, {101, 102});
  judge.OnResumed();
  Send(judge, {102, 103});
  EXPECT_THAT(Found(), ElementsAre("unique 102"));
}

TEST_F(JudgeTest, AnEventThatIsLostInAResumptionIsFound) {
  Judge judge = Make();
  Send(judge, {101, 102});
  judge.OnResumed();
  Send(judge, {104, 106});
  EXPECT_THAT(Found(), ElementsAre("resumable 103", "reliable 105"));
}

TEST_F(JudgeTest, AnEventThatIsLostInAResumptionIsFoundByAHeartbeat) {
  Judge judge = Make();
  Send(judge, {101, 102});
  judge.OnResumed();
  judge.OnHeartbeat(112, 103, "c");
  EXPECT_THAT(Found(), ElementsAre("resumable 103"));
}

TEST_F(JudgeTest, ARefusedResumptionIsFound) {
  Judge judge = Make();
  Send(judge, {101});
  judge.OnRefused("FAILED_PRECONDITION");
  EXPECT_THAT(Found(), ElementsAre("resumable 101"));
}

TEST_F(JudgeTest, AnEventFromBeforeTheBeginningIsFound) {
  Judge judge = Make({}, 105);
  Send(judge, {105, 106});
  EXPECT_THAT(Found(), ElementsAre("resumable 105"));
}

TEST_F(JudgeTest, AnEventOfSomebodyElseIsFound) {
  Judge judge = Make({.user = kAnn, .meters = {}, .types = {}});
  Send(judge, {102, 103, 104});
  EXPECT_THAT(Found(), ElementsAre("private 103"));
  Send(judge, {101});
  EXPECT_THAT(Found(), ElementsAre("private 101")) << "also when it is late";
  Send(judge, {7});
  EXPECT_THAT(Found(), ElementsAre("private 7")) << "also from before the check";
}

TEST_F(JudgeTest, AnEventForAdminsIsForNobodyElse) {
  log_.Append({Grpc(113), Json(113), kReceived, LogEntry::kOther, LogEntry::kOther});
  Judge admin = Make({}, 112);
  Send(admin, {113});
  EXPECT_THAT(Found(), IsEmpty());
  Judge user = Make({.user = kAnn, .meters = {}, .types = {}}, 112);
  Send(user, {113});
  EXPECT_THAT(Found(), ElementsAre("private 113"));
}

TEST_F(JudgeTest, AnEventThatTheFilterExcludesIsFound) {
  Judge types = Make({.user = std::nullopt, .meters = {}, .types = {kCreated}});
  Send(types, {103, 104, 105});
  EXPECT_THAT(Found(), ElementsAre("private 105"));
  Judge meters = Make({.user = std::nullopt, .meters = {kBob}, .types = {}});
  Send(meters, {101, 102});
  EXPECT_THAT(Found(), ElementsAre("private 102"));
}

TEST_F(JudgeTest, AnEventOfALaterVersionIsLetThrough) {
  log_.Append({1, 2, 0, LogEntry::kOther, LogEntry::kOther});
  Judge judge = Make({.user = kAnn, .meters = {}, .types = {}}, 112);
  EXPECT_TRUE(judge.HasAll(113));
  Send(judge, {113});
  EXPECT_THAT(Found(), IsEmpty());
}

class BookmarkTest : public JudgeTest {
 protected:
  // Nothing in the log is for this one.
  Judge MakeQuiet() {
    Judge judge = Make({.user = kAnn, .meters = {kBob}, .types = {}});
    judge.OnCaughtUp();
    return judge;
  }
};

TEST_F(BookmarkTest, AQuietStreamMovesOn) {
  Judge judge = MakeQuiet();
  EXPECT_EQ(judge.bookmark(), std::nullopt);
  judge.OnHeartbeat(104, 104, "a");
  judge.OnHeartbeat(104, 104, "a");
  judge.OnHeartbeat(112, 112, "b");
  EXPECT_EQ(judge.bookmark(), 112);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(BookmarkTest, AQuietStreamThatStandsStillIsFound) {
  Judge judge = MakeQuiet();
  for (int i = 0; i < 4; ++i) judge.OnHeartbeat(112, 104, "a");
  EXPECT_THAT(Found(), ElementsAre("bookmarkable 104")) << "once";
}

TEST_F(BookmarkTest, AStreamThatStandsStillWithinHistoryIsBusy) {
  Judge judge = MakeQuiet();
  judge.OnFellBehind();
  for (int i = 0; i < 4; ++i) judge.OnHeartbeat(112, 104, "a");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(BookmarkTest, AStreamThatHasSomethingToDeliverIsNotQuiet) {
  Judge judge = Make({.user = kAnn, .meters = {}, .types = {}});
  judge.OnCaughtUp();
  Send(judge, {102, 104});
  for (int i = 0; i < 4; ++i) judge.OnHeartbeat(112, 104, "a");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(BookmarkTest, ACursorThatGoesBackIsFound) {
  Judge judge = MakeQuiet();
  judge.OnHeartbeat(112, 112, "b");
  judge.OnHeartbeat(112, 111, "a");
  EXPECT_THAT(Found(), ElementsAre("bookmarkable 111"));
}

TEST_F(BookmarkTest, ACursorThatStaysIsFound) {
  Judge judge = MakeQuiet();
  judge.OnHeartbeat(104, 104, "a");
  judge.OnHeartbeat(112, 112, "a");
  EXPECT_THAT(Found(), ElementsAre("bookmarkable 112"));
}

TEST_F(BookmarkTest, AMissingCursorIsFound) {
  Judge judge = MakeQuiet();
  judge.OnHeartbeat(104, 104, "");
  EXPECT_THAT(Found(), ElementsAre("bookmarkable 104"));
}

TEST_F(BookmarkTest, ABookmarkAloneIsAPlaceToGoOnFrom) {
  Judge judge = Make();
  Send(judge, {101, 102});
  judge.OnHeartbeat(104, 102, "a");
  Send(judge, {103, 104});
  judge.OnResumedAtBookmark();
  Send(judge, {103, 104, 105});
  EXPECT_THAT(Found(), IsEmpty());
  judge.OnResumedAtBookmark();
  Send(judge, {104});
  EXPECT_THAT(Found(), ElementsAre("resumable 103"));
  judge.OnResumedAtBookmark();
  Send(judge, {102});
  EXPECT_THAT(Found(), ElementsAre("unique 102"));
}

}  // namespace
}  // namespace wattmint::check
