// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/api_key_table.h"
#include "core/access/audit_log.h"
#include "core/access/authenticator.h"
#include "core/access/jwt_verifier.h"
#include "core/access/key_refresh.h"
#include "core/access/key_use_recorder.h"
#include "core/access/ticket_table.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/domain/limits.h"
#include "core/ingest/pipeline.h"
#include "core/ledger/ledger.h"
#include "core/mint/minter.h"
#include "core/mint/reconcile_schedule.h"
#include "core/rpc/server.h"
#include "core/store/commit_queue.h"
#include "core/store/event_log.h"
#include "core/store/queries.h"
#include "core/store/transaction.h"
#include "core/stream/cursor.h"
#include "core/stream/feed.h"
#include "core/stream/frame_cache.h"
#include "core/stream/hub.h"
#include "core/stream/retention.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

namespace wattmint::rpc {

// What the core runs on. Everything must outlive it.
struct CorePorts {
  store::Journal& journal;
  store::EventLog& log;
  store::Queries& queries;
  ledger::Ledger& ledger;
  base::Clock& clock;
  base::RandomSource& random;
  access::JwtVerifier* jwt = nullptr;  // nullptr: no tokens are accepted
};

struct CoreOptions {
  ServerOptions server;
  std::string metrics_address;  // where metrics are served by HTTP; empty: nowhere
  domain::ReadingLimits readings;
  domain::MintLimits mints;
  mint::ReconcileSchedule::Options reconciliations;
  stream::Compactor::Options compaction;
  store::CommitQueue::Options commits;
  stream::Hub::Options hub;
  stream::FrameCache::Options frames;
  stream::FeedOptions feeds;
  access::TicketTable::Options tickets;
  access::Anonymity anonymity = access::Anonymity::kRefused;
  access::KeyRefresh::Options key_refresh;
  access::KeyUseRecorder::Options key_uses;
  stream::CursorSigner::Key cursor_key{};  // shared with the bridges
  // Keys that live in files beside the database, not in it: made by access::LocalKeyRecord().
  std::vector<store::ApiKeyRecord> local_keys;
  int workers_count = 4;
  LiveStreams::Limits streams;
  std::int32_t user_calls_per_second = 0;  // as of access::UserLimiter
  access::AuditLog::Sink audit_sink;       // empty: the log of everything else
  base::Duration stalled_write_max = std::chrono::minutes(2);
};

// The core, whole: takes readings in, mints them, and tells everybody, by gRPC.
//
// Threads: any. Errors of Start(): those of the storage and of Server::Start().
class CoreApp {
 public:
  // Serves when it returns.
  static absl::StatusOr<std::unique_ptr<CoreApp>> Start(const CorePorts& ports,
                                                        const CoreOptions& options);
  // Stops.
  ~CoreApp();
  CoreApp(const CoreApp&) = delete;
  CoreApp& operator=(const CoreApp&) = delete;

  // Reads the keys for tokens again, soon. Never blocks.
  void Reload();
  // Drains the streams, finishes what was accepted, and ends. Blocks for some seconds at most;
  // doing so twice is the same.
  void Stop();

  int port() const;
  // 0 without metrics.
  int metrics_port() const;
  std::int64_t head_sequence() const;
  std::size_t streams_count() const;
  const ingest::IngestCounters& ingest_counters() const;
  mint::Minter::State minting() const;

 private:
  struct Parts;
  explicit CoreApp(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace wattmint::rpc
