// SPDX-License-Identifier: Apache-2.0
#include "cli/check/check_run.h"

#include "cli/check/grpc_subscriber.h"
#include "cli/check/plan.h"
#include "cli/check/websocket_subscriber.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/access.grpc.pb.h"
#include "wattmint/v1/event.grpc.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace wattmint::check {
namespace {

constexpr auto kLookPeriod = std::chrono::milliseconds(5);
// Source: protos/README.md, no message for so long means that the connection is dead.
constexpr base::Duration kHeartbeatWithin = std::chrono::seconds(45);
constexpr base::Duration kAsLongAsItTakes = std::chrono::hours(24 * 365);

// Other checks of the same server have other names.
std::string RandomRunName() {
  base::SystemRandom random;
  return fmt::format("{:08x}", static_cast<std::uint32_t>(random.NextUint64()));
}

}  // namespace

CheckRun::CheckRun(const cli::CoreLink& link, client::ChannelOptions core, CheckOptions options,
                   cli::StopSignal& stop, cli::Progress& progress, Findings& findings)
    : link_(link),
      core_(std::move(core)),
      options_(std::move(options)),
      stop_(stop),
      progress_(progress),
      findings_(findings),
      cast_(RandomRunName(), options_.users),
      random_(options_.seed),
      atomicity_(findings),
      traffic_(link, cast_, options_) {}

CheckRun::~CheckRun() = default;

absl::Status CheckRun::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = CheckAll();
  // Everybody's verdict up to here counts also when the check ends before its end.
  if (status.ok()) Judge();
  if (absl::IsAborted(status)) status = absl::OkStatus();
  CleanUp(status);
  return status;
}

absl::Status CheckRun::Prepare() {
  WATTMINT_ASSIGN_OR_RETURN(const auto self,
                            link_.Call(&v1::AccessService::Stub::WhoAmI, v1::WhoAmIRequest()));
  if (std::ranges::find(self.roles(), v1::ROLE_ADMIN) == self.roles().end()) {
    return base::InvalidArgument("a check makes meters and keys: it needs an admin's credential");
  }
  WATTMINT_ASSIGN_OR_RETURN(const auto bounds, link_.Call(&v1::EventService::Stub::GetLogBounds,
                                                          v1::GetLogBoundsRequest()));
  log_ = std::make_unique<ReferenceLog>(bounds.last_sequence() + 1);
  reader_ = std::make_unique<LogReader>(
      client::OpenChannel(core_),
      LogReader::Options{link_.credential(), bounds.epoch(), options_.patience}, cast_,
      LogReader::Sinks{*log_, atomicity_, findings_});
  has_begun_ = true;
  reader_->Start();
  WATTMINT_RETURN_IF_ERROR(traffic_.RegisterMeters());
  WATTMINT_ASSIGN_OR_RETURN(const auto keys, traffic_.MakeKeys());
  return AddSubscribers(keys);
}

absl::Status CheckRun::AddSubscribers(const std::vector<client::Credential>& keys) {
  std::uniform_int_distribution<std::int64_t> moment(0, options_.readings - 1);
  for (SubscriberPlan& plan :
       PlanSubscribers(cast_, log_->first(), options_.subscribers, options_.websockets)) {
    const client::Credential& credential =
        plan.user ? keys[static_cast<std::size_t>(*plan.user)] : link_.credential();
    auto witness = std::make_unique<Witness>(plan, *log_, findings_, options_.patience);
    Member member;
    if (plan.is_websocket()) {
      member.subscriber = std::make_unique<WebSocketSubscriber>(
          WebSocketSubscriber::Options{options_.bridge, options_.bridge_ca, credential,
                                       std::move(plan.frame)},
          std::move(witness));
    } else {
      member.subscriber = std::make_unique<GrpcSubscriber>(
          GrpcSubscriber::Options{core_, credential, std::move(plan.grpc)}, atomicity_,
          std::move(witness));
    }
    for (int i = 0; i < options_.cuts; ++i) member.cuts.push_back(moment(random_));
    std::ranges::sort(member.cuts, std::greater<>());
    members_.push_back(std::move(member));
  }
  for (const Member& member : members_) member.subscriber->Start();
  return Await([this] { return AllOf([](Witness& w) { return w.is_established(); }); },
               options_.patience);
}

absl::Status CheckRun::CheckAll() {
  WATTMINT_RETURN_IF_ERROR(DriveAndCut());
  WATTMINT_RETURN_IF_ERROR(SettleTasks());
  // So that everybody gets something behind their last cut.
  WATTMINT_RETURN_IF_ERROR(traffic_.SubmitOneOfEach(cast_.Busy()));
  WATTMINT_RETURN_IF_ERROR(AwaitEverything("everything"));
  return CheckBookmarks();
}

absl::Status CheckRun::DriveAndCut() {
  traffic_.Start();
  const auto is_done = [this] {
    const bool is_submitted = traffic_.is_done();
    const std::int64_t readings = traffic_.acknowledged();
    TellShare(readings);
    return CutWhoIsDue(readings) && is_submitted;
  };
  WATTMINT_RETURN_IF_ERROR(Await(is_done, kAsLongAsItTakes));
  return Await([this] { return AllOf([](Witness& w) { return w.is_established(); }); },
               options_.patience);
}

void CheckRun::TellShare(std::int64_t readings) {
  const std::int64_t tenth = 10 * readings / options_.readings;
  if (tenth <= tenth_told_) return;
  tenth_told_ = tenth;
  progress_.Say(fmt::format("{} % of the readings are submitted", 10 * tenth));
}

// Cuts one at a time, so that traffic and log are looked at in between. True when nobody is to be
// cut any more.
bool CheckRun::CutWhoIsDue(std::int64_t readings) {
  bool is_through = true;
  for (auto member = members_.begin(); member != members_.end(); ++member) {
    if (member->cuts.empty()) continue;
    is_through = false;
    Subscriber& subscriber = *member->subscriber;
    if (member->cuts.back() > readings || !subscriber.witness().is_established()) continue;
    member->cuts.pop_back();
    subscriber.Cut(Witness::Place::kLastEvent);
    std::rotate(members_.begin(), member + 1, members_.end());  // the next time: the others first
    return false;
  }
  return is_through;
}

absl::Status CheckRun::SettleTasks() {
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t head, traffic_.LogEnd());
  WATTMINT_RETURN_IF_ERROR(
      Await([&] { return log_->WaitFor(head, base::Duration::zero()); }, options_.patience));
  if (!options_.mints) return traffic_.Withdraw(reader_->open_readings());
  const absl::Status minted =
      Await([this] { return reader_->open_tasks() == 0; }, options_.patience);
  if (!absl::IsDeadlineExceeded(minted)) return minted;
  return base::DeadlineExceeded("{} readings are not minted; does the core mint by itself?",
                                reader_->open_tasks());
}

absl::Status CheckRun::AwaitEverything(std::string_view what) {
  WATTMINT_ASSIGN_OR_RETURN(end_, traffic_.LogEnd());
  progress_.Say(fmt::format("waiting until everybody has {}, up to event {}", what, end_));
  const auto has_all = [this] {
    return log_->WaitFor(end_, base::Duration::zero()) &&
           AllOf([this](Witness& w) { return w.HasAll(end_); });
  };
  const absl::Status status = Await(has_all, options_.patience);
  // Who has not got everything by now has missed it: Judge() says so.
  return absl::IsDeadlineExceeded(status) && log_->head() >= end_ ? absl::OkStatus() : status;
}

// A heartbeat's cursor must stand where the log was, whatever the stream had to deliver, and be
// good to go on from by itself.
absl::Status CheckRun::CheckBookmarks() {
  progress_.Say("waiting for the next heartbeat of everybody");
  const auto has_moved = [this](Witness& w) { return w.bookmark().value_or(0) >= end_; };
  const absl::Status status =
      Await([&] { return AllOf(has_moved); }, std::max(options_.patience, kHeartbeatWithin));
  if (!absl::IsDeadlineExceeded(status)) WATTMINT_RETURN_IF_ERROR(status);
  for (const Member& member : members_) {
    Witness& witness = member.subscriber->witness();
    if (has_moved(witness)) {
      member.subscriber->Cut(Witness::Place::kBookmark);
    } else {
      findings_.Report({Guarantee::kBookmarkable, witness.name(), end_,
                        "no heartbeat carried the cursor so far"});
    }
  }
  WATTMINT_RETURN_IF_ERROR(Await(
      [this] { return AllOf([](Witness& w) { return w.is_established(); }); }, options_.patience));
  WATTMINT_RETURN_IF_ERROR(traffic_.SubmitOneOfEach(cast_.Quiet()));
  return AwaitEverything("what came behind their bookmarks");
}

void CheckRun::Judge() {
  for (const Member& member : members_) member.subscriber->Stop();
  for (const Member& member : members_) member.subscriber->witness().Finish(end_);
  atomicity_.Finish();
  const std::int64_t told = reader_->readings();
  if (told == traffic_.accepted()) return;
  findings_.Report({Guarantee::kReliable, "log", end_,
                    fmt::format("{} readings were accepted, and the log tells of {}",
                                traffic_.accepted(), told)});
}

void CheckRun::CleanUp(absl::Status& status) {
  if (!has_begun_) return;
  for (const Member& member : members_) member.subscriber->Stop();
  traffic_.Stop();
  reader_->Stop();
  absl::Status cleaned = absl::OkStatus();
  if (!options_.mints) cleaned = traffic_.Withdraw(reader_->open_readings());
  if (cleaned.ok()) cleaned = traffic_.RevokeKeys();
  if (cleaned.ok()) return;
  progress_.Say(
      fmt::format("what was made for the check was not cleaned up: {}", base::Message(cleaned)));
  if (status.ok()) status = cleaned;
}

absl::Status CheckRun::Await(const std::function<bool()>& is_done, base::Duration patience) {
  const auto start = std::chrono::steady_clock::now();
  while (!is_done()) {
    WATTMINT_RETURN_IF_ERROR(Look());
    if (std::chrono::steady_clock::now() - start > patience) {
      return base::DeadlineExceeded("the server took too long");
    }
    if (stop_.WaitFor(kLookPeriod)) return base::Cancelled("interrupted");
  }
  return Look();
}

absl::Status CheckRun::Look() {
  if (findings_.total() > 0 && !options_.keeps_going) return base::Aborted("a violation");
  WATTMINT_RETURN_IF_ERROR(reader_->status());
  WATTMINT_RETURN_IF_ERROR(traffic_.status());
  for (const Member& member : members_) {
    const Witness& witness = member.subscriber->witness();
    const absl::Status refused = witness.refused();
    if (!refused.ok()) {
      return base::FailedPrecondition("subscriber {} was refused: {}", witness.name(),
                                      base::Message(refused));
    }
    if (witness.away() > options_.patience) {
      return base::Unavailable("subscriber {} has had no stream for too long", witness.name());
    }
  }
  return absl::OkStatus();
}

CheckTotals CheckRun::Totals() const {
  CheckTotals totals;
  totals.readings = traffic_.accepted();
  if (log_ != nullptr) totals.log_events = log_->head() - log_->first() + 1;
  for (const Member& member : members_) {
    const Witness& witness = member.subscriber->witness();
    const Witness::Counts counts = witness.counts();
    (witness.is_websocket() ? totals.websocket_events : totals.grpc_events) += counts.delivered;
    totals.streams += counts.streams;
    totals.cuts += counts.cuts;
    totals.losses += counts.losses;
  }
  return totals;
}

}  // namespace wattmint::check
