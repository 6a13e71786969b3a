// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "cli/commands.h"
#include "tests/support/captured_file.h"
#include "tests/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace wattmint::cli {
namespace {

using ::testing::HasSubstr;

class CommandLineTest : public testing::Test {
 protected:
  ExitCode Run(const std::vector<std::string>& arguments,
               const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    test::CapturedFile out;
    test::CapturedFile error;
    const ExitCode code = RunProgram(arguments, environment, out.get(), error.get());
    out_ = out.Text();
    error_ = error.Text();
    return code;
  }

  test::TempDir directory_;
  std::string out_;
  std::string error_;
};

TEST_F(CommandLineTest, EveryCommandHasHelp) {
  EXPECT_EQ(Run({"--help"}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("Exit codes: 0 done; 1 failed"));
  for (const CommandEntry& entry : CommandTable()) {
    EXPECT_THAT(out_, HasSubstr(std::string(entry.summary)));
  }
  for (const CommandEntry& entry : CommandTable()) {
    EXPECT_EQ(Run({std::string(entry.name), "--help"}), ExitCode::kOk) << entry.name;
    EXPECT_THAT(out_, HasSubstr("Usage: "));
  }
  EXPECT_EQ(Run({"meter", "register", "--help"}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("environment: WATTMINT_API_KEY_FILE"));
}

TEST_F(CommandLineTest, WrongUsageIsOneSentenceAndTwo) {
  const std::vector<std::string> cases[] = {
      {},
      {"nonsense"},
      {"version", "--no-such-flag"},
      {"version", "--output", "xml"},
      {"meter"},
      {"import"},
      {"import", "x.csv", "--batch", "0"},
      {"config", "--batch-size", "many"},
      {"config", "--config", "/nowhere.toml"},
  };
  for (const auto& arguments : cases) {
    EXPECT_EQ(Run(arguments), ExitCode::kUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(error_, testing::StartsWith("wattmint: "));
    EXPECT_EQ(std::count(error_.begin(), error_.end(), '\n'), 1) << error_;
    EXPECT_EQ(out_, "");
  }
}

TEST_F(CommandLineTest, ShowsTheVersion) {
  EXPECT_EQ(Run({"version"}), ExitCode::kOk);
  EXPECT_THAT(out_, testing::StartsWith("wattmint "));
  EXPECT_EQ(Run({"version", "--output", "json"}), ExitCode::kOk);
  EXPECT_THAT(out_, testing::StartsWith("{\"version\":"));
}

TEST_F(CommandLineTest, ShowsSettingsWithTheirOriginAndWithoutSecrets) {
  EXPECT_EQ(Run({"config", "--http", "127.0.0.1:0"},
                {{"WATTMINT_API_KEY", "wm_secret"}, {"TOKENIZATION_BATCH_SIZE", "7"}}),
            ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("flag --http"));
  EXPECT_THAT(out_, HasSubstr("environment TOKENIZATION_BATCH_SIZE"));
  EXPECT_THAT(out_, HasSubstr("(set)"));
  EXPECT_THAT(out_, testing::Not(HasSubstr("wm_secret")));
}

TEST_F(CommandLineTest, SaysWhichVariableIsWrong) {
  EXPECT_EQ(Run({"version"}, {{"WATTMINT_HTPP", "1"}}), ExitCode::kUsage);
  EXPECT_THAT(error_, HasSubstr("environment WATTMINT_HTPP is no setting"));
}

TEST_F(CommandLineTest, SaysThatThereIsNoCredential) {
  EXPECT_EQ(Run({"status", "--data", directory_.path()}), ExitCode::kUsage);
  EXPECT_THAT(error_, HasSubstr("no credential"));
}

TEST_F(CommandLineTest, SaysThatTwoCredentialsAreOneTooMany) {
  EXPECT_EQ(Run({"status"}, {{"WATTMINT_API_KEY", "wm_secret"}, {"WATTMINT_TOKEN", "abc"}}),
            ExitCode::kUsage);
  EXPECT_THAT(error_, HasSubstr("environment WATTMINT_TOKEN"));
  EXPECT_THAT(error_, testing::Not(HasSubstr("wm_secret")));
}

TEST_F(CommandLineTest, SaysThatNoCoreAnswers) {
  EXPECT_EQ(Run({"status", "--core", "127.0.0.1:1"}, {{"WATTMINT_API_KEY", "wm_x"}}),
            ExitCode::kFailed);
  EXPECT_THAT(error_, HasSubstr("no core answers at 127.0.0.1:1; start one with `wattmint up`"));
}

TEST_F(CommandLineTest, ReadsAFileWithoutACore) {
  const std::string path = directory_ / "rows.csv";
  std::ofstream(path) << "meter,time,kwh\nm,2026-01-01T00:00:00Z,1.5\n";
  EXPECT_EQ(Run({"import", path, "--dry-run"}), ExitCode::kOk);
  EXPECT_THAT(out_, HasSubstr("1.5 kWh"));
  std::ofstream(path, std::ios::app) << "m,soon,1\nm,2026-01-01T00:00:00Z,lots\n";
  EXPECT_EQ(Run({"import", path, "--dry-run", "--output", "json"}), ExitCode::kRowsRefused);
  EXPECT_THAT(out_, HasSubstr("\"broken\":\"2\""));
  EXPECT_THAT(error_, HasSubstr("rows.csv, line 3: \"soon\" is not a time"));
  EXPECT_THAT(error_, HasSubstr("rows.csv, line 4: "));
}

TEST_F(CommandLineTest, ShowsTwentyBrokenLinesAndCountsTheRest) {
  const std::string path = directory_ / "rows.csv";
  std::ofstream file(path);
  file << "meter,time,kwh\n";
  for (int i = 0; i < 25; ++i) file << "broken\n";
  file.close();
  EXPECT_EQ(Run({"import", path, "--dry-run"}), ExitCode::kRowsRefused);
  EXPECT_THAT(error_, HasSubstr("line 21: "));
  EXPECT_THAT(error_, testing::Not(HasSubstr("line 22: ")));
  EXPECT_THAT(error_, HasSubstr("... and 5 more"));
}

TEST_F(CommandLineTest, ChecksALedgerFileOnlyIfThereIsOne) {
  EXPECT_EQ(Run({"ledger", "verify", "--data", directory_.path()}), ExitCode::kFailed);
  EXPECT_THAT(error_, HasSubstr("ledger.db is not there"));
}

}  // namespace
}  // namespace wattmint::cli
