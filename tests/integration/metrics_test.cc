// SPDX-License-Identifier: Apache-2.0
// What a scrape of the whole core says.
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"
#include "tests/support/websocket_client.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

namespace wattmint::test {
namespace {

using v1::MintService;

rpc::CoreOptions WithMetrics() {
  rpc::CoreOptions options = TestCore::Defaults();
  options.metrics_address = "127.0.0.1:0";
  return options;
}

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() { core_.RegisterMeter("m-1", "ann", WalletAddress(1)); }

  HttpAnswer Get() {
    return WebSocketClient(static_cast<std::uint16_t>(core_.app().metrics_port()))
        .Request("GET", "/metrics");
  }
  // Value by name and labels, as they stand on the page.
  std::map<std::string, double> Scrape() {
    const HttpAnswer answer = Get();
    EXPECT_EQ(answer.status, 200);
    std::map<std::string, double> values;
    std::istringstream lines(answer.body);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t space = line.rfind(' ');
      if (!line.starts_with('#')) values[line.substr(0, space)] = std::stod(line.substr(space));
    }
    return values;
  }
  // Waits for one that began after this call.
  void Reconcile() {
    ASSERT_THAT(Call(core_.mints(), &MintService::Stub::Reconcile, core_.admin(), {}), IsOk());
  }

  TestCore core_{WithMetrics()};
};

TEST_F(MetricsTest, ACoreAtRestIsTold) {
  Reconcile();
  const auto values = Scrape();
  EXPECT_EQ(values.at("wattmint_ledger_supply_base_units"), 0);
  EXPECT_EQ(values.at("wattmint_readings_accepted_total"), 0);
  EXPECT_EQ(values.at("wattmint_readings_rejected_total{rejection=\"METER_UNKNOWN\"}"), 0);
  EXPECT_EQ(values.at("wattmint_oldest_due_seconds"), 0);
  EXPECT_EQ(values.at("wattmint_minting_paused"), 0);
  EXPECT_EQ(values.at("wattmint_reconcile_failed_total"), 0);
  EXPECT_EQ(values.at("wattmint_reconcile_discrepancies"), 0);
  EXPECT_GT(values.at("wattmint_reconcile_last_time_seconds"), 1'600'000'000);
  EXPECT_GE(values.at("wattmint_reconcile_duration_seconds"), 0);
  EXPECT_EQ(values.at("wattmint_event_sequence"), core_.app().head_sequence());
  EXPECT_EQ(values.at("wattmint_streams"), 0);
  EXPECT_EQ(values.at("wattmint_scrape_failed"), 0);
  EXPECT_NE(Get().body.find("# TYPE wattmint_readings_accepted_total counter\n"),
            std::string::npos);
}

TEST_F(MetricsTest, WhatHappensIsCounted) {
  core_.Submit(QuarterHour("m-1", 0, "1.5"));
  core_.Submit(QuarterHour("m-1", 0, "1.5"));
  core_.Submit(QuarterHour("m-1", 1, "0"));
  core_.Submit(QuarterHour("m-2", 0, "1"));
  core_.WaitUntilMinted();
  const auto values = Scrape();
  EXPECT_EQ(values.at("wattmint_readings_accepted_total"), 2);
  EXPECT_EQ(values.at("wattmint_readings_existed_total"), 1);
  EXPECT_EQ(values.at("wattmint_readings_rejected_total{rejection=\"METER_UNKNOWN\"}"), 1);
  EXPECT_EQ(values.at("wattmint_ledger_supply_base_units"), 1'500'000'000);
  EXPECT_EQ(values.at("wattmint_confirmed_base_units"), 1'500'000'000);
  EXPECT_EQ(values.at("wattmint_in_work_base_units"), 0);
  EXPECT_EQ(values.at("wattmint_unexplained_base_units"), 0);
  EXPECT_EQ(values.at("wattmint_tasks{state=\"CONFIRMED\"}"), 1);
  EXPECT_EQ(values.at("wattmint_tasks{state=\"NOT_APPLICABLE\"}"), 1);
  for (const std::string state :
       {"PENDING", "CLAIMED", "SIGNED", "SUBMITTED", "PARKED", "REJECTED"}) {
    EXPECT_EQ(values.at("wattmint_tasks{state=\"" + state + "\"}"), 0) << state;
  }
}

TEST_F(MetricsTest, ABacklogAndAPauseAreSeen) {
  v1::PauseMintingRequest pause;
  pause.set_reason("test");
  ASSERT_THAT(Call(core_.mints(), &MintService::Stub::PauseMinting, core_.admin(), pause), IsOk());
  core_.Submit(QuarterHour("m-1", 0, "1"));
  const auto before = Scrape();
  EXPECT_EQ(before.at("wattmint_minting_paused"), 1);
  EXPECT_EQ(before.at("wattmint_tasks{state=\"PENDING\"}"), 1);
  EXPECT_GT(before.at("wattmint_oldest_due_seconds"), 0);
  EXPECT_GT(Scrape().at("wattmint_oldest_due_seconds"), before.at("wattmint_oldest_due_seconds"));
}

}  // namespace
}  // namespace wattmint::test
