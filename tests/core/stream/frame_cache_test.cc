// SPDX-License-Identifier: Apache-2.0
#include "core/stream/frame_cache.h"

#include "core/wire/event_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace wattmint::stream {
namespace {

using store::EventRecord;

// Keeps what it is told, as the hub would.
class Recorder final : public store::EventSink {
 public:
  void Publish(std::vector<EventRecord> events) override {
    for (EventRecord& event : events) events_.push_back(std::move(event));
  }
  void Reset(std::int64_t last) override { last_reset_ = last; }

  std::vector<EventRecord> events_;
  std::int64_t last_reset_ = 0;
};

EventRecord Record(std::int64_t sequence, std::size_t size = 10) {
  return {sequence, std::make_shared<const EventRecord::Body>(
                        std::string(size, static_cast<char>('a' + sequence % 26)),
                        domain::EventAttributes{})};
}

std::vector<EventRecord> Records(std::int64_t first, std::int64_t last, std::size_t size = 10) {
  std::vector<EventRecord> records;
  for (std::int64_t i = first; i <= last; ++i) records.push_back(Record(i, size));
  return records;
}

std::string Expected(const std::vector<EventRecord>& events) {
  std::string bytes;
  for (const EventRecord& event : events) {
    wire::AppendEventField(event.sequence, event.body->payload, bytes);
  }
  return bytes;
}

std::string Joined(const SharedPieces& pieces) {
  std::string bytes;
  for (const SharedBytes& piece : pieces) bytes += piece.bytes;
  return bytes;
}

TEST(FrameCacheTest, PassesEverythingOn) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 3));
  cache.Reset(9);
  EXPECT_EQ(hub.events_.size(), 3u);
  EXPECT_EQ(hub.last_reset_, 9);
}

TEST(FrameCacheTest, NeighboursAreOnePiece) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 50));
  cache.Publish(Records(51, 100));
  const auto pieces = cache.Collect(Records(10, 90));
  EXPECT_EQ(pieces.size(), 1u);
  EXPECT_EQ(Joined(pieces), Expected(Records(10, 90)));
}

TEST(FrameCacheTest, ReadersShareTheSameBytes) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 5));
  const auto one = cache.Collect(Records(2, 4));
  const auto other = cache.Collect(Records(2, 4));
  EXPECT_EQ(one[0].bytes.data(), other[0].bytes.data());
}

TEST(FrameCacheTest, WhatAFilterLeavesOutSplitsThePieces) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 10));
  const std::vector<EventRecord> wanted = {Record(1), Record(2), Record(7), Record(9), Record(10)};
  const auto pieces = cache.Collect(wanted);
  EXPECT_EQ(pieces.size(), 3u);
  EXPECT_EQ(Joined(pieces), Expected(wanted));
}

TEST(FrameCacheTest, BlocksSplitThePieces) {
  Recorder hub;
  FrameCache cache(hub, {.bytes_max = 1 << 20, .block_bytes = 64});
  cache.Publish(Records(1, 20));
  EXPECT_GT(cache.Collect(Records(1, 20)).size(), 1u);
  EXPECT_EQ(Joined(cache.Collect(Records(1, 20))), Expected(Records(1, 20)));
}

TEST(FrameCacheTest, ForgottenEventsAreMadeAnew) {
  Recorder hub;
  FrameCache cache(hub, {.bytes_max = 256, .block_bytes = 64});
  cache.Publish(Records(1, 200));
  EXPECT_EQ(Joined(cache.Collect(Records(1, 200))), Expected(Records(1, 200)));
}

TEST(FrameCacheTest, EventsAheadOfTheCacheAreMadeAnew) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 5));
  EXPECT_EQ(Joined(cache.Collect(Records(3, 8))), Expected(Records(3, 8)));
}

TEST(FrameCacheTest, NothingIsNothing) {
  Recorder hub;
  FrameCache cache(hub, {});
  EXPECT_TRUE(cache.Collect({}).empty());
}

TEST(FrameCacheTest, AnEventMayBeLargerThanABlock) {
  Recorder hub;
  FrameCache cache(hub, {.bytes_max = 1 << 20, .block_bytes = 64});
  cache.Publish(Records(1, 3, 500));
  EXPECT_EQ(Joined(cache.Collect(Records(1, 3, 500))), Expected(Records(1, 3, 500)));
}

TEST(FrameCacheTest, AfterAResetNothingOldIsSent) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 10, 10));
  cache.Reset(5);
  cache.Publish(Records(6, 8, 20));
  EXPECT_EQ(Joined(cache.Collect(Records(4, 8, 20))), Expected(Records(4, 8, 20)));
}

TEST(FrameCacheTest, AGapStartsAnew) {
  Recorder hub;
  FrameCache cache(hub, {});
  cache.Publish(Records(1, 3));
  cache.Publish(Records(10, 12));
  EXPECT_EQ(Joined(cache.Collect(Records(1, 3))), Expected(Records(1, 3)));
  EXPECT_EQ(Joined(cache.Collect(Records(10, 12))), Expected(Records(10, 12)));
}

TEST(FrameCacheTest, PiecesOutliveTheCache) {
  Recorder hub;
  SharedPieces pieces;
  {
    FrameCache cache(hub, {.bytes_max = 64, .block_bytes = 64});
    cache.Publish(Records(1, 2));
    pieces = cache.Collect(Records(1, 2));
    cache.Publish(Records(3, 100));
  }
  EXPECT_EQ(Joined(pieces), Expected(Records(1, 2)));
}

TEST(FrameCacheTest, ReadersAndTheWriterMayMeet) {
  Recorder hub;
  FrameCache cache(hub, {.bytes_max = 4'096, .block_bytes = 512});
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&cache] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_EQ(Joined(cache.Collect(Records(1, 60))), Expected(Records(1, 60)));
      }
    });
  }
  for (std::int64_t i = 1; i <= 400; ++i) cache.Publish({Record(i)});
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace wattmint::stream
