// SPDX-License-Identifier: Apache-2.0
#include "core/stream/event_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::stream {
namespace {

using store::EventRecord;
using Sequences = std::vector<std::int64_t>;

std::vector<EventRecord> Records(const Sequences& sequences, std::size_t size = 10) {
  std::vector<EventRecord> records;
  for (const std::int64_t sequence : sequences) {
    records.push_back({sequence, std::make_shared<const EventRecord::Body>(
                                     std::string(size, 'e'), domain::EventAttributes{})});
  }
  return records;
}

Sequences SequencesOf(const EventList& events) {
  Sequences sequences;
  for (const EventRecord& event : events) sequences.push_back(event.sequence);
  return sequences;
}

TEST(EventListTest, NothingIsEmpty) {
  EXPECT_TRUE(EventList().empty());
  EXPECT_TRUE(EventList(std::vector<EventRecord>()).empty());
  EXPECT_EQ(SequencesOf(EventList()), Sequences{});
}

TEST(EventListTest, AGapSplitsTheRuns) {
  const EventList events(Records({3, 4, 5, 9, 11, 12}));
  EXPECT_EQ(events.size(), 6U);
  EXPECT_EQ(events.runs().size(), 3U);
  EXPECT_EQ(SequencesOf(events), (Sequences{3, 4, 5, 9, 11, 12}));
}

TEST(EventListTest, NeighboursOfOneBlockAreOneRun) {
  const auto block = std::make_shared<const EventBlock>(Records({1, 2, 3, 4, 5}));
  EventList events;
  events.Append({block, 0, 2});
  events.Append({block, 2, 3});
  EXPECT_EQ(events.runs().size(), 1U);
  events.Append({block, 4, 5});
  EXPECT_EQ(events.runs().size(), 2U);
  EXPECT_EQ(SequencesOf(events), (Sequences{1, 2, 3, 5}));
}

TEST(EventListTest, NeighboursInABlockWithAGapAreTwoRuns) {
  const auto block = std::make_shared<const EventBlock>(Records({1, 2, 7}));
  EventList events;
  events.Append({block, 0, 2});
  events.Append({block, 2, 3});
  EXPECT_EQ(events.runs().size(), 2U);
  EXPECT_EQ(SequencesOf(events), (Sequences{1, 2, 7}));
}

TEST(EventListTest, RunsKeepTheirBlocks) {
  EventList events;
  events.Append({std::make_shared<const EventBlock>(Records({1, 2})), 0, 2});
  events.Append({std::make_shared<const EventBlock>(Records({3, 4})), 1, 2});
  EXPECT_EQ(SequencesOf(events), (Sequences{1, 2, 4}));
}

TEST(EventListTest, BytesAreThoseOfThePayloads) {
  const EventBlock block(Records({1, 2, 3, 4}, 10));
  EXPECT_EQ(block.PayloadBytes(0, 4), 40U);
  EXPECT_EQ(block.PayloadBytes(1, 3), 20U);
  EXPECT_EQ(block.FindEnough(0, 4, 1), 1U);
  EXPECT_EQ(block.FindEnough(0, 4, 10), 1U);
  EXPECT_EQ(block.FindEnough(0, 4, 11), 2U);
  EXPECT_EQ(block.FindEnough(1, 4, 20), 3U);
  EXPECT_EQ(block.FindEnough(1, 4, 1'000), 4U);
  EXPECT_EQ(block.FindEnough(1, 2, 1'000), 2U);
}

}  // namespace
}  // namespace wattmint::stream
