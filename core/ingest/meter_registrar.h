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
// Threads: any. Errors: kInvalidArgument for ids, wallets or keys that are none; kAlreadyExists;
// kNotFound; those of the check; kUnavailable.
class MeterRegistrar {
 public:
  // Called on the queue's acknowledger thread; must not block.
  using Callback = std::function<void(absl::StatusOr<domain::Meter>)>;

  MeterRegistrar(store::CommitQueue& queue, store::MeterRegistry& registry);

  // Takes id, owner, wallet and key of `meter`. The same again answers as the first time.
  void Register(domain::Meter meter, Callback done);
  // The meter keeps its key.
  void Transfer(std::string meter_id, std::string user_id, std::string wallet_address,
                Callback done);
  // Whether the caller may change the meter as it is then: it may have been transferred since the
  // caller was asked. Called on the writer's thread.
  using Check = std::function<absl::Status(const domain::Meter&)>;
  void SetWallet(std::string meter_id, std::string wallet_address, Check check, Callback done);
  // The key that the meter signs with from now on; empty takes it away.
  void SetKey(std::string meter_id, std::string public_key, Callback done);

 private:
  void Change(std::string meter_id, std::function<absl::Status(domain::Meter&)> change,
              Callback done);

  store::CommitQueue& queue_;
  store::MeterRegistry& registry_;
};

}  // namespace wattmint::ingest
