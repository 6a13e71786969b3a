// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/core_app.h"

#include "core/access/key_keeper.h"
#include "core/base/assert.h"
#include "core/base/metrics_server.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "core/ingest/announcer.h"
#include "core/ingest/meter_registrar.h"
#include "core/ingest/reading_editor.h"
#include "core/mint/ratio_history.h"
#include "core/mint/reconciler.h"
#include "core/rpc/access_service.h"
#include "core/rpc/alert_service.h"
#include "core/rpc/calls.h"
#include "core/rpc/channelz_service.h"
#include "core/rpc/core_metrics.h"
#include "core/rpc/event_service.h"
#include "core/rpc/guard.h"
#include "core/rpc/live_streams.h"
#include "core/rpc/meter_service.h"
#include "core/rpc/mint_service.h"
#include "core/rpc/reading_service.h"
#include "core/store/meter_registry.h"
#include "core/wire/event_codec.h"

#include <google/protobuf/descriptor.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace wattmint::rpc {
namespace {

constexpr int kStreamThreads = 2;  // measured: making messages keeps less than one core busy
constexpr std::size_t kDiscrepanciesLogged = 10;  // chosen; the call answers more

std::vector<const google::protobuf::ServiceDescriptor*> GuardedServices() {
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const auto* file :
       {grpc::channelz::v1::Server::descriptor()->file(), v1::ApiKey::descriptor()->file(),
        v1::SendAlertRequest::descriptor()->file(), v1::Event::descriptor()->file(),
        v1::Meter::descriptor()->file(), v1::MintTask::descriptor()->file(),
        v1::Reading::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

// The times of events never decrease, also when the clock was set back before the start.
absl::StatusOr<domain::Time> TimeOfLast(const store::LogBounds& bounds, store::EventLog& log) {
  if (bounds.last == 0) return domain::Time{};
  WATTMINT_ASSIGN_OR_RETURN(const auto events, log.Read(bounds.last, 1, 1));
  if (events.empty()) return base::DataLoss("the log has no event {}", bounds.last);
  return wire::DecodeTime(events.front().payload);
}

store::CommitQueue::Options CommitOptions(store::CommitQueue::Options options,
                                          domain::Time event_time_min) {
  options.event_time_min = event_time_min;
  return options;
}

void LogTrouble(const absl::Status& why) {
  spdlog::error("the log could not be compacted, which is tried again: {}", why.ToString());
}

void LogAudit(std::string_view line) { spdlog::info("audit: {}", line); }

void LogUseTrouble(const absl::Status& why) {
  spdlog::warn("last uses of API keys could not be written down: {}", why.ToString());
}

void LogKeyTrouble(const absl::Status& why) {
  spdlog::error("{}; the old keys stay in force", base::Message(why));
}

// What a reconciliation found is for a person.
void LogReport(const absl::StatusOr<mint::ReconcileSchedule::Report>& report) {
  if (!report.ok()) {
    spdlog::error("ledger and log could not be compared: {}", report.status().ToString());
    return;
  }
  const mint::Reconciliation& found = report->found;
  if (found.IsHealthy()) {
    spdlog::info("ledger and log agree: {} mints, {} GRX", found.mints_checked,
                 found.on_ledger.ToString());
    return;
  }
  spdlog::error(
      "ledger and log DISAGREE in {} mints: {} GRX on the ledger, {} confirmed, {} in work",
      found.discrepancies_count, found.on_ledger.ToString(), found.confirmed.ToString(),
      found.in_work.ToString());
  for (const mint::Discrepancy& discrepancy :
       std::span(found.discrepancies)
           .first(std::min(found.discrepancies.size(), kDiscrepanciesLogged))) {
    spdlog::error("{}", discrepancy.ToString());
  }
}

}  // namespace

// The bill of materials, in the order in which one needs the other.
struct CoreApp::Parts {
  Parts(const CorePorts& given, const CoreOptions& options, std::int64_t head,
        domain::Time event_time_min)
      : ports(given),
        api_keys(ports.clock),
        tickets(options.tickets, ports.clock, ports.random),
        authenticator(ports.jwt, api_keys, tickets, ports.clock, options.anonymity),
        signer(options.cursor_key),
        hub(ports.log, wire::DecodeAttributes, head, options.hub),
        frames(hub, options.frames),
        queue(ports.journal, ports.log, frames, ports.clock, wire::EncodePayload,
              CommitOptions(options.commits, event_time_min)),
        registrar(queue, registry),
        minter(queue, ports.queries, registry, ports.ledger, ports.clock, ports.random,
               options.mints),
        reconciliations(
            options.reconciliations, ports.clock,
            [this](const auto& is_cancelled) { return Reconcile(is_cancelled); }, LogReport),
        compactor(options.compaction, queue, ports.log, ports.clock, LogTrouble),
        pipeline(queue, registry, options.readings, WakerOfMinter(options.mints)),
        editor(queue, options.readings, WakerOfMinter(options.mints)),
        announcer(queue),
        streams(ports.clock, options.streams),
        keeper(queue, api_keys, ports.clock, ports.random, options.local_keys,
               [this](std::string_view key_id) { streams.KeyChanged(key_id); }),
        key_refresh(MakeKeyRefresh(options.key_refresh)),
        key_uses(options.key_uses, queue, api_keys, LogUseTrouble),
        audit("core", access::AuditLog::KeyOf(options.cursor_key), ports.clock,
              options.audit_sink ? options.audit_sink : LogAudit),
        user_limiter(options.user_calls_per_second, ports.clock),
        guard(MethodRules(), authenticator, user_limiter, audit),
        workers(options.workers_count),
        stream_pool(kStreamThreads),
        calls(guard, audit, streams, workers),
        event_place{{ports.log, hub, signer, authenticator, ports.clock},
                    options.feeds,
                    frames,
                    streams,
                    audit,
                    user_limiter,
                    stream_pool,
                    options.stalled_write_max},
        reading_place{pipeline,
                      authenticator,
                      ports.clock,
                      streams,
                      audit,
                      workers,
                      options.stalled_write_max},
        channelz_service(calls),
        access_service(calls, keeper, api_keys, tickets, registry),
        alert_service(calls, announcer),
        event_service(calls, registry, event_place),
        meter_service(calls, registrar, registry),
        mint_service(calls, minter, reconciliations, ports.queries, ports.ledger, registry,
                     options.mints.ratio),
        reading_service(calls, ports.queries, editor, reading_place) {}

  absl::Status LoadCaches() {
    WATTMINT_ASSIGN_OR_RETURN(auto meters, ports.queries.LoadMeters());
    WATTMINT_ASSIGN_OR_RETURN(auto keys, ports.queries.LoadApiKeys());
    registry.Load(std::move(meters));
    WATTMINT_ASSIGN_OR_RETURN(const auto uses, ports.queries.LoadKeyUses());
    keeper.Load(std::move(keys), uses);
    return minter.Load();
  }

  absl::StatusOr<mint::Reconciliation> Reconcile(const std::function<bool()>& is_cancelled) {
    mint::ReconcileOptions options;
    WATTMINT_ASSIGN_OR_RETURN(options.ratios, mint::LoadRatios(ports.queries));
    options.is_cancelled = is_cancelled;
    return mint::Reconcile(ports.queries, ports.ledger, options);
  }

  // What is minted by hand wakes the minter itself.
  std::function<void()> WakerOfMinter(const domain::MintLimits& limits) {
    if (!limits.automatic) return [] {};
    return [this] { minter.Wake(); };
  }

  absl::Status StartMetrics(const std::string& address) {
    if (address.empty()) return absl::OkStatus();
    const MetricSources sources{ports.queries,
                                ports.log,
                                ports.ledger,
                                ports.clock,
                                pipeline.counters(),
                                minter,
                                reconciliations,
                                hub,
                                streams,
                                audit,
                                key_refresh.get(),
                                &server->entrance()};
    WATTMINT_ASSIGN_OR_RETURN(metrics, base::MetricsServer::Start({.address = address}, [sources] {
                                return MetricsPage(sources);
                              }));
    return absl::OkStatus();
  }

  std::unique_ptr<access::KeyRefresh> MakeKeyRefresh(const access::KeyRefresh::Options& options) {
    if (ports.jwt == nullptr) return nullptr;
    auto refresh = std::make_unique<access::KeyRefresh>(
        options, *ports.jwt, ports.clock,
        [this] {
          spdlog::info("the keys for tokens have changed");
          streams.KeyChanged("");
        },
        LogKeyTrouble);
    ports.jwt->OnUnknownKey([&refresh = *refresh] { return refresh.OnUnknownKey(); });
    return refresh;
  }

  std::vector<grpc::Service*> services() {
    return {&channelz_service, &access_service, &alert_service,  &event_service,
            &meter_service,    &mint_service,   &reading_service};
  }

  const CorePorts ports;
  store::MeterRegistry registry;
  access::ApiKeyTable api_keys;
  access::TicketTable tickets;
  access::Authenticator authenticator;
  const stream::CursorSigner signer;
  stream::Hub hub;
  stream::FrameCache frames;
  store::CommitQueue queue;
  ingest::MeterRegistrar registrar;
  mint::Minter minter;
  mint::ReconcileSchedule reconciliations;
  stream::Compactor compactor;
  ingest::Pipeline pipeline;
  ingest::ReadingEditor editor;
  ingest::Announcer announcer;
  LiveStreams streams;
  access::KeyKeeper keeper;
  const std::unique_ptr<access::KeyRefresh> key_refresh;  // nullptr without tokens
  access::KeyUseRecorder key_uses;
  access::AuditLog audit;
  access::UserLimiter user_limiter;
  const Guard guard;
  base::ThreadPool workers;
  base::ThreadPool stream_pool;
  Calls calls;
  const EventStreamPlace event_place;
  const ReadingStreamPlace reading_place;
  ChannelzService channelz_service;
  AccessService access_service;
  AlertService alert_service;
  EventService event_service;
  MeterService meter_service;
  MintService mint_service;
  ReadingService reading_service;
  std::unique_ptr<Server> server;
  std::unique_ptr<base::MetricsServer> metrics;
  std::thread minting;
  std::thread reconciling;
  std::thread compacting;
  std::thread refreshing;
  std::thread recording_uses;
};

absl::StatusOr<std::unique_ptr<CoreApp>> CoreApp::Start(const CorePorts& ports,
                                                        const CoreOptions& options) {
  WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, ports.log.GetBounds());
  WATTMINT_ASSIGN_OR_RETURN(const domain::Time event_time_min, TimeOfLast(bounds, ports.log));
  auto parts = std::make_unique<Parts>(ports, options, bounds.last, event_time_min);
  Parts& core = *parts;
  std::unique_ptr<CoreApp> app(new CoreApp(std::move(parts)));
  WATTMINT_RETURN_IF_ERROR(core.guard.CheckComplete(GuardedServices()));
  core.queue.OnReopen([&core] { return core.LoadCaches(); });
  WATTMINT_RETURN_IF_ERROR(core.LoadCaches());
  WATTMINT_RETURN_IF_ERROR(mint::RecordRatio(core.queue, ports.queries, options.mints.ratio));
  WATTMINT_ASSIGN_OR_RETURN(
      core.server, Server::Start(options.server, core.services(), core.streams, ports.random));
  WATTMINT_RETURN_IF_ERROR(core.StartMetrics(options.metrics_address));
  core.minting = std::thread([&core] { core.minter.Run(); });
  core.reconciling = std::thread([&core] { core.reconciliations.Run(); });
  core.compacting = std::thread([&core] { core.compactor.Run(); });
  core.recording_uses = std::thread([&core] { core.key_uses.Run(); });
  if (core.key_refresh) core.refreshing = std::thread([&core] { core.key_refresh->Run(); });
  return app;
}

CoreApp::CoreApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

CoreApp::~CoreApp() { Stop(); }

void CoreApp::Reload() {
  if (parts_->key_refresh) parts_->key_refresh->Wake();
}

// From the outside inwards: clients first, the writer last, so that whatever was accepted finishes.
void CoreApp::Stop() {
  parts_->metrics.reset();
  // Before the server, which waits for whoever waits for a reconciliation.
  parts_->reconciliations.Stop();
  if (parts_->server != nullptr) parts_->server->Drain();
  parts_->minter.Stop();
  if (parts_->minting.joinable()) parts_->minting.join();
  if (parts_->reconciling.joinable()) parts_->reconciling.join();
  parts_->compactor.Stop();
  if (parts_->compacting.joinable()) parts_->compacting.join();
  parts_->key_uses.Stop();
  if (parts_->recording_uses.joinable()) parts_->recording_uses.join();
  if (parts_->key_refresh) parts_->key_refresh->Stop();
  if (parts_->refreshing.joinable()) parts_->refreshing.join();
  parts_->queue.Stop();
  parts_->workers.Stop();
  parts_->stream_pool.Stop();
}

int CoreApp::port() const { return parts_->server->port(); }

int CoreApp::metrics_port() const {
  return parts_->metrics == nullptr ? 0 : parts_->metrics->port();
}

std::int64_t CoreApp::head_sequence() const { return parts_->hub.head(); }

std::size_t CoreApp::streams_count() const { return parts_->streams.size(); }

const ingest::IngestCounters& CoreApp::ingest_counters() const {
  return parts_->pipeline.counters();
}

mint::Minter::State CoreApp::minting() const { return parts_->minter.state(); }

}  // namespace wattmint::rpc
