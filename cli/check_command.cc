// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_client.h"
#include "cli/check/check_run.h"
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/data_directory.h"
#include "cli/stop_signal.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <CLI/App.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <sys/resource.h>

namespace wattmint::cli {
namespace {

using check::CheckOptions;
using check::CheckRun;
using check::CheckTotals;
using check::Findings;
using check::Violation;

struct CheckFlags {
  CheckOptions options;
  std::optional<std::uint64_t> seed;
  int patience_seconds = 60;
};

constexpr char kFooter[] = R"(
It registers meters and users of its own (check-...-meter-1, check-...-user-1), makes API keys for
them, submits readings of the year 2001 for them, and cuts its own connections. The meters stay; the
keys are revoked, and what could be minted is withdrawn. What others do meanwhile is not disturbed,
and checked as well. Exit code 1 when a promise was broken, or nothing could be said.)";

// Where the bridge is, which must answer.
absl::Status FindBridge(const Settings& settings, CheckOptions& options) {
  if (options.websockets == 0) return absl::OkStatus();
  options.bridge_ca = settings.bridge_ca;
  if (options.bridge.empty()) {
    options.bridge = DataDirectory(settings.data_directory)
                         .FindAddress("bridge")
                         .value_or(settings.http_address);
  }
  const absl::Status status =
      bridge::BridgeClient::Connect(options.bridge, {.authorities = options.bridge_ca}).status();
  if (status.ok() || absl::IsInvalidArgument(status)) return status;
  return base::Unavailable("{}; --bridge says where it is, --websockets 0 leaves it out",
                           base::Message(status));
}

void Print(const std::vector<Violation>& violations, Output& output) {
  for (const Violation& violation : violations) {
    output.Json({{"violation",
                  {{"guarantee", Name(violation.guarantee)},
                   {"subscriber", violation.subscriber},
                   {"sequence", std::to_string(violation.sequence)},
                   {"what", violation.what}}}});
    output.Line(fmt::format("VIOLATION {}: {}: event {}: {}", Name(violation.guarantee),
                            violation.subscriber, violation.sequence, violation.what));
  }
}

std::int64_t PeakMemoryMib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss >> 10;
}

void PrintVerdict(const CheckRun& run, const CheckOptions& options, base::Duration elapsed,
                  const Findings& findings, Output& output) {
  const CheckTotals totals = run.Totals();
  const std::int64_t delivered = totals.grpc_events + totals.websocket_events;
  const auto seconds = std::chrono::duration<double>(elapsed).count();
  nlohmann::ordered_json counts;
  std::string verdict;
  for (const check::Guarantee guarantee : check::kGuarantees) {
    const std::int64_t count = findings.Count(guarantee);
    counts[std::string(Name(guarantee))] = std::to_string(count);
    verdict += fmt::format("{}{} {}", verdict.empty() ? "" : ", ", Name(guarantee), count);
  }
  output.Json({{"run", run.cast().run()},
               {"seed", std::to_string(options.seed)},
               {"seconds", seconds},
               {"readings", std::to_string(totals.readings)},
               {"log_events", std::to_string(totals.log_events)},
               {"delivered_events", std::to_string(delivered)},
               {"grpc_events", std::to_string(totals.grpc_events)},
               {"websocket_events", std::to_string(totals.websocket_events)},
               {"streams", std::to_string(totals.streams)},
               {"cuts", std::to_string(totals.cuts)},
               {"losses", std::to_string(totals.losses)},
               {"peak_memory_mib", std::to_string(PeakMemoryMib())},
               {"violations", std::to_string(findings.total())},
               {"violations_by_guarantee", counts}});
  output.Facts(
      {{"check", fmt::format("{}, seed {}, {:.1f} s", run.cast().run(), options.seed, seconds)},
       {"log", fmt::format("{} events, of them of {} readings", CountText(totals.log_events),
                           CountText(totals.readings))},
       {"delivered",
        fmt::format("{} events, {} by gRPC and {} by WebSocket", CountText(delivered),
                    CountText(totals.grpc_events), CountText(totals.websocket_events))},
       {"streams", fmt::format("{}: {} were cut, {} were lost otherwise", CountText(totals.streams),
                               CountText(totals.cuts), CountText(totals.losses))},
       {"memory", fmt::format("{} MiB at most", CountText(PeakMemoryMib()))},
       {"violations", fmt::format("{} ({})", CountText(findings.total()), verdict)}});
}

absl::StatusOr<ExitCode> Check(const CheckFlags& flags, CommandContext& context) {
  StopSignal stop;
  CheckOptions options = flags.options;
  options.patience = std::chrono::seconds(flags.patience_seconds);
  options.seed = flags.seed.value_or(base::SystemRandom().NextUint64());
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  WATTMINT_ASSIGN_OR_RETURN(client::ChannelOptions core, FindCore(context.settings));
  WATTMINT_RETURN_IF_ERROR(FindBridge(context.settings.values, options));
  base::SystemClock clock;
  Progress progress(context.error, clock);
  Findings findings;
  CheckRun run(link, std::move(core), options, stop, progress, findings);
  progress.Say(fmt::format("check {}, seed {}", run.cast().run(), options.seed));
  const absl::Status status = run.Run();
  Print(findings.Take(), context.output);
  if (run.has_begun()) {
    PrintVerdict(run, options, progress.elapsed(), findings, context.output);
  }
  if (!status.ok()) return status;
  return findings.total() == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

void DeclareCheck(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<CheckFlags>();
  CheckOptions& options = flags->options;
  const auto number = [&app](const char* flag, auto& value, const char* help) {
    return app.add_option(flag, value, help)->type_name("NUMBER")->capture_default_str();
  };
  number("--subscribers", options.subscribers, "by gRPC")->check(CLI::Range(1, 1'000));
  number("--websockets", options.websockets,
         "by WebSocket; a bridge allows so many of one address (--max-connections-per-ip)")
      ->check(CLI::Range(0, 1'000));
  app.add_option("--bridge", options.bridge,
                 "where to find the bridge; if not set, the one that runs on --data")
      ->type_name("HOST:PORT");
  number("--users", options.users, "that own meters and see their own events")
      ->check(CLI::Range(1, 100));
  number("--readings", options.readings, "to submit")->check(CLI::Range(1, 1'000'000'000));
  number("--rate", options.rate, "readings a second; 0: as fast as it goes")
      ->check(CLI::Range(0, 10'000'000));
  number("--cuts", options.cuts, "of each subscriber's connection, at random moments")
      ->check(CLI::Range(0, 10'000));
  app.add_option("--seed", flags->seed, "of these moments; if not set, another one each time")
      ->type_name("NUMBER");
  app.add_option("--patience", flags->patience_seconds,
                 "how long core and bridge may be away, or behind")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(1, 86'400));
  app.add_flag("--keep-going", options.keeps_going, "go on after a violation");
  app.add_flag("--mint", options.mints,
               "let the readings be minted, to wallets that nobody has the key of, and check these "
               "events, too; for servers without value");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Check(*flags, context); });
  app.footer(kFooter);
}

}  // namespace wattmint::cli
