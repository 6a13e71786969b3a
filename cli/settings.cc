// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.h"

#include "cli/logging.h"
#include "cli/setting_types.h"
#include "core/base/status.h"

namespace wattmint::cli {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<Setting> Places() {
  return {
      Text(
          "data", "WATTMINT_DATA", "DIR", kEveryScope,
          "directory of the databases, the keys and the local admin key",
          [](auto& s) -> auto& { return s.data_directory; }),
      Address(
          "grpc", "WATTMINT_GRPC", kCoreScope, "where the core listens for gRPC",
          [](auto& s) -> auto& { return s.grpc_address; }),
      Address(
          "metrics", "WATTMINT_METRICS", kCoreScope,
          "where the core serves its metrics to Prometheus, without a credential: best on "
          "loopback; if not set, nowhere",
          [](auto& s) -> auto& { return s.metrics_address; }),
      Address(
          "bridge-metrics", "WATTMINT_BRIDGE_METRICS", kBridgeScope,
          "where the bridge serves its metrics to Prometheus, without a credential: best on "
          "loopback; if not set, nowhere; /metrics of --http is for admins",
          [](auto& s) -> auto& { return s.bridge_metrics_address; }),
      Address(
          "http", "WATTMINT_HTTP", kBridgeScope, "where the bridge listens for HTTP and WebSocket",
          [](auto& s) -> auto& { return s.http_address; }),
      Address(
          "core", "WATTMINT_CORE", kBridgeScope | kClientScope,
          "where to find the core; if not set, the one that runs on --data",
          [](auto& s) -> auto& { return s.core_address; }),
      CheckedText(
          "log-level", "WATTMINT_LOG_LEVEL", "LEVEL[,COMPONENT=LEVEL...]",
          kServerScope | kSignerScope,
          "what to log: debug, info, warning or error; and what of the components bridge, "
          "websocket and grpc: info,websocket=debug",
          CheckLogLevels, [](auto& s) -> auto& { return s.log_level; }),
      Choice(
          "log-format", "WATTMINT_LOG_FORMAT", {"text", "json"}, kServerScope | kSignerScope,
          "lines of text, or one JSON object a line",
          [](auto& s) -> auto& { return s.log_format; }),
      Text(
          "audit-log", "WATTMINT_AUDIT_LOG", "FILE", kServerScope,
          "file to which the audit log is appended, made with mode 0600, and opened again on "
          "SIGHUP; if not set, it goes into the log",
          [](auto& s) -> auto& { return s.audit_log; }),
      Length<seconds>(
          "heartbeat-secs", "WATTMINT_HEARTBEAT_SECS", 1, 15, kServerScope,
          "every stream of events says so often that it lives, and how far it is; clients rely on "
          "15",
          [](auto& s) -> auto& { return s.heartbeat; }),
  };
}

std::vector<Setting> Connections() {
  return {
      Text(
          "grpc-certificate", "WATTMINT_GRPC_CERTIFICATE", "FILE", kCoreScope,
          "certificate chain of the core (PEM); with it and --grpc-key, gRPC is by TLS only; "
          "renewed files are taken without a restart",
          [](auto& s) -> auto& { return s.grpc_certificate; }),
      Text(
          "grpc-key", "WATTMINT_GRPC_KEY", "FILE", kCoreScope, "its private key (PEM)",
          [](auto& s) -> auto& { return s.grpc_key; }),
      Text(
          "grpc-client-ca", "WATTMINT_GRPC_CLIENT_CA", "FILE", kCoreScope,
          "certificates that clients' must be signed by (PEM); with it, who shows none is not let "
          "in, whatever key or token they have",
          [](auto& s) -> auto& { return s.grpc_client_ca; }),
      Count(
          "grpc-max-connections", "WATTMINT_GRPC_MAX_CONNECTIONS", 1, 100'000, kCoreScope,
          "gRPC connections at a time beyond loopback or by TLS; never more than a sixth of the "
          "process's descriptors",
          [](auto& s) -> auto& { return s.grpc_connections_max; }),
      Count(
          "grpc-max-connections-per-ip", "WATTMINT_GRPC_MAX_CONNECTIONS_PER_IP", 1, 100'000,
          kCoreScope, "of these, those of one address (IPv6: one /64)",
          [](auto& s) -> auto& { return s.grpc_connections_per_ip_max; }),
      Text(
          "core-ca", "WATTMINT_CORE_CA", "FILE", kBridgeScope | kClientScope,
          "certificates that the core's must be signed by (PEM); with it, the core is called by "
          "TLS",
          [](auto& s) -> auto& { return s.core_ca; }),
      Text(
          "core-certificate", "WATTMINT_CORE_CERTIFICATE", "FILE", kBridgeScope | kClientScope,
          "certificate chain to show to a core that asks for one (PEM); needs --core-ca and "
          "--core-key",
          [](auto& s) -> auto& { return s.core_certificate; }),
      Text(
          "core-key", "WATTMINT_CORE_KEY", "FILE", kBridgeScope | kClientScope,
          "its private key (PEM)", [](auto& s) -> auto& { return s.core_key; }),
      Text(
          "bridge-certificate", "WATTMINT_BRIDGE_CERTIFICATE", "FILE", kBridgeScope,
          "certificate chain of the bridge (PEM); with it and --bridge-key, --http is by TLS only "
          "(https, wss); renewed files are taken without a restart, and at once on SIGHUP",
          [](auto& s) -> auto& { return s.bridge.certificate; }),
      Text(
          "bridge-key", "WATTMINT_BRIDGE_KEY", "FILE", kBridgeScope, "its private key (PEM)",
          [](auto& s) -> auto& { return s.bridge.key; }),
      Text(
          "bridge-ca", "WATTMINT_BRIDGE_CA", "FILE", kClientScope,
          "certificates that the bridge's must be signed by (PEM); with it, `status` and `check` "
          "call the bridge by TLS",
          [](auto& s) -> auto& { return s.bridge_ca; }),
  };
}

std::vector<Setting> Credentials() {
  return {
      Text(
          "token-file", "WATTMINT_TOKEN_FILE", "FILE", kClientScope,
          "file that holds a JSON Web Token to call the core with",
          [](auto& s) -> auto& { return s.token_file; }),
      Text(
          "api-key-file", "WATTMINT_API_KEY_FILE", "FILE", kBridgeScope | kClientScope,
          "file that holds an API key to call the core with; if no credential is set: the "
          "admin.key of --data; for a bridge its relay.key",
          [](auto& s) -> auto& { return s.api_key_file; }),
      Secret(
          "token", "WATTMINT_TOKEN", "a JSON Web Token to call the core with",
          [](auto& s) -> auto& { return s.token; }),
      Secret(
          "api-key", "WATTMINT_API_KEY", "an API key to call the core with",
          [](auto& s) -> auto& { return s.api_key; }),
  };
}

std::vector<Setting> Readings() {
  return {
      Kwh(
          "max-reading-kwh", "TOKENIZATION_MAX_READING_KWH", kCoreScope,
          "most energy of one reading", [](auto& s) -> auto& { return s.readings.energy_max; }),
      Length<days>(
          "reading-max-age-days", "TOKENIZATION_READING_MAX_AGE_DAYS", 1, 36'500, kCoreScope,
          "oldest end of a reading, except in an import with --any-age",
          [](auto& s) -> auto& { return s.readings.age_max; }),
      Length<days>(
          "reading-max-interval-days", "WATTMINT_READING_MAX_INTERVAL_DAYS", 1, 366, kCoreScope,
          "longest interval of a reading",
          [](auto& s) -> auto& { return s.readings.interval_max; }),
      Length<seconds>(
          "reading-max-future-secs", "WATTMINT_READING_MAX_FUTURE_SECS", 0, 86'400, kCoreScope,
          "how far in the future a reading may end",
          [](auto& s) -> auto& { return s.readings.future_max; }),
      Length<minutes>(
          "duplicate-window-mins", "WATTMINT_DUPLICATE_WINDOW_MINS", 0, 1'440, kCoreScope,
          "point readings of a meter must be so far apart",
          [](auto& s) -> auto& { return s.readings.duplicate_window; }),
      Length<seconds>(
          "submit-gap-secs", "WATTMINT_SUBMIT_GAP_SECS", 0, 86'400, kCoreScope,
          "a user may submit for one meter once in this time",
          [](auto& s) -> auto& { return s.readings.submit_gap; }),
      Flag(
          "require-meter-signatures", "WATTMINT_REQUIRE_METER_SIGNATURES", kCoreScope,
          "whether readings of meters without a public key are refused, too",
          [](auto& s) -> auto& { return s.readings.signatures_required; }),
      Flag(
          "meter-signature-legacy", "WATTMINT_METER_SIGNATURE_LEGACY", kCoreScope,
          "whether the older text of meters, without a counter, is accepted as well",
          [](auto& s) -> auto& { return s.readings.legacy_signatures; }),
      Flag(
          "mint-estimated", "WATTMINT_MINT_ESTIMATED", kCoreScope,
          "whether estimated readings are minted",
          [](auto& s) -> auto& { return s.readings.mint_estimated; }),
      Flag(
          "quarantine", "WATTMINT_QUARANTINE", kCoreScope,
          "whether readings that are not plausible are set aside for a person before they are "
          "minted: what meters send when they do not know, and jumps",
          [](auto& s) -> auto& { return s.readings.quarantine; }),
      Count(
          "jump-factor", "WATTMINT_JUMP_FACTOR", 2, 1'000, kCoreScope,
          "a jump is a mean power above this many times the greatest of the meter so far",
          [](auto& s) -> auto& { return s.readings.jump_factor; }),
  };
}

std::vector<Setting> Mints() {
  return {
      TokenRatio(
          "kwh-to-token-ratio", "TOKENIZATION_KWH_TO_TOKEN_RATIO", kCoreScope,
          "GRX for one kWh: a decimal, or a fraction such as 3/2",
          [](auto& s) -> auto& { return s.mints.ratio; }),
      Fixed("decimals", "TOKENIZATION_DECIMALS", "9", kCoreScope,
            "decimals of GRX: 9, and no other"),
      Flag(
          "auto-mint", "TOKENIZATION_AUTO_MINT_ENABLED", kCoreScope,
          "whether readings are minted by themselves: true in `up`, else false by default",
          [](auto& s) -> auto& { return s.mints.automatic; }),
      Length<seconds>(
          "polling-interval-secs", "TOKENIZATION_POLLING_INTERVAL_SECS", 1, 86'400, kCoreScope,
          "looks for due mint tasks at least so often; a submission wakes it at once",
          [](auto& s) -> auto& { return s.mints.poll_interval; }),
      Count(
          "batch-size", "TOKENIZATION_BATCH_SIZE", 1, 1'000, kCoreScope, "mint tasks in one batch",
          [](auto& s) -> auto& { return s.mints.batch_max; }),
      Count(
          "mint-attempts", "WATTMINT_MINT_ATTEMPTS", 1, 100, kCoreScope,
          "signings and definite failures after which a mint task is parked; an unknown outcome "
          "counts for none",
          [](auto& s) -> auto& { return s.mints.attempts_max; }),
      Count(
          "mint-in-work", "WATTMINT_MINT_IN_WORK", 1, 100'000, kCoreScope,
          "mint tasks that may be claimed, signed or sent at a time",
          [](auto& s) -> auto& { return s.mints.in_work_max; }),
      Length<seconds>(
          "mint-lease-secs", "WATTMINT_MINT_LEASE_SECS", 1, 3'600, kCoreScope,
          "after so long, a claim of a minter that died is over",
          [](auto& s) -> auto& { return s.mints.claim_lease; }),
      Length<seconds>(
          "mint-backoff-max-secs", "WATTMINT_MINT_BACKOFF_MAX_SECS", 1, 3'600, kCoreScope,
          "longest wait before a mint is looked up and sent again",
          [](auto& s) -> auto& { return s.mints.backoff_max; }),
      Kwh(
          "mint-max-kwh", "WATTMINT_MINT_MAX_KWH", kCoreScope,
          "most energy that is minted for one reading, whatever was accepted; above it the task is "
          "parked",
          [](auto& s) -> auto& { return s.mints.energy_max; }),
      Kwh(
          "mint-max-kwh-per-day", "WATTMINT_MINT_MAX_KWH_PER_DAY", kCoreScope,
          "most energy that is signed in one day (UTC); what is above it waits for the next; 0: no "
          "cap",
          [](auto& s) -> auto& { return s.mints.day_energy_max; }, ZeroKwh::kAllowed),
      Length<seconds>(
          "reconcile-interval-secs", "WATTMINT_RECONCILE_INTERVAL_SECS", 0, 31'536'000, kCoreScope,
          "compares ledger and log so often, besides at the start; 0: only then",
          [](auto& s) -> auto& { return s.reconcile_interval; }),
      Length<days>(
          "event-retention-days", "WATTMINT_EVENT_RETENTION_DAYS", 0, 36'500, kCoreScope,
          "events that are older are removed from the log; 0: none",
          [](auto& s) -> auto& { return s.event_age_max; }),
      Count(
          "event-log-max-mib", "WATTMINT_EVENT_LOG_MAX_MIB", 0, 1'000'000'000, kCoreScope,
          "the oldest events are removed when the log is larger, in MiB; 0: none",
          [](auto& s) -> auto& { return s.event_log_mib_max; }),
  };
}

std::vector<Setting> LedgerKeys() {
  return {
      Text(
          "ledger-key-file", "WATTMINT_LEDGER_KEY_FILE", "FILE", kCoreScope | kSignerScope,
          "file that holds the seed of the ledger's Ed25519 key, 64 hex digits, with mode 0600; if "
          "not set: ledger.key of --data",
          [](auto& s) -> auto& { return s.ledger_key.file; }),
      VariableName(
          "ledger-key-env", "WATTMINT_LEDGER_KEY_ENV", kCoreScope | kSignerScope,
          "instead: name of the environment variable that holds it",
          [](auto& s) -> auto& { return s.ledger_key.variable; }),
      Text(
          "signer", "WATTMINT_SIGNER", "SOCKET", kCoreScope,
          "instead: Unix socket of a process that keeps the key and signs, such as `wattmint "
          "signer`",
          [](auto& s) -> auto& { return s.ledger_key.signer_socket; }),
      Length<seconds>(
          "signer-timeout-secs", "WATTMINT_SIGNER_TIMEOUT_SECS", 1, 300, kCoreScope,
          "how long to wait for it, for each batch of mints",
          [](auto& s) -> auto& { return s.ledger_key.signer_timeout; }),
  };
}

std::vector<Setting> Access() {
  return {
      FileOrAddress(
          "jwt-keys", "WATTMINT_JWT_KEYS", kCoreScope,
          "JWK set that JSON Web Tokens are checked with: a file, which is read again when it "
          "changes, or an https:// address; without, no token is accepted",
          [](auto& s) -> auto& { return s.jwt.keys; }),
      Text(
          "jwt-keys-ca", "WATTMINT_JWT_KEYS_CA", "FILE", kCoreScope,
          "certificates that the server at that address must be signed by (PEM); if not set: the "
          "system's",
          [](auto& s) -> auto& { return s.jwt.keys_ca; }),
      Length<seconds>(
          "jwt-keys-refresh-secs", "WATTMINT_JWT_KEYS_REFRESH_SECS", 10, 86'400, kCoreScope,
          "fetches them from that address so often, besides when a token names an unknown key",
          [](auto& s) -> auto& { return s.jwt.keys_refresh; }),
      Text(
          "jwt-secret", "WATTMINT_JWT_SECRET_FILE", "FILE", kCoreScope,
          "instead of --jwt-keys: a file that holds one HS256 secret",
          [](auto& s) -> auto& { return s.jwt.secret_file; }),
      Text(
          "jwt-issuer", "WATTMINT_JWT_ISSUER", "TEXT", kCoreScope,
          "what iss must be; if not set, it is not checked",
          [](auto& s) -> auto& { return s.jwt.issuer; }),
      Text(
          "jwt-audience", "WATTMINT_JWT_AUDIENCE", "TEXT", kCoreScope,
          "what aud must contain; if not set, it is not checked",
          [](auto& s) -> auto& { return s.jwt.audience; }),
      Count(
          "user-calls-per-second", "WATTMINT_USER_CALLS_PER_SECOND", 0, 1'000'000, kCoreScope,
          "calls that one user may make, over all their credentials; a call that reads many rows "
          "counts for 10; not for the roles ingest, admin and relay; 0: no limit",
          [](auto& s) -> auto& { return s.user_calls_per_second; }),
      Count(
          "max-streams-per-user", "WATTMINT_MAX_STREAMS_PER_USER", 0, 1'000'000, kCoreScope,
          "gRPC streams that one user may have open; not for the roles ingest, admin and relay; "
          "0: no limit",
          [](auto& s) -> auto& { return s.streams_per_user_max; }),
  };
}

std::vector<Setting> Bridge() {
  return {
      Count(
          "max-connections", "WEBSOCKET_MAX_CONNECTIONS", 1, 19'000, kBridgeScope,
          "WebSocket connections at a time",
          [](auto& s) -> auto& { return s.bridge.connections_max; }),
      Count(
          "max-connections-per-ip", "WATTMINT_MAX_CONNECTIONS_PER_IP", 1, 19'000, kBridgeScope,
          "WebSocket connections of one address at a time",
          [](auto& s) -> auto& { return s.bridge.connections_per_ip_max; }),
      Text(
          "allowed-origins", "WATTMINT_ALLOWED_ORIGINS", "ORIGIN,...", kBridgeScope,
          "origins of web pages that may connect; if not set, all",
          [](auto& s) -> auto& { return s.bridge.allowed_origins; }),
      CheckedText(
          "trusted-proxies", "WATTMINT_TRUSTED_PROXIES", "ADDRESS,...", kBridgeScope,
          "IP addresses of proxies whose X-Forwarded-For says who a WebSocket is from; without, "
          "all that come by a proxy count as one address",
          CheckAddresses, [](auto& s) -> auto& { return s.bridge.trusted_proxies; }),
      Count(
          "max-frames-per-minute", "WATTMINT_MAX_FRAMES_PER_MINUTE", 1, 1'000'000, kBridgeScope,
          "messages that one WebSocket client may send in a minute",
          [](auto& s) -> auto& { return s.bridge.frames_per_minute; }),
      Count(
          "max-deliveries-per-minute", "WEBSOCKET_RATE_LIMIT_EVENTS_PER_MINUTE", 0, 60'000,
          kBridgeScope,
          "how often in a minute one WebSocket client is handed events at most; nothing is left "
          "out: what comes in between goes together, in one frame with ?batch_ms; 0: at once",
          [](auto& s) -> auto& { return s.bridge.deliveries_per_minute; }),
      Count(
          "bridge-shards", "WATTMINT_BRIDGE_SHARDS", 0, 64, kBridgeScope,
          "threads that serve WebSockets, each its share of them; 0: a quarter of the cores, 1 at "
          "least and 8 at most",
          [](auto& s) -> auto& { return s.bridge.shards; }),
      Flag(
          "query-credentials", "WATTMINT_QUERY_CREDENTIALS", kBridgeScope,
          "whether ?token= and ?api_key= are taken on /ws; they end up in logs of proxies",
          [](auto& s) -> auto& { return s.bridge.query_credentials; }),
      Fixed("websocket-auth-required", "WEBSOCKET_AUTH_REQUIRED", "true", kBridgeScope,
            "whether clients must authenticate: true, and no other"),
      Flag(
          "websocket-compression", "WEBSOCKET_COMPRESSION_ENABLED", kBridgeScope,
          "whether messages of WebSocket clients that offer permessage-deflate may be compressed",
          [](auto& s) -> auto& { return s.bridge.compression; }),
      Count(
          "compression-min-bytes", "WATTMINT_COMPRESSION_MIN_BYTES", 0, 1'000'000, kBridgeScope,
          "events that are smaller are not compressed",
          [](auto& s) -> auto& { return s.bridge.compressed_bytes_min; }),
  };
}

}  // namespace

const std::vector<Setting>& SettingTable() {
  static const std::vector<Setting> table = [] {
    std::vector<Setting> all;
    for (auto part : {Places(), Connections(), Credentials(), Readings(), Mints(), LedgerKeys(),
                      Access(), Bridge()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

const std::vector<WithheldVariable>& WithheldVariables() {
  static const std::vector<WithheldVariable> table = {
      {"WEBSOCKET_EVENT_BUFFER_SIZE", "a slow client is fed from the log, not from a buffer"},
  };
  return table;
}

}  // namespace wattmint::cli
