// SPDX-License-Identifier: Apache-2.0
#include "bridge/server_messages.h"

#include "core/base/time_format.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace wattmint::bridge {
namespace {

std::vector<std::string> RoleNames(access::RoleSet roles) {
  std::vector<std::string> names;
  for (const access::Role role : access::kAllRoles) {
    if (roles.Has(role)) names.emplace_back(access::RoleName(role));
  }
  return names;
}

void WriteFilter(const domain::EventFilter& filter, JsonWriter& json) {
  std::vector<std::string> types;
  for (const domain::EventType type : filter.types) types.emplace_back(domain::Name(type));
  json.Begin("filter").Strings("event_types", types).Strings("meters", filter.meter_ids);
  if (filter.energy_min) {
    json.Raw("min_amount", filter.energy_min->ToString());
  } else {
    json.Null("min_amount");
  }
  json.End();
}

std::string_view OutcomeName(SubmitAnswer::Outcome outcome) {
  switch (outcome) {
    case SubmitAnswer::Outcome::kAccepted:
      return "accepted";
    case SubmitAnswer::Outcome::kExists:
      return "exists";
    case SubmitAnswer::Outcome::kRejected:
      return "rejected";
  }
  return "unknown";
}

void WriteIfKnown(std::string_view name, std::string_view value, JsonWriter& json) {
  if (!value.empty()) json.String(name, value);
}

// With the names that the events of a task have.
void WriteTask(const domain::MintTask& task, JsonWriter& json) {
  json.BigNumber("task_id", task.task_id).String("user_id", task.user_id);
  json.String("meter_id", task.meter_id).String("reading_id", task.reading_id.ToString());
  json.Raw("kwh_amount", task.energy.ToString()).String("status", domain::Name(task.state));
  if (task.tokens != domain::TokenAmount()) json.Number("tokens_minted", task.tokens.base_units());
  WriteIfKnown("wallet_address", task.wallet_address, json);
  WriteIfKnown("transaction_signature", task.transaction_signature, json);
  WriteIfKnown("reason", task.reason, json);
  json.String("created_at", base::FormatRfc3339(task.create_time));
  json.String("updated_at", base::FormatRfc3339(task.update_time));
}

void WriteCursor(std::string_view cursor, JsonWriter& json) {
  if (!cursor.empty()) json.String("cursor", cursor);
}

}  // namespace

std::int64_t Milliseconds(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

ServerMessages::ServerMessages(base::Clock& clock, Encoding encoding)
    : clock_(clock),
      encoding_(encoding),
      source_(fmt::format("urn:wattmint:bridge:{}", clock.Now().time_since_epoch().count())) {}

ByEncoding<ServerMessages> ServerMessages::InAll(base::Clock& clock) {
  return {ServerMessages(clock, Encoding::kJson), ServerMessages(clock, Encoding::kFlat),
          ServerMessages(clock, Encoding::kCloudEvents), ServerMessages(clock, Encoding::kProto)};
}

template <typename Fill>
SharedFrame ServerMessages::Make(ServerMessageName type, std::string_view id, Fill fill) const {
  const std::string event_id = std::to_string(++count_);
  JsonWriter json;
  OpenMessage(encoding_,
              {.type = type.text,
               .time = clock_.Now(),
               .answered_id = id,
               .event_id = event_id,
               .source = source_},
              json);
  fill(json);
  return FrameText(CloseMessage(encoding_, std::move(json)));
}

SharedFrame ServerMessages::Connected(std::string_view connection_id,
                                      base::Duration authenticate_within,
                                      const SessionLimits& limits) const {
  return Make("Connected", "", [&](JsonWriter& json) {
    const auto number = [&json](std::string_view name, std::size_t value) {
      json.Number(name, static_cast<std::int64_t>(value));
    };
    json.String("connection_id", connection_id);
    json.Number("server_time", Milliseconds(clock_.Now().time_since_epoch()));
    json.Bool("authenticated", authenticate_within == base::Duration::zero());
    if (authenticate_within > base::Duration::zero()) {
      json.Number("authenticate_within_ms", Milliseconds(authenticate_within));
    }
    json.Begin("limits");
    number("subscriptions", limits.subscriptions);
    number("object_subscriptions", limits.object_subscriptions);
    number("user_subscriptions", limits.user_subscriptions);
    number("channels_per_message", kChannelsPerMessageMax);
    number("frame_bytes", limits.frame_bytes);
    json.Number("frames_per_minute", limits.frames_per_minute);
    json.End();
  });
}

SharedFrame ServerMessages::Authenticated(std::string_view id,
                                          const access::Principal& principal) const {
  return Make("Authenticated", id, [&](JsonWriter& json) {
    json.String("user_id", principal.user_id);
    if (principal.wallets.empty()) {
      json.Null("wallet");
    } else {
      json.String("wallet", principal.wallets.front());
    }
    json.Strings("roles", RoleNames(principal.roles));
    if (principal.expires_at) {
      json.String("expires_at", base::FormatRfc3339(*principal.expires_at));
    } else {
      json.Null("expires_at");
    }
  });
}

SharedFrame ServerMessages::Subscribed(std::string_view id,
                                       const Subscription& subscription) const {
  return Make("Subscribed", id, [&](JsonWriter& json) {
    if (subscription.filter != nullptr) {
      json.Null("channels");
      WriteFilter(*subscription.filter, json);
    } else {
      json.Strings("channels", subscription.channels).Null("filter");
    }
    json.Strings("added", subscription.added);
    WriteCursor(subscription.cursor, json);
    json.String("epoch", subscription.epoch);
    json.Number("head_sequence", subscription.head_sequence);
    json.Bool("replaying", subscription.is_replaying);
  });
}

SharedFrame ServerMessages::Unsubscribed(std::string_view id,
                                         const std::vector<std::string>& remaining,
                                         const std::vector<std::string>& removed,
                                         std::string_view cursor) const {
  return Make("Unsubscribed", id, [&](JsonWriter& json) {
    json.Strings("channels", remaining).Strings("removed", removed);
    WriteCursor(cursor, json);
  });
}

SharedFrame ServerMessages::Heartbeat(std::string_view cursor, std::int64_t delivered,
                                      const UpstreamState& upstream) const {
  return Make("Heartbeat", "", [&](JsonWriter& json) {
    WriteCursor(cursor, json);
    json.Number("head_sequence", upstream.head_sequence);
    json.Number("delivered_sequence", delivered);
    json.String("upstream", upstream.Name());
  });
}

SharedFrame ServerMessages::CaughtUp(std::string_view cursor, std::int64_t sequence) const {
  return Make("CaughtUp", "", [&](JsonWriter& json) {
    json.String("cursor", cursor).Number("sequence", sequence);
  });
}

SharedFrame ServerMessages::FellBehind(std::int64_t delivered, std::int64_t head) const {
  return Make("FellBehind", "", [&](JsonWriter& json) {
    json.Number("delivered_sequence", delivered).Number("head_sequence", head);
  });
}

SharedFrame ServerMessages::Draining(base::Duration reconnect_after,
                                     std::string_view cursor) const {
  return Make("Draining", "", [&](JsonWriter& json) {
    json.Number("reconnect_after_ms", Milliseconds(reconnect_after));
    WriteCursor(cursor, json);
  });
}

SharedFrame ServerMessages::CredentialExpiring(base::Time expires_at) const {
  return Make("CredentialExpiring", "", [&](JsonWriter& json) {
    json.String("expires_at", base::FormatRfc3339(expires_at));
  });
}

SharedFrame ServerMessages::JobSnapshot(std::string_view job_id, std::int64_t sequence,
                                        std::span<const domain::MintTask> tasks, bool more) const {
  return Make("JobSnapshot", "", [&](JsonWriter& json) {
    json.String("job_id", job_id).Number("sequence", sequence).BeginArray("tasks");
    for (const domain::MintTask& task : tasks) {
      json.BeginElement();
      WriteTask(task, json);
      json.End();
    }
    json.EndArray().Bool("more", more);
  });
}

SharedFrame ServerMessages::ReadingSubmitted(std::string_view id,
                                             const SubmitAnswer& answer) const {
  return Make("ReadingSubmitted", id, [&](JsonWriter& json) {
    json.String("outcome", OutcomeName(answer.outcome));
    if (!answer.reading_id.empty()) json.String("reading_id", answer.reading_id);
    if (answer.mint_state) json.String("mint_state", domain::Name(*answer.mint_state));
    if (answer.rejection) json.String("error_reason", domain::Name(*answer.rejection));
    if (!answer.message.empty()) json.String("message", answer.message);
  });
}

SharedFrame ServerMessages::Pong(std::string_view id, std::string_view timestamp) const {
  return Make("Pong", id, [&](JsonWriter& json) {
    if (!timestamp.empty()) json.Raw("timestamp", timestamp);
  });
}

SharedFrame ServerMessages::RateLimitWarning(int used, int limit) const {
  return Make("RateLimitWarning", "",
              [&](JsonWriter& json) { json.Number("used", used).Number("limit", limit); });
}

SharedFrame ServerMessages::SystemStatus(std::size_t connections,
                                         const UpstreamState& upstream) const {
  return Make("SystemStatus", "", [&](JsonWriter& json) {
    json.String("status", upstream.is_connected ? "healthy" : "degraded");
    json.Number("connections", static_cast<std::int64_t>(connections));
    json.String("upstream", upstream.Name());
    json.Number("head_sequence", upstream.head_sequence);
    json.Number("lag_ms", Milliseconds(upstream.lag));
  });
}

SharedFrame ServerMessages::SystemAlert(domain::Severity severity, std::string_view message) const {
  return Make("SystemAlert", "", [&](JsonWriter& json) {
    json.String("kind", "upstream").String("severity", domain::Name(severity));
    json.String("message", message).String("timestamp", base::FormatRfc3339(clock_.Now()));
  });
}

SharedFrame ServerMessages::Error(const ProtocolError& error) const {
  return Make("Error", error.id, [&](JsonWriter& json) {
    json.String("code", error.code).String("message", error.message);
    if (error.retry_after_ms) json.Number("retry_after_ms", *error.retry_after_ms);
    if (!error.channel.empty()) json.String("channel", error.channel);
    if (error.oldest_sequence) json.Number("oldest_sequence", *error.oldest_sequence);
  });
}

}  // namespace wattmint::bridge
