// SPDX-License-Identifier: Apache-2.0
#include "cli/logging.h"

#include "core/base/time_format.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace wattmint::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// What becomes of a message.
std::string LineOf(const std::string& message, const std::string& logger_name = "wattmint",
                   std::unique_ptr<spdlog::formatter> formatter = JsonLogFormatter()) {
  std::ostringstream out;
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
  spdlog::logger logger(logger_name, sink);
  logger.set_formatter(std::move(formatter));
  logger.warn("{}", message);
  return out.str();
}

TEST(JsonLogTest, ALineHasTimeLevelAndMessage) {
  const auto line = nlohmann::json::parse(LineOf("the core listens"));
  EXPECT_EQ(line.size(), 3u);
  EXPECT_THAT(base::ParseRfc3339(line["time"].get<std::string>()), test::IsOk());
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "the core listens");
}

TEST(JsonLogTest, AnyMessageIsOneLineOfJson) {
  for (const std::string message :
       {"\"quoted\"", "two\nlines", "back\\slash", "%v %l", "", "\x01", "grüner Strom"}) {
    const std::string line = LineOf(message);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(nlohmann::json::parse(line)["message"], message);
  }
  EXPECT_TRUE(nlohmann::json::accept(LineOf("no UTF-8: \xff\xc3")));
}

TEST(JsonLogTest, ALineOfAComponentNamesIt) {
  const auto line = nlohmann::json::parse(LineOf("a frame", "websocket"));
  EXPECT_EQ(line["component"], "websocket");
  EXPECT_EQ(line["message"], "a frame");
}

TEST(TextLogTest, ALineOfAComponentNamesIt) {
  EXPECT_THAT(LineOf("a frame", "websocket", TextLogFormatter()),
              EndsWith("Z warning websocket: a frame\n"));
  EXPECT_THAT(LineOf("ready", "wattmint", TextLogFormatter()), EndsWith("Z warning ready\n"));
}

TEST(LogLevelsTest, OneLevelIsEverybodys) {
  const auto levels = ParseLogLevels("error");
  ASSERT_THAT(levels, test::IsOk());
  EXPECT_EQ(levels->others, spdlog::level::err);
  EXPECT_THAT(levels->components, Each(spdlog::level::err));
}

TEST(LogLevelsTest, AComponentMayHaveAnother) {
  const auto levels = ParseLogLevels("warning,websocket=info,grpc=error,websocket=debug");
  ASSERT_THAT(levels, test::IsOk());
  EXPECT_EQ(levels->others, spdlog::level::warn);
  EXPECT_THAT(levels->components,
              ElementsAre(spdlog::level::warn, spdlog::level::debug, spdlog::level::err));
}

TEST(LogLevelsTest, WhatIsNoneIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "\"\""},
      {"loud", "\"loud\""},
      {"info,", "\"\" is none of the components bridge, websocket, grpc"},
      {"info,websocket", "\"\" is none of the levels debug, info, warning, error"},
      {"info,socket=debug", "\"socket\""},
      {"info,websocket=trace", "\"trace\""},
      {"websocket=debug", "\"websocket=debug\""},
  };
  for (const auto& [text, named] : cases) {
    EXPECT_THAT(ParseLogLevels(text),
                test::StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(named)));
  }
}

}  // namespace
}  // namespace wattmint::cli
