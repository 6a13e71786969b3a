// SPDX-License-Identifier: Apache-2.0
#include "core/store/meter_registry.h"

#include <absl/strings/string_view.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace wattmint::store {

void MeterRegistry::Load(std::vector<domain::Meter> meters) {
  base::MutexLock lock(mutex_);
  meters_.clear();
  for (domain::Meter& meter : meters) {
    auto loaded = std::make_shared<const domain::Meter>(std::move(meter));
    meters_.insert_or_assign(loaded->meter_id, loaded);
  }
}

void MeterRegistry::Put(const domain::Meter& meter) {
  auto put = std::make_shared<const domain::Meter>(meter);
  base::MutexLock lock(mutex_);
  meters_.insert_or_assign(meter.meter_id, std::move(put));
}

std::shared_ptr<const domain::Meter> MeterRegistry::Find(std::string_view meter_id) const {
  base::MutexLock lock(mutex_);
  const auto it = meters_.find(absl::string_view(meter_id.data(), meter_id.size()));
  return it == meters_.end() ? nullptr : it->second;
}

std::vector<domain::Meter> MeterRegistry::List(std::string_view user_id, std::string_view after,
                                               std::size_t count_max) const {
  std::vector<domain::Meter> found;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [meter_id, meter] : meters_) {
      if (meter_id > after && (user_id.empty() || meter->user_id == user_id)) {
        found.push_back(*meter);
      }
    }
  }
  std::ranges::sort(found, {}, &domain::Meter::meter_id);
  if (found.size() > count_max) found.resize(count_max);
  return found;
}

std::vector<std::string> MeterRegistry::WalletsOf(std::string_view user_id) const {
  std::set<std::string> wallets;
  base::MutexLock lock(mutex_);
  for (const auto& [meter_id, meter] : meters_) {
    if (meter->user_id == user_id && !meter->wallet_address.empty()) {
      wallets.insert(meter->wallet_address);
    }
  }
  return {wallets.begin(), wallets.end()};
}

std::string MeterRegistry::LatestWalletOf(std::string_view user_id) const {
  const domain::Meter* latest = nullptr;
  base::MutexLock lock(mutex_);
  for (const auto& [meter_id, meter] : meters_) {
    if (meter->user_id != user_id || meter->wallet_address.empty()) continue;
    const bool is_later = latest == nullptr || std::tie(meter->update_time, meter->meter_id) >
                                                   std::tie(latest->update_time, latest->meter_id);
    if (is_later) latest = meter.get();
  }
  return latest == nullptr ? std::string() : latest->wallet_address;
}

std::size_t MeterRegistry::size() const {
  base::MutexLock lock(mutex_);
  return meters_.size();
}

}  // namespace wattmint::store
