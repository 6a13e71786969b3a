// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key_table.h"
#include "core/access/role.h"
#include "core/domain/correction.h"
#include "core/domain/filter.h"
#include "core/domain/meter.h"
#include "core/domain/mint_task.h"
#include "core/domain/reading.h"
#include "core/ingest/pipeline.h"
#include "core/mint/reconcile_schedule.h"
#include "core/store/queries.h"
#include "wattmint/v1/access.pb.h"
#include "wattmint/v1/event.pb.h"
#include "wattmint/v1/meter.pb.h"
#include "wattmint/v1/mint.pb.h"
#include "wattmint/v1/reading.pb.h"

#include <absl/status/statusor.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Between messages and domain values. Errors: kInvalidArgument that names the field.
namespace wattmint::rpc {

// Reads a submitted reading as far as its text goes; what is wrong is in `malformed`: the first of
// METER_ID_INVALID, ENERGY_INVALID, TIME_INVALID, REQUEST_ID_INVALID.
ingest::Candidate ToCandidate(const v1::ReadingInput& input);
std::vector<ingest::Candidate> ToCandidates(
    const google::protobuf::RepeatedPtrField<v1::ReadingInput>& inputs);

v1::SubmitResult ToProto(const ingest::Answer& answer);
v1::SubmitCounts CountsOf(std::span<const ingest::Answer> answers);
v1::Reading ToProto(const domain::AcceptedReading& accepted);
v1::Correction ToProto(const domain::Correction& correction);
v1::MeterStats ToProto(const store::MeterSums& sums);
v1::Meter ToProto(const domain::Meter& meter);
v1::MintTask ToProto(const domain::MintTask& task);
v1::ReconcileResponse ToProto(const mint::ReconcileSchedule::Report& report);
v1::ApiKey ToProto(const access::ApiKeyTable::Listed& key);
v1::EventFilter ToProto(const domain::EventFilter& filter);

// Normalized.
absl::StatusOr<domain::EventFilter> FilterFromProto(const v1::EventFilter& filter);
// kInvalidArgument for a role that is none.
absl::StatusOr<access::RoleSet> RolesFromProto(const google::protobuf::RepeatedField<int>& roles);
void RolesToProto(access::RoleSet roles, google::protobuf::RepeatedField<int>& out);
// Nothing if it is outside of the years 1970 to 9999 or finer than a microsecond.
std::optional<domain::Time> TimeFromProto(const google::protobuf::Timestamp& time);
absl::StatusOr<domain::ReadingId> ReadingIdFromProto(std::string_view text);

// `asked` if it is 1 to `max`, `standard` if it is 0.
absl::StatusOr<int> PageSize(std::int32_t asked, int standard, int max);

// Page tokens are opaque: base64url of the list's name and the place behind which to go on.
std::string PageTokenOf(std::string_view list, std::string_view after);
// Empty for an empty token.
absl::StatusOr<std::string> ReadPageToken(std::string_view list, std::string_view token);
// 0 for an empty token.
absl::StatusOr<std::int64_t> ReadPageTokenNumber(std::string_view list, std::string_view token);

}  // namespace wattmint::rpc
