// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_client.h"
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/data_directory.h"
#include "cli/message_tables.h"
#include "cli/output.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/event.grpc.pb.h"
#include "wattmint/v1/mint.grpc.pb.h"

#include <CLI/App.hpp>

namespace wattmint::cli {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

absl::Status AskCore(const CoreLink& link, nlohmann::ordered_json& json, Facts& facts) {
  WATTMINT_ASSIGN_OR_RETURN(const auto bounds, link.Call(&v1::EventService::Stub::GetLogBounds,
                                                         v1::GetLogBoundsRequest()));
  WATTMINT_ASSIGN_OR_RETURN(const auto supply,
                            link.Call(&v1::MintService::Stub::GetSupply, v1::GetSupplyRequest()));
  json["core"] = {{"address", link.address()},
                  {"epoch", bounds.epoch()},
                  {"last_sequence", std::to_string(bounds.last_sequence())},
                  {"supply_base_units", std::to_string(supply.supply_base_units())},
                  {"open_tasks", std::to_string(supply.open_tasks())},
                  {"parked_tasks", std::to_string(supply.parked_tasks())},
                  {"confirmed_base_units", std::to_string(supply.confirmed_base_units())},
                  {"in_work_base_units", std::to_string(supply.in_work_base_units())},
                  {"unexplained_base_units", std::to_string(supply.unexplained_base_units())},
                  {"balanced", supply.balanced()},
                  {"paused", supply.paused()},
                  {"automatic", supply.automatic()}};
  facts.emplace_back("core", "runs at " + link.address());
  facts.emplace_back("event log", fmt::format("{} events, epoch {}",
                                              CountText(bounds.last_sequence()), bounds.epoch()));
  facts.emplace_back("minting", supply.paused()      ? "paused"
                                : supply.automatic() ? "automatic"
                                                     : "by hand");
  facts.emplace_back(
      "mint tasks",
      fmt::format("{} confirmed, {} open, {} parked", CountText(supply.confirmed_tasks()),
                  CountText(supply.open_tasks()), CountText(supply.parked_tasks())));
  facts.emplace_back("supply", SupplyText(supply.supply_base_units(), supply));
  return absl::OkStatus();
}

constexpr base::Duration kBridgePatience = std::chrono::seconds(3);

absl::StatusOr<bridge::HttpAnswer> AskReadiness(const std::string& address, const std::string& ca) {
  WATTMINT_ASSIGN_OR_RETURN(
      bridge::BridgeClient client,
      bridge::BridgeClient::Connect(address, {.patience = kBridgePatience, .authorities = ca}));
  bridge::HttpAnswer answer = client.Request("GET", "/readyz");
  if (answer.status == 0) {
    return base::Unavailable("what answers at {} is no bridge{}", address,
                             ca.empty() ? ", or one by TLS: see --bridge-ca" : "");
  }
  return answer;
}

// Whether the bridge is ready; a bridge that does not run is told, not an error.
bool AskBridge(const ResolvedSettings& settings, nlohmann::ordered_json& json, Facts& facts) {
  const std::string address = DataDirectory(settings.values.data_directory)
                                  .FindAddress("bridge")
                                  .value_or(settings.values.http_address);
  const std::string& ca = settings.values.bridge_ca;
  const absl::StatusOr<bridge::HttpAnswer> answer = AskReadiness(address, ca);
  const bool is_ready = answer.ok() && answer->status == 200;
  json["bridge"] = {{"address", address}, {"ready", is_ready}};
  facts.emplace_back("bridge",
                     is_ready      ? (ca.empty() ? "runs at http://" : "runs at https://") + address
                     : answer.ok() ? fmt::format("at {} is not ready: {}", address, answer->body)
                                   : std::string(base::Message(answer.status())));
  return is_ready;
}

absl::StatusOr<ExitCode> Show(CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  nlohmann::ordered_json json;
  Facts facts;
  const absl::Status core = AskCore(link, json, facts);
  AskBridge(context.settings, json, facts);
  context.output.Json(json);
  context.output.Facts(facts);
  if (!core.ok()) return core;
  return ExitCode::kOk;
}

}  // namespace

void DeclareStatus(CLI::App& app, CommandLine& line) { line.Command(app, kClientScope, Show); }

}  // namespace wattmint::cli
