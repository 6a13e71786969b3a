// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/meter_service.h"

#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/rpc/converters.h"
#include "core/rpc/scope.h"

#include <iterator>
#include <utility>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;

constexpr std::string_view kList = "meters";

// Passes a changed meter on as the answer of a call.
template <typename Response>
ingest::MeterRegistrar::Callback MeterAnswer(Answer<Response> answer) {
  return [answer = std::move(answer)](absl::StatusOr<domain::Meter> meter) {
    if (!meter.ok()) return answer(meter.status());
    Response given;
    *given.mutable_meter() = ToProto(*meter);
    answer(std::move(given));
  };
}

}  // namespace

grpc::ServerUnaryReactor* MeterService::RegisterMeter(grpc::CallbackServerContext* context,
                                                      const v1::RegisterMeterRequest* request,
                                                      v1::RegisterMeterResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MeterService.RegisterMeter", request, response,
                           [this](const Principal&, const v1::RegisterMeterRequest& asked,
                                  Answer<v1::RegisterMeterResponse> answer) {
                             registrar_.Register({.meter_id = asked.meter_id(),
                                                  .user_id = asked.user_id(),
                                                  .wallet_address = asked.wallet_address(),
                                                  .public_key = asked.public_key()},
                                                 MeterAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* MeterService::GetMeter(grpc::CallbackServerContext* context,
                                                 const v1::GetMeterRequest* request,
                                                 v1::GetMeterResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.MeterService.GetMeter", request, response,
      [this](const Principal& principal,
             const v1::GetMeterRequest& asked) -> absl::StatusOr<v1::GetMeterResponse> {
        const auto meter = registry_.Find(asked.meter_id());
        WATTMINT_RETURN_IF_ERROR(
            CheckFound(principal, Permission::kReadMeters, meter, "meter", asked.meter_id()));
        v1::GetMeterResponse given;
        *given.mutable_meter() = ToProto(*meter);
        return given;
      });
}

grpc::ServerUnaryReactor* MeterService::ListMeters(grpc::CallbackServerContext* context,
                                                   const v1::ListMetersRequest* request,
                                                   v1::ListMetersResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.MeterService.ListMeters", request, response,
      [this](const Principal& principal,
             const v1::ListMetersRequest& asked) -> absl::StatusOr<v1::ListMetersResponse> {
        std::string owner = OwnerFilter(principal, Permission::kReadMeters);
        if (!asked.user_id().empty()) {
          WATTMINT_RETURN_IF_ERROR(
              access::CheckOwner(principal, Permission::kReadMeters, asked.user_id()));
          owner = asked.user_id();
        }
        WATTMINT_ASSIGN_OR_RETURN(
            const int count_max,
            PageSize(asked.page_size(), domain::kListPageDefault, domain::kListPageMax));
        WATTMINT_ASSIGN_OR_RETURN(const std::string after,
                                  ReadPageToken(kList, asked.page_token()));
        const auto meters = registry_.List(owner, after, static_cast<std::size_t>(count_max));
        v1::ListMetersResponse given;
        for (const domain::Meter& meter : meters) *given.add_meters() = ToProto(meter);
        if (std::ssize(meters) == count_max) {
          given.set_next_page_token(PageTokenOf(kList, meters.back().meter_id));
        }
        return given;
      });
}

grpc::ServerUnaryReactor* MeterService::TransferMeter(grpc::CallbackServerContext* context,
                                                      const v1::TransferMeterRequest* request,
                                                      v1::TransferMeterResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MeterService.TransferMeter", request, response,
                           [this](const Principal&, const v1::TransferMeterRequest& asked,
                                  Answer<v1::TransferMeterResponse> answer) {
                             registrar_.Transfer(asked.meter_id(), asked.user_id(),
                                                 asked.wallet_address(),
                                                 MeterAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* MeterService::SetMeterWallet(grpc::CallbackServerContext* context,
                                                       const v1::SetMeterWalletRequest* request,
                                                       v1::SetMeterWalletResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.MeterService.SetMeterWallet", request, response,
      [this](const Principal& principal, const v1::SetMeterWalletRequest& asked,
             Answer<v1::SetMeterWalletResponse> answer) {
        const absl::Status allowed =
            CheckFound(principal, Permission::kSetMeterWallet, registry_.Find(asked.meter_id()),
                       "meter", asked.meter_id());
        if (!allowed.ok()) return answer(allowed);
        registrar_.SetWallet(
            asked.meter_id(), asked.wallet_address(),
            [principal](const domain::Meter& meter) {
              return access::CheckOwner(principal, Permission::kSetMeterWallet, meter.user_id);
            },
            MeterAnswer(std::move(answer)));
      });
}

grpc::ServerUnaryReactor* MeterService::SetMeterKey(grpc::CallbackServerContext* context,
                                                    const v1::SetMeterKeyRequest* request,
                                                    v1::SetMeterKeyResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.MeterService.SetMeterKey", request, response,
                           [this](const Principal&, const v1::SetMeterKeyRequest& asked,
                                  Answer<v1::SetMeterKeyResponse> answer) {
                             registrar_.SetKey(asked.meter_id(), asked.public_key(),
                                               MeterAnswer(std::move(answer)));
                           });
}

}  // namespace wattmint::rpc
