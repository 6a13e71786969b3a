// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/mint/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace wattmint::mint {
namespace {

using domain::MintTask;

ledger::MintOrder OrderFor(const MintTask& task) {
  return {domain::IdempotencyKey(task.reading_id), task.wallet_address, task.tokens};
}

// An amount that was not signed is not fixed.
void Forget(const Plan& plan, MintTask& task) {
  if (!plan.fixed.contains(task.task_id)) task.tokens = domain::TokenAmount();
}

void SetAside(Plan& plan, MintTask task, const absl::Status& why, domain::Time retry_at) {
  Forget(plan, task);
  if (absl::IsInvalidArgument(why)) {
    task.reason = fmt::format("SIGNER_REFUSED: {}", base::Message(why));
    plan.to_park.push_back(std::move(task));
  } else {
    task.next_attempt = retry_at;
    task.reason = fmt::format("NOT_SIGNED: {}", base::Message(why));
    plan.to_defer.push_back(std::move(task));
  }
}

// Puts off whatever carried a remainder on from a task of the meter that was not signed.
void PutOffMeter(Plan& plan, const std::string& meter_id, domain::Time retry_at) {
  if (plan.remainders.erase(meter_id) == 0) return;
  for (auto* place : {&plan.to_sign, &plan.nothing}) {
    const auto kept =
        std::stable_partition(place->begin(), place->end(), [&](const MintTask& task) {
          return task.meter_id != meter_id || plan.fixed.contains(task.task_id);
        });
    for (auto it = kept; it != place->end(); ++it) {
      Forget(plan, *it);
      it->next_attempt = retry_at;
      it->reason = "NOT_SIGNED: an earlier reading of the meter was not";
      it->signed_bytes.clear();
      it->transaction_signature.clear();
      it->expiry_height = 0;
      plan.to_defer.push_back(std::move(*it));
    }
    place->erase(kept, place->end());
  }
}

}  // namespace

absl::Status SignPlan(ledger::Ledger& ledger, domain::Time retry_at, Plan& plan) {
  std::vector<ledger::MintOrder> orders;
  std::ranges::transform(plan.to_sign, std::back_inserter(orders), OrderFor);
  auto mints = ledger.Sign(orders);
  WATTMINT_ASSERT(mints.size() == orders.size(), "{} signatures for {} orders", mints.size(),
                  orders.size());
  absl::Status trouble;
  std::vector<std::string> unsigned_meters;
  std::vector<MintTask> tasks = std::exchange(plan.to_sign, {});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    MintTask& task = tasks[i];
    if (mints[i].ok()) {
      WATTMINT_ASSERT(!mints[i]->bytes.empty(), "task {} was signed without bytes", task.task_id);
      task.signed_bytes = std::move(mints[i]->bytes);
      task.transaction_signature = std::move(mints[i]->signature);
      task.expiry_height = mints[i]->expiry_height;
      plan.to_sign.push_back(std::move(task));
      continue;
    }
    const absl::Status& why = mints[i].status();
    if (trouble.ok() && !absl::IsInvalidArgument(why)) trouble = why;
    unsigned_meters.push_back(task.meter_id);
    SetAside(plan, std::move(task), why, retry_at);
  }
  for (const std::string& meter_id : unsigned_meters) PutOffMeter(plan, meter_id, retry_at);
  return trouble;
}

}  // namespace wattmint::mint
