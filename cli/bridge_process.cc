// SPDX-License-Identifier: Apache-2.0
#include "cli/bridge_process.h"

#include "cli/core_link.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <charconv>
#include <vector>

namespace wattmint::cli {
namespace {

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return parts;
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

void SetLimits(const BridgeSettings& settings, bridge::BridgeOptions& options) {
  options.server.connections_max = static_cast<std::size_t>(settings.connections_max);
  options.server.connections_per_ip_max = static_cast<std::size_t>(settings.connections_per_ip_max);
  options.host.sessions.inbound.frames_per_minute = settings.frames_per_minute;
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
  options.host.sessions.heartbeat = settings.values.heartbeat;
  WATTMINT_ASSIGN_OR_RETURN(options.core, FindCore(settings));
  WATTMINT_ASSIGN_OR_RETURN(options.relay, RelayCredential(settings, data));
  WATTMINT_ASSIGN_OR_RETURN(options.cursor_key, data.FindCursorKey());
  WATTMINT_ASSIGN_OR_RETURN(process->app_,
                            bridge::BridgeApp::Start(options, process->clock_, process->random_));
  process->address_ = fmt::format("{}:{}", options.server.host, process->app_->port());
  WATTMINT_RETURN_IF_ERROR(data.WriteAddress("bridge", process->address_));
  return process;
}

BridgeProcess::~BridgeProcess() { Stop(); }

void BridgeProcess::Stop() {
  if (app_ == nullptr) return;
  data_.RemoveAddress("bridge");
  app_->Stop();
  app_.reset();
}

}  // namespace wattmint::cli
