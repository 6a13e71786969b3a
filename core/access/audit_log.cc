// SPDX-License-Identifier: Apache-2.0
#include "core/access/audit_log.h"

#include "core/access/reason.h"
#include "core/base/bytes.h"
#include "core/base/hex.h"
#include "core/base/hmac.h"
#include "core/base/time_format.h"

#include <absl/strings/ascii.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace wattmint::access {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kReasonNames[] = {
    reason::kMissingCredentials, reason::kInvalidToken,   reason::kExpiredToken,
    reason::kKeyNotYetKnown,     reason::kInvalidApiKey,  reason::kExpiredApiKey,
    reason::kRevokedApiKey,      reason::kInvalidTicket,  reason::kPermissionMissing,
    reason::kRateLimited,        reason::kTooManyStreams, "OTHER",
};

// Chosen: a person reads a thousand lines, and a disk takes ten a second for ever.
constexpr base::RateLimit kRefusalsWritten{.capacity = 1'000, .refill_per_second = 10};

std::string ReasonNameOf(const absl::Status& status) {
  return ReasonOf(status).value_or(std::string(absl::StatusCodeToString(status.code())));
}

OrderedJson CountsOf(const domain::EventFilter& filter) {
  OrderedJson counts = OrderedJson::object();
  const auto add = [&counts](const char* name, const auto& values) {
    if (!values.empty()) counts[name] = values.size();
  };
  add("types", filter.types);
  add("meters", filter.meter_ids);
  add("users", filter.user_ids);
  add("wallets", filter.wallet_addresses);
  add("batches", filter.batch_ids);
  add("tasks", filter.task_ids);
  add("states", filter.mint_states);
  if (filter.energy_min || filter.energy_max) counts["energy"] = true;
  return counts;
}

std::string_view KindName(AuditTarget::Kind kind) {
  switch (kind) {
    case AuditTarget::Kind::kKey:
      return "key";
    case AuditTarget::Kind::kMeter:
      return "meter";
    case AuditTarget::Kind::kReading:
      return "reading";
    case AuditTarget::Kind::kTask:
      return "task";
    case AuditTarget::Kind::kEvent:
      return "event";
    case AuditTarget::Kind::kNone:
      break;
  }
  return "";
}

}  // namespace

// One line on its way: made field by field, written at its end.
class AuditLog::Line {
 public:
  Line(const AuditLog& log, std::string_view event) : log_(log) {
    json_["time"] = base::FormatRfc3339(log.clock_.Now());
    json_["program"] = log.program_;
    json_["event"] = event;
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  // What a client has chosen is never in a line but as a hash or an id, so it is always UTF-8; if
  // not, a line with a hole is better than none.
  ~Line() { log_.sink_(json_.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)); }

  template <typename Value>
  Line& Add(const char* name, const Value& value) {
    json_[name] = value;
    return *this;
  }
  Line& AddWho(const Principal& who) {
    if (!who.key_id.empty()) Add("key", who.key_id);
    if (!who.user_id.empty()) Add("user", HashOf(log_.key_, who.user_id));
    return *this;
  }
  Line& AddResult(const absl::Status& status) {
    return Add("result", status.ok() ? "OK" : ReasonNameOf(status));
  }

 private:
  const AuditLog& log_;
  OrderedJson json_;
};

std::span<const std::string_view> AuditLog::Reasons() {
  static_assert(std::size(kReasonNames) == kReasons);
  return kReasonNames;
}

AuditLog::Key AuditLog::KeyOf(const Key& cursor_key) {
  return base::HmacSha256(cursor_key, base::AsBytes("wattmint audit log"));
}

std::string AuditLog::HashOf(const Key& key, std::string_view id) {
  constexpr std::size_t kHashBytes = 8;  // chosen: two of a million users are the same by no chance
  const base::Sha256Digest hash = base::HmacSha256(key, base::AsBytes(id));
  return base::EncodeHex(base::ByteView(hash).first(kHashBytes));
}

AuditLog::AuditLog(std::string_view program, const Key& key, base::Clock& clock, Sink sink)
    : program_(program),
      key_(key),
      clock_(clock),
      sink_(std::move(sink)),
      refusals_(kRefusalsWritten, clock) {}

// What comes from a client may be anything, such as the secret of a key in the place of its id.
std::string AuditLog::NameOf(const AuditTarget& target) const {
  if (target.kind == AuditTarget::Kind::kMeter) return HashOf(key_, target.id);
  const bool is_id =
      target.id.size() <= kTargetBytesMax && std::ranges::all_of(target.id, [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
      });
  return is_id ? target.id : "malformed";
}

void AuditLog::Called(std::string_view method, const Principal& who, const AuditTarget& target,
                      const absl::Status& outcome) {
  Line line(*this, "call");
  line.Add("method", method).AddWho(who);
  if (target.kind != AuditTarget::Kind::kNone) {
    line.Add("target_kind", KindName(target.kind)).Add("target", NameOf(target));
  }
  line.AddResult(outcome);
}

void AuditLog::Refused(std::string_view method, const Principal* who, const absl::Status& why) {
  const std::string name = ReasonNameOf(why);
  const auto known = std::ranges::find(kReasonNames, std::string_view(name));
  const std::ptrdiff_t index = std::min<std::ptrdiff_t>(known - kReasonNames, kReasons - 1);
  ++refused_[static_cast<std::size_t>(index)];
  std::int64_t unwritten = 0;
  {
    base::MutexLock lock(mutex_);
    if (refusals_.Take() > base::Duration::zero()) {
      ++unwritten_;
      return;
    }
    unwritten = std::exchange(unwritten_, 0);
  }
  Line line(*this, "refused");
  line.Add("method", method);
  if (who != nullptr) line.AddWho(*who);
  line.Add("result", name);
  if (unwritten > 0) line.Add("unwritten_before", unwritten);
}

void AuditLog::StreamOpened(std::int64_t stream, std::string_view method, const Principal& who) {
  Line(*this, "stream_opened").Add("stream", stream).Add("method", method).AddWho(who);
}

void AuditLog::Subscribed(std::int64_t stream, std::span<const domain::EventFilter> filters) {
  OrderedJson counts = OrderedJson::array();
  for (const domain::EventFilter& filter : filters) counts.push_back(CountsOf(filter));
  Line(*this, "subscribed").Add("stream", stream).Add("filters", counts);
}

void AuditLog::SubscribedTo(std::int64_t stream, std::span<const std::string> channels) {
  OrderedJson kinds = OrderedJson::array();
  for (const std::string& channel : channels) kinds.push_back(channel.substr(0, channel.find(':')));
  Line(*this, "subscribed").Add("stream", stream).Add("channels", kinds);
}

void AuditLog::Renewed(std::int64_t stream, const Principal& who) {
  Line(*this, "credential_renewed").Add("stream", stream).AddWho(who);
}

void AuditLog::StreamEnded(std::int64_t stream, base::Duration length, const absl::Status& why) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  Line(*this, "stream_ended")
      .Add("stream", stream)
      .Add("milliseconds", milliseconds)
      .AddResult(why);
}

}  // namespace wattmint::access
