// SPDX-License-Identifier: Apache-2.0
#include "tests/bridge/session_bench.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using Client = SessionBench::Client;
using Where = SessionBench::Where;

constexpr base::Duration kStep = std::chrono::milliseconds(250);

// A client and the events that it has had. Its inflater keeps what its connection has inflated.
struct Browser {
  std::unique_ptr<Client> client;
  std::int64_t sequence = 0;  // of the last event; 0: none yet
};

class CompressedSessionTest : public testing::Test {
 protected:
  Browser Open(Compression compression, const Delivery& delivery = {}) {
    Browser browser{bench_.Open(SessionBench::Principal("u"), {.delivery = delivery}, compression)};
    browser.client->connection.Take();
    Subscribe(browser);
    return browser;
  }
  static void Subscribe(Browser& browser) {
    browser.client->session->OnText(R"({"type":"Subscribe","data":{"event_types":[]}})");
  }
  void Append(Where where = Where::kTail) {
    const std::int64_t sequence = bench_.Append(
        SessionBench::Minted("u", fmt::format("m-{}", random_() % 100), 1 + random_() % 1'000),
        where);
    const auto stored = bench_.log.Read(sequence, 1, 1 << 20);
    ASSERT_TRUE(stored.ok());
    const std::string& payload = stored->front().payload;
    const auto frame =
        bench_.frames.Get({sequence, std::make_shared<const store::EventRecord::Body>(
                                         payload, *wire::DecodeAttributes(payload))},
                          Encoding::kJson);
    expected_[sequence] = json::parse(PayloadOf(*frame));
  }
  // Every event is what it has to be, and follows the one before.
  void Read(Browser& browser) {
    for (const json& frame : browser.client->connection.Take()) {
      const bool is_batch = frame.is_array();
      for (const json& message : is_batch ? frame : json::array({frame})) {
        if (message.contains("seq")) ReadEvent(browser, message);
      }
    }
  }
  void ReadEvent(Browser& browser, const json& message) {
    const std::int64_t sequence = message["seq"];
    ASSERT_TRUE(browser.sequence == 0 || sequence == browser.sequence + 1)
        << sequence << " behind " << browser.sequence;
    ASSERT_EQ(message, expected_[sequence]);
    browser.sequence = sequence;
  }
  void ReadUntilAllIsThere(Browser& browser) {
    bench_.RunUntil([&] {
      bench_.Pass(kStep);
      browser.client->session->Pump();
      Read(browser);
      return browser.sequence == std::int64_t{std::ssize(expected_)} || HasFatalFailure();
    });
  }

  // Little room, so that few events make a session fall behind.
  SessionBench bench_{{.queue_bytes_max = 16 * 1024}};
  std::mt19937 random_{20'261'127};
  std::map<std::int64_t, json> expected_;  // by sequence
};

TEST_F(CompressedSessionTest, CompressesWhatIsLiveAndNothingElse) {
  Append();
  Browser plain = Open(Compression::kNone);
  Browser alone = Open(Compression::kAlone);
  Browser stream = Open(Compression::kStream);
  for (int i = 0; i < 10; ++i) {
    Append();
    for (Browser* browser : {&plain, &alone, &stream}) ReadUntilAllIsThere(*browser);
  }
  EXPECT_EQ(plain.client->connection.compressed_count(), 0u);
  EXPECT_EQ(alone.client->connection.compressed_count(), 10u);
  EXPECT_EQ(stream.client->connection.compressed_count(), 10u);
  EXPECT_LT(stream.client->connection.compressed_bytes(),
            alone.client->connection.compressed_bytes());
  EXPECT_EQ(bench_.hub.subscribers_count(), 1u) << "they share one group";
  EXPECT_EQ(bench_.counters.events_sent, 30);
  EXPECT_EQ(bench_.counters.events_compressed, 20);
  EXPECT_GT(bench_.counters.bytes_before_compression, bench_.counters.bytes_after_compression);
}

TEST_F(CompressedSessionTest, SendsHistoryPlain) {
  for (int i = 0; i < 5; ++i) Append(Where::kCoreOnly);
  Browser browser{bench_.Open(SessionBench::Principal("u"), {}, Compression::kStream)};
  browser.client->connection.Take();
  browser.client->session->OnText(
      R"({"type":"Subscribe","data":{"event_types":[],"start":"beginning"}})");
  ReadUntilAllIsThere(browser);
  EXPECT_EQ(browser.client->connection.compressed_count(), 0u);
  Append();
  ReadUntilAllIsThere(browser);
  EXPECT_EQ(browser.client->connection.compressed_count(), 1u);
}

// Sessions that come, leave, stall, start anew and catch up, in random order.
TEST_F(CompressedSessionTest, EachClientInflatesEveryEventWhateverHappensToTheOthers) {
  std::vector<Browser> browsers;
  Append();
  for (int round = 0; round < 800 && !HasFatalFailure(); ++round) {
    const auto chance = [&](unsigned percent) { return random_() % 100 < percent; };
    if (browsers.size() < 12 && chance(20)) {
      const bool in_batches = chance(50);
      const base::Duration interval = in_batches && chance(50) ? 4 * kStep : base::Duration::zero();
      browsers.push_back(Open(static_cast<Compression>(random_() % 3),
                              {.in_batches = in_batches, .interval = interval}));
    }
    if (chance(50)) bench_.Pass(kStep);
    if (chance(3)) {
      Append(Where::kCoreOnly);
    } else {
      for (int burst = chance(3) ? 60 : 1; burst > 0; --burst) Append();
    }
    if (chance(50)) bench_.RunPosted();
    if (chance(50)) bench_.RunAnswers();
    for (std::size_t i = 0; i < browsers.size(); ++i) {
      Browser& browser = browsers[i];
      if (chance(2)) browser.client->connection.Stall();
      if (chance(10)) {
        browser.client->connection.Drain();
        browser.client->session->OnWritable();
      }
      if (chance(2)) browser.client->session->OnText(R"({"type":"Ping"})");
      if (chance(1)) {
        browser.client->session->OnText(R"({"type":"Unsubscribe"})");
        Read(browser);
        browser.sequence = 0;
        Subscribe(browser);
      }
      if (chance(40)) Read(browser);
      if (chance(1)) browsers.erase(browsers.begin() + static_cast<std::ptrdiff_t>(i--));
    }
  }
  std::size_t compressed_count = 0;
  Append();
  for (Browser& browser : browsers) {
    browser.client->connection.Drain();
    browser.client->session->OnWritable();
    ReadUntilAllIsThere(browser);
    compressed_count += browser.client->connection.compressed_count();
  }
  EXPECT_GT(compressed_count, 1'000u);
  EXPECT_GT(bench_.counters.fell_behind, 5);
}

}  // namespace
}  // namespace wattmint::bridge
