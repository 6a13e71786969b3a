// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/bridge_app.h"
#include "cli/audit_file.h"
#include "cli/data_directory.h"
#include "cli/setting_layers.h"
#include "core/base/clock.h"
#include "core/base/random.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace wattmint::cli {

// A bridge beside a core's data directory, or a copy of its cursor.key and relay.key.
// Threads: one.
class BridgeProcess {
 public:
  // Serves when it returns; the core need not be there yet.
  // Errors: kNotFound without the keys; kInvalidArgument for certificate files that do not fit;
  // kUnavailable if the address is taken.
  static absl::StatusOr<std::unique_ptr<BridgeProcess>> Start(const ResolvedSettings& settings,
                                                              const DataDirectory& data);
  // Stops.
  ~BridgeProcess();
  BridgeProcess(const BridgeProcess&) = delete;
  BridgeProcess& operator=(const BridgeProcess&) = delete;

  // Where it listens, with the real port.
  const std::string& address() const { return address_; }
  // "http" or "https".
  const std::string& scheme() const { return scheme_; }
  // Where its metrics are; empty for nowhere.
  const std::string& metrics_address() const { return metrics_address_; }
  // Takes up what others have changed: certificate files, and an audit log that was moved away.
  void Reload();
  // Tells clients to come back later, and ends. Blocks.
  void Stop();

 private:
  explicit BridgeProcess(const DataDirectory& data) : data_(data) {}

  const DataDirectory data_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<AuditFile> audit_;  // nullptr: into the log
  std::unique_ptr<bridge::BridgeApp> app_;
  std::string scheme_;
  std::string address_;
  std::string metrics_address_;
};

}  // namespace wattmint::cli
