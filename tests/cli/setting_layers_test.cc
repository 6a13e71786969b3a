// SPDX-License-Identifier: Apache-2.0
#include "cli/setting_layers.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

namespace wattmint::cli {
namespace {

using test::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SettingLayersTest : public testing::Test {
 protected:
  SettingSources WithFile(const std::string& text) {
    const std::string path = directory_ / "wattmint.toml";
    std::ofstream(path) << text;
    SettingSources sources;
    sources.file = path;
    return sources;
  }
  static SettingSources WithVariable(const std::string& name, const std::string& value) {
    SettingSources sources;
    sources.environment = {{"PATH", "/bin"}, {name, value}};
    return sources;
  }

  test::TempDir directory_;
};

TEST_F(SettingLayersTest, DefaultsAreThoseOfTheSpecifications) {
  const auto resolved = ResolveSettings(Settings(), {});
  ASSERT_THAT(resolved, test::IsOk());
  const Settings& values = resolved->values;
  EXPECT_EQ(values.mints.ratio, domain::Ratio());                   // S2-29
  EXPECT_EQ(values.readings.energy_max.ToString(), "100");          // S2-31
  EXPECT_EQ(values.readings.age_max, std::chrono::days(7));         // S2-32
  EXPECT_FALSE(values.mints.automatic);                             // C14
  EXPECT_EQ(values.mints.poll_interval, std::chrono::seconds(60));  // S2-34
  EXPECT_EQ(values.mints.batch_max, 50);                            // S2-35
  EXPECT_EQ(values.bridge.connections_max, 10'000);                 // S0-63
  EXPECT_TRUE(resolved->IsDefault("batch-size"));
}

TEST_F(SettingLayersTest, FlagWinsOverEnvironmentOverFileOverDefault) {
  SettingSources sources = WithFile("batch-size = 10\n");
  EXPECT_EQ(ResolveSettings(Settings(), sources)->values.mints.batch_max, 10);
  sources.environment = {{"TOKENIZATION_BATCH_SIZE", "20"}};
  EXPECT_EQ(ResolveSettings(Settings(), sources)->values.mints.batch_max, 20);
  sources.flags = {{"batch-size", "30"}};
  const auto resolved = ResolveSettings(Settings(), sources);
  EXPECT_EQ(resolved->values.mints.batch_max, 30);
  EXPECT_EQ(resolved->origins.at("batch-size"), "flag --batch-size");
  EXPECT_EQ(resolved->origins.at("data"), "default");
}

TEST_F(SettingLayersTest, ReadsEachKindOfValue) {
  const auto resolved = ResolveSettings(
      Settings(),
      WithFile("max-reading-kwh = \"12.5\"\nauto-mint = true\nreading-max-age-days = 3\n"
               "kwh-to-token-ratio = \"3/2\"\nlog-level = \"debug\"\ndata = \"/x\"\n"));
  ASSERT_THAT(resolved, test::IsOk());
  EXPECT_EQ(resolved->values.readings.energy_max.ToString(), "12.5");
  EXPECT_TRUE(resolved->values.mints.automatic);
  EXPECT_EQ(resolved->values.readings.age_max, std::chrono::days(3));
  EXPECT_EQ(resolved->values.mints.ratio.ToString(), "3/2");
  EXPECT_EQ(resolved->values.log_level, "debug");
  EXPECT_EQ(resolved->values.data_directory, "/x");
}

TEST_F(SettingLayersTest, TakesTheFileOfTheEnvironmentUnlessAFlagNamesOne) {
  const SettingSources file = WithFile("batch-size = 10\n");
  EXPECT_EQ(ResolveSettings(Settings(), WithVariable("WATTMINT_CONFIG", file.file))
                ->values.mints.batch_max,
            10);
}

TEST_F(SettingLayersTest, RefusesWhatItDoesNotKnowAndNamesTheLayer) {
  EXPECT_THAT(ResolveSettings(Settings(), WithFile("batchsize = 10\n")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("wattmint.toml"), HasSubstr("no setting batchsize"))));
  for (const char* variable :
       {"WATTMINT_DATTA", "TOKENIZATION_RATIO", "WEBSOCKET_MAX_CONNECTION"}) {
    EXPECT_THAT(ResolveSettings(Settings(), WithVariable(variable, "1")),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("environment " + std::string(variable) + " is no setting")));
  }
  EXPECT_THAT(ResolveSettings(Settings(), WithVariable("WATT", "1")), test::IsOk());
}

TEST_F(SettingLayersTest, RefusesSettingsThatWouldHaveNoEffect) {
  for (const WithheldVariable& withheld : WithheldVariables()) {
    EXPECT_THAT(ResolveSettings(Settings(), WithVariable(std::string(withheld.variable), "1")),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no effect")));
  }
  EXPECT_THAT(ResolveSettings(Settings(), WithVariable("TOKENIZATION_DECIMALS", "9")),
              test::IsOk());
  EXPECT_THAT(ResolveSettings(Settings(), WithVariable("TOKENIZATION_DECIMALS", "6")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("9 only")));
}

TEST_F(SettingLayersTest, RefusesValuesThatAreNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"TOKENIZATION_BATCH_SIZE", "0"},
      {"TOKENIZATION_BATCH_SIZE", "5x"},
      {"TOKENIZATION_BATCH_SIZE", ""},
      {"TOKENIZATION_BATCH_SIZE", "1e2"},
      {"TOKENIZATION_AUTO_MINT_ENABLED", "on"},
      {"TOKENIZATION_KWH_TO_TOKEN_RATIO", "0"},
      {"TOKENIZATION_KWH_TO_TOKEN_RATIO", "-1"},
      {"TOKENIZATION_MAX_READING_KWH", "0"},
      {"TOKENIZATION_MAX_READING_KWH", "NaN"},
      {"WATTMINT_LOG_LEVEL", "loud"},
      {"WATTMINT_GRPC", "nonsense"},
      {"WATTMINT_GRPC", "127.0.0.1:99999"},
      {"WATTMINT_HTTP", ":80"},
  };
  for (const auto& [variable, value] : cases) {
    EXPECT_THAT(ResolveSettings(Settings(), WithVariable(variable, value)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("environment " + std::string(variable))))
        << value;
  }
}

TEST_F(SettingLayersTest, ChecksAlsoWhatALaterLayerHides) {
  SettingSources sources = WithVariable("TOKENIZATION_BATCH_SIZE", "nonsense");
  sources.flags = {{"batch-size", "10"}};
  EXPECT_THAT(ResolveSettings(Settings(), sources), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SettingLayersTest, RefusesFilesThatAreNone) {
  SettingSources sources;
  sources.file = directory_ / "nowhere.toml";
  EXPECT_THAT(ResolveSettings(Settings(), sources),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere.toml")));
  EXPECT_THAT(ResolveSettings(Settings(), WithFile("a = 1\nb = = 2\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
  EXPECT_THAT(ResolveSettings(Settings(), WithFile("max-reading-kwh = 12.5\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("in quotes")));
  EXPECT_THAT(ResolveSettings(Settings(), WithFile("api-key = \"wm_x\"\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("api-key-file")));
}

TEST_F(SettingLayersTest, NeverRepeatsASecret) {
  const auto resolved = ResolveSettings(Settings(), WithVariable("WATTMINT_API_KEY", "wm_secret"));
  ASSERT_THAT(resolved, test::IsOk());
  EXPECT_EQ(resolved->values.api_key, "wm_secret");
  for (const auto& [name, origin] : resolved->origins) {
    EXPECT_THAT(origin, testing::Not(HasSubstr("wm_secret")));
  }
}

TEST_F(SettingLayersTest, TakesAnyNameOfAVariableThatHoldsAKey) {
  SettingSources sources;
  sources.environment = {{"WATTMINT_SEED", "no setting"}, {"WATTMINT_OTHER_SEED", ""}};
  sources.flags = {{"ledger-key-env", "WATTMINT_SEED"}};
  EXPECT_THAT(ResolveSettings(Settings(), sources),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("WATTMINT_OTHER_SEED is no")));
  sources.environment.pop_back();
  const auto resolved = ResolveSettings(Settings(), sources);
  ASSERT_THAT(resolved, test::IsOk());
  EXPECT_EQ(resolved->values.ledger_key.variable, "WATTMINT_SEED");
}

TEST_F(SettingLayersTest, NeverRepeatsAKeyThatStandsInPlaceOfItsName) {
  const std::string key = std::string(63, 'a') + "b";
  for (const std::string& wrong :
       {key, "0x" + key, key.substr(0, 40) + " ", "1" + key.substr(40)}) {
    EXPECT_THAT(ResolveSettings(Settings(), WithVariable("WATTMINT_LEDGER_KEY_ENV", wrong)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("name of a variable"), Not(HasSubstr("aaaa")))));
  }
}

TEST(ProcessEnvironmentTest, CopiesNoValueButThoseOfSettings) {
  setenv("SOME_SEED", "secret", 1);
  setenv("WATTMINT_DATA", "/x", 1);
  std::map<std::string, std::string> environment;
  for (const auto& [name, value] : ProcessEnvironment()) environment[name] = value;
  unsetenv("WATTMINT_DATA");
  EXPECT_EQ(environment.at("SOME_SEED"), "");
  EXPECT_EQ(environment.at("WATTMINT_DATA"), "/x");
}

TEST(SettingTableTest, HasEachNameOnceAndShowsWhatItReads) {
  std::set<std::string_view> names;
  std::set<std::string_view> variables;
  for (const Setting& setting : SettingTable()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_TRUE(variables.insert(setting.variable).second) << setting.variable;
    Settings settings;
    const std::string shown = setting.get(settings);
    if (shown.empty()) continue;
    EXPECT_THAT(setting.set(settings, shown), test::IsOk()) << setting.name;
    EXPECT_EQ(setting.get(settings), shown) << setting.name;
  }
}

}  // namespace
}  // namespace wattmint::cli
