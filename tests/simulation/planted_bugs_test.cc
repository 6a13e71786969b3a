// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/planted.h"
#include "tests/simulation/runner.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

// A simulation is worth what it finds: each of these bugs (plant_bugs.py) must be caught soon, and
// for what it does.
namespace wattmint::simulation {
namespace {

constexpr std::int64_t kSeedsMax = 200;  // as many as SimulationTest runs without a bug

struct Bug {
  std::string name;
  std::vector<std::string> symptoms;  // one of them is what is said of the first seed that breaks
};

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.name; }

// Another story of the log than of the tasks, or none that anybody can follow.
const std::vector<std::string> kUntrueLog{"was published", "was told", "the log went back",
                                          "is another than before", "is lost"};
const std::vector<std::string> kUntrueOrBroken{"the log went back", "is another than before",
                                               "is lost", "does not open", "the file is broken"};
const std::vector<std::string> kOverMint{"OVER-MINT"};
const std::vector<std::string> kNotFinal{"not final on the chain"};
const std::vector<std::string> kParked{"is parked for no good reason"};
const std::vector<std::string> kUnfinished{"never finished"};

std::vector<Bug> Bugs() {
  return {
      {"accepted_is_minted", kNotFinal},
      {"acknowledged_before_durable", kUntrueLog},
      {"amount_is_a_double", {"nano-kWh, not", "OVER-MINT: meter"}},
      {"amount_is_not_compared", {"but the chain has"}},
      {"attempts_are_forgotten", kUnfinished},
      {"cap_is_not_checked_again", {"was minted above a cap"}},
      {"day_cap_forgets_the_batch", {"were signed in one day"}},
      {"events_are_written_apart", kUntrueLog},
      {"expiry_is_forgotten", kOverMint},
      {"final_height_of_the_tip", kNotFinal},
      {"found_is_not_told", {"CONFIRMED without TokensMinted"}},
      {"key_is_a_counter", kNotFinal},
      {"lease_is_not_compared", {"was told", "OVER-MINT", "changed from"}},
      {"looks_up_what_is_not_final", kNotFinal},
      {"no_funds_is_a_refusal", kParked},
      {"nothing_is_looked_up", {"ends as PARKED: EXPIRED", "OVER-MINT"}},
      {"nothing_is_synced", kUntrueOrBroken},
      {"pays_the_new_owner", {"was minted for"}},
      {"permanent_is_transient", kUnfinished},
      {"published_although_broken", kUntrueLog},
      {"remainder_is_dropped", {"nano-kWh, not"}},
      {"remainder_is_not_compared", {"nano-kWh, not", "OVER-MINT: meter"}},
      {"repeat_is_not_compared", {"is answered as another"}},
      {"retry_forgets_the_bytes", kOverMint},
      {"sent_before_durable", {"OVER-MINT", "the chain does not say so", "CONFLICT"}},
      {"signed_is_released", {"OVER-MINT", "the chain does not say so", "was told"}},
      {"signs_anew_on_timeout", kOverMint},
      {"unknown_is_a_failure", kParked},
      {"void_too_soon", kOverMint},
  };
}

class PlantedBugTest : public testing::TestWithParam<Bug> {
 protected:
  ~PlantedBugTest() override { Plant(""); }
};

TEST_P(PlantedBugTest, IsCaughtForWhatItDoes) {
  const Bug& bug = GetParam();
  Plant(bug.name);
  const Report report = RunSeeds(1, kSeedsMax, {}, 1);
  ASSERT_THAT(report.violations, testing::SizeIs(1)) << "not caught in " << kSeedsMax << " seeds";
  const std::string& violation = report.violations[0];
  EXPECT_TRUE(std::ranges::any_of(bug.symptoms, [&](const std::string& symptom) {
    return violation.find(symptom) != std::string::npos;
  })) << violation;
  fmt::print("caught after {} seeds: {}\n", report.seeds, violation);
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBugTest, testing::ValuesIn(Bugs()),
                         [](const auto& bug) { return bug.param.name; });

}  // namespace
}  // namespace wattmint::simulation

int main(int argc, char** argv) { return wattmint::simulation::Main(argc, argv); }
