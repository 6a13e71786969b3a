// SPDX-License-Identifier: Apache-2.0
#include "storage/tenure_sums.h"

#include "storage/run.h"

namespace wattmint::storage {

void TenureSums::AddReading(std::int64_t tenure_ref, std::int64_t energy_nano_kwh,
                            domain::MintState mint_state) {
  Change& change = changes_[tenure_ref];
  change.readings += 1;
  change.not_applicable += mint_state == domain::MintState::kNotApplicable ? 1 : 0;
  change.parked += mint_state == domain::MintState::kParked ? 1 : 0;
  change.energy += energy_nano_kwh;
}

void TenureSums::AddTask(std::int64_t tenure_ref, int sign, domain::MintState state,
                         std::int64_t energy_nano_kwh, std::int64_t base_units) {
  Change& change = changes_[tenure_ref];
  if (state == domain::MintState::kConfirmed) {
    change.confirmed += sign;
    change.confirmed_energy += sign * energy_nano_kwh;
    change.confirmed_tokens += sign * base_units;
  } else if (state == domain::MintState::kParked) {
    change.parked += sign;
  } else if (state == domain::MintState::kRejected) {
    change.rejected += sign;
  } else if (state == domain::MintState::kNotApplicable) {
    change.not_applicable += sign;
  }
}

void TenureSums::Flush(Connection& connection) {
  static const std::string kSql =
      "UPDATE tenures SET readings = readings + ?, not_applicable = not_applicable + ?,"
      " confirmed = confirmed + ?, parked = parked + ?, rejected = rejected + ?,"
      " energy = energy + ?, confirmed_energy = confirmed_energy + ?,"
      " confirmed_tokens = confirmed_tokens + ? WHERE tenure_ref = ?";
  for (const auto& [tenure_ref, change] : changes_) {
    Run(connection.Prepared(kSql), change.readings, change.not_applicable, change.confirmed,
        change.parked, change.rejected, change.energy, change.confirmed_energy,
        change.confirmed_tokens, tenure_ref)
        .Execute();
  }
  changes_.clear();
}

}  // namespace wattmint::storage
