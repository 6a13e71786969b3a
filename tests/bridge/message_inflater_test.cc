// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_inflater.h"

#include "tests/bridge/deflate_peer.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::bridge {
namespace {

using Verdict = MessageInflater::Verdict;

const std::string kEnd("\0\0\xff\xff", 4);

class MessageInflaterTest : public testing::Test {
 protected:
  static constexpr std::size_t kBytesMax = 16 * 1024;

  // `payload`: of a message, without its last four bytes.
  Verdict Inflate(const std::string& payload) {
    text_.clear();
    return inflater_.Inflate(payload + kEnd, kBytesMax, text_);
  }

  MessageInflater inflater_;
  std::string text_;
};

TEST_F(MessageInflaterTest, InflatesTheExamplesOfRfc7692) {
  const std::string examples[] = {
      std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7),
      std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11),
      std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8),
      std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13),
  };
  for (const std::string& example : examples) {
    EXPECT_EQ(Inflate(example), Verdict::kWhole);
    EXPECT_EQ(text_, "Hello");
  }
}

TEST_F(MessageInflaterTest, InflatesEverySizeUpToTheLimit) {
  for (const std::size_t size : {0u, 1u, 4'095u, 4'096u, 4'097u, 16u * 1024u}) {
    const std::string text(size, 'x');
    EXPECT_EQ(Inflate(test::DeflateAlone(text)), Verdict::kWhole) << size;
    EXPECT_TRUE(text_ == text) << size;
  }
}

TEST_F(MessageInflaterTest, StopsAtTheLimit) {
  EXPECT_EQ(Inflate(test::DeflateAlone(std::string(kBytesMax + 1, 'x'))), Verdict::kTooLong);
  EXPECT_EQ(Inflate(test::DeflateAlone(std::string(10'000'000, 'x'))), Verdict::kTooLong);
  EXPECT_LE(text_.size(), kBytesMax);
}

TEST_F(MessageInflaterTest, KnowsWhatIsBroken) {
  const std::string good = test::DeflateAlone("a text that is a text that is a text");
  EXPECT_EQ(Inflate(""), Verdict::kBroken) << "nothing at all";
  EXPECT_EQ(Inflate("\xff\xff\xff"), Verdict::kBroken) << "a block of no known kind";
  EXPECT_EQ(Inflate(std::string("\x00\x05\x00\x00\x00Hello\x00", 11)), Verdict::kBroken)
      << "a length that is not confirmed";
  for (std::size_t size = 1; size + 1 < good.size(); ++size) {
    EXPECT_EQ(Inflate(good.substr(0, size)), Verdict::kBroken) << "cut at " << size;
  }
}

TEST_F(MessageInflaterTest, KeepsNothingOfAnEarlierMessage) {
  test::DeflateStream stream;
  const std::string first = stream.Deflate("a text that comes twice: a text");
  const std::string second = stream.Deflate("a text that comes twice: a text");
  EXPECT_EQ(Inflate(first), Verdict::kWhole);
  EXPECT_EQ(Inflate(second), Verdict::kBroken);
  EXPECT_EQ(Inflate(first), Verdict::kWhole);
}

}  // namespace
}  // namespace wattmint::bridge
