// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_value.h"

#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

namespace wattmint::bridge {
namespace {

using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

JsonValue Member(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.Find(name);
  if (member == nullptr) ADD_FAILURE() << name << " is not there";
  return member == nullptr ? JsonValue{} : *member;
}

std::string Digits(const JsonValue& value) {
  const JsonValue::Number* number = value.AsNumber();
  return number == nullptr ? "" : number->text;
}

TEST(JsonValueTest, ReadsEveryKind) {
  const auto json = JsonValue::Parse(R"({"s":"x","n":1.50,"t":true,"z":null,"a":[1,[2]],"o":{}})");
  ASSERT_THAT(json, IsOk());
  EXPECT_EQ(std::get<std::string>(Member(*json, "s").value), "x");
  EXPECT_EQ(Digits(Member(*json, "n")), "1.50");
  EXPECT_TRUE(std::get<bool>(Member(*json, "t").value));
  EXPECT_TRUE(Member(*json, "z").IsNull());
  const auto array = std::get<JsonValue::Array>(Member(*json, "a").value);
  ASSERT_EQ(array.size(), 2u);
  EXPECT_EQ(Digits(std::get<JsonValue::Array>(array[1].value).at(0)), "2");
  EXPECT_TRUE(std::get<JsonValue::Object>(Member(*json, "o").value).empty());
  EXPECT_EQ(json->Find("none"), nullptr);
  EXPECT_EQ(Member(*json, "s").Find("x"), nullptr);
}

TEST(JsonValueTest, KeepsNumbersAsTheyWere) {
  for (const std::string number : {"0.1", "1e3", "123456789012345678901234567890", "-0.5", "1e999",
                                   "9223372036854775807", "18446744073709551615", "-7"}) {
    const auto json = JsonValue::Parse(number);
    if (json.ok()) {
      EXPECT_EQ(Digits(*json), number);
    } else {
      EXPECT_EQ(number, "1e999") << "only what no double holds";
    }
  }
}

TEST(JsonValueTest, RefusesWhatIsNoJson) {
  struct Row {
    std::string text;
    const char* why;
  };
  const std::vector<Row> rows = {
      {"", "nothing"},
      {"{", "cut short"},
      {"{\"a\":1", "cut short behind a value"},
      {"[1,]", "a comma too many"},
      {"{} {}", "two values"},
      {"NaN", "not a number"},
      {"{\"a\":NaN}", "not a number as a member"},
      {"Infinity", "infinity"},
      {"01", "a leading zero"},
      {"+1", "a plus sign"},
      {"'a'", "the wrong quotes"},
      {"// c\n1", "a comment"},
      {"\"\\ud800\"", "a lone surrogate, escaped"},
      {"\"\xed\xa0\x80\"", "a lone surrogate, encoded"},
      {"\"\xff\"", "no UTF-8"},
      {"\"\x01\"", "a control character"},
      {std::string("1\0", 2), "a NUL behind the value"},
      {"{a:1}", "a name without quotes"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(JsonValue::Parse(row.text), StatusIs(absl::StatusCode::kInvalidArgument))
        << row.why;
  }
}

TEST(JsonValueTest, RefusesAMemberTwice) {
  EXPECT_THAT(JsonValue::Parse(R"({"a":1,"b":{"c":1,"c":2}})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
  EXPECT_THAT(JsonValue::Parse(R"({"a":{"c":1},"b":{"c":2}})"), IsOk());
}

TEST(JsonValueTest, LimitsTheDepth) {
  EXPECT_THAT(JsonValue::Parse("[[[[[[[[1]]]]]]]]"), IsOk());
  EXPECT_THAT(JsonValue::Parse("[[[[[[[[[1]]]]]]]]]"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("deep")));
  EXPECT_THAT(JsonValue::Parse(std::string(16'000, '[')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(JsonValueTest, LimitsTheMembersOfAnObject) {
  std::string members;
  for (std::size_t i = 0; i < JsonValue::kMembersMax; ++i) {
    members += "\"" + std::to_string(i) + "\":1,";
  }
  EXPECT_THAT(JsonValue::Parse("{" + members.substr(0, members.size() - 1) + "}"), IsOk());
  EXPECT_THAT(JsonValue::Parse("{" + members + "\"more\":1}"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("members")));
  EXPECT_THAT(JsonValue::Parse("{\"a\":{" + members + "\"b\":1},\"c\":1}"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("members")));
}

}  // namespace
}  // namespace wattmint::bridge
