// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/message_tables.h"
#include "cli/reading_rows.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <CLI/App.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::cli {
namespace {

using Stub = v1::ReadingService::Stub;

struct ReadingOptions {
  std::string reading_id;
  std::string meter_id;
  std::string energy_kwh;
  std::string quality;
  std::string reason;
  int count_max = 100;
};
using Options = std::shared_ptr<ReadingOptions>;  // shared: by the parser and the body

constexpr int kPageSize = 1'000;

absl::StatusOr<ExitCode> Get(const ReadingOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::GetReadingRequest request;
  request.set_reading_id(options.reading_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::GetReading, request));
  if (context.output.IsJson()) {
    context.output.Json(response);
    return ExitCode::kOk;
  }
  context.output.PrintList(std::array{response.reading()}, ReadingColumns());
  if (response.corrections_size() > 0) {
    context.output.PrintList(response.corrections(), CorrectionColumns());
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> List(const ReadingOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::ListReadingsRequest request;
  request.set_meter_id(options.meter_id);
  std::vector<v1::Reading> readings;
  do {
    const int wanted = options.count_max - static_cast<int>(readings.size());
    request.set_page_size(std::min(kPageSize, wanted));
    WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::ListReadings, request));
    readings.insert(readings.end(), response.readings().begin(), response.readings().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(readings.size()) < options.count_max);
  context.output.PrintList(readings, ReadingColumns());
  if (!request.page_token().empty()) {
    context.output.Line(fmt::format("(the first {}; more: --limit)", readings.size()));
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Withdraw(const ReadingOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::WithdrawReadingRequest request;
  request.set_reading_id(options.reading_id);
  request.set_reason(options.reason);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::WithdrawReading, request));
  context.output.PrintList(std::array{response.reading()}, ReadingColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Correct(const ReadingOptions& options, CommandContext& context) {
  v1::CorrectReadingRequest request;
  request.set_reading_id(options.reading_id);
  request.set_energy_kwh(options.energy_kwh);
  request.set_reason(options.reason);
  if (!options.quality.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Quality quality, ParseQuality(options.quality));
    request.set_quality(static_cast<v1::ReadingQuality>(quality));
  }
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::CorrectReading, request));
  if (response.rejection() != v1::REJECTION_UNSPECIFIED) {
    context.output.Json(response);
    context.output.Line(fmt::format(
        "refused, {}: {}", ShortName(v1::Rejection_Name(response.rejection()), "REJECTION_"),
        response.message()));
    return ExitCode::kRowsRefused;
  }
  context.output.PrintList(std::array{response.reading()}, ReadingColumns());
  return ExitCode::kOk;
}

CommandBody Body(absl::StatusOr<ExitCode> (*run)(const ReadingOptions&, CommandContext&),
                 Options options) {
  return [=](CommandContext& context) { return run(*options, context); };
}

void AddReason(CLI::App& command, const Options& options) {
  command.add_option("--reason", options->reason, "why; the owner sees it")
      ->type_name("TEXT")
      ->required();
}

}  // namespace

void DeclareReading(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  const Options options = std::make_shared<ReadingOptions>();
  const auto add = [&](const char* name, const char* summary) {
    return app.add_subcommand(name, summary);
  };
  CLI::App* command = add("get", "show one reading, and what was done to it");
  command->add_option("READING", options->reading_id, "id of the reading")->required();
  line.Command(*command, kClientScope, Body(Get, options));

  command = add("list", "list accepted readings, oldest first");
  command->add_option("--meter", options->meter_id, "only of this meter")->type_name("METER");
  command->add_option("--limit", options->count_max, "at most so many")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  line.Command(*command, kClientScope, Body(List, options));

  command = add("withdraw", "withdraw a reading that was not minted; it never will be");
  command->add_option("READING", options->reading_id, "id of the reading")->required();
  AddReason(*command, options);
  line.Command(*command, kClientScope, Body(Withdraw, options));

  command = add("correct", "give a reading that was not minted another energy or quality");
  command->add_option("READING", options->reading_id, "id of the reading")->required();
  command->add_option("KWH", options->energy_kwh, "the right energy")->required();
  command
      ->add_option("--quality", options->quality,
                   "actual, estimated, substituted or final; as before if not said")
      ->type_name("QUALITY");
  AddReason(*command, options);
  line.Command(*command, kClientScope, Body(Correct, options));
}

}  // namespace wattmint::cli
