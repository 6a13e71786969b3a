// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/import_plan.h"
#include "cli/import_report.h"
#include "cli/progress.h"
#include "cli/reading_uploader.h"
#include "cli/stop_signal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "core/domain/limits.h"

#include <CLI/App.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace wattmint::cli {
namespace {

// A row with where it comes from.
struct PlacedRow {
  const std::string* file;
  std::int64_t line;
  ReadingRow reading;
};

// How much of all files was read, when `index` of them are done. Nothing for standard input.
std::optional<double> ShareRead(const ByteSource& source, std::size_t index, std::size_t count) {
  if (source.size() == 0) return std::nullopt;
  const double share = static_cast<double>(source.position()) / static_cast<double>(source.size());
  return (static_cast<double>(index) + share) / static_cast<double>(count);
}

absl::StatusOr<ExitCode> DryRun(const ImportPlan& plan, CommandContext& context) {
  ImportSurvey survey;
  ImportReport report;
  base::SystemClock clock;
  Progress progress(context.error, clock);
  WATTMINT_RETURN_IF_ERROR(plan.ForEachRow([&](const ReadingFile& file, FileRow& row) {
    if (!row.problem.empty()) report.AddBroken(file.source().name(), row.line, row.problem);
    if (!row.problem.empty() || plan.window.Take(row.reading)) survey.Add(row);
    progress.Update(survey.rows, std::nullopt);
    return absl::OkStatus();
  }));
  report.PrintLines(context.error);
  const std::string energy = survey.energy ? survey.energy->ToString() : "more than fits";
  const auto time = [](const std::optional<domain::Time>& at) {
    return at ? base::FormatRfc3339(*at) : "";
  };
  context.output.Json({{"dry_run", true},
                       {"rows", std::to_string(survey.rows)},
                       {"broken", std::to_string(survey.broken)},
                       {"meters", std::to_string(survey.meters.size())},
                       {"first_start", time(survey.first_start)},
                       {"last_end", time(survey.last_end)},
                       {"energy_kwh", energy}});
  context.output.Facts({{"readings", CountText(survey.rows)},
                        {"broken rows", CountText(survey.broken)},
                        {"meters", CountText(static_cast<std::int64_t>(survey.meters.size()))},
                        {"first start", time(survey.first_start)},
                        {"last end", time(survey.last_end)},
                        {"energy", energy + " kWh"}});
  context.output.Line("Nothing was sent.");
  return report.HasRefused() ? ExitCode::kRowsRefused : ExitCode::kOk;
}

absl::Status SendAll(const ImportPlan& plan, ReadingUploader& uploader, ImportReport& report,
                     Progress& progress) {
  return plan.ForEachRow([&](const ReadingFile& file, FileRow& row) {
    progress.Update(report.rows(),
                    ShareRead(file.source(), row.file_index, plan.flags.files.size()));
    if (!row.problem.empty()) {
      report.AddBroken(file.source().name(), row.line, row.problem);
      return absl::OkStatus();
    }
    if (!plan.window.Take(row.reading)) return absl::OkStatus();
    return uploader.Add(file.source().name(), row.line, row.reading);
  });
}

// Plays the rows in the order of their ends, `pace` seconds of them in one second.
absl::Status PlayAll(const ImportPlan& plan, ReadingUploader& uploader, ImportReport& report,
                     Progress& progress, StopSignal& stop) {
  absl::flat_hash_set<std::string> names;
  std::vector<PlacedRow> rows;
  WATTMINT_RETURN_IF_ERROR(plan.ForEachRow([&](const ReadingFile& file, FileRow& row) {
    if (!row.problem.empty()) {
      report.AddBroken(file.source().name(), row.line, row.problem);
    } else if (plan.window.Take(row.reading)) {
      rows.push_back({nullptr, row.line, std::move(row.reading)});
      rows.back().file = &*names.insert(file.source().name()).first;
    }
    return absl::OkStatus();
  }));
  std::stable_sort(rows.begin(), rows.end(), [](const PlacedRow& a, const PlacedRow& b) {
    return a.reading.end() < b.reading.end();
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const domain::Time end = rows[i].reading.end();
    const base::Duration due = (end - rows.front().reading.end()) / plan.flags.pace;
    if (i > 0 && end != rows[i - 1].reading.end()) {
      WATTMINT_RETURN_IF_ERROR(uploader.Flush());
      const base::Duration wait = due - progress.elapsed();
      if (wait > base::Duration::zero() && stop.WaitFor(wait)) return absl::OkStatus();
    }
    WATTMINT_RETURN_IF_ERROR(uploader.Add(*rows[i].file, rows[i].line, rows[i].reading));
    progress.Update(static_cast<std::int64_t>(i),
                    static_cast<double>(i) / static_cast<double>(rows.size()));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Send(const ImportPlan& plan, CommandContext& context) {
  std::optional<StopSignal> stop;
  if (plan.flags.pace > 0) stop.emplace();
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  ImportReport report;
  base::SystemClock clock;
  absl::Status status;
  base::Duration elapsed{};
  {
    Progress progress(context.error, clock);
    ReadingUploader uploader(
        link,
        {.channel = plan.rows.channel,
         .age_policy = plan.flags.any_age ? v1::AGE_POLICY_ANY_AGE : v1::AGE_POLICY_UNSPECIFIED,
         .batch_max = plan.flags.batch},
        report, progress);
    status = stop ? PlayAll(plan, uploader, report, progress, *stop)
                  : SendAll(plan, uploader, report, progress);
    if (status.ok()) status = uploader.Finish();
    elapsed = progress.elapsed();
  }
  report.Print(context.output, context.error, elapsed);
  if (!status.ok()) return status;
  return report.HasRefused() ? ExitCode::kRowsRefused : ExitCode::kOk;
}

absl::StatusOr<ExitCode> Import(const ImportFlags& flags, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(ImportPlan plan, ImportPlan::Make(flags));
  base::SystemClock clock;
  WATTMINT_RETURN_IF_ERROR(plan.PlaceWindow(clock.Now()));
  if (!flags.shift_to.empty()) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(plan.window.shift).count();
    fmt::print(context.error, "times are shifted by {} h\n", CountText(hours));
  }
  return flags.dry_run ? DryRun(plan, context) : Send(plan, context);
}

void DeclareRowOptions(CLI::App& app, ImportFlags& flags) {
  app.add_option("--column", flags.columns,
                 "which column is what, unless its name tells: meter, start, end, interval, time, "
                 "energy, quality or request_id, then = and its name; repeatable")
      ->type_name("WHAT=NAME");
  app.add_option("--separator", flags.separator, "of columns; guessed from the first line")
      ->type_name("CHAR|tab");
  app.add_option("--timezone", flags.timezone,
                 "zone of times without an offset, such as Europe/Zurich; of times that the clock "
                 "shows twice, the first of a meter is the earlier one")
      ->type_name("ZONE");
  app.add_option("--interval", flags.interval,
                 "length of the intervals if the file has their start only, such as 15m")
      ->type_name("LENGTH");
  app.add_option("--channel", flags.channel,
                 "which way the energy flowed; consumption is stored "
                 "and never minted")
      ->check(CLI::IsMember({"generation", "consumption"}))
      ->capture_default_str();
}

void DeclareTimeOptions(CLI::App& app, ImportFlags& flags) {
  app.add_option("--shift-to", flags.shift_to,
                 "move all times by the same whole hours, so that the newest reading ends at most "
                 "an hour before now, or before this time; the same time again makes the same "
                 "readings")
      ->type_name("now|TIME");
  app.add_option("--from", flags.from, "only readings that start at this time or later")
      ->type_name("TIME");
  app.add_option("--to", flags.to, "only readings that end at this time or earlier")
      ->type_name("TIME");
  app.add_option("--last", flags.last, "only readings of the last time before the newest, like 30d")
      ->type_name("LENGTH");
  app.add_option("--pace", flags.pace,
                 "play the readings in the order of time, so many seconds of them in one second")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}));
}

}  // namespace

void DeclareImport(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<ImportFlags>();
  app.add_option("FILE", flags->files, "CSV with a header, plain or gzip; - is standard input")
      ->required();
  DeclareRowOptions(app, *flags);
  DeclareTimeOptions(app, *flags);
  app.add_flag("--any-age", flags->any_age, "take readings of any age (admin, ingest)");
  app.add_option("--batch", flags->batch, "readings in one request")
      ->check(CLI::Range(1, domain::kReadingsPerRequestMax))
      ->capture_default_str();
  app.add_flag("--dry-run", flags->dry_run, "read and check the files, send nothing");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Import(*flags, context); });
}

}  // namespace wattmint::cli
