// SPDX-License-Identifier: Apache-2.0
#include "core/domain/plain_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace wattmint::domain {
namespace {

TEST(PlainTextTest, TakesOneLineOfAnyLanguage) {
  for (const std::string_view text :
       {"maintenance at 18:00", "a", "\"quoted\" <b>", "W\xc3\xa4rme", "\xe2\x82\xac 5",
        "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x94\x8b", "\xf4\x8f\xbf\xbf", "\xc2\xa0"}) {
    EXPECT_TRUE(IsPlainText(text, 100)) << text;
  }
}

TEST(PlainTextTest, RefusesWhatIsNotShownAsItIs) {
  struct Row {
    std::string text;
    const char* why;
  };
  const Row rows[] = {
      {"", "nothing"},
      {"a\nb", "a line feed"},
      {"a\tb", "a tabulator"},
      {std::string("a\0b", 3), "a NUL"},
      {"a\x7f", "a DEL"},
      {"\x1b[31m", "an escape sequence of terminals"},
      {"\xc2\x85", "NEL, which breaks lines"},
      {"\xe2\x80\xa8", "a line separator"},
      {"\xe2\x80\xaetxt.exe", "turns the direction of writing"},
      {"\xe2\x81\xa6", "an isolate"},
      {"\x80", "a byte that only follows others"},
      {"a\xc3", "a character that is cut off"},
      {"\xc3(", "a character that does not go on"},
      {"\xc0\xaf", "an overlong solidus"},
      {"\xe0\x80\xaf", "overlong by two bytes"},
      {"\xf0\x80\x80\xaf", "overlong by three bytes"},
      {"\xed\xa0\x80", "a surrogate"},
      {"\xf4\x90\x80\x80", "beyond the last character"},
      {"\xff", "no byte of UTF-8"},
  };
  for (const Row& row : rows) EXPECT_FALSE(IsPlainText(row.text, 100)) << row.why;
}

TEST(PlainTextTest, CountsBytes) {
  EXPECT_TRUE(IsPlainText(std::string(10, 'a'), 10));
  EXPECT_FALSE(IsPlainText(std::string(11, 'a'), 10));
  EXPECT_FALSE(IsPlainText("\xe2\x82\xac", 2));
}

}  // namespace
}  // namespace wattmint::domain
