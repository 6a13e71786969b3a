// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/meter.h"
#include "core/store/commit_queue.h"
#include "core/store/meter_registry.h"

#include <absl/status/statusor.h>

#include <functional>
#include <string>

namespace wattmint::ingest {

// Changes the registry of meters, durably and with an event.
// Threads: any. Errors: kInvalidArgument for ids or wallets that are none; kAlreadyExists;
// kNotFound; kUnavailable.
class MeterRegistrar {
 public:
  // Called on the queue's acknowledger thread; must not block.
  using Callback = std::function<void(absl::StatusOr<domain::Meter>)>;

  MeterRegistrar(store::CommitQueue& queue, store::MeterRegistry& registry);

  // The same meter again, with the same owner and wallet, answers as the first time.
  void Register(std::string meter_id, std::string user_id, std::string wallet_address,
                Callback done);
  void Transfer(std::string meter_id, std::string user_id, std::string wallet_address,
                Callback done);
  void SetWallet(std::string meter_id, std::string wallet_address, Callback done);

 private:
  void Change(std::string meter_id, std::function<void(domain::Meter&)> change, Callback done);

  store::CommitQueue& queue_;
  store::MeterRegistry& registry_;
};

}  // namespace wattmint::ingest
