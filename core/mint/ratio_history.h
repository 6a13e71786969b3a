// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/token_amount.h"
#include "core/store/commit_queue.h"
#include "core/store/queries.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <vector>

namespace wattmint::mint {

// Every ratio of tokens to energy that mints of this log may have been made by. The ratio is a
// setting, which may differ at each start; without its history nobody could tell whether old mints
// were right. Kept as the durable switch "token_ratios": the ratios' texts, separated by spaces.

// In the order of their first use; none before the first RecordRatio().
// Errors: the environment's; kDataLoss for a switch that holds something else.
absl::StatusOr<std::vector<domain::Ratio>> LoadRatios(store::Queries& queries);

// Durable when it returns: before any mint is made by the ratio. Errors: as LoadRatios().
absl::Status RecordRatio(store::CommitQueue& queue, store::Queries& queries, domain::Ratio ratio);

}  // namespace wattmint::mint
