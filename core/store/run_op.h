// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/commit_queue.h"

#include <absl/status/status.h>

#include <functional>
#include <utility>

namespace wattmint::store {

// A WriteOp of two functions.
class FunctionOp final : public WriteOp {
 public:
  using ApplyFunction = std::function<absl::Status(WriteContext&)>;
  using DoneFunction = std::function<void(const absl::Status&)>;

  FunctionOp(ApplyFunction apply, DoneFunction done, std::size_t weight = 1)
      : apply_(std::move(apply)), done_(std::move(done)), weight_(weight) {}
  absl::Status Apply(WriteContext& context) override { return apply_(context); }
  void Done(const absl::Status& status) override { done_(status); }
  std::size_t weight() const override { return weight_; }

 private:
  const ApplyFunction apply_;
  const DoneFunction done_;
  const std::size_t weight_;
};

// Submits `apply` and blocks until it is durable (or refused, or its outcome unknown:
// kUnavailable). REQUIRES: not on one of the queue's threads.
absl::Status RunOp(CommitQueue& queue, FunctionOp::ApplyFunction apply, std::size_t weight = 1);

}  // namespace wattmint::store
