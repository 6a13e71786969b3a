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
  bool query_credentials = false;   // ?token= and ?api_key= put secrets into logs
  int frames_per_minute = 60;       // source: S1
};

// What JSON Web Tokens are checked against. No keys: none is accepted.
struct JwtSettings {
  std::string keys_file;    // a JWK set
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
  std::string metrics_address;   // empty: none
  std::string core_address;      // empty: what the data directory names, else grpc_address
  std::string grpc_certificate;  // PEM; empty: no TLS
  std::string grpc_key;          // PEM
  std::string core_ca;           // PEM; empty: no TLS
  std::string token;
  std::string token_file;
  std::string api_key;
  std::string api_key_file;
  std::string log_level = "info";
  std::chrono::seconds heartbeat{15};  // source: protos/README.md
  domain::ReadingLimits readings;
  domain::MintLimits mints;
  LedgerKeySettings ledger_key;
  domain::Duration reconcile_interval = std::chrono::hours(1);  // chosen: seconds of work a day
  domain::Duration event_age_max{};                             // 0: events are kept for ever
  int event_log_mib_max = 0;                                    // 0: without bound
  JwtSettings jwt;
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
  // Names a secret; text that is no name may be the secret itself, so errors don't repeat it.
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
