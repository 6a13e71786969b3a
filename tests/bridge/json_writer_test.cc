// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace wattmint::bridge {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

TEST(JsonWriterTest, WritesMembersInOrder) {
  JsonWriter json;
  json.String("s", "a").Number("n", -7).BigNumber("b", std::numeric_limits<std::int64_t>::max());
  json.Begin("o").Bool("t", true).Null("z").End().Strings("l", {"x", "y"}).Raw("r", "1.50");
  EXPECT_EQ(std::move(json).Take(),
            R"({"s":"a","n":-7,"b":"9223372036854775807","o":{"t":true,"z":null},)"
            R"("l":["x","y"],"r":1.50})");
}

TEST(JsonWriterTest, WritesEmptyObjectsAndLists) {
  JsonWriter json;
  json.Begin("o").End().Strings("l", {}).Begin("p").End();
  EXPECT_EQ(std::move(json).Take(), R"({"o":{},"l":[],"p":{}})");
}

TEST(JsonWriterTest, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(Quoted("plain text"), R"("plain text")");
  EXPECT_EQ(Quoted("a\"b\\c\nd\te"), R"("a\"b\\c\nd\u0009e")");
  EXPECT_EQ(Quoted(std::string("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(Quoted("</script>"), R"("</script>")");
}

TEST(JsonWriterTest, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(Quoted("é€😀"), "\"é€😀\"");
  struct Row {
    std::string_view bytes;
    const char* why;
  };
  for (const Row& row : std::initializer_list<Row>{{"\x80", "a lone tail"},
                                                   {"\xc3", "cut short"},
                                                   {"\xc0\xaf", "overlong, two bytes"},
                                                   {"\xe0\x80\xaf", "overlong, three bytes"},
                                                   {"\xf0\x80\x80\xaf", "overlong, four bytes"},
                                                   {"\xed\xa0\x80", "a surrogate"},
                                                   {"\xf4\x90\x80\x80", "above U+10FFFF"},
                                                   {"\xff", "never a lead"}}) {
    const std::string json = Quoted(row.bytes);
    EXPECT_TRUE(nlohmann::json::accept(json)) << row.why;
    EXPECT_NE(json.find("\xef\xbf\xbd"), std::string::npos) << row.why;
  }
  EXPECT_EQ(Quoted("a\xff"
                   "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
}

TEST(JsonWriterTest, WritesArraysOfObjects) {
  JsonWriter json;
  json.BeginArray("none").EndArray().BeginArray("some");
  for (int i = 1; i <= 2; ++i) json.BeginElement().Number("i", i).Bool("b", true).End();
  json.EndArray().Number("behind", 3);
  EXPECT_EQ(std::move(json).Take(),
            R"({"none":[],"some":[{"i":1,"b":true},{"i":2,"b":true}],"behind":3})");
}

}  // namespace
}  // namespace wattmint::bridge
