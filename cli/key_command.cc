// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/data_directory.h"
#include "cli/message_tables.h"
#include "core/access/audit_log.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "wattmint/v1/access.grpc.pb.h"

#include <CLI/App.hpp>
#include <absl/strings/ascii.h>

#include <array>
#include <memory>

namespace wattmint::cli {
namespace {

using Stub = v1::AccessService::Stub;

struct KeyOptions {
  std::string key_id;
  std::string user_id;
  std::vector<std::string> roles;
  std::string name;
  std::string expires;
  int requests_per_second = 0;
};
using Options = std::shared_ptr<KeyOptions>;  // shared: by the parser and the body it is kept for

absl::StatusOr<v1::Role> ParseRole(const std::string& text) {
  std::string name = "ROLE_";
  for (const char c : text) name += absl::ascii_toupper(static_cast<unsigned char>(c));
  v1::Role role = v1::ROLE_UNSPECIFIED;
  if (v1::Role_Parse(name, &role) && role != v1::ROLE_UNSPECIFIED) return role;
  return base::InvalidArgument("--role {} is none of user, ingest, admin, relay and viewer", text);
}

absl::StatusOr<ExitCode> Create(const KeyOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::CreateApiKeyRequest request;
  request.set_user_id(options.user_id);
  for (const std::string& text : options.roles) {
    WATTMINT_ASSIGN_OR_RETURN(const v1::Role role, ParseRole(text));
    request.add_roles(role);
  }
  request.set_display_name(options.name);
  request.set_requests_per_second(options.requests_per_second);
  if (!options.expires.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(const base::Time time, base::ParseRfc3339(options.expires));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    request.mutable_expire_time()->set_seconds(seconds.time_since_epoch().count());
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::CreateApiKey, request));
  context.output.Json(response);
  context.output.Facts({{"key", response.api_key().key_id()},
                        {"user", response.api_key().user_id()},
                        {"roles", RolesText(response.api_key().roles())},
                        {"secret", response.secret()}});
  context.output.Line("Keep the secret now: it is shown this once.");
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> List(const KeyOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::ListApiKeysRequest request;
  request.set_user_id(options.user_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::ListApiKeys, request));
  context.output.PrintList(response.api_keys(), ApiKeyColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Revoke(const KeyOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::RevokeApiKeyRequest request;
  request.set_key_id(options.key_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::RevokeApiKey, request));
  context.output.PrintList(std::array{response.api_key()}, ApiKeyColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Ticket(const KeyOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::CreateTicketRequest request;
  request.set_user_id(options.user_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::CreateTicket, request));
  context.output.Json(response);
  context.output.Facts(
      {{"ticket", response.ticket()}, {"good until", TimeText(response.expire_time())}});
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> WhoAmI(const KeyOptions&, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  const v1::WhoAmIRequest request;
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::WhoAmI, request));
  context.output.Json(response);
  const std::string expires = TimeText(response.expire_time());
  context.output.Facts({{"user", response.user_id()},
                        {"roles", RolesText(response.roles())},
                        {"key", response.key_id()},
                        {"ends", expires.empty() ? "never" : expires}});
  for (const std::string& wallet : response.wallet_addresses()) {
    context.output.Facts({{"wallet", wallet}});
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> AuditName(const KeyOptions& options, CommandContext& context) {
  const DataDirectory data(context.settings.values.data_directory);
  WATTMINT_ASSIGN_OR_RETURN(const DataDirectory::Key cursor_key, data.FindCursorKey());
  const std::string name =
      access::AuditLog::HashOf(access::AuditLog::KeyOf(cursor_key), options.user_id);
  context.output.Json(nlohmann::ordered_json{{"audit_name", name}});
  context.output.Line(name);
  return ExitCode::kOk;
}

CommandBody Body(absl::StatusOr<ExitCode> (*run)(const KeyOptions&, CommandContext&),
                 Options options) {
  return [=](CommandContext& context) { return run(*options, context); };
}

}  // namespace

void DeclareKey(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  const Options options = std::make_shared<KeyOptions>();
  const auto add = [&](const char* name, const char* summary) {
    return app.add_subcommand(name, summary);
  };
  CLI::App* command = add("create", "make an API key (admin)");
  command->add_option("USER", options->user_id, "user that it stands for")->required();
  command->add_option("--role", options->roles, "user, ingest, admin, relay, viewer; repeatable")
      ->type_name("ROLE")
      ->required();
  command->add_option("--name", options->name, "what it is for")->type_name("TEXT");
  command->add_option("--expires", options->expires, "when it ends, such as 2027-01-01T00:00:00Z")
      ->type_name("TIME");
  command->add_option("--requests-per-second", options->requests_per_second, "0: no limit")
      ->type_name("NUMBER");
  line.Command(*command, kClientScope, Body(Create, options));

  command = add("list", "list API keys, without their secrets (admin)");
  command->add_option("--user", options->user_id, "only keys of this user")->type_name("USER");
  line.Command(*command, kClientScope, Body(List, options));

  command = add("revoke", "revoke an API key (admin); its streams end within a second");
  command->add_option("KEY", options->key_id, "id of the key")->required();
  line.Command(*command, kClientScope, Body(Revoke, options));

  command = add("ticket", "make a one-time ticket, such as for a browser");
  command->add_option("--user", options->user_id, "for this user instead of yourself (admin)")
      ->type_name("USER");
  line.Command(*command, kClientScope, Body(Ticket, options));

  command = add("audit-name", "show what a user or a meter is called in audit logs, from --data");
  command->add_option("NAME", options->user_id, "id of the user or of the meter")->required();
  line.Command(*command, kClientScope, Body(AuditName, options));

  command = add("whoami", "show who the core takes you for");
  line.Command(*command, kClientScope, Body(WhoAmI, options));
}

}  // namespace wattmint::cli
