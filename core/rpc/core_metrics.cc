// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/core_metrics.h"

#include "core/base/metric_families.h"
#include "core/base/status_macros.h"
#include "core/domain/rejection.h"
#include "core/mint/supply.h"
#include "core/rpc/entrance.h"

#include <absl/status/status.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

namespace wattmint::rpc {
namespace {

using base::MetricFamilies;
using domain::MintState;

constexpr int kStatesMax = 8;

double Seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::array<std::int64_t, kStatesMax + 1> CountByState(const store::TaskOverview& tasks) {
  std::array<std::int64_t, kStatesMax + 1> counts{};
  const auto count = [&counts](MintState state) -> std::int64_t& {
    return counts[static_cast<std::size_t>(state)];
  };
  for (const domain::MintTask& task : tasks.in_work) ++count(task.state);
  count(MintState::kPending) = tasks.sums.open - std::ssize(tasks.in_work);
  count(MintState::kConfirmed) = tasks.sums.confirmed;
  count(MintState::kParked) = tasks.sums.parked;
  count(MintState::kRejected) = tasks.sums.rejected;
  count(MintState::kNotApplicable) = tasks.sums.not_applicable;
  return counts;
}

absl::Status AddSupply(const MetricSources& sources, MetricFamilies& families) {
  WATTMINT_ASSIGN_OR_RETURN(const mint::SupplyCheck check,
                            mint::CheckSupply(sources.queries, sources.ledger));
  families.Gauge("wattmint_ledger_supply_base_units",
                 "Tokens on the ledger, in base units of 10^-9 GRX.",
                 check.on_ledger.tokens.base_units());
  families.Gauge("wattmint_confirmed_base_units", "Tokens that the log says were minted.",
                 check.tasks.sums.confirmed_base_units);
  families.Gauge("wattmint_in_work_base_units",
                 "Tokens on the ledger whose tasks are about to be confirmed.",
                 check.in_work.base_units());
  families.Gauge("wattmint_unexplained_base_units",
                 "Tokens on the ledger that nothing explains; anything but 0 is for a person.",
                 check.unexplained_base_units);
  const auto counts = CountByState(check.tasks);
  for (std::size_t state = 1; state < counts.size(); ++state) {
    families.Gauge("wattmint_tasks", "Mint tasks; NOT_APPLICABLE: readings with nothing to mint.",
                   "state", domain::Name(static_cast<MintState>(state)), counts[state]);
  }
  return absl::OkStatus();
}

absl::Status AddBacklog(const MetricSources& sources, MetricFamilies& families) {
  const mint::Minter::State state = sources.minter.state();
  families.Gauge("wattmint_minting_paused", "1 while minting is paused.", state.paused ? 1 : 0);
  WATTMINT_ASSIGN_OR_RETURN(const auto next_due, sources.queries.FindNextDue(!state.automatic));
  const base::Duration age = next_due
                                 ? std::max(sources.clock.Now() - *next_due, base::Duration::zero())
                                 : base::Duration::zero();
  families.Gauge("wattmint_oldest_due_seconds",
                 "For how long the mint task has been due that was due first; 0: none is.",
                 Seconds(age));
  return absl::OkStatus();
}

void AddReadings(const ingest::IngestCounters& readings, MetricFamilies& families) {
  families.Counter("wattmint_readings_accepted_total", "Readings accepted since the start.",
                   readings.accepted.load());
  families.Counter("wattmint_readings_existed_total", "Readings that were accepted before.",
                   readings.existed.load());
  for (int number = 1; number <= domain::kRejectionsMax; ++number) {
    families.Counter("wattmint_readings_rejected_total", "Readings refused since the start.",
                     "rejection", domain::Name(static_cast<domain::Rejection>(number)),
                     readings.rejected[static_cast<std::size_t>(number)].load());
  }
}

void AddReconciliations(const mint::ReconcileSchedule& reconciliations, MetricFamilies& families) {
  const mint::ReconcileSchedule::State state = reconciliations.state();
  families.Counter("wattmint_reconcile_done_total", "Reconciliations of ledger and log.",
                   state.done);
  families.Counter("wattmint_reconcile_failed_total", "Reconciliations that could not be done.",
                   state.failed);
  if (!state.last) return;
  families.Gauge("wattmint_reconcile_last_time_seconds", "When the last one ended, Unix time.",
                 Seconds(state.last->end_time.time_since_epoch()));
  families.Gauge("wattmint_reconcile_duration_seconds", "How long the last one took.",
                 Seconds(state.last->duration));
  families.Gauge("wattmint_reconcile_discrepancies",
                 "Mints about which ledger and log disagreed; anything but 0 is for a person.",
                 state.last->found.discrepancies_count);
}

void AddEntrance(const Entrance& entrance, MetricFamilies& families) {
  if (const auto expire_time = entrance.certificate_expire_time()) {
    families.Gauge("wattmint_certificate_expire_time_seconds",
                   "When the certificate in use ends, Unix time.",
                   Seconds(expire_time->time_since_epoch()));
  }
  const door::DoorCounters* door = entrance.counters();
  if (door == nullptr) return;
  families.Gauge("wattmint_connections", "Connections at the front door that are open.",
                 door->open.load());
  families.Counter("wattmint_connections_accepted_total",
                   "Connections that the front door let in since the start.",
                   door->accepted.load());
  for (std::size_t reason = 0; reason < door::kRefusalCount; ++reason) {
    families.Counter("wattmint_connections_refused_total",
                     "Connections that the front door closed since the start, by reason.", "reason",
                     door::Name(static_cast<door::Refusal>(reason)), door->refused[reason].load());
  }
}

void AddAccess(const MetricSources& sources, MetricFamilies& families) {
  const auto reasons = access::AuditLog::Reasons();
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    families.Counter("wattmint_refused_total", "Calls and streams turned away since the start.",
                     "reason", reasons[i], sources.audit.refused(i));
  }
  if (sources.key_refresh == nullptr) return;
  const access::KeyRefresh::State keys = sources.key_refresh->state();
  families.Gauge(
      "wattmint_token_keys_age_seconds", "Time since the keys for tokens were last read.",
      Seconds(std::max(sources.clock.Now() - keys.last_success, base::Duration::zero())));
  families.Counter("wattmint_token_keys_failed_total", "Times that they could not be read.",
                   keys.failed);
}

absl::Status AddLog(const MetricSources& sources, MetricFamilies& families) {
  families.Gauge("wattmint_event_sequence", "Sequence of the newest event.", sources.hub.head());
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, sources.log.GetBounds());
  families.Gauge("wattmint_event_oldest_sequence", "Sequence of the oldest event that is kept.",
                 bounds.first);
  families.Gauge("wattmint_event_log_bytes", "Size of the events that are kept.", bounds.bytes);
  return absl::OkStatus();
}

std::string Collect(const MetricSources& sources) {
  MetricFamilies families;
  AddReadings(sources.readings, families);
  const absl::Status supply = AddSupply(sources, families);
  const absl::Status backlog = AddBacklog(sources, families);
  AddReconciliations(sources.reconciliations, families);
  const absl::Status log = AddLog(sources, families);
  AddAccess(sources, families);
  families.Gauge("wattmint_streams", "Streams that are open.", sources.streams.size());
  if (sources.entrance != nullptr) AddEntrance(*sources.entrance, families);
  families.Gauge("wattmint_scrape_failed", "1 when a part of the values could not be read.",
                 supply.ok() && backlog.ok() && log.ok() ? 0 : 1);
  return families.ToText();
}

}  // namespace

std::string MetricsPage(const MetricSources& sources) {
  // Nothing of ours throws; memory and the serializer may, and a scrape must not end the core.
  try {
    return Collect(sources);
  } catch (const std::exception& exception) {
    return std::string("# ") + exception.what() + "\nwattmint_scrape_failed 1\n";
  }
}

}  // namespace wattmint::rpc
