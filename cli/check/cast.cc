// SPDX-License-Identifier: Apache-2.0
#include "cli/check/cast.h"

#include "cli/check/reference_log.h"

#include <fmt/format.h>

namespace wattmint::check {
namespace {

constexpr int kMetersPerUser = 3;  // the last one is quiet

}  // namespace

Cast::Cast(const std::string& run, int users) : run_(run) {
  for (int user = 0; user < users; ++user) {
    users_.push_back(fmt::format("check-{}-user-{}", run, user + 1));
    user_numbers_[users_.back()] = static_cast<std::int16_t>(user);
    for (int i = 1; i <= kMetersPerUser; ++i) {
      const auto number = static_cast<std::int16_t>(meters_.size());
      meters_.push_back({fmt::format("check-{}-meter-{}", run, number + 1),
                         static_cast<std::int16_t>(user), i == kMetersPerUser});
      meter_numbers_[meters_.back().id] = number;
    }
  }
}

std::vector<std::int16_t> Cast::Select(bool is_quiet, int user) const {
  std::vector<std::int16_t> numbers;
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    if (meters_[i].is_quiet != is_quiet || (user >= 0 && meters_[i].user != user)) continue;
    numbers.push_back(static_cast<std::int16_t>(i));
  }
  return numbers;
}

std::int16_t Cast::Find(const Numbers& numbers, std::string_view id) {
  const auto found = numbers.find(std::string(id));
  return found == numbers.end() ? LogEntry::kOther : found->second;
}

}  // namespace wattmint::check
