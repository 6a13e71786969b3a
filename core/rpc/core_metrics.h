// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/audit_log.h"
#include "core/access/key_refresh.h"
#include "core/base/clock.h"
#include "core/ingest/pipeline.h"
#include "core/ledger/ledger.h"
#include "core/mint/minter.h"
#include "core/mint/reconcile_schedule.h"
#include "core/rpc/live_streams.h"
#include "core/store/queries.h"
#include "core/stream/hub.h"

#include <string>

namespace wattmint::rpc {

class Entrance;

// What the metrics are read from, at the time of each scrape. Nothing is written, and the writer is
// never waited for. README.md names them all.
struct MetricSources {
  store::Queries& queries;
  store::EventLog& log;
  ledger::LedgerReader& ledger;
  base::Clock& clock;
  const ingest::IngestCounters& readings;
  const mint::Minter& minter;
  const mint::ReconcileSchedule& reconciliations;
  const stream::Hub& hub;
  const LiveStreams& streams;
  const access::AuditLog& audit;
  const access::KeyRefresh* key_refresh;  // nullptr: no tokens are accepted
  const Entrance* entrance = nullptr;     // nullptr: its values are left out
};

// In Prometheus' text format. Values that cannot be read now are left out, and
// wattmint_scrape_failed is 1. Threads: any.
std::string MetricsPage(const MetricSources& sources);

}  // namespace wattmint::rpc
