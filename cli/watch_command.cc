// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/event_text.h"
#include "cli/stop_signal.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"
#include "core/client/event_subscriber.h"
#include "core/domain/event.h"
#include "core/wire/convert.h"

#include <CLI/App.hpp>
#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <memory>

namespace wattmint::cli {
namespace {

struct WatchFlags {
  std::vector<std::string> types;
  std::vector<std::string> meters;
  std::vector<std::string> users;
  std::vector<std::string> wallets;
  std::vector<std::string> batches;
  std::vector<std::int64_t> tasks;
  std::vector<std::string> states;
  std::string energy_min;
  std::string energy_max;
  std::string from = "now";
  std::int64_t count_max = 0;
  bool until_caught_up = false;
};

constexpr auto kLookPeriod = std::chrono::milliseconds(50);

absl::StatusOr<v1::EventFilter> MakeFilter(const WatchFlags& flags) {
  v1::EventFilter filter;
  for (const std::string& text : flags.types) {
    const auto type = domain::ParseEventType(text);
    if (!type) {
      return base::InvalidArgument("--type {} is no event, such as TokensMinted", text);
    }
    filter.add_types(static_cast<v1::EventType>(*type));
  }
  filter.mutable_meter_ids()->Assign(flags.meters.begin(), flags.meters.end());
  filter.mutable_user_ids()->Assign(flags.users.begin(), flags.users.end());
  filter.mutable_wallet_addresses()->Assign(flags.wallets.begin(), flags.wallets.end());
  filter.mutable_batch_ids()->Assign(flags.batches.begin(), flags.batches.end());
  filter.mutable_task_ids()->Assign(flags.tasks.begin(), flags.tasks.end());
  for (const std::string& text : flags.states) {
    v1::MintState state = v1::MINT_STATE_UNSPECIFIED;
    if (!v1::MintState_Parse("MINT_STATE_" + absl::AsciiStrToUpper(text), &state)) {
      return base::InvalidArgument("--state {} is none, such as CONFIRMED", text);
    }
    filter.add_mint_states(state);
  }
  filter.set_min_energy_kwh(flags.energy_min);
  filter.set_max_energy_kwh(flags.energy_max);
  return filter;
}

absl::StatusOr<std::int64_t> ParseSequence(std::string_view text) {
  std::int64_t sequence = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
  if (error == std::errc() && end == text.data() + text.size() && sequence >= 1) return sequence;
  return base::InvalidArgument("--from {} is no sequence from 1 on", text);
}

bool IsTime(std::string_view text) { return text.size() > 4 && text[4] == '-'; }

// "now", "beginning", "oldest", a time, a sequence, or "cursor" and "cursor:sequence" as watch
// prints them at its end.
absl::Status SetStart(const std::string& from, v1::SubscribeRequest& request) {
  if (from == "now") return absl::OkStatus();
  if (from == "beginning") {
    request.set_from_sequence(1);
    return absl::OkStatus();
  }
  if (from == "oldest") {
    request.set_position(v1::START_POSITION_OLDEST);
    return absl::OkStatus();
  }
  if (from.find_first_not_of("0123456789") == std::string::npos) {
    WATTMINT_ASSIGN_OR_RETURN(const std::int64_t sequence, ParseSequence(from));
    request.set_from_sequence(sequence);
    return absl::OkStatus();
  }
  if (IsTime(from)) {
    WATTMINT_ASSIGN_OR_RETURN(const base::Time time, base::ParseRfc3339(from));
    wire::ToProto(time, *request.mutable_from_time());
    return absl::OkStatus();
  }
  const std::size_t colon = from.find(':');
  request.set_cursor(from.substr(0, colon));
  if (colon != std::string::npos && from.substr(colon) != ":0") {
    WATTMINT_ASSIGN_OR_RETURN(const std::int64_t last, ParseSequence(from.substr(colon + 1)));
    request.set_last_sequence(last);
  }
  return absl::OkStatus();
}

// Prints what a subscriber hands over.
class EventPrinter final : public client::EventListener {
 public:
  EventPrinter(const WatchFlags& flags, CommandContext& context)
      : flags_(flags), context_(context) {}

  void OnEvents(std::span<const client::RawEvent> events) override {
    for (const client::RawEvent& raw : events) {
      if (is_done_) return;
      v1::Event event;
      if (!event.ParseFromArray(raw.payload.data(), static_cast<int>(raw.payload.size()))) continue;
      event.set_sequence(raw.sequence);
      context_.output.Json(event);
      context_.output.Line(EventText(event));
      if (++count_ == flags_.count_max) is_done_ = true;
    }
    context_.output.Flush();
  }
  void OnCaughtUp() override {
    if (flags_.until_caught_up) is_done_ = true;
  }
  void OnLost(const absl::Status& why, base::Duration retry_in) override {
    using std::chrono::milliseconds;
    fmt::print(context_.error, "the connection was lost ({}); trying again in {} ms\n",
               base::Message(why), std::chrono::duration_cast<milliseconds>(retry_in).count());
  }
  void OnStopped(const absl::Status& why) override {
    refused_ = why;
    is_done_ = true;
  }

  bool is_done() const { return is_done_; }
  // Read after the subscriber has stopped.
  const absl::Status& refused() const { return refused_; }

 private:
  const WatchFlags& flags_;
  CommandContext& context_;
  std::int64_t count_ = 0;
  absl::Status refused_;
  std::atomic<bool> is_done_ = false;
};

absl::StatusOr<ExitCode> Watch(const WatchFlags& flags, CommandContext& context) {
  StopSignal stop;
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  client::EventSubscriber::Options options;
  options.credential = link.credential();
  WATTMINT_ASSIGN_OR_RETURN(*options.request.mutable_filter(), MakeFilter(flags));
  WATTMINT_RETURN_IF_ERROR(SetStart(flags.from, options.request));
  EventPrinter printer(flags, context);
  client::EventSubscriber subscriber(link.channel(), std::move(options), printer);
  subscriber.Start();
  while (!printer.is_done() && !stop.WaitFor(kLookPeriod)) {
  }
  subscriber.Stop();
  if (!printer.refused().ok()) return link.Explain(printer.refused());
  const client::StreamPosition position = subscriber.position();
  if (flags.count_max == 0 && !position.cursor.empty()) {
    fmt::print(context.error, "to go on from here: --from {}:{}\n", position.cursor,
               position.last_sequence);
  }
  return ExitCode::kOk;
}

}  // namespace

void DeclareWatch(CLI::App& app, CommandLine& line) {
  // shared: by the parser and the body, which is kept for later.
  const auto flags = std::make_shared<WatchFlags>();
  app.add_option("--type", flags->types, "only such events, like TokensMinted; repeatable")
      ->type_name("TYPE");
  app.add_option("--meter", flags->meters, "only of this meter; repeatable")->type_name("METER");
  app.add_option("--user", flags->users, "only of this user; repeatable")->type_name("USER");
  app.add_option("--wallet", flags->wallets, "only of this wallet; repeatable")
      ->type_name("ADDRESS");
  app.add_option("--batch", flags->batches, "only of this batch; repeatable")->type_name("ID");
  app.add_option("--task", flags->tasks, "only of this mint task; repeatable")->type_name("TASK");
  app.add_option("--state", flags->states, "only changes to this state; repeatable")
      ->type_name("STATE");
  app.add_option("--min-kwh", flags->energy_min, "only of so much energy or more")
      ->type_name("KWH");
  app.add_option("--max-kwh", flags->energy_max, "only of so much energy or less")
      ->type_name("KWH");
  app.add_option("--from", flags->from,
                 "now, beginning, oldest (that is kept), a time like 2026-06-01T12:00:00Z, a "
                 "sequence, or the position that an earlier watch ended with")
      ->type_name("START")
      ->capture_default_str();
  app.add_option("--count", flags->count_max, "end after so many events")->type_name("NUMBER");
  app.add_flag("--until-caught-up", flags->until_caught_up, "end when the history is through");
  line.Command(app, kClientScope,
               [flags](CommandContext& context) { return Watch(*flags, context); });
}

}  // namespace wattmint::cli
