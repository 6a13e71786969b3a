// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/ingest/validator.h"
#include "wattmint/v1/reading.pb.h"

#include <absl/status/statusor.h>

namespace wattmint::rpc {

// Who submits, as validation asks. kPermissionDenied when the age limit may not be lifted;
// kInvalidArgument for a policy that is none, or not 1 to kReadingsPerRequestMax readings.
absl::StatusOr<ingest::Submitter> SubmitterOf(const access::Principal& principal,
                                              v1::AgePolicy age_policy, int readings_count);

}  // namespace wattmint::rpc
