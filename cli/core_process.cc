// SPDX-License-Identifier: Apache-2.0
#include "cli/core_process.h"

#include "cli/address.h"
#include "cli/ledger_keys.h"
#include "core/access/key_keeper.h"
#include "core/access/web_document.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace wattmint::cli {
namespace {

constexpr base::Duration kKeyFileLook = std::chrono::seconds(1);  // chosen: costs nothing

// The key of the local admin or bridge, as the core knows it; made when its file was.
absl::StatusOr<store::ApiKeyRecord> LocalKey(const absl::StatusOr<std::string>& text,
                                             const std::filesystem::path& file, std::string user_id,
                                             access::Role role) {
  WATTMINT_RETURN_IF_ERROR(text.status());
  access::KeyOrder order;
  order.user_id = std::move(user_id);
  order.roles = {role};
  order.display_name = file.filename().string();
  WATTMINT_ASSIGN_OR_RETURN(store::ApiKeyRecord record,
                            access::LocalKeyRecord(*text, std::move(order)));
  std::error_code error;
  const auto made = std::filesystem::last_write_time(file, error);
  if (!error) {
    record.create_time = std::chrono::floor<base::Duration>(std::chrono::file_clock::to_sys(made));
  }
  return record;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoreProcess>> CoreProcess::Start(const Settings& settings,
                                                                const DataDirectory& data) {
  WATTMINT_RETURN_IF_ERROR(data.Create());
  WATTMINT_ASSIGN_OR_RETURN(base::FileLock lock, data.Lock());
  std::unique_ptr<CoreProcess> process(new CoreProcess(data, std::move(lock)));
  WATTMINT_RETURN_IF_ERROR(process->OpenDatabases(settings));
  WATTMINT_RETURN_IF_ERROR(process->OpenJwt(settings.jwt));
  WATTMINT_RETURN_IF_ERROR(process->Serve(settings));
  return process;
}

CoreProcess::~CoreProcess() { Stop(); }

absl::Status CoreProcess::OpenDatabases(const Settings& settings) {
  storage::Database::Options options;
  options.connection.path = data_.database().string();
  WATTMINT_ASSIGN_OR_RETURN(database_, storage::Database::Open(options));
  storage::ConnectionOptions ledger_file;
  ledger_file.path = data_.ledger().string();
  WATTMINT_ASSIGN_OR_RETURN(book_, storage::SqliteLedgerBook::Open(ledger_file));
  WATTMINT_ASSIGN_OR_RETURN(signer_, OpenSigner(settings.ledger_key, data_, *book_));
  ledger_ = std::make_unique<ledger::EmbeddedLedger>(*book_, clock_, *signer_);
  return absl::OkStatus();
}

absl::Status CoreProcess::OpenJwt(const JwtSettings& settings) {
  if (settings.keys.empty() && settings.secret_file.empty()) return absl::OkStatus();
  if (!settings.keys.empty() && !settings.secret_file.empty()) {
    return base::InvalidArgument("jwt-keys and jwt-secret are both set; keep one of them");
  }
  access::JwtOptions options;
  if (settings.keys.empty()) {
    options.key_format = access::JwtOptions::KeyFormat::kSecret;
    options.key_file = settings.secret_file;
  } else if (access::IsWebAddress(settings.keys)) {
    options.key_address = settings.keys;
    options.key_address_ca = settings.keys_ca;
  } else {
    options.key_file = settings.keys;
  }
  options.issuer = settings.issuer;
  options.audience = settings.audience;
  WATTMINT_ASSIGN_OR_RETURN(jwt_, access::JwtVerifier::Open(std::move(options), clock_));
  return absl::OkStatus();
}

absl::Status CoreProcess::Serve(const Settings& settings) {
  rpc::CoreOptions options;
  options.server.address = settings.grpc_address;
  options.metrics_address = settings.metrics_address;
  options.server.tls = {settings.grpc_certificate, settings.grpc_key, settings.grpc_client_ca};
  options.server.connections_max = static_cast<std::size_t>(settings.grpc_connections_max);
  options.server.connections_per_address_max =
      static_cast<std::size_t>(settings.grpc_connections_per_ip_max);
  options.feeds.heartbeat = settings.heartbeat;
  options.readings = settings.readings;
  options.mints = settings.mints;
  // A claim must outlast the signing of its batch.
  options.mints.claim_lease =
      std::max<base::Duration>(options.mints.claim_lease, 2 * settings.ledger_key.signer_timeout);
  options.reconciliations.interval = settings.reconcile_interval;
  options.compaction.retention = {settings.event_age_max,
                                  std::int64_t{settings.event_log_mib_max} << 20};
  options.user_calls_per_second = settings.user_calls_per_second;
  options.streams.streams_per_user_max = static_cast<std::size_t>(settings.streams_per_user_max);
  if (!settings.audit_log.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(audit_, AuditFile::Open(settings.audit_log));
    options.audit_sink = [&audit = *audit_](std::string_view line) { audit.Write(line); };
  }
  options.key_refresh.interval =
      access::IsWebAddress(settings.jwt.keys) ? settings.jwt.keys_refresh : kKeyFileLook;
  WATTMINT_ASSIGN_OR_RETURN(options.cursor_key, data_.CursorKey());
  WATTMINT_ASSIGN_OR_RETURN(const auto admin, LocalKey(data_.AdminKey(), data_.path() / "admin.key",
                                                       "local-admin", access::Role::kAdmin));
  WATTMINT_ASSIGN_OR_RETURN(const auto relay, LocalKey(data_.RelayKey(), data_.path() / "relay.key",
                                                       "local-bridge", access::Role::kRelay));
  options.local_keys = {admin, relay};
  const rpc::CorePorts ports{database_->journal(),
                             database_->event_log(),
                             database_->queries(),
                             *ledger_,
                             clock_,
                             random_,
                             jwt_.get()};
  WATTMINT_ASSIGN_OR_RETURN(app_, rpc::CoreApp::Start(ports, options));
  address_ = WithPort(settings.grpc_address, app_->port());
  if (app_->metrics_port() != 0) {
    metrics_address_ = WithPort(settings.metrics_address, app_->metrics_port());
  }
  return data_.WriteAddress("core", address_);
}

void CoreProcess::Reload() {
  app_->Reload();
  if (audit_ != nullptr) audit_->ReopenOrLog();
}

void CoreProcess::Stop() {
  if (app_ == nullptr) return;
  data_.RemoveAddress("core");
  app_->Stop();
  app_.reset();
}

}  // namespace wattmint::cli
