// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/uuid.h"
#include "wattmint/v1/alert.grpc.pb.h"

#include <CLI/App.hpp>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include <memory>
#include <string>

namespace wattmint::cli {
namespace {

using Stub = v1::AlertService::Stub;

struct AlertOptions {
  std::string message;
  std::string kind = "notice";
  std::string severity = "info";
  std::string user_id;
  std::string request_id;
};
using Options = std::shared_ptr<AlertOptions>;  // shared: by the parser and the body

absl::StatusOr<v1::Severity> ParseSeverity(const std::string& text) {
  v1::Severity severity = v1::SEVERITY_UNSPECIFIED;
  std::string name = "SEVERITY_";
  for (const char c : text) name += absl::ascii_toupper(static_cast<unsigned char>(c));
  if (v1::Severity_Parse(name, &severity) && severity != v1::SEVERITY_UNSPECIFIED) return severity;
  return base::InvalidArgument("--severity {} is none of info, warning and critical", text);
}

std::string RequestId(const AlertOptions& options) {
  if (!options.request_id.empty()) return options.request_id;
  base::Uuid uuid;
  base::SystemRandom().Fill(uuid.bytes);
  return uuid.ToString();
}

// Unless the core has refused it, nobody knows whether it was sent: the same again by the same id
// is sent once.
absl::Status WithRequestId(const absl::Status& status, const std::string& request_id) {
  const bool is_refused = absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status) ||
                          absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status) ||
                          absl::IsUnimplemented(status);
  if (is_refused) return status;
  return {status.code(),
          fmt::format("{}; it may have been sent all the same: the same command with --request-id "
                      "{} sends it once",
                      base::Message(status), request_id)};
}

template <typename Request, typename Response>
absl::StatusOr<ExitCode> Send(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              Request request, const AlertOptions& options,
                              CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  request.set_request_id(RequestId(options));
  request.set_message(options.message);
  const absl::StatusOr<Response> response = link.Call(method, request);
  if (!response.ok()) return WithRequestId(response.status(), request.request_id());
  context.output.Line(fmt::format(
      "{} as event {}", response->existed() ? "was sent before" : "sent", response->sequence()));
  context.output.Json(*response);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> SendAlert(const AlertOptions& options, CommandContext& context) {
  v1::SendAlertRequest request;
  WATTMINT_ASSIGN_OR_RETURN(const v1::Severity severity, ParseSeverity(options.severity));
  request.set_severity(severity);
  request.set_kind(options.kind);
  return Send(&Stub::SendAlert, std::move(request), options, context);
}

absl::StatusOr<ExitCode> Notify(const AlertOptions& options, CommandContext& context) {
  v1::SendNotificationRequest request;
  WATTMINT_ASSIGN_OR_RETURN(const v1::Severity level, ParseSeverity(options.severity));
  request.set_level(level);
  request.set_user_id(options.user_id);
  return Send(&Stub::SendNotification, std::move(request), options, context);
}

}  // namespace

void DeclareAlert(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  const Options options = std::make_shared<AlertOptions>();
  const auto add = [&](const char* name, const char* summary) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->add_option("--severity", options->severity, "info, warning or critical")
        ->type_name("SEVERITY")
        ->capture_default_str();
    command
        ->add_option("--request-id", options->request_id,
                     "the same one again sends nothing again (default: a new one)")
        ->type_name("ID");
    return command;
  };
  CLI::App* command = add("send", "tell everybody something (admin)");
  command->add_option("TEXT", options->message, "one line for people")->required();
  command->add_option("--kind", options->kind, "what it is about, such as maintenance")
      ->type_name("KIND")
      ->capture_default_str();
  line.Command(*command, kClientScope,
               [=](CommandContext& context) { return SendAlert(*options, context); });

  command = add("notify", "tell one user something (admin)");
  command->add_option("USER", options->user_id, "whom")->required();
  command->add_option("TEXT", options->message, "one line for people")->required();
  line.Command(*command, kClientScope,
               [=](CommandContext& context) { return Notify(*options, context); });
}

}  // namespace wattmint::cli
