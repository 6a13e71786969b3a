// SPDX-License-Identifier: Apache-2.0
#include "bridge/deflate_offer.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::bridge {
namespace {

constexpr const char* kPlain = "permessage-deflate; client_no_context_takeover";

std::string AnswerTo(const std::string& offers) {
  return AcceptDeflate(offers).value_or(DeflateTerms{}).answer;
}

TEST(DeflateOfferTest, AcceptsWhatBrowsersOffer) {
  for (const char* offers : {"permessage-deflate; client_max_window_bits", "permessage-deflate"}) {
    const auto terms = AcceptDeflate(offers);
    ASSERT_TRUE(terms) << offers;
    EXPECT_EQ(terms->answer, kPlain) << offers;
    EXPECT_EQ(terms->compression, Compression::kStream) << offers;
  }
}

TEST(DeflateOfferTest, KeepsWhatTheClientAsksFor) {
  const auto forgetful = AcceptDeflate("permessage-deflate; server_no_context_takeover");
  ASSERT_TRUE(forgetful);
  EXPECT_EQ(forgetful->compression, Compression::kAlone);
  EXPECT_EQ(forgetful->answer, std::string(kPlain) + "; server_no_context_takeover");
  EXPECT_EQ(AnswerTo("permessage-deflate; server_max_window_bits=15; client_max_window_bits=10"),
            std::string(kPlain) + "; server_max_window_bits=12");
  EXPECT_EQ(AnswerTo("permessage-deflate;server_max_window_bits=\"12\""),
            std::string(kPlain) + "; server_max_window_bits=12");
  EXPECT_EQ(AnswerTo("permessage-deflate; client_no_context_takeover"), kPlain);
}

TEST(DeflateOfferTest, TakesTheFirstOfferThatCanBeKept) {
  const std::string small = "permessage-deflate; server_max_window_bits=";
  for (const char* bits : {"8", "9", "10", "11"}) {
    EXPECT_EQ(AnswerTo(small + bits), "") << bits;
    EXPECT_EQ(AnswerTo(small + bits + ", permessage-deflate"), kPlain) << bits;
  }
  EXPECT_EQ(AnswerTo("x-other; a=1, permessage-deflate; server_no_context_takeover, "
                     "permessage-deflate"),
            std::string(kPlain) + "; server_no_context_takeover");
  EXPECT_EQ(AnswerTo(" ,, permessage-deflate ,"), kPlain);
}

TEST(DeflateOfferTest, DeclinesOffersThatRfc7692Forbids) {
  for (const char* parameters : {
           "x",
           "server_no_context_takeover=1",
           "client_no_context_takeover=true",
           "server_no_context_takeover; server_no_context_takeover",
           "client_max_window_bits; client_max_window_bits=10",
           "server_max_window_bits",
           "server_max_window_bits=7",
           "server_max_window_bits=16",
           "server_max_window_bits=012",
           "server_max_window_bits=+12",
           "server_max_window_bits=12a",
           "client_max_window_bits=7",
           "client_max_window_bits=16",
           "client_max_window_bits=x",
           "Server_Max_Window_Bits=12",
       }) {
    const std::string offer = std::string("permessage-deflate; ") + parameters;
    EXPECT_EQ(AnswerTo(offer), "") << parameters;
    EXPECT_EQ(AnswerTo(offer + ", permessage-deflate"), kPlain) << parameters;
  }
  EXPECT_EQ(AnswerTo("Permessage-Deflate"), "");
  EXPECT_EQ(AnswerTo("x-webkit-deflate-frame"), "");
  EXPECT_EQ(AnswerTo(""), "");
}

TEST(DeflateOfferTest, DeclinesAValueThatIsMalformedAnywhere) {
  for (const char* offers : {
           "permessage-deflate;",
           "permessage-deflate; =1",
           "permessage-deflate; client_max_window_bits=",
           "permessage-deflate; client_max_window_bits=\"\"",
           "permessage-deflate; client_max_window_bits=\"10",
           "permessage-deflate; client_max_window_bits=\"1 0\"",
           "permessage-deflate; client_max_window_bits=\"10\\",
           "permessage-deflate client_max_window_bits",
           "permessage-deflate, ;",
           "permessage-deflate, \"x\"",
           "permessage-deflate, a b",
           "permessage-deflate, \x01",
           "permessage-deflate, \xc3\xa9",
           "=, permessage-deflate",
       }) {
    EXPECT_FALSE(AcceptDeflate(offers)) << offers;
  }
  EXPECT_TRUE(AcceptDeflate("permessage-deflate; client_max_window_bits=\"1\\0\""));
}

}  // namespace
}  // namespace wattmint::bridge
