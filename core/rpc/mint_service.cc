// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/mint_service.h"

#include "core/access/reason.h"
#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/mint/supply.h"
#include "core/rpc/converters.h"
#include "core/rpc/scope.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;

constexpr std::string_view kList = "mints";
constexpr int kWalletsMax = 100;  // Source: mint.proto

// Passes a task on as the answer of a call.
template <typename Response>
mint::Minter::TaskCallback TaskAnswer(Answer<Response> answer) {
  return [answer = std::move(answer)](absl::StatusOr<domain::MintTask> task) {
    if (!task.ok()) return answer(task.status());
    Response given;
    *given.mutable_task() = ToProto(*task);
    answer(std::move(given));
  };
}

template <typename Response>
mint::Minter::Callback EmptyAnswer(Answer<Response> answer) {
  return [answer = std::move(answer)](absl::Status status) {
    if (!status.ok()) return answer(std::move(status));
    answer(Response());
  };
}

absl::StatusOr<store::TaskQuery> QueryOf(const Principal& principal,
                                         const v1::ListMintsRequest& asked) {
  store::TaskQuery query;
  query.meter_id = asked.meter_id();
  query.user_id = OwnerFilter(principal, Permission::kReadMints);
  if (asked.state() != v1::MINT_STATE_UNSPECIFIED) {
    if (!v1::MintState_IsValid(asked.state())) return BadField("state", "is none");
    query.state = static_cast<domain::MintState>(asked.state());
  }
  WATTMINT_ASSIGN_OR_RETURN(
      query.count_max, PageSize(asked.page_size(), domain::kListPageDefault, domain::kListPageMax));
  WATTMINT_ASSIGN_OR_RETURN(query.after_task_id, ReadPageTokenNumber(kList, asked.page_token()));
  return query;
}

}  // namespace

grpc::ServerUnaryReactor* MintService::MintReading(grpc::CallbackServerContext* context,
                                                   const v1::MintReadingRequest* request,
                                                   v1::MintReadingResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MintService.MintReading", request, response,
                           [this](const Principal& principal, const v1::MintReadingRequest& asked,
                                  Answer<v1::MintReadingResponse> answer) {
                             const auto reading_id = ReadingIdFromProto(asked.reading_id());
                             if (!reading_id.ok()) return answer(reading_id.status());
                             const auto reading = queries_.FindReading(*reading_id);
                             if (!reading.ok()) return answer(reading.status());
                             const absl::Status found =
                                 CheckFound(principal, Permission::kManageMints, *reading,
                                            "reading", asked.reading_id());
                             if (!found.ok()) return answer(found);
                             if ((*reading)->task_id == 0) {
                               return answer(base::FailedPrecondition(
                                   "reading {} has nothing to mint", asked.reading_id()));
                             }
                             minter_.MintByHand((*reading)->task_id, TaskAnswer(std::move(answer)));
                           });
}

absl::StatusOr<std::optional<domain::MintTask>> MintService::Find(const v1::GetMintRequest& asked) {
  if ((asked.task_id() != 0) == !asked.reading_id().empty()) {
    return BadField("task_id", "exactly one of task_id and reading_id must be set");
  }
  if (asked.task_id() != 0) return queries_.FindTask(asked.task_id());
  WATTMINT_ASSIGN_OR_RETURN(const auto reading_id, ReadingIdFromProto(asked.reading_id()));
  WATTMINT_ASSIGN_OR_RETURN(auto task, queries_.FindTask(reading_id.row()));
  if (task.has_value() && task->reading_id != reading_id) task.reset();
  return task;
}

grpc::ServerUnaryReactor* MintService::GetMint(grpc::CallbackServerContext* context,
                                               const v1::GetMintRequest* request,
                                               v1::GetMintResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.MintService.GetMint", request, response,
      [this](const Principal& principal,
             const v1::GetMintRequest& asked) -> absl::StatusOr<v1::GetMintResponse> {
        WATTMINT_ASSIGN_OR_RETURN(const auto task, Find(asked));
        const std::string id =
            asked.reading_id().empty() ? std::to_string(asked.task_id()) : asked.reading_id();
        WATTMINT_RETURN_IF_ERROR(
            CheckFound(principal, Permission::kReadMints, task, "mint task", id));
        v1::GetMintResponse given;
        *given.mutable_task() = ToProto(*task);
        return given;
      });
}

grpc::ServerUnaryReactor* MintService::ListMints(grpc::CallbackServerContext* context,
                                                 const v1::ListMintsRequest* request,
                                                 v1::ListMintsResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.MintService.ListMints", request, response,
      [this](const Principal& principal,
             const v1::ListMintsRequest& asked) -> absl::StatusOr<v1::ListMintsResponse> {
        WATTMINT_ASSIGN_OR_RETURN(const store::TaskQuery query, QueryOf(principal, asked));
        WATTMINT_ASSIGN_OR_RETURN(const auto tasks, queries_.ListTasks(query));
        v1::ListMintsResponse given;
        for (const domain::MintTask& task : tasks) *given.add_tasks() = ToProto(task);
        if (std::ssize(tasks) == query.count_max) {
          given.set_next_page_token(PageTokenOf(kList, std::to_string(tasks.back().task_id)));
        }
        return given;
      });
}

grpc::ServerUnaryReactor* MintService::ReadBatch(grpc::CallbackServerContext* context,
                                                 const v1::ReadBatchRequest* request,
                                                 v1::ReadBatchResponse* response) {
  using Reach = access::EventScope::Reach;
  return calls_.Serve(
      context, "wattmint.v1.MintService.ReadBatch", request, response,
      [this](const Principal& caller,
             const v1::ReadBatchRequest& asked) -> absl::StatusOr<v1::ReadBatchResponse> {
        if (!domain::IsMeterId(asked.batch_id())) return BadField("batch_id", "is no batch id");
        WATTMINT_ASSIGN_OR_RETURN(const Principal principal, ActingFor(caller, asked.as_user()));
        const access::EventScope scope = access::ScopeOf(principal);
        // No task is public, and no batch has this name.
        const std::string batch_id = scope.reach == Reach::kPublic ? "" : asked.batch_id();
        WATTMINT_ASSIGN_OR_RETURN(const store::BatchState batch,
                                  queries_.GetBatch(batch_id, scope.user_id));
        v1::ReadBatchResponse given;
        given.set_sequence(batch.sequence);
        for (const domain::MintTask& task : batch.tasks) *given.add_tasks() = ToProto(task);
        return given;
      });
}

grpc::ServerUnaryReactor* MintService::RetryMint(grpc::CallbackServerContext* context,
                                                 const v1::RetryMintRequest* request,
                                                 v1::RetryMintResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MintService.RetryMint", request, response,
                           [this](const Principal&, const v1::RetryMintRequest& asked,
                                  Answer<v1::RetryMintResponse> answer) {
                             minter_.Retry(asked.task_id(), TaskAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* MintService::DiscardMint(grpc::CallbackServerContext* context,
                                                   const v1::DiscardMintRequest* request,
                                                   v1::DiscardMintResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MintService.DiscardMint", request, response,
                           [this](const Principal&, const v1::DiscardMintRequest& asked,
                                  Answer<v1::DiscardMintResponse> answer) {
                             if (absl::Status status = CheckReason(asked.reason()); !status.ok()) {
                               return answer(std::move(status));
                             }
                             minter_.Discard(asked.task_id(), asked.reason(),
                                             TaskAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* MintService::PauseMinting(grpc::CallbackServerContext* context,
                                                    const v1::PauseMintingRequest* request,
                                                    v1::PauseMintingResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.MintService.PauseMinting", request, response,
      [this](const Principal&, const v1::PauseMintingRequest& asked,
             Answer<v1::PauseMintingResponse> answer) {
        if (asked.reason().size() > kReasonBytesMax) {
          return answer(
              BadField("reason", fmt::format("must have at most {} bytes", kReasonBytesMax)));
        }
        minter_.Pause(asked.reason(), EmptyAnswer(std::move(answer)));
      });
}

grpc::ServerUnaryReactor* MintService::ResumeMinting(grpc::CallbackServerContext* context,
                                                     const v1::ResumeMintingRequest* request,
                                                     v1::ResumeMintingResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MintService.ResumeMinting", request, response,
                           [this](const Principal&, const v1::ResumeMintingRequest&,
                                  Answer<v1::ResumeMintingResponse> answer) {
                             minter_.Resume(EmptyAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* MintService::GetSupply(grpc::CallbackServerContext* context,
                                                 const v1::GetSupplyRequest* request,
                                                 v1::GetSupplyResponse* response) {
  return calls_.Serve(context, "wattmint.v1.MintService.GetSupply", request, response,
                      [this](const Principal&, const v1::GetSupplyRequest&) { return Supply(); });
}

absl::StatusOr<v1::GetSupplyResponse> MintService::Supply() {
  WATTMINT_ASSIGN_OR_RETURN(const mint::SupplyCheck check, mint::CheckSupply(queries_, ledger_));
  const store::TaskSums& sums = check.tasks.sums;
  const mint::Minter::State state = minter_.state();
  v1::GetSupplyResponse given;
  given.set_supply_base_units(check.on_ledger.tokens.base_units());
  given.set_confirmed_base_units(sums.confirmed_base_units);
  given.set_in_work_base_units(check.in_work.base_units());
  given.set_unexplained_base_units(check.unexplained_base_units);
  given.set_balanced(check.IsBalanced());
  given.set_confirmed_kwh(domain::Energy::FromNanoKwh(sums.confirmed_nano_kwh).ToString());
  given.set_ratio(ratio_.ToString());
  given.set_ledger_mints(check.on_ledger.mints);
  given.set_confirmed_tasks(sums.confirmed);
  given.set_open_tasks(sums.open);
  given.set_parked_tasks(sums.parked);
  given.set_ledger_name(std::string(ledger_.name()));
  given.set_ledger_public_key(ledger_.public_key());
  given.set_paused(state.paused);
  given.set_automatic(state.automatic);
  return given;
}

grpc::ServerUnaryReactor* MintService::Reconcile(grpc::CallbackServerContext* context,
                                                 const v1::ReconcileRequest* request,
                                                 v1::ReconcileResponse* response) {
  using Report = mint::ReconcileSchedule::Report;
  return calls_.ServeLater(
      context, "wattmint.v1.MintService.Reconcile", request, response,
      [this](const Principal&, const v1::ReconcileRequest&, Answer<v1::ReconcileResponse> answer) {
        reconciliations_.Ask([answer = std::move(answer)](const absl::StatusOr<Report>& report) {
          if (!report.ok()) return answer(report.status());
          answer(ToProto(*report));
        });
      });
}

grpc::ServerUnaryReactor* MintService::GetBalances(grpc::CallbackServerContext* context,
                                                   const v1::GetBalancesRequest* request,
                                                   v1::GetBalancesResponse* response) {
  return calls_.Serve(context, "wattmint.v1.MintService.GetBalances", request, response,
                      [this](const Principal& principal, const v1::GetBalancesRequest& asked) {
                        return Balances(principal, asked);
                      });
}

absl::StatusOr<v1::GetBalancesResponse> MintService::Balances(const Principal& principal,
                                                              const v1::GetBalancesRequest& asked) {
  if (asked.wallet_addresses_size() > kWalletsMax) {
    return BadField("wallet_addresses", fmt::format("there may be {} at most", kWalletsMax));
  }
  std::vector<std::string> own = registry_.WalletsOf(principal.user_id);
  own.insert(own.end(), principal.wallets.begin(), principal.wallets.end());
  const bool may_see_all = access::MayTouch(principal, Permission::kReadMints, "");
  std::vector<std::string> wallets(asked.wallet_addresses().begin(),
                                   asked.wallet_addresses().end());
  for (const std::string& wallet : wallets) {
    if (!domain::IsWalletAddress(wallet)) return BadField("wallet_addresses", "holds no wallet");
    if (!may_see_all && std::find(own.begin(), own.end(), wallet) == own.end()) {
      return access::WithReason(base::PermissionDenied("wallet {} is not yours", wallet),
                                access::reason::kNotOwner);
    }
  }
  if (wallets.empty()) wallets = std::move(own);
  v1::GetBalancesResponse given;
  for (const std::string& wallet : wallets) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::TokenAmount tokens, ledger_.GetBalance(wallet));
    v1::Balance& balance = *given.add_balances();
    balance.set_wallet_address(wallet);
    balance.set_base_units(tokens.base_units());
  }
  return given;
}

}  // namespace wattmint::rpc
