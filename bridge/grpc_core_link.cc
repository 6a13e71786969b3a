// SPDX-License-Identifier: Apache-2.0
#include "bridge/grpc_core_link.h"

#include "bridge/event_record.h"
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/wire/convert.h"

#include <chrono>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr int kAccessWaitingMax = 12'000;           // chosen: all browsers at once, and tickets
constexpr std::chrono::seconds kAccessPatience{8};  // chosen: who asks is cut after 10 s
constexpr int kReadingThreads = 2;
constexpr int kReadingsWaitingMax = 256;  // chosen: what the core takes within a second

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

void CopyTo(const domain::Telemetry& telemetry, v1::Telemetry& out) {
  if (telemetry.voltage_volts) out.set_voltage_volts(*telemetry.voltage_volts);
  if (telemetry.current_amperes) out.set_current_amperes(*telemetry.current_amperes);
  if (telemetry.power_watts) out.set_power_watts(*telemetry.power_watts);
  if (telemetry.frequency_hertz) out.set_frequency_hertz(*telemetry.frequency_hertz);
}

v1::ReadingInput ToProto(const domain::Reading& reading) {
  v1::ReadingInput input;
  input.set_meter_id(reading.meter_id);
  input.set_energy_kwh(reading.energy.ToString());
  if (reading.IsPoint()) {
    wire::ToProto(reading.start, *input.mutable_read_time());
  } else {
    wire::ToProto(reading.start, *input.mutable_interval_start());
    // The protocol counts it in seconds.
    const auto length = std::chrono::duration_cast<std::chrono::seconds>(reading.length);
    input.mutable_interval()->set_seconds(length.count());
  }
  input.set_quality(static_cast<v1::ReadingQuality>(reading.quality));
  input.set_channel(static_cast<v1::EnergyChannel>(reading.channel));
  if (!reading.telemetry.IsEmpty()) CopyTo(reading.telemetry, *input.mutable_telemetry());
  input.set_meter_signature(reading.meter_signature);
  input.set_meter_counter(reading.meter_counter);
  input.set_request_id(reading.request_id);
  return input;
}

SubmitAnswer ToAnswer(const v1::SubmitResult& result) {
  SubmitAnswer answer{.outcome = static_cast<SubmitAnswer::Outcome>(result.outcome()),
                      .reading_id = result.reading_id(),
                      .message = result.message()};
  if (result.rejection() != v1::REJECTION_UNSPECIFIED) {
    answer.rejection = static_cast<domain::Rejection>(result.rejection());
  }
  if (result.mint_state() != v1::MINT_STATE_UNSPECIFIED) {
    answer.mint_state = static_cast<domain::MintState>(result.mint_state());
  }
  return answer;
}

// One code for all that may go well later. What the core cannot read is internal, and stays so.
absl::Status AskedAgain(const absl::Status& status) {
  const bool may_pass = client::IsTransient(status) && !absl::IsInternal(status);
  return may_pass ? base::Unavailable("{}", status.ToString()) : status;
}

HistoryPage ToPage(v1::ReadEventsResponse answer) {
  HistoryPage page{.events = {}, .next_sequence = answer.next_sequence()};
  page.events.reserve(static_cast<std::size_t>(answer.events_size()));
  for (v1::Event& event : *answer.mutable_events()) {
    const std::int64_t sequence = event.sequence();
    event.clear_sequence();  // a payload has none
    page.events.push_back(MakeRecord(sequence, event.SerializeAsString()));
  }
  return page;
}

absl::StatusOr<domain::MintTask> ToTask(const v1::MintTask& message) {
  const auto reading_id = domain::ReadingId::Parse(message.reading_id());
  if (!reading_id) return base::DataLoss("task {} has no reading", message.task_id());
  domain::MintTask task;
  task.task_id = message.task_id();
  task.reading_id = *reading_id;
  task.meter_id = message.meter_id();
  task.user_id = message.user_id();
  WATTMINT_ASSIGN_OR_RETURN(task.energy, domain::Energy::Parse(message.energy_kwh()));
  task.state = static_cast<domain::MintState>(message.state());
  task.tokens = domain::TokenAmount::FromBaseUnits(message.base_units());
  task.wallet_address = message.wallet_address();
  task.transaction_signature = message.transaction_signature();
  task.batch_id = message.batch_id();
  task.reason = message.reason();
  task.create_time = wire::FromProto(message.create_time());
  task.update_time = wire::FromProto(message.update_time());
  return task;
}

absl::StatusOr<store::BatchState> ToBatch(const v1::ReadBatchResponse& answer) {
  store::BatchState batch{.tasks = {}, .sequence = answer.sequence()};
  batch.tasks.reserve(static_cast<std::size_t>(answer.tasks_size()));
  for (const v1::MintTask& message : answer.tasks()) {
    WATTMINT_ASSIGN_OR_RETURN(domain::MintTask task, ToTask(message));
    batch.tasks.push_back(std::move(task));
  }
  return batch;
}

}  // namespace

GrpcCoreLink::GrpcCoreLink(std::shared_ptr<grpc::Channel> channel, client::Credential relay,
                           int threads_count)
    : relay_(std::move(relay)),
      api_(std::move(channel)),
      access_pool_(threads_count),
      history_pool_(threads_count),
      readings_pool_(kReadingThreads) {}

void GrpcCoreLink::Stop() {
  is_stopping_ = true;
  access_pool_.Stop();
  history_pool_.Stop();
  readings_pool_.Stop();
}

template <typename T, typename Call>
void GrpcCoreLink::Ask(base::ThreadPool& pool, Done<T> done, Call call) {
  pool.Post([this, done = std::move(done), call = std::move(call)] {
    if (is_stopping_) return;
    done(call());
  });
}

// Else, while the core is slow, those who were cut long ago would be asked for before anybody else.
template <typename T, typename Call>
void GrpcCoreLink::AskAccess(Done<T> done, Call call) {
  if (++access_waiting_ > kAccessWaitingMax) {
    --access_waiting_;
    return done(base::Unavailable("too many credentials wait"));
  }
  const auto until = std::chrono::steady_clock::now() + kAccessPatience;
  Ask<T>(access_pool_, std::move(done),
         [this, until, call = std::move(call)]() -> absl::StatusOr<T> {
           --access_waiting_;
           if (std::chrono::steady_clock::now() < until) return call();
           return base::Unavailable("the core was not asked in time");
         });
}

void GrpcCoreLink::Authenticate(client::Credential credential, Done<access::Principal> done) {
  AskAccess<access::Principal>(
      std::move(done), [this, credential]() -> absl::StatusOr<access::Principal> {
        WATTMINT_ASSIGN_OR_RETURN(const auto answer, api_.WhoAmI(credential));
        return ToPrincipal(answer);
      });
}

void GrpcCoreLink::CreateTicket(client::Credential credential, Done<NewTicket> done) {
  AskAccess<NewTicket>(std::move(done), [this, credential]() -> absl::StatusOr<NewTicket> {
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
  Ask<HistoryPage>(history_pool_, std::move(done),
                   [this, message = std::move(message),
                    wanted = std::move(request.wanted)]() -> absl::StatusOr<HistoryPage> {
                     if (wanted.expired()) return base::Cancelled("nobody waits for it");
                     auto answer = api_.ReadEvents(relay_, message);
                     if (!answer.ok()) return AskedAgain(answer.status());
                     return ToPage(*std::move(answer));
                   });
}

void GrpcCoreLink::ReadBatch(BatchRequest request, Done<store::BatchState> done) {
  WATTMINT_ASSERT(request.scope.reach != access::EventScope::Reach::kPublic, "no task is public");
  v1::ReadBatchRequest message;
  message.set_batch_id(request.batch_id);
  message.set_as_user(request.scope.user_id);
  Ask<store::BatchState>(
      history_pool_, std::move(done),
      [this, message, wanted = std::move(request.wanted)]() -> absl::StatusOr<store::BatchState> {
        if (wanted.expired()) return base::Cancelled("nobody waits for it");
        const auto answer = api_.ReadBatch(relay_, message);
        if (!answer.ok()) return AskedAgain(answer.status());
        return ToBatch(*answer);
      });
}

void GrpcCoreLink::SubmitReading(client::Credential credential, domain::Reading reading,
                                 Done<SubmitAnswer> done) {
  if (++readings_waiting_ > kReadingsWaitingMax) {
    --readings_waiting_;
    return done(base::Unavailable("too many readings wait"));
  }
  v1::SubmitReadingRequest message;
  *message.mutable_reading() = ToProto(reading);
  Ask<SubmitAnswer>(readings_pool_, std::move(done),
                    [this, credential = std::move(credential),
                     message = std::move(message)]() -> absl::StatusOr<SubmitAnswer> {
                      --readings_waiting_;
                      WATTMINT_ASSIGN_OR_RETURN(const v1::SubmitReadingResponse answer,
                                                api_.SubmitReading(credential, message));
                      return ToAnswer(answer.result());
                    });
}

}  // namespace wattmint::bridge
