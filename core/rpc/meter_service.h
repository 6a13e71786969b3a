// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ingest/meter_registrar.h"
#include "core/rpc/calls.h"
#include "core/store/meter_registry.h"
#include "wattmint/v1/meter.grpc.pb.h"

namespace wattmint::rpc {

// The registry of meters: wattmint/v1/meter.proto.
// Lifetime: everything passed to the constructor must outlive it.
class MeterService final : public v1::MeterService::CallbackService {
 public:
  MeterService(Calls& calls, ingest::MeterRegistrar& registrar,
               const store::MeterRegistry& registry)
      : calls_(calls), registrar_(registrar), registry_(registry) {}

  grpc::ServerUnaryReactor* RegisterMeter(grpc::CallbackServerContext* context,
                                          const v1::RegisterMeterRequest* request,
                                          v1::RegisterMeterResponse* response) override;
  grpc::ServerUnaryReactor* GetMeter(grpc::CallbackServerContext* context,
                                     const v1::GetMeterRequest* request,
                                     v1::GetMeterResponse* response) override;
  grpc::ServerUnaryReactor* ListMeters(grpc::CallbackServerContext* context,
                                       const v1::ListMetersRequest* request,
                                       v1::ListMetersResponse* response) override;
  grpc::ServerUnaryReactor* TransferMeter(grpc::CallbackServerContext* context,
                                          const v1::TransferMeterRequest* request,
                                          v1::TransferMeterResponse* response) override;
  grpc::ServerUnaryReactor* SetMeterWallet(grpc::CallbackServerContext* context,
                                           const v1::SetMeterWalletRequest* request,
                                           v1::SetMeterWalletResponse* response) override;
  grpc::ServerUnaryReactor* SetMeterKey(grpc::CallbackServerContext* context,
                                        const v1::SetMeterKeyRequest* request,
                                        v1::SetMeterKeyResponse* response) override;

 private:
  Calls& calls_;
  ingest::MeterRegistrar& registrar_;
  const store::MeterRegistry& registry_;
};

}  // namespace wattmint::rpc
