// SPDX-License-Identifier: Apache-2.0
// Hexadecimal, base64 and base58: published vectors, strictness, and round trips.
#include "core/base/base58.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"

#include <algorithm>
#include <string>

namespace wattmint::base {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;
using testing::Each;
using testing::Eq;
using testing::HasSubstr;
using testing::SizeIs;

Bytes RandomBytes(test::SeededRandom& random, size_t size) {
  Bytes bytes(size);
  random.Fill(bytes);
  return bytes;
}

Bytes ToBytes(std::string_view text) {
  const ByteView view = AsBytes(text);
  return {view.begin(), view.end()};
}

TEST(BytesTest, SharesItsMemoryWithText) {
  const std::string text = "abc";
  EXPECT_EQ(AsText(AsBytes(text)), "abc");
  EXPECT_EQ(static_cast<const void*>(AsBytes(text).data()), text.data());
}

TEST(HexTest, WritesLowerCaseAndReadsBoth) {
  EXPECT_EQ(EncodeHex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(EncodeHex({}), "");
  EXPECT_THAT(DecodeHex("00abFF"), IsOkAndHolds(Bytes{0x00, 0xab, 0xff}));
  EXPECT_THAT(DecodeHex(""), IsOkAndHolds(Bytes{}));
}

TEST(HexTest, RefusesEverythingElse) {
  for (const char* text : {"0", "0g", "0x00", "00 11", " 00", "00:11", "0é"}) {
    EXPECT_THAT(DecodeHex(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

// Source: RFC 4648, section 10.
TEST(Base64Test, KnowsThePublishedVectors) {
  const struct {
    const char* plain;
    const char* padded;
    const char* url_safe;
  } cases[] = {{"", "", ""},
               {"f", "Zg==", "Zg"},
               {"fo", "Zm8=", "Zm8"},
               {"foo", "Zm9v", "Zm9v"},
               {"foob", "Zm9vYg==", "Zm9vYg"},
               {"fooba", "Zm9vYmE=", "Zm9vYmE"},
               {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
               {"\xfb\xff", "+/8=", "-_8"}};
  for (const auto& [plain, padded, url_safe] : cases) {
    EXPECT_EQ(EncodeBase64(AsBytes(plain), Base64::kPadded), padded);
    EXPECT_EQ(EncodeBase64(AsBytes(plain), Base64::kUrlSafe), url_safe);
    EXPECT_THAT(DecodeBase64(padded, Base64::kPadded), IsOkAndHolds(ToBytes(plain)));
    EXPECT_THAT(DecodeBase64(url_safe, Base64::kUrlSafe), IsOkAndHolds(ToBytes(plain)));
  }
}

TEST(Base64Test, RefusesEverythingElse) {
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Z", "Zm9v ", "Zm 9v", "-_8=", "Zh==", "Zm9v=", "Zm9v\n"}) {
    EXPECT_THAT(DecodeBase64(text, Base64::kPadded), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
  for (const char* text : {"Zg==", "+/8", "Z", "Zh"}) {
    EXPECT_THAT(DecodeBase64(text, Base64::kUrlSafe), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

// Source: draft-msporny-base58-03, section 5.
TEST(Base58Test, KnowsThePublishedVectors) {
  const std::string fox = "The quick brown fox jumps over the lazy dog.";
  EXPECT_EQ(EncodeBase58(AsBytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
  EXPECT_EQ(EncodeBase58(AsBytes(fox)),
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
  EXPECT_EQ(EncodeBase58(Bytes{0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd}), "11233QC4");
  EXPECT_THAT(DecodeBase58("2NEpo7TZRRrLZSi2U"), IsOkAndHolds(ToBytes("Hello World!")));
  EXPECT_THAT(DecodeBase58("11233QC4"), IsOkAndHolds(Bytes{0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd}));
}

TEST(Base58Test, KnowsSolanaAddresses) {
  EXPECT_THAT(DecodeBase58Array<32>("11111111111111111111111111111111"), IsOkAndHolds(Each(Eq(0))));
  const auto token_program = DecodeBase58Array<32>("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
  ASSERT_THAT(token_program, test::IsOk());
  EXPECT_EQ(EncodeHex(*token_program),
            "06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9");
}

TEST(Base58Test, RefusesAnotherSize) {
  for (const char* text :
       {"", "1111111111111111111111111111111", "111111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5D"}) {
    EXPECT_THAT(DecodeBase58Array<32>(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("32 bytes")))
        << text;
  }
}

TEST(Base58Test, NamesTheFirstCharacterThatDoesNotBelong) {
  for (const char* text : {"abc0", "abcO", "abcI", "abcl", "abc ", "abc+", "abc\xff", "111/"}) {
    EXPECT_THAT(DecodeBase58(text),
                StatusIs(absl::StatusCode::kInvalidArgument, "character 4 is not base58"))
        << text;
  }
}

TEST(Base58Test, BoundsTheWork) {
  EXPECT_THAT(DecodeBase58(std::string(128, 'z')), IsOkAndHolds(SizeIs(94)));
  EXPECT_THAT(DecodeBase58(std::string(129, 'z')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 128")));
}

// The definition, one digit at a time.
std::string SlowBase58(Bytes number) {
  std::string text;
  const auto zeros = static_cast<size_t>(
      std::find_if(number.begin(), number.end(), [](uint8_t b) { return b != 0; }) -
      number.begin());
  while (std::any_of(number.begin(), number.end(), [](uint8_t b) { return b != 0; })) {
    int remainder = 0;
    for (uint8_t& byte : number) {
      const int value = remainder * 256 + byte;
      byte = static_cast<uint8_t>(value / 58);
      remainder = value % 58;
    }
    text += "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[remainder];
  }
  text.append(zeros, '1');
  std::reverse(text.begin(), text.end());
  return text;
}

TEST(EncodingTest, IsReadBackExactlyAtEverySize) {
  test::SeededRandom random(7);
  for (size_t i = 0; i < 2000; ++i) {
    Bytes bytes = RandomBytes(random, i % 90);
    for (size_t j = 0; j < std::min(i % 7, bytes.size()); ++j) bytes[j] = 0;
    ASSERT_EQ(EncodeBase58(bytes), SlowBase58(bytes));
    ASSERT_THAT(DecodeBase58(EncodeBase58(bytes)), IsOkAndHolds(bytes));
    ASSERT_THAT(DecodeHex(EncodeHex(bytes)), IsOkAndHolds(bytes));
    for (const Base64 alphabet : {Base64::kPadded, Base64::kUrlSafe}) {
      ASSERT_THAT(DecodeBase64(EncodeBase64(bytes, alphabet), alphabet), IsOkAndHolds(bytes));
    }
  }
}

}  // namespace
}  // namespace wattmint::base
