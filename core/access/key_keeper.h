// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key.h"
#include "core/access/api_key_table.h"
#include "core/access/role.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::access {

// What a new API key is to be.
struct KeyOrder {
  std::string user_id;
  RoleSet roles;
  std::string display_name;
  std::optional<base::Time> expire_time;
  std::int32_t requests_per_second = 0;  // 0: no limit
};

// The record of a key that lives in a file beside the database instead of in it.
// kInvalidArgument for a text that is no API key.
absl::StatusOr<store::ApiKeyRecord> LocalKeyRecord(std::string_view text, const KeyOrder& order);

// Makes and revokes API keys: durable, with their event, and in force at once.
//
// Threads: any. Lifetime: everything passed to the constructor must outlive it, and the queue be
// stopped before it ends.
class KeyKeeper {
 public:
  struct Created {
    store::ApiKeyRecord record;
    std::string text;  // for its holder, once
  };
  // Both are called on the queue's acknowledger thread and must not block.
  using CreateCallback = std::function<void(absl::StatusOr<Created>)>;
  using RevokeCallback = std::function<void(absl::StatusOr<store::ApiKeyRecord>)>;

  // `on_revoked` is called with the key id after a key was revoked, before the answer.
  KeyKeeper(store::CommitQueue& queue, ApiKeyTable& table, base::Clock& clock,
            base::RandomSource& random, std::vector<store::ApiKeyRecord> local_keys,
            std::function<void(std::string_view key_id)> on_revoked);

  // Fills the table: what the database holds, and the local keys.
  void Load(std::vector<store::ApiKeyRecord> stored, const std::vector<store::KeyUse>& uses);

  // kInvalidArgument for a user id that is none, no role, a name of more than 100 bytes, an end in
  // the past, or a rate below 0 or above 1,000,000; kUnavailable when the outcome is unknown.
  void Create(const KeyOrder& order, CreateCallback done);
  // A key that is revoked already is answered as it is. kNotFound; kFailedPrecondition for a local
  // key; kUnavailable.
  void Revoke(std::string key_id, RevokeCallback done);

 private:
  class CreateOp;
  class RevokeOp;

  absl::Status Check(const KeyOrder& order);
  bool IsLocal(std::string_view key_id) const;

  store::CommitQueue& queue_;
  ApiKeyTable& table_;
  base::Clock& clock_;
  base::RandomSource& random_;
  const std::vector<store::ApiKeyRecord> local_keys_;
  const std::function<void(std::string_view)> on_revoked_;
};

}  // namespace wattmint::access
