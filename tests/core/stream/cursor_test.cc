// SPDX-License-Identifier: Apache-2.0
#include "core/stream/cursor.h"

#include "core/access/reason.h"
#include "core/stream/interest.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::stream {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::Eq;
using testing::HasSubstr;

CursorSigner::Key KeyOf(std::uint8_t byte) {
  CursorSigner::Key key;
  key.fill(byte);
  return key;
}

const Cursor kCursor{"0190163d-8694-7abc-8000-000000000001", 1'234'567, 0xfeedULL, "user:alice"};

TEST(CursorTest, ComesBackFromItsText) {
  const CursorSigner signer(KeyOf(1));
  EXPECT_THAT(signer.Decode(signer.Encode(kCursor)), IsOkAndHolds(Eq(kCursor)));
  const Cursor empty{"", 0, 0, ""};
  EXPECT_THAT(signer.Decode(signer.Encode(empty)), IsOkAndHolds(Eq(empty)));
}

TEST(CursorTest, NobodyElseCanMakeOne) {
  const CursorSigner signer(KeyOf(1));
  const std::string theirs = CursorSigner(KeyOf(2)).Encode(kCursor);
  EXPECT_THAT(signer.Decode(theirs), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CursorTest, AnyChangedCharacterIsRefused) {
  const CursorSigner signer(KeyOf(1));
  const std::string text = signer.Encode(kCursor);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(signer.Decode(changed), StatusIs(absl::StatusCode::kInvalidArgument)) << i;
  }
}

TEST(CursorTest, RefusesTextThatIsNone) {
  const CursorSigner signer(KeyOf(1));
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("===="), std::string(10'000, 'A')}) {
    EXPECT_THAT(signer.Decode(text), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(ResumeTest, GoesOnBehindTheLaterOfCursorAndLastSequence) {
  EXPECT_THAT(ResumeAfter({"e", 10, 1, "all"}, {"e", 0, 1, "all"}, 0, 20), IsOkAndHolds(10));
  EXPECT_THAT(ResumeAfter({"e", 10, 1, "all"}, {"e", 0, 1, "all"}, 15, 20), IsOkAndHolds(15));
  EXPECT_THAT(ResumeAfter({"e", 10, 1, "all"}, {"e", 0, 1, "all"}, 20, 20), IsOkAndHolds(20));
}

TEST(ResumeTest, RefusesASequenceThatIsNotInTheLog) {
  EXPECT_THAT(ResumeAfter({"e", 10, 1, "all"}, {"e", 0, 1, "all"}, 21, 20),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("21")));
  EXPECT_THAT(ResumeAfter({"e", 10, 1, "all"}, {"e", 0, 1, "all"}, -1, 20),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ResumeAfter({"e", 30, 1, "all"}, {"e", 0, 1, "all"}, 0, 20),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ResumeTest, NamesWhatTheCursorIsNotFor) {
  const Cursor expected{"e", 0, 1, "user:alice"};
  const std::vector<std::pair<Cursor, std::string>> cases = {
      {{"old", 1, 1, "user:alice"}, "EPOCH_CHANGED"},
      {{"e", 1, 2, "user:alice"}, "FILTER_CHANGED"},
      {{"e", 1, 1, "user:bob"}, "SCOPE_CHANGED"},
  };
  for (const auto& [cursor, reason] : cases) {
    const auto after = ResumeAfter(cursor, expected, 0, 20);
    EXPECT_THAT(after, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_EQ(access::ReasonOf(after.status()), reason);
  }
}

TEST(ScopeNameTest, TellsScopesApart) {
  using Reach = access::EventScope::Reach;
  EXPECT_EQ(ScopeName({Reach::kEverything, ""}), "all");
  EXPECT_EQ(ScopeName({Reach::kOwn, "alice"}), "user:alice");
  EXPECT_EQ(ScopeName({Reach::kPublic, ""}), "public");
}

}  // namespace
}  // namespace wattmint::stream
