// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/announcer.h"

#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"
#include "core/domain/limits.h"
#include "core/domain/plain_text.h"
#include "core/store/run_op.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace wattmint::ingest {
namespace {

using Sent = Announcer::Sent;
using domain::Severity;

absl::Status Require(bool is_right, std::string_view field, std::string_view what) {
  return is_right ? absl::OkStatus() : base::InvalidArgument("{}: must be {}", field, what);
}

absl::Status CheckShared(std::string_view request_id, std::string_view severity_field,
                         Severity severity, std::string_view message) {
  WATTMINT_RETURN_IF_ERROR(Require(!request_id.empty() && domain::IsRequestId(request_id),
                                   "request_id", "1 to 64 bytes of printable ASCII"));
  WATTMINT_RETURN_IF_ERROR(Require(severity >= Severity::kInfo && severity <= Severity::kCritical,
                                   severity_field, "INFO, WARNING or CRITICAL"));
  return Require(domain::IsPlainText(message, domain::kAnnouncementBytesMax), "message",
                 "one line of 1 to 1,000 bytes of UTF-8, without control characters");
}

// What was asked for, as one text that nothing else has: no field but the last may hold a line
// feed.
std::string ContentOf(const domain::SystemAlert& alert) {
  return fmt::format("alert\n{}\n{}\n{}", alert.kind, Name(alert.severity), alert.message);
}

std::string ContentOf(const domain::Notification& notification) {
  return fmt::format("notification\n{}\n{}\n{}", notification.user_id, Name(notification.level),
                     notification.message);
}

absl::StatusOr<Sent> Write(store::WriteContext& context, const domain::Fact& fact,
                           store::AnnouncementRecord record) {
  WATTMINT_ASSIGN_OR_RETURN(const std::optional<store::AnnouncementRecord> known,
                            context.transaction().FindAnnouncement(record.request_id));
  if (known && known->sha256 == record.sha256) return Sent{known->sequence, true};
  if (known) {
    return base::AlreadyExists("request id {} was used for something else, which is event {}",
                               record.request_id, known->sequence);
  }
  WATTMINT_RETURN_IF_ERROR(context.Append(fact));
  record.sequence = context.last_sequence();
  record.time = context.now();
  WATTMINT_RETURN_IF_ERROR(context.transaction().InsertAnnouncement(record));
  return Sent{record.sequence, false};
}

}  // namespace

void Announcer::Send(std::string request_id, domain::SystemAlert alert, Callback done) {
  absl::Status status = CheckShared(request_id, "severity", alert.severity, alert.message);
  if (status.ok()) {
    status = Require(domain::IsMeterId(alert.kind), "kind", "1 to 64 bytes of A-Z a-z 0-9 . _ : -");
  }
  if (!status.ok()) return done(std::move(status));
  const std::string content = ContentOf(alert);
  Submit(std::move(request_id), std::move(alert), content, std::move(done));
}

void Announcer::Send(std::string request_id, domain::Notification notification, Callback done) {
  absl::Status status = CheckShared(request_id, "level", notification.level, notification.message);
  if (status.ok()) {
    status = Require(domain::IsUserId(notification.user_id), "user_id",
                     "1 to 64 bytes of A-Z a-z 0-9 . _ : @ -");
  }
  if (!status.ok()) return done(std::move(status));
  const std::string content = ContentOf(notification);
  Submit(std::move(request_id), std::move(notification), content, std::move(done));
}

void Announcer::Submit(std::string request_id, domain::Fact fact, const std::string& content,
                       Callback done) {
  const auto sent = std::make_shared<Sent>();  // shared: by the two functions of the op
  store::AnnouncementRecord record{.request_id = std::move(request_id),
                                   .sha256 = base::Sha256(base::AsBytes(content))};
  queue_.Submit(std::make_unique<store::FunctionOp>(
      [sent, fact = std::move(fact),
       record = std::move(record)](store::WriteContext& context) -> absl::Status {
        WATTMINT_ASSIGN_OR_RETURN(*sent, Write(context, fact, record));
        return absl::OkStatus();
      },
      [sent, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        done(*sent);
      }));
}

}  // namespace wattmint::ingest
