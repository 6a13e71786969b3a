// SPDX-License-Identifier: Apache-2.0
#include "cli/bridge_process.h"

#include "bridge/http_text.h"
#include "cli/address.h"
#include "cli/core_link.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace wattmint::cli {
namespace {

constexpr std::size_t kShardsByDefaultMax = 8;  // chosen: more threads than 10,000 clients need

std::vector<std::string> SplitList(std::string_view text) {
  const std::vector<std::string_view> parts = bridge::SplitTrimmed(text, ',');
  return {parts.begin(), parts.end()};
}

// REQUIRES: an address that the settings have checked.
void SetAddress(std::string_view address, bridge::WebSocketServer::Options& server) {
  const std::size_t colon = address.rfind(':');
  server.host = address.substr(0, colon);
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), server.port);
}

absl::StatusOr<client::Credential> RelayCredential(const ResolvedSettings& settings,
                                                   const DataDirectory& data) {
  WATTMINT_ASSIGN_OR_RETURN(const auto named, FindCredential(settings));
  if (named) return *named;
  WATTMINT_ASSIGN_OR_RETURN(const std::string key, data.FindRelayKey());
  return client::Credential::ApiKey(key);
}

// A quarter of the cores: each shard keeps another one busy with what its sockets cost the kernel,
// and the core, the feed from it and everything else on the machine want theirs.
std::size_t ShardsFor(const BridgeSettings& settings) {
  if (settings.shards > 0) return static_cast<std::size_t>(settings.shards);
  return std::clamp(std::size_t{std::thread::hardware_concurrency()} / 4, std::size_t{1},
                    kShardsByDefaultMax);
}

// A quarter of the descriptors stays for files, the core and our own clients.
std::size_t ConnectionsThatFit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = 1024;
  return limit.rlim_cur - limit.rlim_cur / 4;
}

void SetLimits(const BridgeSettings& settings, bridge::BridgeOptions& options) {
  options.shards = ShardsFor(settings);
  options.server.connections_max = static_cast<std::size_t>(settings.connections_max);
  options.server.connections_per_ip_max = static_cast<std::size_t>(settings.connections_per_ip_max);
  options.server.held_max = ConnectionsThatFit();
  options.host.unauthenticated_max = static_cast<std::int64_t>(
      std::min(options.server.connections_max, options.server.held_max) / 4 + 1);
  options.host.sessions.inbound.frames_per_minute = settings.frames_per_minute;
  if (settings.deliveries_per_minute > 0) {
    options.host.delivery_interval =
        base::Duration(std::chrono::minutes(1)) / settings.deliveries_per_minute;
  }
  options.server.compresses = settings.compression;
  options.host.sessions.compressed_bytes_min =
      static_cast<std::size_t>(settings.compressed_bytes_min);
  options.server.trusted_proxies = SplitList(settings.trusted_proxies);
  options.host.allowed_origins = SplitList(settings.allowed_origins);
  if (settings.query_credentials) options.host.query_secrets = bridge::QuerySecrets::kAccept;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BridgeProcess>> BridgeProcess::Start(
    const ResolvedSettings& settings, const DataDirectory& data) {
  std::unique_ptr<BridgeProcess> process(new BridgeProcess(data));
  bridge::BridgeOptions options;
  SetAddress(settings.values.http_address, options.server);
  SetLimits(settings.values.bridge, options);
  options.tls.certificate = settings.values.bridge.certificate;
  options.tls.key = settings.values.bridge.key;
  options.metrics_address = settings.values.bridge_metrics_address;
  options.host.sessions.heartbeat = settings.values.heartbeat;
  WATTMINT_ASSIGN_OR_RETURN(options.core, FindCore(settings));
  WATTMINT_ASSIGN_OR_RETURN(options.relay, RelayCredential(settings, data));
  WATTMINT_ASSIGN_OR_RETURN(options.cursor_key, data.FindCursorKey());
  if (!settings.values.audit_log.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(process->audit_, AuditFile::Open(settings.values.audit_log));
    options.audit_sink = [&audit = *process->audit_](std::string_view line) { audit.Write(line); };
  }
  WATTMINT_ASSIGN_OR_RETURN(process->app_,
                            bridge::BridgeApp::Start(options, process->clock_, process->random_));
  process->scheme_ = settings.values.bridge.certificate.empty() ? "http" : "https";
  process->address_ = WithPort(settings.values.http_address, process->app_->port());
  if (process->app_->metrics_port() != 0) {
    process->metrics_address_ = WithPort(options.metrics_address, process->app_->metrics_port());
  }
  WATTMINT_RETURN_IF_ERROR(data.WriteAddress("bridge", process->address_));
  return process;
}

BridgeProcess::~BridgeProcess() { Stop(); }

void BridgeProcess::Reload() {
  app_->Reload();
  if (audit_ != nullptr) audit_->ReopenOrLog();
}

void BridgeProcess::Stop() {
  if (app_ == nullptr) return;
  data_.RemoveAddress("bridge");
  app_->Stop();
  app_.reset();
}

}  // namespace wattmint::cli
