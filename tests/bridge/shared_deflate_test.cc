// SPDX-License-Identifier: Apache-2.0
#include "bridge/shared_deflate.h"

#include "bridge/deflate_offer.h"
#include "tests/bridge/deflate_peer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::bridge {
namespace {

constexpr std::size_t kBytesMin = 100;
constexpr ByForm<std::size_t> kEachForm = {1, 1, 1, 1};

bool IsCompressed(const SharedFrame& frame) { return ((*frame)[0] & 0x40) != 0; }

// As one of the bridge's own.
std::string Event(int number, std::mt19937& random) {
  return fmt::format(
      R"({{"type":"MeterReadingReceived","seq":{},"timestamp":"2026-01-05T10:15:00.{:06}Z","data":)"
      R"({{"user_id":"u","meter_id":"AUS-{}","kwh_amount":{},"timestamp":"2026-01-05T10:00:00Z",)"
      R"("interval_seconds":900,"quality":"actual","channel":"generation"}}}})",
      1'000 + number, random() % 1'000'000, random() % 1'000, random() % 10'000);
}

std::vector<SharedFrame> Frames(const std::vector<std::string>& messages) {
  std::vector<SharedFrame> frames;
  for (const std::string& message : messages) frames.push_back(FrameText(message));
  return frames;
}

// A member of a group, with what it inflates.
class Member {
 public:
  explicit Member(Form form) : form_(form) {}

  Form form() const { return form_; }

  void Take(const ByForm<FormedFrames>& formed, const std::vector<std::string>& expected) {
    const FormedFrames& mine = formed[IndexOf(form_)];
    ASSERT_EQ(mine.frames.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(Read(mine.frames[i]) == expected[i]) << "as form " << IndexOf(form_);
    }
    if (form_ == Form::kJoining && mine.compressed_count > 0) form_ = Form::kInStep;
  }

 private:
  std::string Read(const SharedFrame& frame) {
    if (!IsCompressed(frame)) return std::string(PayloadOf(frame));
    if (form_ == Form::kAlone) inflate_.Forget();
    return inflate_.Inflate(std::string(PayloadOf(frame)));
  }

  Form form_;
  test::InflateStream inflate_{kDeflateWindowBits};
};

class SharedDeflateTest : public testing::Test {
 protected:
  FrameDeflater deflater_;
  SharedDeflate deflate_{deflater_, kBytesMin};
  std::mt19937 random_{20'261'127};
};

TEST_F(SharedDeflateTest, DeflatesMessagesOfEverySize) {
  const std::string context(kContextBytesMax, 'c');
  for (const std::size_t size : {1u, 2u, 125u, 126u, 4'096u, 65'535u, 65'536u, 300'000u}) {
    std::string message;
    while (message.size() < size) message += static_cast<char>(random_());
    for (const SharedFrame& plain : {FrameText(message), FrameBinary(message)}) {
      const SharedFrame frame = deflater_.Deflate(plain, context);
      EXPECT_EQ((*frame)[0] & 0xf, (*plain)[0] & 0xf);
      EXPECT_TRUE(IsCompressed(frame));
      test::InflateStream inflate(kDeflateWindowBits);
      EXPECT_EQ(inflate.Inflate(std::string(PayloadOf(deflater_.Deflate(FrameText(context), "")))),
                context);
      EXPECT_TRUE(inflate.Inflate(std::string(PayloadOf(frame))) == message) << size;
    }
  }
}

TEST_F(SharedDeflateTest, MakesEventsSmallForWhoIsInStep) {
  constexpr ByForm<std::size_t> kInStepAlone = {0, 0, 0, 1'000};
  deflate_.Make(Frames({Event(0, random_)}), {0, 0, 1'000, 0});
  std::int64_t before = 0;
  std::int64_t after = 0;
  for (int i = 1; i <= 1'000; ++i) {
    const auto formed = deflate_.Make(Frames({Event(i, random_)}), kInStepAlone);
    before += formed[IndexOf(Form::kInStep)].bytes_before;
    after += formed[IndexOf(Form::kInStep)].bytes_after;
  }
  EXPECT_GT(before / 1'000, 230);
  EXPECT_LE(after / 1'000, 40) << "the goal of a message";
}

TEST_F(SharedDeflateTest, MakesOnlyWhatHasTakers) {
  const auto formed = deflate_.Make(Frames({Event(0, random_)}), {5, 0, 0, 0});
  EXPECT_EQ(formed[IndexOf(Form::kPlain)].frames.size(), 1u);
  for (const Form form : {Form::kAlone, Form::kJoining, Form::kInStep}) {
    EXPECT_TRUE(formed[IndexOf(form)].frames.empty());
  }
}

TEST_F(SharedDeflateTest, LeavesSmallAndEmptyMessagesAsTheyAre) {
  SharedDeflate eager(deflater_, 0);
  for (const FormedFrames& one : eager.Make(Frames({""}), kEachForm)) {
    EXPECT_EQ(one.compressed_count, 0);
  }
  const auto formed = deflate_.Make(
      Frames({std::string(kBytesMin - 1, 'x'), std::string(kBytesMin, 'x')}), kEachForm);
  for (const Form form : {Form::kAlone, Form::kJoining, Form::kInStep}) {
    const auto& frames = formed[IndexOf(form)].frames;
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_FALSE(IsCompressed(frames[0]));
    EXPECT_TRUE(IsCompressed(frames[1]));
  }
}

TEST_F(SharedDeflateTest, WhoJoinsNeedsNothingAndSlowsNobodyDown) {
  Member old_one(Form::kJoining);
  Member new_one(Form::kJoining);
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < 4; ++i) {
    const std::vector<std::string> event = {Event(i, random_)};
    const bool joins = i == 2;
    const std::size_t joining = joins || i == 0 ? 1 : 0;
    const auto formed = deflate_.Make(Frames(event), {0, 0, joining, i > 0 ? 1u : 0u});
    sizes.push_back(formed[IndexOf(old_one.form())].bytes_after);
    old_one.Take(formed, event);
    if (i >= 2) new_one.Take(formed, event);
  }
  EXPECT_GT(sizes[0], 2 * sizes[1]);
  EXPECT_LT(sizes[2], 60) << "while the other joined";
  EXPECT_LT(sizes[3], 60);
}

TEST_F(SharedDeflateTest, EveryMemberInflatesExactlyWhatWasSentWhoeverComesAndGoes) {
  constexpr int kRounds = 3'000;
  std::vector<std::unique_ptr<Member>> members;
  for (int round = 0; round < kRounds; ++round) {
    const auto chance = [&](unsigned percent) { return random_() % 100 < percent; };
    while (chance(30)) {
      members.push_back(std::make_unique<Member>(static_cast<Form>(random_() % 3)));
    }
    std::vector<std::string> page;
    do {
      page.push_back(chance(80)   ? Event(round, random_)
                     : chance(50) ? std::string(random_() % 90, 'x')
                                  : std::string(random_() % 9'000, static_cast<char>(random_())));
    } while (chance(30));
    ByForm<std::size_t> takers{};
    for (const auto& member : members) ++takers[IndexOf(member->form())];
    const auto formed = deflate_.Make(Frames(page), takers);
    for (auto& member : members) {
      // One that is stalled leaves; one that had a part already gets the rest plain, and still has
      // to join.
      if (chance(5)) {
        member.reset();
      } else if (member->form() == Form::kInStep || chance(80)) {
        member->Take(formed, page);
        if (HasFatalFailure()) return;
      }
    }
    std::erase(members, nullptr);
    if (members.size() > 40) members.erase(members.begin(), members.begin() + 30);
  }
}

}  // namespace
}  // namespace wattmint::bridge
