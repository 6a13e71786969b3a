// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/limits.h"

#include <absl/status/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::cli {

// What the bridge may be told.
struct BridgeSettings {
  int connections_max = 10'000;     // source: S0
  int connections_per_ip_max = 20;  // chosen: a household behind one address
  std::string allowed_origins;      // separated by commas; empty: any
  std::string trusted_proxies;      // addresses, separated by commas
  bool query_credentials = false;   // ?token= and ?api_key= put secrets into logs
  int frames_per_minute = 60;       // source: S1
  int shards = 0;                   // 0: by the number of cores
  std::string certificate;          // PEM; empty: no TLS
  std::string key;                  // PEM
  bool compression = true;          // source: S0
  int deliveries_per_minute = 0;    // of events to one client; 0: at once
  int compressed_bytes_min = 128;   // chosen: below, the frame's header is what is left
};

// What JSON Web Tokens are checked against. No keys: none is accepted.
struct JwtSettings {
  std::string keys;     // a JWK set: its file, or its address on the web
  std::string keys_ca;  // PEM; empty: the system's certificates
  std::chrono::seconds keys_refresh = std::chrono::minutes(5);
  std::string secret_file;  // or one HS256 secret
  std::string issuer;       // empty: not checked
  std::string audience;     // empty: not checked
};

// Where the ledger's key is: one of the first three, or none for ledger.key of the data directory.
struct LedgerKeySettings {
  std::string file;
  std::string variable;       // its name in the environment
  std::string signer_socket;  // of a process that signs
  std::chrono::seconds signer_timeout{5};
};

// Everything that can be set, typed and with its default. A value.
struct Settings {
  std::string data_directory = "wattmint-data";
  std::string grpc_address = "127.0.0.1:50051";
  std::string http_address = "127.0.0.1:8080";
  std::string metrics_address;         // empty: none
  std::string bridge_metrics_address;  // empty: none
  std::string core_address;            // empty: what the data directory names, else grpc_address
  std::string grpc_certificate;        // PEM; empty: no TLS
  std::string grpc_key;                // PEM
  std::string grpc_client_ca;          // PEM; empty: clients need no certificate
  int grpc_connections_max = 5'000;
  int grpc_connections_per_ip_max = 500;
  std::string core_ca;           // PEM; empty: no TLS
  std::string core_certificate;  // PEM; empty: none is shown
  std::string core_key;          // PEM
  std::string bridge_ca;         // PEM; empty: no TLS
  std::string token;
  std::string token_file;
  std::string api_key;
  std::string api_key_file;
  std::string log_level = "info";
  std::chrono::seconds heartbeat{15};  // source: protos/README.md
  std::string log_format = "text";
  std::string audit_log;  // empty: into the log
  domain::ReadingLimits readings;
  domain::MintLimits mints;
  LedgerKeySettings ledger_key;
  domain::Duration reconcile_interval = std::chrono::hours(1);  // chosen: seconds of work a day
  domain::Duration event_age_max{};                             // 0: events are kept for ever
  int event_log_mib_max = 0;                                    // 0: without bound
  JwtSettings jwt;
  int user_calls_per_second = 100;  // chosen: no person and no gateway of one home needs more
  int streams_per_user_max = 100;   // chosen: some for each device
  BridgeSettings bridge;
};

// Which programs take a setting, as bits.
enum SettingScope : std::uint8_t {
  kCoreScope = 1,
  kBridgeScope = 2,
  kClientScope = 4,  // the commands that call a core
  kSignerScope = 8,
  kServerScope = kCoreScope | kBridgeScope,
  kEveryScope = kServerScope | kClientScope | kSignerScope,
};

// One setting: its names in the layers, and how text becomes its value and back.
struct Setting {
  std::string_view name;      // the flag without its dashes; the key in the file
  std::string_view variable;  // in the environment
  std::string_view type;      // what help shows: a unit, or which values there are
  std::string_view help;
  std::uint8_t scopes = 0;
  bool is_secret = false;  // environment only, never shown
  // Errors: kInvalidArgument with a sentence that says what is expected.
  std::function<absl::Status(Settings&, std::string_view)> set;
  std::function<std::string(const Settings&)> get;
  // Names a secret; text that does not may be or hold the secret itself: errors don't repeat it.
  bool is_reference = false;
};

// The one list of all settings, in the order of the help.
const std::vector<Setting>& SettingTable();

// A name of the specifications that this program does not act on; setting it stops the start.
struct WithheldVariable {
  std::string_view variable;
  std::string_view reason;
};
const std::vector<WithheldVariable>& WithheldVariables();

}  // namespace wattmint::cli
