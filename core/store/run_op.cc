// SPDX-License-Identifier: Apache-2.0
#include "core/store/run_op.h"

#include <future>

namespace wattmint::store {

absl::Status RunOp(CommitQueue& queue, FunctionOp::ApplyFunction apply, std::size_t weight) {
  std::promise<absl::Status> outcome;
  std::future<absl::Status> future = outcome.get_future();
  queue.Submit(std::make_unique<FunctionOp>(
      std::move(apply), [&outcome](const absl::Status& status) { outcome.set_value(status); },
      weight));
  return future.get();
}

}  // namespace wattmint::store
