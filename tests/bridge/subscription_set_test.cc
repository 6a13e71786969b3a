// SPDX-License-Identifier: Apache-2.0
#include "bridge/subscription_set.h"

#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::bridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Channel> Channels(const std::vector<std::string>& names) {
  std::vector<Channel> channels;
  for (const std::string& name : names) channels.push_back(*Channel::Parse(name));
  return channels;
}

std::vector<Channel> Numbered(const std::string& prefix, int count) {
  std::vector<Channel> channels;
  for (int i = 1; i <= count; ++i) channels.push_back(*Channel::Parse(prefix + std::to_string(i)));
  return channels;
}

TEST(SubscriptionSetTest, HoldsAUnionOfChannels) {
  SubscriptionSet set;
  EXPECT_FALSE(set.HasEvents());
  EXPECT_TRUE(set.Add(Channels({"meter:b", "user:a", "meter:b"}), {}));
  EXPECT_TRUE(set.Add(Channels({"meter:a"}), {}));
  EXPECT_THAT(set.Names(), ElementsAre("user:a", "meter:a", "meter:b"));
  EXPECT_THAT(set.ToInterest({}).filters, SizeIs(3));
  set.Remove(Channels({"meter:a", "meter:unknown"}));
  EXPECT_THAT(set.Names(), ElementsAre("user:a", "meter:b"));
  set.Remove({});
  EXPECT_THAT(set.Names(), IsEmpty());
  EXPECT_FALSE(set.HasEvents());
}

TEST(SubscriptionSetTest, HasEitherChannelsOrAFilter) {
  SubscriptionSet set;
  EXPECT_TRUE(set.Add(Channels({"meter:a"}), {}));
  set.Replace({});
  EXPECT_THAT(set.Names(), IsEmpty());
  EXPECT_TRUE(set.HasEvents());
  EXPECT_THAT(set.ToInterest({}).filters, IsEmpty()) << "everything";
  EXPECT_TRUE(set.Add(Channels({"meter:a"}), {}));
  EXPECT_FALSE(set.filter().has_value());
  set.Replace({});
  set.Remove(Channels({"meter:a"}));
  EXPECT_FALSE(set.HasEvents());
}

TEST(SubscriptionSetTest, HasNoEventsOfTheSystemChannelAlone) {
  SubscriptionSet set;
  EXPECT_TRUE(set.Add(Channels({"system"}), {}));
  EXPECT_FALSE(set.HasEvents());
  EXPECT_TRUE(set.Has(Channel::Kind::kSystem));
  EXPECT_FALSE(set.Has(Channel::Kind::kBatches));
  EXPECT_TRUE(set.Add(Channels({"batches"}), {}));
  EXPECT_TRUE(set.HasEvents());
  EXPECT_THAT(set.ToInterest({}).filters, SizeIs(1));
}

TEST(SubscriptionSetTest, RefusesAllOfAMessageThatPassesALimit) {
  SubscriptionSet set;
  EXPECT_TRUE(set.Add(Numbered("meter:", 20), {}));
  EXPECT_FALSE(set.Add(Channels({"batches", "task:1"}), {}));
  EXPECT_THAT(set.Names(), SizeIs(20));
  EXPECT_TRUE(set.Add(Numbered("meter:", 20), {})) << "the same again";
  EXPECT_TRUE(set.Add(Numbered("user:", 10), {}));
  EXPECT_FALSE(set.Add(Channels({"user:eleventh"}), {}));
  EXPECT_FALSE(set.Add(Channels({"batches"}), {.channels_max = 30}));
}

TEST(SubscriptionSetTest, HashesEqualSetsAlikeAndASingleFilterAsItself) {
  SubscriptionSet one;
  SubscriptionSet other;
  EXPECT_TRUE(one.Add(Channels({"meter:a", "user:b"}), {}));
  EXPECT_TRUE(other.Add(Channels({"user:b", "meter:a", "system"}), {}));
  EXPECT_EQ(one.Hash(), other.Hash());
  EXPECT_TRUE(other.Add(Channels({"meter:c"}), {}));
  EXPECT_NE(one.Hash(), other.Hash());

  domain::EventFilter filter;
  filter.meter_ids = {"a"};
  ASSERT_THAT(filter.Normalize(), test::IsOk());
  SubscriptionSet by_filter;
  by_filter.Replace(filter);
  SubscriptionSet by_channel;
  EXPECT_TRUE(by_channel.Add(Channels({"meter:a"}), {}));
  EXPECT_EQ(by_filter.Hash(), filter.Hash());
  EXPECT_EQ(by_channel.Hash(), filter.Hash());
}

}  // namespace
}  // namespace wattmint::bridge
