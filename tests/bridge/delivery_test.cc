// SPDX-License-Identifier: Apache-2.0
#include "bridge/delivery.h"

#include "tests/bridge/session_bench.h"
#include "wattmint/v1/event.pb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Client = SessionBench::Client;
using Where = SessionBench::Where;

constexpr std::chrono::milliseconds kTick{250};

class DeliveryTest : public testing::Test {
 protected:
  std::unique_ptr<Client> Open(const Delivery& delivery, const std::string& start = "now") {
    auto client = bench_.Open(SessionBench::Principal("u"), {.delivery = delivery});
    client->session->OnText(R"({"type":"Subscribe","data":{"event_types":[],"start":")" + start +
                            "\"}}");
    client->connection.Take();
    return client;
  }
  void Append(int count, Where where = Where::kTail) {
    for (int i = 0; i < count; ++i) bench_.Append(SessionBench::Minted("u", "m"), where);
  }
  // How many events each frame of events holds that has come. They follow each other.
  std::vector<std::size_t> Take(Client& client) {
    std::vector<std::size_t> sizes;
    for (const json& frame : client.connection.Take()) {
      if (!frame.is_array()) continue;
      sizes.push_back(frame.size());
      for (const json& event : frame) EXPECT_EQ(event["seq"], ++sequence_);
    }
    return sizes;
  }
  // The same, once everything is there.
  std::vector<std::size_t> TakeAll(Client& client) {
    std::vector<std::size_t> sizes;
    bench_.RunUntil([&] {
      for (const std::size_t size : Take(client)) sizes.push_back(size);
      return sequence_ == bench_.upstream.head_sequence;
    });
    return sizes;
  }

  SessionBench bench_;
  std::int64_t sequence_ = 0;  // of the last event that has come
};

TEST_F(DeliveryTest, JoinsWhatIsThereAtOnce) {
  const auto client = Open({.in_batches = true});
  Append(3);
  EXPECT_THAT(TakeAll(*client), ElementsAre(3u));
  Append(1);
  EXPECT_THAT(TakeAll(*client), ElementsAre(1u)) << "one alone is an array as well";
  EXPECT_EQ(bench_.counters.events_sent, 4);
}

TEST_F(DeliveryTest, JoinsHistoryPageByPage) {
  Append(200, Where::kCoreOnly);
  const auto client = Open({.in_batches = true}, "beginning");
  EXPECT_THAT(TakeAll(*client), ElementsAre(128u, 72u));
}

TEST_F(DeliveryTest, JoinsTheCoresBytes) {
  const auto client = Open({.encoding = Encoding::kProto, .in_batches = true});
  Append(2);
  json frame;
  bench_.RunUntil([&] {
    for (const json& message : client->connection.Take()) frame = message;
    return frame.is_binary();
  });
  const json::binary_t& bytes = frame.get_binary();
  v1::EventBatch batch;
  ASSERT_TRUE(batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  ASSERT_EQ(batch.events_size(), 2);
  EXPECT_EQ(batch.events(1).sequence(), 2);
  EXPECT_EQ(batch.events(1).tokens_minted().user_id(), "u");
}

TEST_F(DeliveryTest, WaitsForTheIntervalButNotBeforeTheFirst) {
  const auto client = Open({.in_batches = true, .interval = 4 * kTick});
  Append(1);
  EXPECT_THAT(TakeAll(*client), ElementsAre(1u)) << "nothing went before";
  Append(2);
  bench_.RunUntilWoken();
  bench_.Pass(3 * kTick);
  Append(1);
  client->session->Pump();
  EXPECT_THAT(Take(*client), IsEmpty());
  bench_.Pass(kTick);
  EXPECT_THAT(Take(*client), ElementsAre(3u));
  bench_.Pass(8 * kTick);
  Append(1);
  EXPECT_THAT(TakeAll(*client), ElementsAre(1u)) << "the interval was long over";
}

TEST_F(DeliveryTest, KeepsNoIntervalWithinWhatIsThereAtOnce) {
  const auto client = Open({.in_batches = true, .interval = 4 * kTick});
  Append(1'000);
  EXPECT_EQ(TakeAll(*client).size(), 8u) << "pages of 128 events";
}

// As when thousands are served, and events come faster than that.
TEST_F(DeliveryTest, KeepsTheIntervalWhileEventsCome) {
  const auto client = Open({.in_batches = true, .interval = 4 * kTick});
  client->connection.on_send = [&] {
    if (bench_.upstream.head_sequence < 50) Append(1);
  };
  Append(1);
  bench_.RunUntilWoken();
  EXPECT_THAT(Take(*client), ElementsAre(1u));
  bench_.Pass(4 * kTick);
  EXPECT_THAT(Take(*client), ElementsAre(1u));
  client->connection.on_send = nullptr;
  Append(20);
  bench_.Pass(4 * kTick);
  EXPECT_THAT(Take(*client), ElementsAre(21u));
}

TEST_F(DeliveryTest, DoesNotWaitWhenTheLogGrowsFast) {
  const auto client = Open({.in_batches = true, .interval = std::chrono::minutes(1)});
  Append(1);
  TakeAll(*client);
  Append(8'192);
  bench_.Pass(kTick);
  EXPECT_THAT(Take(*client), IsEmpty());
  Append(1);
  bench_.Pass(kTick);
  EXPECT_EQ(TakeAll(*client).size(), 65u) << "pages of 128 events";
}

TEST_F(DeliveryTest, SendsWhatWaitsBeforeTheSubscriptionChanges) {
  for (const char* change : {R"({"type":"Unsubscribe"})",
                             R"({"type":"Subscribe","data":{"event_types":["TaskCreated"]}})",
                             R"({"type":"Subscribe","channels":["system"]})"}) {
    const auto client = Open({.in_batches = true, .interval = 4 * kTick});
    Append(1);
    TakeAll(*client);
    Append(2);
    bench_.RunUntilWoken();
    client->session->OnText(change);
    EXPECT_THAT(Take(*client), ElementsAre(2u)) << change;
  }
}

TEST_F(DeliveryTest, GoesOnAfterAChangeThatIsRefused) {
  const auto client = Open({.in_batches = true, .interval = 4 * kTick});
  client->session->OnText(R"({"type":"Subscribe","data":{"event_types":[],"resume":"wrong"}})");
  Append(1);
  EXPECT_THAT(TakeAll(*client), ElementsAre(1u));
}

// Whoever joins while a group waits gets nothing that was before it, and nothing twice.
TEST_F(DeliveryTest, JoinsAGroupThatWaits) {
  const Delivery delivery{.in_batches = true, .interval = 4 * kTick};
  const auto first = Open(delivery);
  Append(1);
  TakeAll(*first);
  Append(2);
  bench_.RunUntilWoken();
  const auto second = Open(delivery);
  EXPECT_EQ(bench_.hub.subscribers_count(), 1u);
  Append(1);
  bench_.Pass(4 * kTick);
  EXPECT_THAT(Take(*first), ElementsAre(3u));
  sequence_ = 3;
  EXPECT_THAT(Take(*second), ElementsAre(1u));
}

TEST_F(DeliveryTest, HandsOverFramesOfTheirOwnToWhoDoesNotKnowBatches) {
  const auto client = Open({.interval = 4 * kTick});
  Append(1);
  bench_.RunUntil([&] { return !client->connection.Take().empty(); });
  Append(2);
  bench_.RunUntilWoken();
  EXPECT_THAT(client->connection.Take(), IsEmpty());
  bench_.Pass(4 * kTick);
  const std::vector<json> frames = client->connection.Take();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0]["seq"], 2);
  EXPECT_EQ(frames[1]["seq"], 3);
}

TEST(JoinFrames, KeepsTheMessages) {
  const std::vector<SharedFrame> frames = {FrameText(R"({"a":1})"),
                                           FrameText("\"" + std::string(70'000, 'x') + "\"")};
  const json joined = json::parse(PayloadOf(JoinFrames(frames, Encoding::kFlat)));
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0]["a"], 1);
  EXPECT_EQ(joined[1], std::string(70'000, 'x'));
}

}  // namespace
}  // namespace wattmint::bridge
