// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/message_tables.h"
#include "cli/reading_uploader.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <CLI/App.hpp>

#include <memory>

namespace wattmint::cli {
namespace {

struct SubmitFlags {
  std::string meter_id;
  std::string energy_kwh;
  std::string start;
  std::string interval;
  std::string at;
  std::string quality = "actual";
  std::string channel = "generation";
  std::string request_id;
  bool any_age = false;
};

// The reading that the flags describe; without any time, a point reading of now.
absl::StatusOr<ReadingRow> MakeRow(const SubmitFlags& flags, base::Time now) {
  if (!flags.at.empty() && !flags.start.empty()) {
    return base::InvalidArgument("--at or --start with --interval, not both");
  }
  if (flags.start.empty() != flags.interval.empty()) {
    return base::InvalidArgument("--start and --interval belong together");
  }
  ReadingRow row;
  row.meter_id = flags.meter_id;
  row.energy_kwh = flags.energy_kwh;
  row.request_id = flags.request_id;
  row.start = now;
  const std::string& text = flags.at.empty() ? flags.start : flags.at;
  if (!text.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(row.start, base::ParseRfc3339(text));
  }
  if (!flags.interval.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(row.length, ParseInterval(flags.interval));
  }
  WATTMINT_ASSIGN_OR_RETURN(row.quality, ParseQuality(flags.quality));
  return row;
}

absl::StatusOr<ExitCode> Submit(const SubmitFlags& flags, CommandContext& context) {
  base::SystemClock clock;
  WATTMINT_ASSIGN_OR_RETURN(const ReadingRow row, MakeRow(flags, clock.Now()));
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::SubmitReadingRequest request;
  const auto channel =
      flags.channel == "consumption" ? domain::Channel::kConsumption : domain::Channel::kGeneration;
  FillReadingInput(row, channel, *request.mutable_reading());
  if (flags.any_age) request.set_age_policy(v1::AGE_POLICY_ANY_AGE);
  WATTMINT_ASSIGN_OR_RETURN(const auto response,
                            link.Call(&v1::ReadingService::Stub::SubmitReading, request));
  const v1::SubmitResult& result = response.result();
  context.output.Json(result);
  if (result.outcome() == v1::SUBMIT_OUTCOME_REJECTED) {
    context.output.Line(fmt::format("refused, {}: {}",
                                    ShortName(v1::Rejection_Name(result.rejection()), "REJECTION_"),
                                    result.message()));
    return ExitCode::kRowsRefused;
  }
  const bool is_new = result.outcome() == v1::SUBMIT_OUTCOME_ACCEPTED;
  context.output.Facts({{is_new ? "accepted" : "existed", result.reading_id()},
                        {"mint", MintStateText(result.mint_state())}});
  return ExitCode::kOk;
}

}  // namespace

void DeclareSubmit(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<SubmitFlags>();
  app.add_option("METER", flags->meter_id, "id of the meter")->required();
  app.add_option("KWH", flags->energy_kwh,
                 "energy: a decimal with at most 9 digits after the point")
      ->required();
  app.add_option("--at", flags->at, "time of a point reading; now if no time is given")
      ->type_name("TIME");
  app.add_option("--start", flags->start, "start of the interval")->type_name("TIME");
  app.add_option("--interval", flags->interval, "its length, such as 15m")->type_name("LENGTH");
  app.add_option("--quality", flags->quality, "actual, estimated, substituted or final")
      ->type_name("QUALITY")
      ->capture_default_str();
  app.add_option("--channel", flags->channel, "which way the energy flowed")
      ->check(CLI::IsMember({"generation", "consumption"}))
      ->capture_default_str();
  app.add_option("--request-id", flags->request_id, "a key of your choice, unique for the meter")
      ->type_name("TEXT");
  app.add_flag("--any-age", flags->any_age, "take a reading of any age (admin, ingest)");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Submit(*flags, context); });
}

}  // namespace wattmint::cli
