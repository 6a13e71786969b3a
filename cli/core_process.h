// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/audit_file.h"
#include "cli/data_directory.h"
#include "cli/settings.h"
#include "core/access/jwt_verifier.h"
#include "core/base/clock.h"
#include "core/base/file_lock.h"
#include "core/base/random.h"
#include "core/ledger/embedded_ledger.h"
#include "core/ledger/signer.h"
#include "core/rpc/core_app.h"
#include "storage/database.h"
#include "storage/sqlite_ledger_book.h"

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace wattmint::cli {

// A core on its data directory: lock, keys, databases, ledger, and the app that they are for.
// Threads: one.
class CoreProcess {
 public:
  // Serves when it returns. Errors: kFailedPrecondition if another core runs on the directory;
  // those of files and databases; kUnavailable if the address is taken.
  static absl::StatusOr<std::unique_ptr<CoreProcess>> Start(const Settings& settings,
                                                            const DataDirectory& data);
  // Stops.
  ~CoreProcess();
  CoreProcess(const CoreProcess&) = delete;
  CoreProcess& operator=(const CoreProcess&) = delete;

  // Where it listens, with the real port.
  const std::string& address() const { return address_; }
  // Where its metrics are; empty for nowhere.
  const std::string& metrics_address() const { return metrics_address_; }
  // Takes up what others have changed: the keys for tokens, and an audit log that was moved away.
  void Reload();
  // Answers what was accepted, and ends. Blocks.
  void Stop();

 private:
  CoreProcess(const DataDirectory& data, base::FileLock lock)
      : data_(data), lock_(std::move(lock)) {}
  absl::Status OpenDatabases(const Settings& settings);
  absl::Status OpenJwt(const JwtSettings& settings);
  absl::Status Serve(const Settings& settings);

  const DataDirectory data_;
  const base::FileLock lock_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::SqliteLedgerBook> book_;
  std::unique_ptr<ledger::Signer> signer_;
  std::unique_ptr<ledger::EmbeddedLedger> ledger_;
  std::unique_ptr<access::JwtVerifier> jwt_;
  std::unique_ptr<AuditFile> audit_;  // nullptr: into the log
  std::unique_ptr<rpc::CoreApp> app_;
  std::string address_;
  std::string metrics_address_;
};

}  // namespace wattmint::cli
