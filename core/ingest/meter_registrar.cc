// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/meter_registrar.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"

#include <utility>

namespace wattmint::ingest {
namespace {

// Decides on the writer's thread what a meter becomes: the meter to store, or the refusal.
// `known` is absent when it is not registered.
using Decision = std::function<absl::StatusOr<domain::Meter>(const domain::Meter* known)>;

class MeterOp final : public store::WriteOp {
 public:
  MeterOp(store::MeterRegistry& registry, std::string meter_id, Decision decide,
          MeterRegistrar::Callback done)
      : registry_(registry),
        meter_id_(std::move(meter_id)),
        decide_(std::move(decide)),
        done_(std::move(done)) {}

  absl::Status Apply(store::WriteContext& context) override {
    const auto known = registry_.Find(meter_id_);
    WATTMINT_ASSIGN_OR_RETURN(meter_, decide_(known ? &*known : nullptr));
    if (known && *known == meter_) return absl::OkStatus();
    meter_.update_time = context.now();
    if (known) {
      WATTMINT_RETURN_IF_ERROR(context.transaction().UpdateMeter(meter_));
    } else {
      meter_.register_time = context.now();
      WATTMINT_ASSIGN_OR_RETURN(meter_.meter_ref, context.transaction().InsertMeter(meter_));
    }
    WATTMINT_RETURN_IF_ERROR(context.Append(
        domain::MeterChanged{meter_.user_id, meter_.meter_id, meter_.wallet_address}));
    // Later ops of the same transaction must see it; if that breaks, the registry is loaded anew.
    registry_.Put(meter_);
    return absl::OkStatus();
  }

  void Done(const absl::Status& status) override {
    if (status.ok()) {
      done_(meter_);
    } else {
      done_(status);
    }
  }

 private:
  store::MeterRegistry& registry_;
  const std::string meter_id_;
  const Decision decide_;
  const MeterRegistrar::Callback done_;
  domain::Meter meter_;
};

absl::Status CheckIds(std::string_view meter_id, std::string_view user_id,
                      std::string_view wallet_address) {
  if (!domain::IsMeterId(meter_id)) {
    return base::InvalidArgument("meter_id must have 1 to 64 characters of A-Z a-z 0-9 . _ : -");
  }
  if (!domain::IsUserId(user_id)) {
    return base::InvalidArgument("user_id must have 1 to 64 characters of A-Z a-z 0-9 . _ : @ -");
  }
  if (!wallet_address.empty() && !domain::IsWalletAddress(wallet_address)) {
    return base::InvalidArgument(
        "wallet_address is no Solana address: base58 of 32 bytes is expected");
  }
  return absl::OkStatus();
}

}  // namespace

MeterRegistrar::MeterRegistrar(store::CommitQueue& queue, store::MeterRegistry& registry)
    : queue_(queue), registry_(registry) {}

void MeterRegistrar::Register(std::string meter_id, std::string user_id, std::string wallet_address,
                              Callback done) {
  if (absl::Status status = CheckIds(meter_id, user_id, wallet_address); !status.ok()) {
    return done(std::move(status));
  }
  Decision decide = [meter_id, user_id = std::move(user_id), wallet = std::move(wallet_address)](
                        const domain::Meter* known) -> absl::StatusOr<domain::Meter> {
    if (known == nullptr) {
      return domain::Meter{.meter_id = meter_id, .user_id = user_id, .wallet_address = wallet};
    }
    if (known->user_id == user_id && known->wallet_address == wallet) return *known;
    return base::AlreadyExists("meter {} is registered with another owner or wallet", meter_id);
  };
  queue_.Submit(std::make_unique<MeterOp>(registry_, std::move(meter_id), std::move(decide),
                                          std::move(done)));
}

void MeterRegistrar::Transfer(std::string meter_id, std::string user_id, std::string wallet_address,
                              Callback done) {
  if (absl::Status status = CheckIds(meter_id, user_id, wallet_address); !status.ok()) {
    return done(std::move(status));
  }
  Change(
      std::move(meter_id),
      [user_id = std::move(user_id), wallet = std::move(wallet_address)](domain::Meter& meter) {
        meter.user_id = user_id;
        meter.wallet_address = wallet;
        return absl::OkStatus();
      },
      std::move(done));
}

void MeterRegistrar::SetWallet(std::string meter_id, std::string wallet_address, Check check,
                               Callback done) {
  if (absl::Status status = CheckIds(meter_id, "anybody", wallet_address); !status.ok()) {
    return done(std::move(status));
  }
  Change(
      std::move(meter_id),
      [wallet = std::move(wallet_address), check = std::move(check)](domain::Meter& meter) {
        WATTMINT_RETURN_IF_ERROR(check(meter));
        meter.wallet_address = wallet;
        return absl::OkStatus();
      },
      std::move(done));
}

void MeterRegistrar::Change(std::string meter_id,
                            std::function<absl::Status(domain::Meter&)> change, Callback done) {
  Decision decide = [meter_id, change = std::move(change)](
                        const domain::Meter* known) -> absl::StatusOr<domain::Meter> {
    if (known == nullptr) return base::NotFound("meter {} is not registered", meter_id);
    domain::Meter meter = *known;
    WATTMINT_RETURN_IF_ERROR(change(meter));
    return meter;
  };
  queue_.Submit(std::make_unique<MeterOp>(registry_, std::move(meter_id), std::move(decide),
                                          std::move(done)));
}

}  // namespace wattmint::ingest
