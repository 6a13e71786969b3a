// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/rate_limiter.h"
#include "core/store/api_key_record.h"

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::access {

// Every API key in memory, since each call checks one: who presents it, how often, and when last.
//
// Records are loaded at the start and put after each commit. The time of the last use is kept to
// the minute, and written down by KeyUseRecorder.
// Threads: any. Lifetime: the clock must outlive it.
class ApiKeyTable {
 public:
  struct Listed {
    store::ApiKeyRecord record;
    std::optional<base::Time> last_used_at;  // a full minute; absent: never
  };

  explicit ApiKeyTable(base::Clock& clock) : clock_(clock) {}
  ApiKeyTable(const ApiKeyTable&) = delete;
  ApiKeyTable& operator=(const ApiKeyTable&) = delete;

  // Replaces all keys. `uses` are those that are written down; what is known to be later stays.
  void Load(std::vector<store::ApiKeyRecord> records, const std::vector<store::KeyUse>& uses)
      WATTMINT_EXCLUDES(mutex_);
  // Adds a key, or replaces the one with its key id (also to revoke it).
  void Put(store::ApiKeyRecord record) WATTMINT_EXCLUDES(mutex_);

  // The principal of a key as it is presented; counts as one request.
  // Errors: kUnauthenticated with INVALID_API_KEY (unknown or malformed), REVOKED_API_KEY or
  // EXPIRED_API_KEY (only to who holds the secret); kResourceExhausted with RATE_LIMITED and a time
  // to retry after.
  absl::StatusOr<Principal> Authenticate(std::string_view presented) WATTMINT_EXCLUDES(mutex_);

  // Whether what was once authenticated by the key still is. Errors: kUnauthenticated as above.
  absl::Status CheckCurrent(std::string_view key_id) WATTMINT_EXCLUDES(mutex_);

  std::optional<Listed> Find(std::string_view key_id) WATTMINT_EXCLUDES(mutex_);
  // By time of making. Empty `user_id`: of everybody.
  std::vector<Listed> List(std::string_view user_id) WATTMINT_EXCLUDES(mutex_);

  // The last uses that are not written down yet; and that these now are.
  std::vector<store::KeyUse> UnwrittenUses() WATTMINT_EXCLUDES(mutex_);
  void SetWritten(const std::vector<store::KeyUse>& uses) WATTMINT_EXCLUDES(mutex_);

 private:
  struct Entry {
    store::ApiKeyRecord record;
    std::optional<base::RateLimiter> requests;  // absent: no limit
    std::optional<base::Time> last_used_at;
    std::optional<base::Time> written_use;
  };

  Entry* FindLocked(std::string_view key_id) WATTMINT_REQUIRES(mutex_);
  void PutLocked(store::ApiKeyRecord record) WATTMINT_REQUIRES(mutex_);

  base::Clock& clock_;
  base::Mutex mutex_;  // guards the entries
  absl::flat_hash_map<std::string, Entry> entries_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::access
