// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/token_amount.h"
#include "core/ledger/ledger.h"
#include "core/mint/minter.h"
#include "core/mint/reconcile_schedule.h"
#include "core/rpc/calls.h"
#include "core/store/meter_registry.h"
#include "core/store/queries.h"
#include "wattmint/v1/mint.grpc.pb.h"

namespace wattmint::rpc {

// Mint tasks, supply and balances: wattmint/v1/mint.proto.
// Lifetime: everything passed to the constructor must outlive it.
class MintService final : public v1::MintService::CallbackService {
 public:
  MintService(Calls& calls, mint::Minter& minter, mint::ReconcileSchedule& reconciliations,
              store::Queries& queries, ledger::Ledger& ledger, const store::MeterRegistry& registry,
              domain::Ratio ratio)
      : calls_(calls),
        minter_(minter),
        reconciliations_(reconciliations),
        queries_(queries),
        ledger_(ledger),
        registry_(registry),
        ratio_(ratio) {}

  grpc::ServerUnaryReactor* MintReading(grpc::CallbackServerContext* context,
                                        const v1::MintReadingRequest* request,
                                        v1::MintReadingResponse* response) override;
  grpc::ServerUnaryReactor* GetMint(grpc::CallbackServerContext* context,
                                    const v1::GetMintRequest* request,
                                    v1::GetMintResponse* response) override;
  grpc::ServerUnaryReactor* ListMints(grpc::CallbackServerContext* context,
                                      const v1::ListMintsRequest* request,
                                      v1::ListMintsResponse* response) override;
  grpc::ServerUnaryReactor* ReadBatch(grpc::CallbackServerContext* context,
                                      const v1::ReadBatchRequest* request,
                                      v1::ReadBatchResponse* response) override;
  grpc::ServerUnaryReactor* RetryMint(grpc::CallbackServerContext* context,
                                      const v1::RetryMintRequest* request,
                                      v1::RetryMintResponse* response) override;
  grpc::ServerUnaryReactor* DiscardMint(grpc::CallbackServerContext* context,
                                        const v1::DiscardMintRequest* request,
                                        v1::DiscardMintResponse* response) override;
  grpc::ServerUnaryReactor* PauseMinting(grpc::CallbackServerContext* context,
                                         const v1::PauseMintingRequest* request,
                                         v1::PauseMintingResponse* response) override;
  grpc::ServerUnaryReactor* ResumeMinting(grpc::CallbackServerContext* context,
                                          const v1::ResumeMintingRequest* request,
                                          v1::ResumeMintingResponse* response) override;
  grpc::ServerUnaryReactor* GetSupply(grpc::CallbackServerContext* context,
                                      const v1::GetSupplyRequest* request,
                                      v1::GetSupplyResponse* response) override;
  grpc::ServerUnaryReactor* Reconcile(grpc::CallbackServerContext* context,
                                      const v1::ReconcileRequest* request,
                                      v1::ReconcileResponse* response) override;
  grpc::ServerUnaryReactor* GetBalances(grpc::CallbackServerContext* context,
                                        const v1::GetBalancesRequest* request,
                                        v1::GetBalancesResponse* response) override;

 private:
  absl::StatusOr<std::optional<domain::MintTask>> Find(const v1::GetMintRequest& asked);
  absl::StatusOr<v1::GetSupplyResponse> Supply();
  absl::StatusOr<v1::GetBalancesResponse> Balances(const access::Principal& principal,
                                                   const v1::GetBalancesRequest& asked);

  Calls& calls_;
  mint::Minter& minter_;
  mint::ReconcileSchedule& reconciliations_;
  store::Queries& queries_;
  ledger::Ledger& ledger_;
  const store::MeterRegistry& registry_;
  const domain::Ratio ratio_;
};

}  // namespace wattmint::rpc
