// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_metrics.h"

#include "core/base/metric_families.h"

#include <array>
#include <exception>

namespace wattmint::bridge {
namespace {

struct Total {
  const char* name;
  const char* help;
  Counters::Number Counters::*number;
};

constexpr Total kTotals[] = {
    {"wattmint_bridge_sessions_opened_total", "Sessions since the start.",
     &Counters::sessions_opened},
    {"wattmint_bridge_upgrades_refused_total",
     "Upgrades turned away since the start: path, origin, credential, or no core to ask.",
     &Counters::upgrades_refused},
    {"wattmint_bridge_subscription_changes_total",
     "Subscribe and Unsubscribe that were done since the start.", &Counters::subscription_changes},
    {"wattmint_bridge_frames_received_total", "Messages of clients since the start.",
     &Counters::frames_received},
    {"wattmint_bridge_frames_refused_total", "Those that were over the rate.",
     &Counters::frames_refused},
    {"wattmint_bridge_events_sent_total",
     "Events sent since the start, each to each session that it went to.", &Counters::events_sent},
    {"wattmint_bridge_messages_sent_total", "Messages sent since the start that are no events.",
     &Counters::messages_sent},
    {"wattmint_bridge_errors_sent_total", "Those that were an Error.", &Counters::errors_sent},
    {"wattmint_bridge_heartbeats_sent_total", "Those that were a Heartbeat.",
     &Counters::heartbeats_sent},
    {"wattmint_bridge_fell_behind_total",
     "Times that a session left the live feed since the start.", &Counters::fell_behind},
    {"wattmint_bridge_unknown_events_total",
     "Live events of a type that this bridge is too old to know.", &Counters::unknown_events},
    {"wattmint_bridge_history_reads_total", "Pages of history asked of the core since the start.",
     &Counters::history_reads},
    {"wattmint_bridge_events_compressed_total", "Frames of events sent compressed since the start.",
     &Counters::events_compressed},
    {"wattmint_bridge_compression_input_bytes_total",
     "What the frames of those would have been without compression.",
     &Counters::bytes_before_compression},
    {"wattmint_bridge_compression_output_bytes_total", "What they were.",
     &Counters::bytes_after_compression},
};

// By ServerLimit.
constexpr std::array<const char*, kServerLimitsCount> kLimits = {
    "server_full", "address_full", "handshake_timeout", "no_pong", "malformed"};

void AddSessions(const Counters& counters, base::MetricFamilies& families) {
  families.Gauge("wattmint_bridge_sessions", "WebSocket sessions that are open.",
                 counters.sessions_open.load());
  families.Gauge("wattmint_bridge_sessions_unauthenticated",
                 "Those of them that have yet to tell who they are.",
                 counters.sessions_unauthenticated.load());
  for (const Total& total : kTotals) {
    families.Counter(total.name, total.help, (counters.*total.number).load());
  }
}

void AddLimits(const Counters& counters, base::MetricFamilies& families) {
  for (std::size_t i = 0; i < kLimits.size(); ++i) {
    families.Counter("wattmint_bridge_connections_cut_total",
                     "Connections that the server turned away or ended by itself.", "limit",
                     kLimits[i], counters.limits[i].load());
  }
}

void AddUpstream(const Counters& counters, base::MetricFamilies& families) {
  families.Gauge("wattmint_bridge_upstream_connected", "1 while the core is connected.",
                 counters.is_upstream_connected.load() ? 1 : 0);
  families.Gauge("wattmint_bridge_upstream_sequence",
                 "Sequence of the newest event that the bridge knows of.",
                 counters.upstream_head.load());
  families.Gauge("wattmint_bridge_upstream_lag_seconds",
                 "For how long nothing was heard of a core that is lost.",
                 1e-6 * static_cast<double>(counters.upstream_lag_us.load()));
}

void AddCertificate(const Counters& counters, base::MetricFamilies& families) {
  const std::int64_t end_s = counters.certificate_end_s.load();
  if (end_s == 0) return;
  families.Gauge("wattmint_bridge_certificate_expire_time_seconds",
                 "When the certificate in use ends, Unix time.", static_cast<double>(end_s));
}

void AddRefusals(const access::AuditLog& audit, base::MetricFamilies& families) {
  const auto reasons = access::AuditLog::Reasons();
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    families.Counter("wattmint_bridge_refused_total", "What the audit log says was turned away.",
                     "reason", reasons[i], audit.refused(i));
  }
}

}  // namespace

std::string MetricsPage(const Counters& counters, const access::AuditLog& audit) {
  // Nothing of ours throws; memory and the serializer may, and a scrape must not end the bridge.
  try {
    base::MetricFamilies families;
    AddSessions(counters, families);
    AddLimits(counters, families);
    AddUpstream(counters, families);
    AddCertificate(counters, families);
    AddRefusals(audit, families);
    return families.ToText();
  } catch (const std::exception& exception) {
    return std::string("# ") + exception.what() + "\n";
  }
}

}  // namespace wattmint::bridge
