// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/reading_service.h"

#include "core/access/authorizer.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/rpc/converters.h"
#include "core/rpc/scope.h"
#include "core/rpc/submissions.h"

#include <string>
#include <utility>

namespace wattmint::rpc {
namespace {

using access::Permission;
using access::Principal;

constexpr std::string_view kList = "readings";

absl::Status ReadTime(bool is_set, const google::protobuf::Timestamp& time, std::string_view field,
                      std::optional<domain::Time>& out) {
  if (!is_set) return absl::OkStatus();
  out = TimeFromProto(time);
  return out.has_value() ? absl::OkStatus()
                         : BadField(field, "must lie in 1970 to 9999, no finer than 1 us");
}

absl::StatusOr<store::ReadingQuery> QueryOf(const Principal& principal,
                                            const v1::ListReadingsRequest& request) {
  store::ReadingQuery query;
  query.meter_id = request.meter_id();
  query.user_id = OwnerFilter(principal, Permission::kReadReadings);
  WATTMINT_RETURN_IF_ERROR(
      ReadTime(request.has_start_time(), request.start_time(), "start_time", query.start_min));
  WATTMINT_RETURN_IF_ERROR(
      ReadTime(request.has_end_time(), request.end_time(), "end_time", query.start_max));
  WATTMINT_ASSIGN_OR_RETURN(query.count_max, PageSize(request.page_size(), domain::kListPageDefault,
                                                      domain::kListPageMax));
  WATTMINT_ASSIGN_OR_RETURN(query.after_row, ReadPageTokenNumber(kList, request.page_token()));
  return query;
}

void Add(const store::MeterSums& sums, store::MeterSums& total) {
  total.readings += sums.readings;
  total.not_applicable += sums.not_applicable;
  total.minted += sums.minted;
  total.energy_nano_kwh += sums.energy_nano_kwh;
  total.minted_nano_kwh += sums.minted_nano_kwh;
  total.minted_base_units += sums.minted_base_units;
}

// The same for both kinds of change.
template <typename Request>
absl::StatusOr<ingest::ReadingEditor::Order> OrderOf(const Principal& principal,
                                                     const Request& asked) {
  WATTMINT_ASSIGN_OR_RETURN(const auto reading_id, ReadingIdFromProto(asked.reading_id()));
  WATTMINT_RETURN_IF_ERROR(CheckReason(asked.reason()));
  return ingest::ReadingEditor::Order{reading_id, principal.user_id, asked.reason()};
}

v1::CorrectReadingResponse NoEnergy(const absl::Status& why) {
  v1::CorrectReadingResponse response;
  response.set_rejection(v1::REJECTION_ENERGY_INVALID);
  response.set_message(std::string(base::Message(why)));
  return response;
}

v1::CorrectReadingResponse ResponseOf(const ingest::ReadingEditor::Result& result) {
  v1::CorrectReadingResponse response;
  *response.mutable_reading() = ToProto(result.reading);
  response.set_correction_id(result.correction_id);
  response.set_rejection(static_cast<v1::Rejection>(result.refusal.rejection));
  response.set_message(result.refusal.message);
  return response;
}

v1::SubmitReadingsResponse ResponseOf(const std::vector<ingest::Answer>& answers) {
  v1::SubmitReadingsResponse response;
  response.mutable_results()->Reserve(static_cast<int>(answers.size()));
  for (const ingest::Answer& answer : answers) *response.add_results() = ToProto(answer);
  *response.mutable_counts() = CountsOf(answers);
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* ReadingService::SubmitReading(grpc::CallbackServerContext* context,
                                                        const v1::SubmitReadingRequest* request,
                                                        v1::SubmitReadingResponse* response) {
  // Only what was signed takes more than some microseconds.
  const Place place =
      request->reading().meter_signature().empty() ? Place::kOnThreadOfGrpc : Place::kOnWorker;
  return calls_.ServeLater(
      context, "wattmint.v1.ReadingService.SubmitReading", request, response,
      [this](const Principal& principal, const v1::SubmitReadingRequest& asked,
             Answer<v1::SubmitReadingResponse> answer) {
        auto submitter = SubmitterOf(principal, asked.age_policy(), 1);
        if (!submitter.ok()) return answer(submitter.status());
        place_.pipeline.Submit(*std::move(submitter), {ToCandidate(asked.reading())},
                               [answer = std::move(answer)](auto answers) {
                                 if (!answers.ok()) return answer(answers.status());
                                 v1::SubmitReadingResponse given;
                                 *given.mutable_result() = ToProto(answers->front());
                                 answer(std::move(given));
                               });
      },
      place);
}

grpc::ServerUnaryReactor* ReadingService::SubmitReadings(grpc::CallbackServerContext* context,
                                                         const v1::SubmitReadingsRequest* request,
                                                         v1::SubmitReadingsResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.ReadingService.SubmitReadings", request, response,
      [this](const Principal& principal, const v1::SubmitReadingsRequest& asked,
             Answer<v1::SubmitReadingsResponse> answer) {
        auto submitter = SubmitterOf(principal, asked.age_policy(), asked.readings_size());
        if (!submitter.ok()) return answer(submitter.status());
        place_.pipeline.Submit(*std::move(submitter), ToCandidates(asked.readings()),
                               [this, answer = std::move(answer)](auto answers) {
                                 if (!answers.ok()) return answer(answers.status());
                                 // Thousands of results are not made on the acknowledger's thread.
                                 const auto respond = [answer, made = *std::move(answers)] {
                                   answer(ResponseOf(made));
                                 };
                                 if (!place_.workers.Post(respond)) respond();
                               });
      });
}

ReadingReactor* ReadingService::StreamReadings(grpc::CallbackServerContext* context) {
  auto principal = calls_.Admit(*context, "wattmint.v1.ReadingService.StreamReadings");
  if (!principal.ok()) return ReadingStream::Refuse(principal.status());
  return ReadingStream::Start(place_, context, *std::move(principal));
}

grpc::ServerUnaryReactor* ReadingService::GetReading(grpc::CallbackServerContext* context,
                                                     const v1::GetReadingRequest* request,
                                                     v1::GetReadingResponse* response) {
  return calls_.Serve(context, "wattmint.v1.ReadingService.GetReading", request, response,
                      [this](const Principal& principal, const v1::GetReadingRequest& asked) {
                        return Get(principal, asked);
                      });
}

absl::StatusOr<v1::GetReadingResponse> ReadingService::Get(const Principal& principal,
                                                           const v1::GetReadingRequest& asked) {
  WATTMINT_ASSIGN_OR_RETURN(const auto reading_id, ReadingIdFromProto(asked.reading_id()));
  WATTMINT_ASSIGN_OR_RETURN(const auto reading, queries_.FindReading(reading_id));
  WATTMINT_RETURN_IF_ERROR(
      CheckFound(principal, Permission::kReadReadings, reading, "reading", asked.reading_id()));
  WATTMINT_ASSIGN_OR_RETURN(const auto corrections, queries_.ListCorrections(reading->row));
  v1::GetReadingResponse given;
  *given.mutable_reading() = ToProto(*reading);
  const bool may_correct = access::MayTouch(principal, Permission::kCorrectReadings, "");
  for (const domain::Correction& correction : corrections) {
    v1::Correction& out = *given.add_corrections() = ToProto(correction);
    if (!may_correct) out.clear_user_id();
  }
  return given;
}

grpc::ServerUnaryReactor* ReadingService::WithdrawReading(grpc::CallbackServerContext* context,
                                                          const v1::WithdrawReadingRequest* request,
                                                          v1::WithdrawReadingResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.ReadingService.WithdrawReading", request, response,
      [this](const Principal& principal, const v1::WithdrawReadingRequest& asked,
             Answer<v1::WithdrawReadingResponse> answer) {
        auto order = OrderOf(principal, asked);
        if (!order.ok()) return answer(order.status());
        editor_.Withdraw(*std::move(order), [answer = std::move(answer)](auto result) {
          if (!result.ok()) return answer(result.status());
          v1::WithdrawReadingResponse given;
          *given.mutable_reading() = ToProto(result->reading);
          given.set_correction_id(result->correction_id);
          answer(std::move(given));
        });
      });
}

grpc::ServerUnaryReactor* ReadingService::CorrectReading(grpc::CallbackServerContext* context,
                                                         const v1::CorrectReadingRequest* request,
                                                         v1::CorrectReadingResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.ReadingService.CorrectReading", request, response,
      [this](const Principal& principal, const v1::CorrectReadingRequest& asked,
             Answer<v1::CorrectReadingResponse> answer) {
        auto order = OrderOf(principal, asked);
        if (!order.ok()) return answer(order.status());
        if (!v1::ReadingQuality_IsValid(asked.quality())) {
          return answer(BadField("quality", "is none"));
        }
        std::optional<domain::Quality> quality;
        if (asked.quality() != v1::READING_QUALITY_UNSPECIFIED) {
          quality = static_cast<domain::Quality>(asked.quality());
        }
        const auto energy = domain::Energy::Parse(asked.energy_kwh());
        if (!energy.ok()) return answer(NoEnergy(energy.status()));
        editor_.Correct(*std::move(order), *energy, quality,
                        [answer = std::move(answer)](auto result) {
                          if (!result.ok()) return answer(result.status());
                          answer(ResponseOf(*result));
                        });
      });
}

grpc::ServerUnaryReactor* ReadingService::ListReadings(grpc::CallbackServerContext* context,
                                                       const v1::ListReadingsRequest* request,
                                                       v1::ListReadingsResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.ReadingService.ListReadings", request, response,
      [this](const Principal& principal,
             const v1::ListReadingsRequest& asked) -> absl::StatusOr<v1::ListReadingsResponse> {
        WATTMINT_ASSIGN_OR_RETURN(const store::ReadingQuery query, QueryOf(principal, asked));
        WATTMINT_ASSIGN_OR_RETURN(const auto readings, queries_.ListReadings(query));
        v1::ListReadingsResponse given;
        for (const auto& reading : readings) *given.add_readings() = ToProto(reading);
        if (std::ssize(readings) == query.count_max) {
          given.set_next_page_token(PageTokenOf(kList, std::to_string(readings.back().row)));
        }
        return given;
      });
}

grpc::ServerUnaryReactor* ReadingService::GetReadingStats(grpc::CallbackServerContext* context,
                                                          const v1::GetReadingStatsRequest* request,
                                                          v1::GetReadingStatsResponse* response) {
  return calls_.Serve(
      context, "wattmint.v1.ReadingService.GetReadingStats", request, response,
      [this](const Principal& principal, const v1::GetReadingStatsRequest& asked)
          -> absl::StatusOr<v1::GetReadingStatsResponse> {
        WATTMINT_ASSIGN_OR_RETURN(
            const auto meters,
            queries_.SumReadings(asked.meter_id(),
                                 OwnerFilter(principal, Permission::kReadReadings)));
        v1::GetReadingStatsResponse given;
        store::MeterSums total;
        for (const store::MeterSums& sums : meters) {
          *given.add_meters() = ToProto(sums);
          Add(sums, total);
        }
        *given.mutable_total() = ToProto(total);
        return given;
      });
}

}  // namespace wattmint::rpc
