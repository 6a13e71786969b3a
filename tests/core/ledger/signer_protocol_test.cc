// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signer_protocol.h"

#include "core/base/base58.h"
#include "core/base/status.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::ledger {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::HasSubstr;

// Without its newline, as a stream hands it over.
std::string Bare(std::string line) {
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  EXPECT_LT(line.size(), kSignerLineBytesMax);
  return line;
}

TEST(SignerProtocolTest, EveryLineComesBack) {
  const Ed25519PublicKey key = Ed25519Key(Ed25519Seed{1, 2, 3}).public_key();
  EXPECT_THAT(ParseKeyLine(Bare(KeyLine(key))), IsOkAndHolds(key));
  const auto request = ParseSignLine(Bare(SignLine({.id = 7, .length = kSignerTextBytesMax})));
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->id, 7U);
  EXPECT_EQ(request->length, kSignerTextBytesMax);
  const Ed25519Signature signature{9, 8};
  const auto answer = ParseAnswerLine(Bare(AnswerLine({7, signature})));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->id, 7U);
  EXPECT_THAT(answer->signature, IsOkAndHolds(signature));
}

TEST(SignerProtocolTest, RefusedIsForGoodAndLaterIsNot) {
  const auto refused = ParseAnswerLine(Bare(AnswerLine({1, base::InvalidArgument("above 5 GRX")})));
  ASSERT_THAT(refused, IsOk());
  EXPECT_THAT(refused->signature,
              StatusIs(absl::StatusCode::kInvalidArgument, "the signer refuses: above 5 GRX"));
  for (const absl::Status& status : {base::Unavailable("come back"), base::Internal("come back")}) {
    const auto later = ParseAnswerLine(Bare(AnswerLine({1, status})));
    ASSERT_THAT(later, IsOk());
    EXPECT_THAT(later->signature,
                StatusIs(absl::StatusCode::kUnavailable, "the signer waits: come back"));
  }
}

TEST(SignerProtocolTest, AReasonIsOneShortPrintableLine) {
  const std::string wild = "a\nsigned 2 x\x80\t" + std::string(1'000, 'y');
  const std::string line = Bare(AnswerLine({1, base::InvalidArgument("{}", wild)}));
  EXPECT_THAT(line, testing::StartsWith("refused 1 a?signed 2 x??y"));
  EXPECT_EQ(line.size(), std::string("refused 1 ").size() + kSignerReasonBytesMax);
  EXPECT_EQ(Bare(ErrorLine("")), "error no reason given");
}

TEST(SignerProtocolTest, AnErrorLineSaysWhyInPlaceOfAnyOther) {
  EXPECT_THAT(ParseKeyLine("error not welcome"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not welcome")));
  EXPECT_THAT(ParseAnswerLine("error not\x01welcome"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not?welcome")));
}

TEST(SignerProtocolTest, RefusesEveryOtherForm) {
  const std::string signature = base::EncodeBase58(Ed25519Signature{255});
  const std::vector<std::string> answers = {"",
                                            " ",
                                            "signed",
                                            "signed 1",
                                            "sign 1 5",
                                            "refused",
                                            "refused x no",
                                            "signed 1 0OIl",
                                            "signed  1 " + signature,
                                            "signed 01 " + signature,
                                            "signed 0 " + signature,
                                            "signed -1 " + signature,
                                            "signed 1x " + signature,
                                            "Signed 1 " + signature,
                                            "signed 99999999999999999999 " + signature,
                                            "signed 1 " + signature + " ",
                                            "signed 1 " + signature + "1",
                                            "\x80 1 " + signature};
  for (const std::string& line : answers) {
    EXPECT_THAT(ParseAnswerLine(line), StatusIs(absl::StatusCode::kUnavailable)) << line;
  }
  for (const char* line : {"", "sign", "sign 1", "sign 1 ", "sign 1 0", "sign 1 4097", "sign 1 05",
                           "sign 1 5 ", "sign 0 5", "sign 1 -5", "seal 1 5"}) {
    EXPECT_THAT(ParseSignLine(line), StatusIs(absl::StatusCode::kUnavailable)) << line;
  }
  for (const char* line : {"", "key", "key ", "key 0OIl", "key 111", "keys 111"}) {
    EXPECT_THAT(ParseKeyLine(line), StatusIs(absl::StatusCode::kUnavailable)) << line;
  }
  const Ed25519PublicKey of_small_order{1};
  EXPECT_THAT(ParseKeyLine(Bare(KeyLine(of_small_order))),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::ledger
