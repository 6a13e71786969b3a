// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/message_tables.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/mint.grpc.pb.h"

#include <CLI/App.hpp>
#include <absl/strings/ascii.h>

#include <array>
#include <memory>

namespace wattmint::cli {
namespace {

using Stub = v1::MintService::Stub;

struct MintOptions {
  std::string reading_id;
  std::string meter_id;
  std::string state;
  std::string reason;
  std::int64_t task_id = 0;
  int count_max = 100;
};
using Options = std::shared_ptr<MintOptions>;  // shared: by the parser and the body it is kept for

constexpr int kPageSize = 1'000;

ExitCode PrintTask(Output& output, const v1::MintTask& task) {
  output.PrintList(std::array{task}, MintTaskColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> MintReading(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::MintReadingRequest request;
  request.set_reading_id(options.reading_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::MintReading, request));
  return PrintTask(context.output, response.task());
}

absl::StatusOr<ExitCode> Get(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::GetMintRequest request;
  if ((options.task_id != 0) == !options.reading_id.empty()) {
    return base::InvalidArgument("name either a TASK or a --reading");
  }
  if (options.task_id != 0) request.set_task_id(options.task_id);
  request.set_reading_id(options.reading_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::GetMint, request));
  return PrintTask(context.output, response.task());
}

absl::StatusOr<v1::MintState> ParseState(const std::string& text) {
  v1::MintState state = v1::MINT_STATE_UNSPECIFIED;
  std::string name = "MINT_STATE_";
  for (const char c : text) name += absl::ascii_toupper(static_cast<unsigned char>(c));
  if (text.empty() || v1::MintState_Parse(name, &state)) return state;
  return base::InvalidArgument("--state {} is none of PENDING, CONFIRMED, PARKED, REJECTED ...",
                               text);
}

absl::StatusOr<ExitCode> List(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::ListMintsRequest request;
  request.set_meter_id(options.meter_id);
  WATTMINT_ASSIGN_OR_RETURN(const v1::MintState state, ParseState(options.state));
  request.set_state(state);
  std::vector<v1::MintTask> tasks;
  do {
    request.set_page_size(std::min(kPageSize, options.count_max - static_cast<int>(tasks.size())));
    WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::ListMints, request));
    tasks.insert(tasks.end(), response.tasks().begin(), response.tasks().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(tasks.size()) < options.count_max);
  context.output.PrintList(tasks, MintTaskColumns());
  if (!request.page_token().empty()) {
    context.output.Line(fmt::format("(the first {}; more: --limit)", tasks.size()));
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Retry(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::RetryMintRequest request;
  request.set_task_id(options.task_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::RetryMint, request));
  return PrintTask(context.output, response.task());
}

absl::StatusOr<ExitCode> Discard(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::DiscardMintRequest request;
  request.set_task_id(options.task_id);
  request.set_reason(options.reason);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::DiscardMint, request));
  return PrintTask(context.output, response.task());
}

absl::StatusOr<ExitCode> Pause(const MintOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::PauseMintingRequest request;
  request.set_reason(options.reason);
  WATTMINT_RETURN_IF_ERROR(link.Call(&Stub::PauseMinting, request).status());
  context.output.Line("minting is paused; readings go on being accepted");
  context.output.Json(nlohmann::ordered_json{{"paused", true}});
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Resume(const MintOptions&, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  const v1::ResumeMintingRequest request;
  WATTMINT_RETURN_IF_ERROR(link.Call(&Stub::ResumeMinting, request).status());
  context.output.Line("minting goes on");
  context.output.Json(nlohmann::ordered_json{{"paused", false}});
  return ExitCode::kOk;
}

CommandBody Body(absl::StatusOr<ExitCode> (*run)(const MintOptions&, CommandContext&),
                 Options options) {
  return [=](CommandContext& context) { return run(*options, context); };
}

}  // namespace

void DeclareMint(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  const Options options = std::make_shared<MintOptions>();
  const auto add = [&](const char* name, const char* summary) {
    return app.add_subcommand(name, summary);
  };
  CLI::App* command = add("reading", "mint one reading by hand (admin); doing so twice mints once");
  command->add_option("READING", options->reading_id, "id of the reading")->required();
  line.Command(*command, kClientScope, Body(MintReading, options));

  command = add("get", "show one mint task");
  command->add_option("TASK", options->task_id, "number of the task");
  command->add_option("--reading", options->reading_id, "the task of this reading")
      ->type_name("ID");
  line.Command(*command, kClientScope, Body(Get, options));

  command = add("list", "list mint tasks, oldest first");
  command->add_option("--meter", options->meter_id, "only of this meter")->type_name("METER");
  command->add_option("--state", options->state, "only in this state, such as PARKED")
      ->type_name("STATE");
  command->add_option("--limit", options->count_max, "at most so many")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  line.Command(*command, kClientScope, Body(List, options));

  command = add("retry", "put a parked task back in line, also out of quarantine (admin)");
  command->add_option("TASK", options->task_id, "number of the task")->required();
  line.Command(*command, kClientScope, Body(Retry, options));

  command = add("discard", "reject a parked task for good (admin); it is never minted");
  command->add_option("TASK", options->task_id, "number of the task")->required();
  command->add_option("--reason", options->reason, "why; its owner sees it")
      ->type_name("TEXT")
      ->required();
  line.Command(*command, kClientScope, Body(Discard, options));

  command = add("pause", "stop minting after the batch in work (admin)");
  command->add_option("--reason", options->reason, "why, for the log")->type_name("TEXT");
  line.Command(*command, kClientScope, Body(Pause, options));

  command = add("resume", "go on minting (admin)");
  line.Command(*command, kClientScope, Body(Resume, options));
}

}  // namespace wattmint::cli
