// SPDX-License-Identifier: Apache-2.0
#include "cli/csv_reader.h"

#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace wattmint::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Read {
  std::int64_t line;
  std::vector<std::string> fields;
  std::string problem;
};

// Hands out at most `chunk` bytes at a time.
CsvReader::Source From(std::string text, std::size_t chunk) {
  return [text = std::move(text), chunk,
          at = std::size_t{0}](std::span<char> out) mutable -> absl::StatusOr<std::size_t> {
    const std::size_t count = std::min({chunk, out.size(), text.size() - at});
    std::copy_n(text.data() + at, count, out.data());
    at += count;
    return count;
  };
}

std::vector<Read> ReadAll(const std::string& text, std::optional<std::size_t> fields = {},
                          std::size_t chunk = 1'000'000) {
  CsvReader reader(From(text, chunk));
  if (fields) reader.ExpectFields(*fields);
  std::vector<Read> all;
  CsvRecord record;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(record);
    EXPECT_THAT(more.status(), test::IsOk());
    if (!more.ok() || !*more) return all;
    all.push_back({record.line, {record.fields.begin(), record.fields.end()}, record.problem});
  }
}

TEST(CsvReaderTest, SplitsPlainRecords) {
  const auto all = ReadAll("a,b,c\n1,,3\n");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[0].fields, ElementsAre("a", "b", "c"));
  EXPECT_THAT(all[1].fields, ElementsAre("1", "", "3"));
  EXPECT_EQ(all[1].line, 2);
}

TEST(CsvReaderTest, TakesCrLfAndByteOrderMarkAndBlankLinesAndNoLastLineEnd) {
  const auto all = ReadAll(
      "\xEF\xBB\xBF"
      "a,b\r\n\r\n\n1,2\r\n3,4");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_THAT(all[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(all[1].fields, ElementsAre("1", "2"));
  EXPECT_EQ(all[1].line, 4);
  EXPECT_THAT(all[2].fields, ElementsAre("3", "4"));
}

TEST(CsvReaderTest, UndoesQuotes) {
  const auto all = ReadAll("\"a,b\",\"say \"\"hi\"\"\",\"\"\r\n\"two\nlines\",x,y\nz,z,z\n");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_THAT(all[0].fields, ElementsAre("a,b", "say \"hi\"", ""));
  EXPECT_THAT(all[1].fields, ElementsAre("two\nlines", "x", "y"));
  EXPECT_EQ(all[2].line, 4) << "a line end within quotes counts";
}

TEST(CsvReaderTest, BreaksOneLineOnlyAndGoesOn) {
  struct Case {
    const char* broken;
    const char* why;
  };
  const Case cases[] = {
      {"\"never closed,2", "a quote that is not closed"},
      {"a\"b,2", "a quote within a field that has none around it"},
      {"\"a\"b,2", "text behind a closing quote"},
      {"1,2,3", "3 fields, 2 expected"},
      {"1", "1 fields, 2 expected"},
  };
  for (const Case& c : cases) {
    const auto all = ReadAll(std::string("h,h\n") + c.broken + "\n5,6\n7,8\n", 2);
    ASSERT_EQ(all.size(), 4u) << c.broken;
    EXPECT_EQ(all[1].problem, c.why);
    EXPECT_EQ(all[1].line, 2);
    EXPECT_THAT(all[1].fields, IsEmpty());
    EXPECT_THAT(all[2].fields, ElementsAre("5", "6")) << c.broken;
    EXPECT_EQ(all[2].line, 3);
    EXPECT_THAT(all[3].fields, ElementsAre("7", "8"));
  }
}

TEST(CsvReaderTest, BreaksALineThatIsTooLong) {
  for (const std::size_t length : {CsvReader::kRecordBytesMax + 1, std::size_t{3'000'000}}) {
    const auto all = ReadAll("h\n" + std::string(length, 'x') + "\nend\n", 1, 10'000);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[1].problem, "longer than 65536 bytes");
    EXPECT_THAT(all[2].fields, ElementsAre("end"));
    EXPECT_EQ(all[2].line, 3);
  }
}

TEST(CsvReaderTest, GuessesTheSeparator) {
  for (const auto& [text, separator] :
       {std::pair("a,b;c", ','), std::pair("a;b,c", ';'), std::pair("a\tb\n", '\t'),
        std::pair("a\nb;c", ','), std::pair("", ',')}) {
    CsvReader reader(From(text, 100));
    EXPECT_THAT(reader.GuessSeparator(), test::IsOkAndHolds(separator)) << text;
  }
}

TEST(CsvReaderTest, HandsOnTheErrorOfItsSource) {
  CsvReader reader([](std::span<char>) -> absl::StatusOr<std::size_t> {
    return absl::DataLossError("cut off");
  });
  CsvRecord record;
  EXPECT_EQ(reader.Next(record).status().code(), absl::StatusCode::kDataLoss);
}

// Any bytes: it ends, its lines ascend, and how the bytes arrive makes no difference.
TEST(CsvReaderTest, ReadsAnyBytesTheSameInAnyPieces) {
  constexpr std::string_view kAlphabet = "a1,;\"\n\r\t ";
  test::SeededRandom random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (std::uint64_t left = random.NextBelow(60); left > 0; --left) {
      text += kAlphabet[random.NextBelow(kAlphabet.size())];
    }
    const auto whole = ReadAll(text, 2);
    const auto pieces = ReadAll(text, 2, 1 + random.NextBelow(5));
    ASSERT_EQ(whole.size(), pieces.size()) << text;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(whole[i].line, pieces[i].line) << text;
      EXPECT_EQ(whole[i].fields, pieces[i].fields) << text;
      EXPECT_EQ(whole[i].problem, pieces[i].problem) << text;
      EXPECT_TRUE(i == 0 || whole[i].line > whole[i - 1].line) << text;
    }
  }
}

}  // namespace
}  // namespace wattmint::cli
