// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/planted.h"
#include "tests/simulation/runner.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <string>

// A simulation is worth what it finds: each of these bugs (plant_bugs.py) must be caught soon.
namespace wattmint::simulation {
namespace {

constexpr std::int64_t kSeedsMax = 250;

class PlantedBugTest : public testing::TestWithParam<std::string> {
 protected:
  ~PlantedBugTest() override { Plant(""); }
};

TEST_P(PlantedBugTest, IsCaught) {
  Plant(GetParam());
  const Report report = RunSeeds(1, kSeedsMax, {}, 1);
  ASSERT_THAT(report.violations, testing::SizeIs(1)) << "not caught in " << kSeedsMax << " seeds";
  fmt::print("{} caught after {} seeds: {}\n", GetParam(), report.seeds, report.violations[0]);
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedBugTest,
    testing::Values("signs_anew_on_timeout", "accepted_is_minted", "unknown_is_a_failure",
                    "attempts_are_forgotten", "permanent_is_transient", "void_too_soon",
                    "found_is_not_told", "amount_is_not_compared", "no_funds_is_a_refusal",
                    "sent_before_durable", "signed_is_released", "nothing_is_looked_up",
                    "retry_forgets_the_bytes", "lease_is_not_compared", "remainder_is_not_compared",
                    "remainder_is_dropped", "expiry_is_forgotten", "key_is_a_counter",
                    "amount_is_a_double", "day_cap_forgets_the_batch", "cap_is_not_checked_again",
                    "acknowledged_before_durable", "events_are_written_apart",
                    "published_although_broken", "nothing_is_synced", "repeat_is_not_compared",
                    "final_height_of_the_tip", "looks_up_what_is_not_final"),
    [](const auto& bug) { return bug.param; });

}  // namespace
}  // namespace wattmint::simulation

int main(int argc, char** argv) { return wattmint::simulation::Main(argc, argv); }
