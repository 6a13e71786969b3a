// SPDX-License-Identifier: Apache-2.0
#include "core/access/api_key_table.h"

#include "core/access/api_key.h"
#include "core/access/reason.h"
#include "core/base/bytes.h"
#include "core/base/hmac.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

#include <absl/strings/string_view.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

namespace wattmint::access {
namespace {

absl::Status InvalidApiKey() {
  return WithReason(base::Unauthenticated("the API key is not valid"), reason::kInvalidApiKey);
}

absl::Status RateLimited(base::Duration retry_after) {
  return WithRetryAfter(WithReason(base::ResourceExhausted("the API key makes too many requests"),
                                   reason::kRateLimited),
                        retry_after);
}

absl::Status CheckUsable(const store::ApiKeyRecord& record, base::Time now) {
  if (record.revoke_time.has_value()) {
    return WithReason(base::Unauthenticated("the API key was revoked"), reason::kRevokedApiKey);
  }
  if (record.expire_time.has_value() && now >= *record.expire_time) {
    return WithReason(base::Unauthenticated("the API key has expired"), reason::kExpiredApiKey);
  }
  return absl::OkStatus();
}

Principal PrincipalOf(const store::ApiKeyRecord& record) {
  Principal principal;
  principal.user_id = record.user_id;
  principal.roles = RoleSet::FromBits(record.roles);
  principal.credential = CredentialKind::kApiKey;
  principal.key_id = record.key_id;
  principal.expires_at = record.expire_time;
  return principal;
}

}  // namespace

void ApiKeyTable::Load(std::vector<store::ApiKeyRecord> records,
                       const std::vector<store::KeyUse>& uses) {
  base::MutexLock lock(mutex_);
  const auto before = std::exchange(entries_, {});
  for (store::ApiKeyRecord& record : records) {
    const auto known = before.find(record.key_id);
    if (known != before.end()) entries_.emplace(record.key_id, known->second);
    PutLocked(std::move(record));
  }
  for (const store::KeyUse& use : uses) {
    Entry* entry = FindLocked(use.key_id);
    if (entry == nullptr) continue;
    entry->written_use = use.last_use;
    entry->last_used_at = std::max(entry->last_used_at, entry->written_use);
  }
}

void ApiKeyTable::Put(store::ApiKeyRecord record) {
  base::MutexLock lock(mutex_);
  PutLocked(std::move(record));
}

void ApiKeyTable::PutLocked(store::ApiKeyRecord record) {
  Entry& entry = entries_[record.key_id];
  if (record.requests_per_second <= 0) {
    entry.requests.reset();
  } else if (record.requests_per_second != entry.record.requests_per_second) {
    const base::RateLimit limit{
        .capacity = record.requests_per_second,
        .refill_per_second = static_cast<double>(record.requests_per_second)};
    entry.requests.emplace(limit, clock_);
  }
  entry.record = std::move(record);
}

absl::StatusOr<Principal> ApiKeyTable::Authenticate(std::string_view presented) {
  const std::optional<std::string_view> key_id = KeyIdOf(presented);
  if (!key_id.has_value()) return InvalidApiKey();
  const base::Sha256Digest hash = base::Sha256(base::AsBytes(presented));
  const base::Time now = clock_.Now();

  base::MutexLock lock(mutex_);
  Entry* entry = FindLocked(*key_id);
  if (entry == nullptr || !base::ConstantTimeEqual(hash, entry->record.sha256)) {
    return InvalidApiKey();
  }
  if (absl::Status status = CheckUsable(entry->record, now); !status.ok()) return status;
  if (entry->requests.has_value()) {
    const base::Duration wait = entry->requests->Take();
    if (wait > base::Duration::zero()) return RateLimited(wait);
  }
  entry->last_used_at = std::chrono::floor<std::chrono::minutes>(now);
  return PrincipalOf(entry->record);
}

absl::Status ApiKeyTable::CheckCurrent(std::string_view key_id) {
  const base::Time now = clock_.Now();
  base::MutexLock lock(mutex_);
  const Entry* entry = FindLocked(key_id);
  return entry == nullptr ? InvalidApiKey() : CheckUsable(entry->record, now);
}

std::optional<ApiKeyTable::Listed> ApiKeyTable::Find(std::string_view key_id) {
  base::MutexLock lock(mutex_);
  const Entry* entry = FindLocked(key_id);
  if (entry == nullptr) return std::nullopt;
  return Listed{.record = entry->record, .last_used_at = entry->last_used_at};
}

std::vector<ApiKeyTable::Listed> ApiKeyTable::List(std::string_view user_id) {
  std::vector<Listed> keys;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [key_id, entry] : entries_) {
      if (!user_id.empty() && entry.record.user_id != user_id) continue;
      keys.push_back({.record = entry.record, .last_used_at = entry.last_used_at});
    }
  }
  std::ranges::sort(keys, {}, [](const Listed& key) {
    return std::tie(key.record.create_time, key.record.key_id);
  });
  return keys;
}

std::vector<store::KeyUse> ApiKeyTable::UnwrittenUses() {
  std::vector<store::KeyUse> uses;
  base::MutexLock lock(mutex_);
  for (const auto& [key_id, entry] : entries_) {
    if (entry.last_used_at == entry.written_use) continue;
    uses.push_back({.key_id = key_id, .last_use = *entry.last_used_at});
  }
  return uses;
}

void ApiKeyTable::SetWritten(const std::vector<store::KeyUse>& uses) {
  base::MutexLock lock(mutex_);
  for (const store::KeyUse& use : uses) {
    if (Entry* entry = FindLocked(use.key_id)) entry->written_use = use.last_use;
  }
}

ApiKeyTable::Entry* ApiKeyTable::FindLocked(std::string_view key_id) {
  const auto found = entries_.find(absl::string_view(key_id.data(), key_id.size()));
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace wattmint::access
