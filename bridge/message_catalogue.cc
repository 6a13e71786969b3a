// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_catalogue.h"

#include "bridge/error_codes.h"
#include "core/access/role.h"
#include "core/domain/event.h"

namespace wattmint::bridge {
namespace {

// Names of the values of an enumeration, from `first` to `last`.
template <typename Enum>
std::vector<std::string_view> NamesFromTo(Enum first, Enum last) {
  std::vector<std::string_view> names;
  for (int value = static_cast<int>(first); value <= static_cast<int>(last); ++value) {
    names.push_back(domain::Name(static_cast<Enum>(value)));
  }
  return names;
}

}  // namespace

std::vector<std::string_view> QualityWords() {
  return NamesFromTo(domain::Quality::kActual, domain::Quality::kFinal);
}

std::vector<std::string_view> EnergyChannelWords() {
  return NamesFromTo(domain::Channel::kGeneration, domain::Channel::kConsumption);
}

std::vector<std::string_view> MintStateWords() {
  return NamesFromTo(domain::MintState::kPending, domain::MintState::kNotApplicable);
}

std::vector<std::string_view> RejectionWords() {
  return NamesFromTo(domain::Rejection{1}, domain::Rejection{domain::kRejectionsMax});
}

std::vector<std::string_view> EventTypeWords() {
  return NamesFromTo(domain::EventType{domain::kEventTypeMin},
                     domain::EventType{domain::kEventTypeMax});
}

std::vector<std::string_view> SeverityWords() {
  return NamesFromTo(domain::Severity::kInfo, domain::Severity::kCritical);
}

std::vector<std::string_view> RoleWords() {
  std::vector<std::string_view> names;
  for (const access::Role role : access::kAllRoles) names.push_back(access::RoleName(role));
  return names;
}

std::vector<std::string_view> ErrorCodeWords() {
  std::vector<std::string_view> names;
  for (const ErrorCode& code : kErrorCodes) {
    if (code.where != ErrorCode::Where::kHttp) names.push_back(code.name);
  }
  return names;
}

}  // namespace wattmint::bridge
