// SPDX-License-Identifier: Apache-2.0
#include "bridge/grpc_core_link.h"

#include "core/base/status_macros.h"
#include "core/wire/convert.h"
#include "core/wire/event_codec.h"

#include <utility>

namespace wattmint::bridge {
namespace {

template <typename Values, typename Field>
void CopyTo(const Values& values, Field& field) {
  for (const auto& value : values) *field.Add() = value;
}

template <typename Values, typename Field>
void CopyEnumsTo(const Values& values, Field& field) {
  for (const auto value : values) field.Add(static_cast<int>(value));
}

v1::EventFilter ToProto(const domain::EventFilter& filter) {
  v1::EventFilter message;
  CopyEnumsTo(filter.types, *message.mutable_types());
  CopyTo(filter.meter_ids, *message.mutable_meter_ids());
  CopyTo(filter.user_ids, *message.mutable_user_ids());
  CopyTo(filter.wallet_addresses, *message.mutable_wallet_addresses());
  CopyTo(filter.batch_ids, *message.mutable_batch_ids());
  CopyTo(filter.task_ids, *message.mutable_task_ids());
  CopyEnumsTo(filter.mint_states, *message.mutable_mint_states());
  if (filter.energy_min) message.set_min_energy_kwh(filter.energy_min->ToString());
  if (filter.energy_max) message.set_max_energy_kwh(filter.energy_max->ToString());
  return message;
}

access::Principal ToPrincipal(const v1::WhoAmIResponse& answer) {
  access::Principal principal;
  principal.user_id = answer.user_id();
  for (const int role : answer.roles()) {
    for (const access::Role known : access::kAllRoles) {
      if (static_cast<int>(known) == role) principal.roles.Add(known);
    }
  }
  principal.wallets.assign(answer.wallet_addresses().begin(), answer.wallet_addresses().end());
  principal.key_id = answer.key_id();
  if (answer.has_expire_time()) principal.expires_at = wire::FromProto(answer.expire_time());
  return principal;
}

absl::StatusOr<HistoryPage> ToPage(v1::ReadEventsResponse answer) {
  HistoryPage page{.events = {}, .next_sequence = answer.next_sequence()};
  page.events.reserve(static_cast<std::size_t>(answer.events_size()));
  for (v1::Event& event : *answer.mutable_events()) {
    const std::int64_t sequence = event.sequence();
    event.clear_sequence();  // a payload has none
    std::string payload = event.SerializeAsString();
    WATTMINT_ASSIGN_OR_RETURN(domain::EventAttributes attributes, wire::DecodeAttributes(payload));
    page.events.push_back({sequence, std::make_shared<const store::EventRecord::Body>(
                                         std::move(payload), std::move(attributes))});
  }
  return page;
}

}  // namespace

GrpcCoreLink::GrpcCoreLink(std::shared_ptr<grpc::Channel> channel, client::Credential relay,
                           SessionRegistry::Post post, int threads_count)
    : relay_(std::move(relay)),
      post_(std::move(post)),
      api_(std::move(channel)),
      pool_(threads_count) {}

void GrpcCoreLink::Stop() {
  is_stopping_ = true;
  pool_.Stop();
}

template <typename T, typename Call>
void GrpcCoreLink::Ask(Done<T> done, Call call) {
  pool_.Post([this, done = std::move(done), call = std::move(call)] {
    if (is_stopping_) return;
    post_([done, result = call()] { done(result); });
  });
}

void GrpcCoreLink::Authenticate(client::Credential credential, Done<access::Principal> done) {
  Ask<access::Principal>(std::move(done),
                         [this, credential]() -> absl::StatusOr<access::Principal> {
                           WATTMINT_ASSIGN_OR_RETURN(const auto answer, api_.WhoAmI(credential));
                           return ToPrincipal(answer);
                         });
}

void GrpcCoreLink::CreateTicket(client::Credential credential, Done<NewTicket> done) {
  Ask<NewTicket>(std::move(done), [this, credential]() -> absl::StatusOr<NewTicket> {
    WATTMINT_ASSIGN_OR_RETURN(const auto answer, api_.CreateTicket(credential, {}));
    return NewTicket{answer.ticket(), wire::FromProto(answer.expire_time())};
  });
}

void GrpcCoreLink::ReadHistory(HistoryRequest request, Done<HistoryPage> done) {
  v1::ReadEventsRequest message;
  if (request.filter) *message.mutable_filter() = ToProto(*request.filter);
  message.set_from_sequence(request.from_sequence);
  message.set_page_size(request.events_max);
  if (request.scope.reach == access::EventScope::Reach::kOwn) {
    message.set_as_user(request.scope.user_id);
  }
  Ask<HistoryPage>(std::move(done),
                   [this, message = std::move(message)]() -> absl::StatusOr<HistoryPage> {
                     WATTMINT_ASSIGN_OR_RETURN(auto answer, api_.ReadEvents(relay_, message));
                     return ToPage(std::move(answer));
                   });
}

}  // namespace wattmint::bridge
