// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/message_tables.h"
#include "cli/meter_key.h"
#include "cli/reading_uploader.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "core/ingest/reading_text.h"
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
  std::string key_file;
  std::int64_t counter = 0;
  bool print_text = false;
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

domain::Channel ChannelOf(const SubmitFlags& flags) {
  return flags.channel == "consumption" ? domain::Channel::kConsumption
                                        : domain::Channel::kGeneration;
}

// The reading as the meter signs it.
absl::StatusOr<domain::Reading> MakeReading(const SubmitFlags& flags, const ReadingRow& row) {
  if (flags.counter <= 0) {
    return base::InvalidArgument("what a meter signs has a counter above zero: --counter N");
  }
  domain::Reading reading;
  reading.meter_id = row.meter_id;
  WATTMINT_ASSIGN_OR_RETURN(reading.energy, domain::Energy::Parse(row.energy_kwh));
  reading.start = row.start;
  reading.length = row.length;
  reading.quality = row.quality;
  reading.channel = ChannelOf(flags);
  reading.meter_counter = flags.counter;
  return reading;
}

absl::Status Sign(const SubmitFlags& flags, const ReadingRow& row, v1::ReadingInput& input) {
  if (flags.counter != 0) input.set_meter_counter(flags.counter);
  if (flags.key_file.empty()) return absl::OkStatus();
  WATTMINT_ASSIGN_OR_RETURN(const domain::Reading reading, MakeReading(flags, row));
  WATTMINT_ASSIGN_OR_RETURN(const MeterKey key, MeterKey::Read(flags.key_file));
  WATTMINT_ASSIGN_OR_RETURN(*input.mutable_meter_signature(), key.Sign(reading));
  return absl::OkStatus();
}

// Submits nothing. For people the text alone, byte for byte; for programs the signature, too.
absl::StatusOr<ExitCode> PrintText(const SubmitFlags& flags, const ReadingRow& row,
                                   Output& output) {
  WATTMINT_ASSIGN_OR_RETURN(const domain::Reading reading, MakeReading(flags, row));
  const std::string text = ingest::ReadingText(reading);
  nlohmann::ordered_json object = {{"text", text}};
  if (!flags.key_file.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(const MeterKey key, MeterKey::Read(flags.key_file));
    WATTMINT_ASSIGN_OR_RETURN(object["meter_signature"], key.Sign(reading));
    object["public_key"] = key.public_key();
  }
  output.Line(std::string_view(text).substr(0, text.size() - 1));  // Line() ends it again
  output.Json(object);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Submit(const SubmitFlags& flags, CommandContext& context) {
  base::SystemClock clock;
  WATTMINT_ASSIGN_OR_RETURN(const ReadingRow row, MakeRow(flags, clock.Now()));
  if (flags.print_text) return PrintText(flags, row, context.output);
  v1::SubmitReadingRequest request;
  FillReadingInput(row, ChannelOf(flags), *request.mutable_reading());
  WATTMINT_RETURN_IF_ERROR(Sign(flags, row, *request.mutable_reading()));
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
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
  if (!result.message().empty()) context.output.Line(result.message());
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
  app.add_option("--meter-key-file", flags->key_file,
                 "sign the reading with the meter's key (meter make-key); needs --counter")
      ->type_name("FILE");
  app.add_option("--counter", flags->counter, "the meter's counter, above its last one")
      ->type_name("N");
  app.add_flag("--print-text", flags->print_text,
               "print the text that the meter signs, byte for byte, and submit nothing");
  app.add_flag("--any-age", flags->any_age, "take a reading of any age (admin, ingest)");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Submit(*flags, context); });
}

}  // namespace wattmint::cli
