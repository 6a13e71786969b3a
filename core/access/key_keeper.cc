// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_keeper.h"

#include "core/base/bytes.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"

#include <algorithm>
#include <utility>

namespace wattmint::access {
namespace {

constexpr std::size_t kNameBytesMax = 100;    // chosen: a line
constexpr std::int32_t kRateMax = 1'000'000;  // chosen: above what one core can do

store::ApiKeyRecord RecordOf(const KeyOrder& order, std::string_view key_id,
                             const base::Sha256Digest& sha256) {
  store::ApiKeyRecord record;
  record.key_id = key_id;
  record.sha256 = sha256;
  record.user_id = order.user_id;
  record.roles = order.roles.bits();
  record.display_name = order.display_name;
  record.expire_time = order.expire_time;
  record.requests_per_second = order.requests_per_second;
  return record;
}

domain::ApiKeyChanged ChangeOf(const store::ApiKeyRecord& record) {
  return {.user_id = record.user_id,
          .key_id = record.key_id,
          .revoked = record.revoke_time.has_value()};
}

}  // namespace

absl::StatusOr<store::ApiKeyRecord> LocalKeyRecord(std::string_view text, const KeyOrder& order) {
  const std::optional<std::string_view> key_id = KeyIdOf(text);
  if (!key_id.has_value()) return base::InvalidArgument("the text is no API key");
  return RecordOf(order, *key_id, base::Sha256(base::AsBytes(text)));
}

class KeyKeeper::CreateOp final : public store::WriteOp {
 public:
  CreateOp(KeyKeeper& keeper, Created created, CreateCallback done)
      : keeper_(keeper), created_(std::move(created)), done_(std::move(done)) {}

  absl::Status Apply(store::WriteContext& context) override {
    created_.record.create_time = context.now();
    WATTMINT_RETURN_IF_ERROR(context.transaction().InsertApiKey(created_.record));
    return context.Append(ChangeOf(created_.record));
  }

  void Done(const absl::Status& status) override {
    if (!status.ok()) return done_(status);
    keeper_.table_.Put(created_.record);
    done_(std::move(created_));
  }

 private:
  KeyKeeper& keeper_;
  Created created_;
  const CreateCallback done_;
};

class KeyKeeper::RevokeOp final : public store::WriteOp {
 public:
  RevokeOp(KeyKeeper& keeper, store::ApiKeyRecord record, RevokeCallback done)
      : keeper_(keeper), record_(std::move(record)), done_(std::move(done)) {}

  absl::Status Apply(store::WriteContext& context) override {
    record_.revoke_time = context.now();
    WATTMINT_RETURN_IF_ERROR(context.transaction().UpdateApiKey(record_));
    return context.Append(ChangeOf(record_));
  }

  void Done(const absl::Status& status) override {
    if (!status.ok()) return done_(status);
    keeper_.table_.Put(record_);
    keeper_.on_revoked_(record_.key_id);
    done_(std::move(record_));
  }

 private:
  KeyKeeper& keeper_;
  store::ApiKeyRecord record_;
  const RevokeCallback done_;
};

KeyKeeper::KeyKeeper(store::CommitQueue& queue, ApiKeyTable& table, base::Clock& clock,
                     base::RandomSource& random, std::vector<store::ApiKeyRecord> local_keys,
                     std::function<void(std::string_view)> on_revoked)
    : queue_(queue),
      table_(table),
      clock_(clock),
      random_(random),
      local_keys_(std::move(local_keys)),
      on_revoked_(std::move(on_revoked)) {}

void KeyKeeper::Load(std::vector<store::ApiKeyRecord> stored,
                     const std::vector<store::KeyUse>& uses) {
  stored.insert(stored.end(), local_keys_.begin(), local_keys_.end());
  table_.Load(std::move(stored), uses);
}

absl::Status KeyKeeper::Check(const KeyOrder& order) {
  if (!domain::IsUserId(order.user_id)) {
    return base::InvalidArgument("user_id must be 1 to 64 bytes of [A-Za-z0-9._:@-]");
  }
  if (order.roles.IsEmpty()) return base::InvalidArgument("roles must name at least one role");
  if (order.display_name.size() > kNameBytesMax) {
    return base::InvalidArgument("display_name must have at most {} bytes", kNameBytesMax);
  }
  if (order.expire_time.has_value() && *order.expire_time <= clock_.Now()) {
    return base::InvalidArgument("expire_time must be in the future");
  }
  if (order.requests_per_second < 0 || order.requests_per_second > kRateMax) {
    return base::InvalidArgument("requests_per_second must be 0 to {}", kRateMax);
  }
  return absl::OkStatus();
}

void KeyKeeper::Create(const KeyOrder& order, CreateCallback done) {
  if (absl::Status status = Check(order); !status.ok()) return done(status);
  NewApiKey key = MakeApiKey(random_);
  while (table_.Find(key.key_id).has_value()) key = MakeApiKey(random_);
  queue_.Submit(std::make_unique<CreateOp>(
      *this, Created{RecordOf(order, key.key_id, key.sha256), std::move(key.text)},
      std::move(done)));
}

void KeyKeeper::Revoke(std::string key_id, RevokeCallback done) {
  std::optional<ApiKeyTable::Listed> known = table_.Find(key_id);
  if (!known.has_value()) return done(base::NotFound("there is no API key {}", key_id));
  if (known->record.revoke_time.has_value()) {
    on_revoked_(key_id);  // again: nobody was told when the outcome of the first call was unknown
    return done(std::move(known->record));
  }
  if (IsLocal(key_id)) {
    return done(base::FailedPrecondition(
        "API key {} lives in a file beside the database: replace the file and start again",
        key_id));
  }
  queue_.Submit(std::make_unique<RevokeOp>(*this, std::move(known->record), std::move(done)));
}

bool KeyKeeper::IsLocal(std::string_view key_id) const {
  return std::any_of(local_keys_.begin(), local_keys_.end(),
                     [key_id](const auto& record) { return record.key_id == key_id; });
}

}  // namespace wattmint::access
