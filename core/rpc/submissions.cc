// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/submissions.h"

#include "core/access/authorizer.h"
#include "core/base/status_macros.h"
#include "core/domain/limits.h"
#include "core/rpc/status_convert.h"

#include <fmt/core.h>

namespace wattmint::rpc {

absl::StatusOr<ingest::Submitter> SubmitterOf(const access::Principal& principal,
                                              v1::AgePolicy age_policy, int readings_count) {
  if (readings_count < 1 || readings_count > domain::kReadingsPerRequestMax) {
    return BadField("readings", fmt::format("there must be 1 to {}, not {}",
                                            domain::kReadingsPerRequestMax, readings_count));
  }
  if (!v1::AgePolicy_IsValid(age_policy)) return BadField("age_policy", "is none");
  const bool any_age = age_policy == v1::AGE_POLICY_ANY_AGE;
  if (any_age) {
    WATTMINT_RETURN_IF_ERROR(
        access::CheckPermission(principal, access::Permission::kImportHistory));
  }
  const bool any_meter = access::MayTouch(principal, access::Permission::kSubmitReadings, "");
  return ingest::Submitter{.user_id = principal.user_id,
                           .any_meter = any_meter,
                           .any_age = any_age,
                           .rate_limited = !any_meter};
}

}  // namespace wattmint::rpc
