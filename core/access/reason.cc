// SPDX-License-Identifier: Apache-2.0
#include "core/access/reason.h"

#include <absl/strings/cord.h>
#include <absl/strings/string_view.h>
#include <absl/types/optional.h>

#include <charconv>
#include <cstdint>
#include <string>

namespace wattmint::access {
namespace {

constexpr char kReasonUrl[] = "wattmint.reason";
constexpr char kRetryAfterUrl[] = "wattmint.retry_after_us";
constexpr std::string_view kDetailUrl = "wattmint.detail.";

std::optional<std::string> PayloadOf(const absl::Status& status, const char* url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  return static_cast<std::string>(*payload);
}

}  // namespace

absl::Status WithReason(absl::Status status, std::string_view reason) {
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

std::optional<std::string> ReasonOf(const absl::Status& status) {
  return PayloadOf(status, kReasonUrl);
}

absl::Status WithRetryAfter(absl::Status status, base::Duration retry_after) {
  status.SetPayload(kRetryAfterUrl, absl::Cord(std::to_string(retry_after.count())));
  return status;
}

std::optional<base::Duration> RetryAfterOf(const absl::Status& status) {
  const std::optional<std::string> text = PayloadOf(status, kRetryAfterUrl);
  if (!text.has_value()) return std::nullopt;
  std::int64_t microseconds = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), microseconds);
  if (parsed.ec != std::errc()) return std::nullopt;
  return base::Duration(microseconds);
}

absl::Status WithDetail(absl::Status status, std::string_view key, std::string_view value) {
  std::string url(kDetailUrl);
  url += key;
  status.SetPayload(url, absl::Cord(absl::string_view(value.data(), value.size())));
  return status;
}

std::map<std::string, std::string> DetailsOf(const absl::Status& status) {
  std::map<std::string, std::string> details;
  status.ForEachPayload([&details](absl::string_view url, const absl::Cord& value) {
    const std::string_view name(url.data(), url.size());
    if (!name.starts_with(kDetailUrl)) return;
    details.emplace(name.substr(kDetailUrl.size()), std::string(value));
  });
  return details;
}

}  // namespace wattmint::access
