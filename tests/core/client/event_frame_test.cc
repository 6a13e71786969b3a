// SPDX-License-Identifier: Apache-2.0
#include "core/client/event_frame.h"

#include "core/wire/event_codec.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::client {
namespace {

using test::IsOk;
using test::StatusIs;

std::string Batch(std::initializer_list<std::int64_t> sequences) {
  v1::SubscribeResponse message;
  for (const std::int64_t sequence : sequences) {
    v1::Event& event = *message.mutable_batch()->add_events();
    event.set_sequence(sequence);
    event.mutable_minting_switched()->set_reason("reason " + std::to_string(sequence));
  }
  return message.SerializeAsString();
}

TEST(EventFrameTest, EventsComeWithSequenceAndPayload) {
  const std::string bytes = Batch({7, 9});
  const auto frame = ParseEventFrame(bytes);
  ASSERT_THAT(frame, IsOk());
  ASSERT_EQ(frame->events.size(), 2u);
  EXPECT_EQ(frame->events[0].sequence, 7);
  EXPECT_EQ(frame->events[1].sequence, 9);
  v1::Event payload;
  ASSERT_TRUE(payload.ParseFromString(std::string(frame->events[1].payload)));
  EXPECT_EQ(payload.sequence(), 0);
  EXPECT_EQ(payload.minting_switched().reason(), "reason 9");
}

TEST(EventFrameTest, TheBytesOfTheServerAreUnderstood) {
  std::string run;
  wire::AppendEventField(
      300, wire::EncodePayload(domain::Time(), domain::MintingSwitched{true, ""}), run);
  std::string bytes = "\x12";
  bytes += static_cast<char>(run.size());
  bytes += run;
  const auto frame = ParseEventFrame(bytes);
  ASSERT_THAT(frame, IsOk());
  ASSERT_EQ(frame->events.size(), 1u);
  EXPECT_EQ(frame->events[0].sequence, 300);
}

TEST(EventFrameTest, OtherMessagesAreMessages) {
  v1::SubscribeResponse message;
  message.mutable_heartbeat()->set_cursor("c");
  const std::string bytes = message.SerializeAsString();
  const auto frame = ParseEventFrame(bytes);
  ASSERT_THAT(frame, IsOk());
  EXPECT_TRUE(frame->events.empty());
  EXPECT_EQ(frame->control.heartbeat().cursor(), "c");
}

TEST(EventFrameTest, NothingIsAnEmptyMessage) {
  const auto frame = ParseEventFrame("");
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->control.message_case(), v1::SubscribeResponse::MESSAGE_NOT_SET);
}

TEST(EventFrameTest, EveryCutBatchIsRefused) {
  const std::string bytes = Batch({7, 9});
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseEventFrame(std::string_view(bytes).substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST(EventFrameTest, EventsThatDoNotAscendAreRefused) {
  EXPECT_THAT(ParseEventFrame(Batch({9, 9})), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ParseEventFrame(Batch({9, 8})), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(EventFrameTest, AnEventWithoutSequenceIsRefused) {
  v1::SubscribeResponse message;
  message.mutable_batch()->add_events()->mutable_minting_switched();
  EXPECT_THAT(ParseEventFrame(message.SerializeAsString()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(EventFrameTest, RubbishIsRefused) {
  EXPECT_THAT(ParseEventFrame("\xff\xff\xff"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ParseEventFrame(std::string(20, '\xff')), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace wattmint::client
