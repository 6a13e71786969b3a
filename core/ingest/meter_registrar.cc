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
    WATTMINT_ASSIGN_OR_RETURN(meter_, decide_(known.get()));
    if (known && *known == meter_) return absl::OkStatus();
    meter_.update_time = context.now();
    if (known) {
      WATTMINT_RETURN_IF_ERROR(context.transaction().UpdateMeter(meter_));
    } else {
      meter_.register_time = context.now();
      WATTMINT_ASSIGN_OR_RETURN(meter_.meter_ref, context.transaction().InsertMeter(meter_));
    }
    WATTMINT_RETURN_IF_ERROR(context.Append(domain::MeterChanged{
        meter_.user_id, meter_.meter_id, meter_.wallet_address, meter_.public_key}));
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

constexpr char kSomebody[] = "somebody";  // where the owner is not asked for

// Whether what the registry would hold of a meter is well-formed.
absl::Status CheckFields(const domain::Meter& meter) {
  if (!domain::IsMeterId(meter.meter_id)) {
    return base::InvalidArgument("meter_id must have 1 to 64 characters of A-Z a-z 0-9 . _ : -");
  }
  if (!domain::IsUserId(meter.user_id)) {
    return base::InvalidArgument("user_id must have 1 to 64 characters of A-Z a-z 0-9 . _ : @ -");
  }
  if (!meter.wallet_address.empty() && !domain::IsWalletAddress(meter.wallet_address)) {
    return base::InvalidArgument(
        "wallet_address is no Solana address: base58 of 32 bytes is expected");
  }
  if (!meter.public_key.empty() && !domain::IsMeterKey(meter.public_key)) {
    return base::InvalidArgument(
        "public_key is no Ed25519 public key that is safe to use: base58 of 32 bytes is expected");
  }
  return absl::OkStatus();
}

}  // namespace

MeterRegistrar::MeterRegistrar(store::CommitQueue& queue, store::MeterRegistry& registry)
    : queue_(queue), registry_(registry) {}

void MeterRegistrar::Register(domain::Meter meter, Callback done) {
  if (absl::Status status = CheckFields(meter); !status.ok()) return done(std::move(status));
  std::string meter_id = meter.meter_id;
  Decision decide =
      [meter = std::move(meter)](const domain::Meter* known) -> absl::StatusOr<domain::Meter> {
    if (known == nullptr) {
      return domain::Meter{.meter_id = meter.meter_id,
                           .user_id = meter.user_id,
                           .wallet_address = meter.wallet_address,
                           .public_key = meter.public_key};
    }
    if (known->user_id == meter.user_id && known->wallet_address == meter.wallet_address &&
        known->public_key == meter.public_key) {
      return *known;
    }
    return base::AlreadyExists("meter {} is registered with another owner, wallet or key",
                               meter.meter_id);
  };
  queue_.Submit(std::make_unique<MeterOp>(registry_, std::move(meter_id), std::move(decide),
                                          std::move(done)));
}

void MeterRegistrar::Transfer(std::string meter_id, std::string user_id, std::string wallet_address,
                              Callback done) {
  const absl::Status status =
      CheckFields({.meter_id = meter_id, .user_id = user_id, .wallet_address = wallet_address});
  if (!status.ok()) return done(status);
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
  const absl::Status status =
      CheckFields({.meter_id = meter_id, .user_id = kSomebody, .wallet_address = wallet_address});
  if (!status.ok()) return done(status);
  Change(
      std::move(meter_id),
      [wallet = std::move(wallet_address), check = std::move(check)](domain::Meter& meter) {
        WATTMINT_RETURN_IF_ERROR(check(meter));
        meter.wallet_address = wallet;
        return absl::OkStatus();
      },
      std::move(done));
}

void MeterRegistrar::SetKey(std::string meter_id, std::string public_key, Callback done) {
  const absl::Status status =
      CheckFields({.meter_id = meter_id, .user_id = kSomebody, .public_key = public_key});
  if (!status.ok()) return done(status);
  Change(
      std::move(meter_id),
      [key = std::move(public_key)](domain::Meter& meter) {
        meter.public_key = key;
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
