// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/core_metrics.h"

#include "core/access/reason.h"
#include "tests/support/engine.h"
#include "tests/support/watched_ledger.h"

#include <gmock/gmock.h>

#include <new>
#include <string>

namespace wattmint::rpc {
namespace {

using testing::HasSubstr;
using testing::Not;

// The page, of an engine that is worked step by step. tests/integration/metrics_test.cc scrapes a
// whole core.
class CoreMetricsTest : public testing::Test {
 protected:
  CoreMetricsTest() { engine_.Register("M1", "alice"); }

  std::string Page() {
    return MetricsPage({engine_.queries(), engine_.log(), ledger_, engine_.clock(),
                        engine_.pipeline().counters(), engine_.minter(), reconciliations_,
                        engine_.hub(), streams_, audit_, nullptr});
  }

  test::Engine engine_;
  test::WatchedLedger ledger_{engine_.ledger()};
  mint::ReconcileSchedule reconciliations_{
      {}, engine_.clock(), [](const auto&) { return mint::Reconciliation(); }, [](const auto&) {}};
  LiveStreams streams_{engine_.clock(), {.streams_max = 1}};
  access::AuditLog audit_{"core", {}, engine_.clock(), [](std::string_view) {}};
};

TEST_F(CoreMetricsTest, TheOldestDueTaskHasAnAge) {
  engine_.Submit({engine_.Hour("M1", 2, "1"), engine_.Hour("M1", 1, "1")});
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_oldest_due_seconds 0\n"));
  engine_.clock().Advance(std::chrono::milliseconds(90'500));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_oldest_due_seconds 90.5\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_tasks{state=\"PENDING\"} 2\n"));
  engine_.MintAll();
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_oldest_due_seconds 0\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_tasks{state=\"CONFIRMED\"} 2\n"));
}

TEST_F(CoreMetricsTest, TheLogHasBoundsAndASize) {
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_event_sequence 1\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_event_oldest_sequence 1\n"));
  const auto bounds = test::Engine::Value(engine_.log().GetBounds());
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_event_log_bytes " + std::to_string(bounds.bytes)));
}

TEST_F(CoreMetricsTest, BeforeTheFirstReconciliationNothingIsSaidOfTheLast) {
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_reconcile_done_total 0\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("wattmint_reconcile_last_time_seconds")));
}

TEST_F(CoreMetricsTest, WhatCannotBeReadIsLeftOut) {
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_scrape_failed 0\n"));
  ledger_.trouble = absl::UnavailableError("the line is cut");
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_scrape_failed 1\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("wattmint_ledger_supply_base_units")));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_readings_accepted_total 0\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_streams 0\n"));
}

TEST_F(CoreMetricsTest, RefusalsAreCountedByReason) {
  const auto refuse = [this](std::string_view reason) {
    audit_.Refused("method", nullptr, access::WithReason(absl::UnauthenticatedError("no"), reason));
  };
  refuse("INVALID_TOKEN");
  refuse("INVALID_TOKEN");
  refuse("SOMETHING_NEW");
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_refused_total{reason=\"INVALID_TOKEN\"} 2\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_refused_total{reason=\"RATE_LIMITED\"} 0\n"));
  EXPECT_THAT(Page(), HasSubstr("\nwattmint_refused_total{reason=\"OTHER\"} 1\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("wattmint_token_keys")));
}

TEST_F(CoreMetricsTest, AnExceptionEndsThePageAndNothingElse) {
  ledger_.before_supply = [] { throw std::bad_alloc(); };
  EXPECT_EQ(Page(), "# std::bad_alloc\nwattmint_scrape_failed 1\n");
}

}  // namespace
}  // namespace wattmint::rpc
