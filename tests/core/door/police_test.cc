// SPDX-License-Identifier: Apache-2.0
#include "core/door/police.h"

#include "tests/core/door/frames.h"
#include "tests/support/seeded_random.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

namespace wattmint::door {
namespace {

using std::chrono::seconds;

// What the tests repeat `count` times.
std::string Times(int count, const std::string& frame) {
  std::string all;
  for (int i = 0; i < count; ++i) all += frame;
  return all;
}

// So many calls: one HEADERS on a stream of its own each, from stream `first` on.
std::string Calls(int count, std::uint32_t first = 1) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += Frame(kHeaders, {.flags = kEndHeaders,
                            .stream = first + 2 * static_cast<std::uint32_t>(i),
                            .payload_bytes = 20});
  }
  return all;
}

class PoliceTest : public testing::Test {
 protected:
  // One connection, which sends these bytes after its preface.
  std::optional<Refusal> Send(std::string_view bytes) {
    return police_.Inspect(Bytes(bytes), now_);
  }
  void Answer(std::string_view bytes) { police_.NoteAnswer(Bytes(bytes)); }
  void Greet() { ASSERT_EQ(Send(std::string(kPreface) + Frame(kSettings)), std::nullopt); }
  // As every client does once the server has sent its settings.
  void Agree() {
    Greet();
    Answer(Frame(kSettings, {.payload_bytes = 24}));
    ASSERT_EQ(Send(Frame(kSettings, {.flags = kAck})), std::nullopt);
  }

  Police police_{PoliceLimits{}};
  Police::Instant now_{std::chrono::hours(1)};
};

TEST_F(PoliceTest, KnowsThePrefaceAndNothingElse) {
  for (std::size_t i = 0; i < kPreface.size(); ++i) {
    EXPECT_FALSE(police_.HasGreeted());
    EXPECT_EQ(Send(kPreface.substr(i, 1)), std::nullopt);
  }
  EXPECT_TRUE(police_.HasGreeted());
  for (const std::string_view other :
       {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSX", "\x16\x03\x01", "p"}) {
    Police fresh{PoliceLimits{}};
    EXPECT_EQ(fresh.Inspect(Bytes(other), now_), Refusal::kNotHttp2) << other;
    EXPECT_FALSE(fresh.HasGreeted());
  }
}

TEST_F(PoliceTest, LetsAnHonestConnectionDoItsWork) {
  Agree();
  for (std::uint32_t call = 0; call < 5'000; ++call) {
    const std::uint32_t stream = 2 * call + 1;
    ASSERT_EQ(Send(Calls(1, stream) +
                   Frame(kData, {.flags = kEndStream, .stream = stream, .payload_bytes = 9'000}) +
                   Frame(kWindowUpdate, {.payload_bytes = 4})),
              std::nullopt);
    Answer(Frame(kData, {.stream = stream, .payload_bytes = 100}));
  }
}

TEST_F(PoliceTest, DataMayBeAsLongAsTheServerPermits) {
  Agree();
  EXPECT_EQ(Send(Frame(kData, {.stream = 1, .payload_bytes = 100'000})), std::nullopt);
}

TEST_F(PoliceTest, RefusesOtherFramesThatAreLong) {
  Greet();
  EXPECT_EQ(Send(Frame(kSettings, {.payload_bytes = 16'384})), std::nullopt);
  EXPECT_EQ(Send(Frame(kGoAway, {.payload_bytes = 16'385})), Refusal::kLargeFrame);
}

TEST_F(PoliceTest, RefusesALargeHeaderBlockBeforeItIsWhole) {
  Agree();
  EXPECT_EQ(Send(Frame(kHeaders, {.stream = 1, .payload_bytes = 10'000})), std::nullopt);
  EXPECT_EQ(Send(Frame(kContinuation, {.stream = 1, .payload_bytes = 6'384})), std::nullopt);
  EXPECT_EQ(Send(Frame(kContinuation, {.stream = 1, .payload_bytes = 1}).substr(0, 9)),
            Refusal::kLargeHeaders);
}

TEST_F(PoliceTest, RefusesAHeaderBlockInTooManyPieces) {
  Agree();
  const std::string piece = Frame(kContinuation, {.stream = 1});
  EXPECT_EQ(Send(Frame(kHeaders, {.stream = 1}) + Times(7, piece)), std::nullopt);
  EXPECT_EQ(Send(piece), Refusal::kLargeHeaders);
}

TEST_F(PoliceTest, HeaderBlocksAreCountedOneByOne) {
  Agree();
  for (std::uint32_t stream = 1; stream < 100; stream += 2) {
    ASSERT_EQ(Send(Frame(kHeaders, {.stream = stream, .payload_bytes = 9'000}) +
                   Frame(kContinuation,
                         {.flags = kEndHeaders, .stream = stream, .payload_bytes = 7'000})),
              std::nullopt);
  }
}

TEST_F(PoliceTest, RefusesHeaderBlocksThatAreBroken) {
  const std::string open = Frame(kHeaders, {.stream = 1});
  for (const std::string& sent :
       {open + Frame(kPing, {.payload_bytes = 8}), open + Frame(kHeaders, {.stream = 3}),
        open + Frame(kContinuation, {.stream = 3}), Frame(kContinuation, {.stream = 1}),
        Frame(kHeaders, {.flags = kEndHeaders, .stream = 0})}) {
    Police police{PoliceLimits{}};
    EXPECT_EQ(police.Inspect(Bytes(std::string(kPreface) + sent), now_), Refusal::kBrokenHeaders);
  }
}

TEST_F(PoliceTest, AClientThatHasNotAgreedHasNoMoreStreamsThanTheServerPermits) {
  Greet();
  Answer(Frame(kSettings));
  EXPECT_EQ(Send(Calls(1'000)), std::nullopt);
  EXPECT_EQ(Send(Calls(1, 999) /* trailers of a call that is open */), std::nullopt);
  EXPECT_EQ(Send(Calls(1, 2'001)), Refusal::kManyStreams);
}

TEST_F(PoliceTest, NobodyAgreesToWhatWasNotSent) {
  Greet();
  EXPECT_EQ(Send(Frame(kSettings, {.flags = kAck})), Refusal::kFalseAck);
}

TEST_F(PoliceTest, NobodyAgreesTwice) {
  Agree();
  Answer(Frame(kSettings, {.flags = kAck}));
  EXPECT_EQ(Send(Frame(kSettings, {.flags = kAck})), Refusal::kFalseAck);
}

// A frame that may come so often in ten seconds, and what is said then.
struct Flood {
  std::string frame;
  int count;
  Refusal refusal;
};

class PoliceFloodTest : public PoliceTest, public testing::WithParamInterface<Flood> {};

TEST_P(PoliceFloodTest, IsCutAtItsLimitAndForgivenInTheNextWindow) {
  const auto& [frame, count, refusal] = GetParam();
  Agree();
  now_ += seconds(10);
  EXPECT_EQ(Send(Times(count, frame)), std::nullopt);
  now_ += seconds(10);
  EXPECT_EQ(Send(Times(count, frame)), std::nullopt);
  now_ += seconds(9);
  EXPECT_EQ(Send(frame), refusal);
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, PoliceFloodTest,
    testing::Values(
        Flood{Frame(kRstStream, {.stream = 1, .payload_bytes = 4}), 200, Refusal::kManyResets},
        Flood{Frame(kPing, {.payload_bytes = 8}), 200, Refusal::kManyPings},
        Flood{Frame(kSettings, {.payload_bytes = 6}), 200, Refusal::kManySettings},
        Flood{Frame(kData, {.stream = 1}), 1'000, Refusal::kManyIdleFrames},
        Flood{Frame(kPing, {.flags = kAck, .payload_bytes = 8}), 1'000, Refusal::kManyIdleFrames},
        Flood{Frame(kPriority, {.stream = 1, .payload_bytes = 5}), 1'000, Refusal::kManyIdleFrames},
        Flood{Frame(static_cast<FrameType>(99), {}), 1'000, Refusal::kManyIdleFrames}));

TEST_F(PoliceTest, RapidResetIsCut) {
  Agree();
  const std::string reset = Frame(kRstStream, {.stream = 1, .payload_bytes = 4});
  for (std::uint32_t call = 0; call < 200; ++call) {
    ASSERT_EQ(Send(Calls(1, 2 * call + 1) + reset), std::nullopt);
    Answer(Frame(kHeaders, {.flags = kEndHeaders | kEndStream, .stream = 1}));  // refused at once
  }
  EXPECT_EQ(Send(Calls(1, 401) + reset), Refusal::kManyResets);
}

TEST_F(PoliceTest, ClientsMayEndEveryCallThatIsBeingAnswered) {
  Agree();
  const std::string reset = Frame(kRstStream, {.stream = 1, .payload_bytes = 4});
  EXPECT_EQ(Send(Calls(1'000)), std::nullopt);
  Answer(Times(1'000, Frame(kHeaders, {.flags = kEndHeaders, .stream = 1})));
  now_ += seconds(60);
  EXPECT_EQ(Send(Times(1'200, reset)), std::nullopt);
  EXPECT_EQ(Send(reset), Refusal::kManyResets);
}

TEST_F(PoliceTest, ClientsMayPingForEveryDataFrameThatTheyGet) {
  Agree();
  const std::string ping = Frame(kPing, {.payload_bytes = 8});
  EXPECT_EQ(Send(Times(200, ping)), std::nullopt);
  for (int i = 0; i < 10'000; ++i) {
    Answer(Frame(kData, {.stream = 1, .payload_bytes = 10}) +
           Frame(kPing, {.flags = kAck, .payload_bytes = 8}));
    ASSERT_EQ(Send(ping), std::nullopt);
  }
  EXPECT_EQ(Send(ping), Refusal::kManyPings);
}

// Bytes that a client might send: frames of every kind, most of them in order, some not.
std::string RandomConversation(test::SeededRandom& random) {
  std::string bytes(kPreface);
  const auto count = random.NextBelow(60);
  for (std::uint64_t i = 0; i < count; ++i) {
    bytes += Frame(static_cast<FrameType>(random.NextBelow(11)),
                   {.flags = static_cast<std::uint8_t>(
                        random.NextBelow(8) == 0 ? random.NextBelow(256) : kEndHeaders),
                    .stream = static_cast<std::uint32_t>(2 * random.NextBelow(2'000) + 1),
                    .payload_bytes = random.NextBelow(random.NextBelow(9) == 0 ? 9'000 : 40)});
  }
  return bytes;
}

TEST_F(PoliceTest, SaysTheSameHoweverTheBytesAreSplit) {
  test::SeededRandom random(7);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    const std::string bytes = RandomConversation(random);
    Police whole{PoliceLimits{}};
    const auto expected = whole.Inspect(Bytes(bytes), now_);
    refused += expected ? 1 : 0;
    Police split{PoliceLimits{}};
    std::optional<Refusal> found;
    for (std::string_view left = bytes; !left.empty() && !found;) {
      const std::string_view piece = left.substr(0, 1 + random.NextBelow(64));
      left.remove_prefix(piece.size());
      found = split.Inspect(Bytes(piece), now_);
    }
    ASSERT_EQ(found, expected) << "round " << round;
  }
  EXPECT_GT(refused, 50);
  EXPECT_LT(refused, 470);
}

}  // namespace
}  // namespace wattmint::door
