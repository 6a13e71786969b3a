// SPDX-License-Identifier: Apache-2.0
#include "core/domain/event.h"

#include <array>

namespace wattmint::domain {
namespace {

constexpr std::array<std::string_view, kEventTypeMax - kEventTypeMin + 1> kNames = {
    "MeterReadingReceived", "MeterReadingValidationFailed",
    "TokensMinted",         "BatchMintingCompleted",
    "TaskCreated",          "TaskUpdated",
    "TaskStatusChanged",    "TaskFeeUpdated",
    "MeterChanged",         "ApiKeyChanged",
    "MintingSwitched",      "ReadingCorrected",
    "ReadingWithdrawn",     "SystemAlert",
    "Notification",
};
static_assert(std::variant_size_v<Fact> == kNames.size());

// Two spellings are the same name if they agree without case and underscores.
std::string Folded(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    if (c == '_') continue;
    folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded;
}

}  // namespace

std::string_view Name(EventType type) {
  const int index = static_cast<int>(type) - kEventTypeMin;
  return index >= 0 && index < static_cast<int>(kNames.size()) ? kNames[index] : "Unknown";
}

std::optional<EventType> ParseEventType(std::string_view text) {
  constexpr std::string_view kPrefix = "EVENT_TYPE_";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  const std::string folded = Folded(text);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (Folded(kNames[i]) == folded) return static_cast<EventType>(kEventTypeMin + i);
  }
  return std::nullopt;
}

EventType TypeOf(const Fact& fact) {
  return static_cast<EventType>(kEventTypeMin + static_cast<int>(fact.index()));
}

}  // namespace wattmint::domain
