// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <absl/status/status.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::access {

// Names of refusals: stable, and all that a caller learns about a credential that was refused. The
// last two are of changes of readings.
namespace reason {
inline constexpr std::string_view kMissingCredentials = "MISSING_CREDENTIALS";
inline constexpr std::string_view kInvalidToken = "INVALID_TOKEN";
inline constexpr std::string_view kExpiredToken = "EXPIRED_TOKEN";
inline constexpr std::string_view kKeyNotYetKnown = "KEY_NOT_YET_KNOWN";
inline constexpr std::string_view kInvalidApiKey = "INVALID_API_KEY";
inline constexpr std::string_view kRevokedApiKey = "REVOKED_API_KEY";
inline constexpr std::string_view kExpiredApiKey = "EXPIRED_API_KEY";
inline constexpr std::string_view kInvalidTicket = "INVALID_TICKET";
inline constexpr std::string_view kRateLimited = "RATE_LIMITED";
inline constexpr std::string_view kTooManyStreams = "TOO_MANY_STREAMS";
inline constexpr std::string_view kTooManyTickets = "TOO_MANY_TICKETS";
inline constexpr std::string_view kPermissionMissing = "PERMISSION_MISSING";
inline constexpr std::string_view kNotOwner = "NOT_OWNER";
inline constexpr std::string_view kFilterNotAllowed = "FILTER_NOT_ALLOWED";
inline constexpr std::string_view kMintInWork = "MINT_IN_WORK";
inline constexpr std::string_view kAlreadyMinted = "ALREADY_MINTED";
}  // namespace reason

// The same status with a name that programs can rely on. It travels as the status payload
// "wattmint.reason". REQUIRES: !status.ok().
absl::Status WithReason(absl::Status status, std::string_view reason);
std::optional<std::string> ReasonOf(const absl::Status& status);

// The same status with the time after which a retry makes sense. It travels as the status payload
// "wattmint.retry_after_us". REQUIRES: !status.ok(), retry_after >= 0.
absl::Status WithRetryAfter(absl::Status status, base::Duration retry_after);
std::optional<base::Duration> RetryAfterOf(const absl::Status& status);

// The same status with one more detail that programs can use, such as "oldest_sequence". It travels
// as the status payload "wattmint.detail.<key>". REQUIRES: !status.ok().
absl::Status WithDetail(absl::Status status, std::string_view key, std::string_view value);
std::map<std::string, std::string> DetailsOf(const absl::Status& status);

}  // namespace wattmint::access
