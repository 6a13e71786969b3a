// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_use_recorder.h"

#include "core/base/status_macros.h"
#include "core/store/run_op.h"

#include <utility>
#include <vector>

namespace wattmint::access {

KeyUseRecorder::KeyUseRecorder(const Options& options, store::CommitQueue& queue,
                               ApiKeyTable& table, OnTrouble on_trouble)
    : options_(options), queue_(queue), table_(table), on_trouble_(std::move(on_trouble)) {}

void KeyUseRecorder::Run() {
  for (bool is_over = false; !is_over;) {
    {
      base::MutexLock lock(mutex_);
      is_over = stopped_.WaitFor(mutex_, options_.interval,
                                 [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
    }
    if (const absl::Status status = WriteNow(); !status.ok()) on_trouble_(status);
  }
}

void KeyUseRecorder::Stop() {
  base::MutexLock lock(mutex_);
  stopping_ = true;
  stopped_.NotifyAll();
}

absl::Status KeyUseRecorder::WriteNow() {
  const std::vector<store::KeyUse> uses = table_.UnwrittenUses();
  if (uses.empty()) return absl::OkStatus();
  const auto write = [&uses](store::WriteContext& context) -> absl::Status {
    for (const store::KeyUse& use : uses) {
      WATTMINT_RETURN_IF_ERROR(context.transaction().SetKeyUse(use));
    }
    return absl::OkStatus();
  };
  WATTMINT_RETURN_IF_ERROR(store::RunOp(queue_, write, uses.size()));
  table_.SetWritten(uses);
  return absl::OkStatus();
}

}  // namespace wattmint::access
