// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file_lock.h"
#include "core/ledger/ed25519.h"
#include "core/ledger/signing_policy.h"

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace wattmint::cli {

// The directory of one installation: databases, keys, and where its programs listen.
//
//   wattmint.db   readings, meters, tasks, events, API keys      ledger.db    the embedded ledger
//   ledger.key    seed of the ledger's Ed25519 key, hex          cursor.key   signs cursors, hex
//   ledger.pub    its public key, base58; the core takes no other
//   admin.key     API key of the local admin                     relay.key    API key of the bridge
//   core.address, bridge.address   while they run                core.lock    held by the core
//
// That of a signer (`wattmint signer`), which may be another: ledger.key, and
//   signer.day    "<date> <base units>" that it may have signed  signer.lock  held by the signer
//
// Keys have mode 0600 and are made when they are first asked for; ledger.key only by
// cli/ledger_keys. Threads: any.
class DataDirectory {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit DataDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  // Creates it, for its owner alone. Errors: the file system's.
  absl::Status Create() const;
  const std::filesystem::path& path() const { return path_; }
  // That it holds no database and no key yet. Errors: kAlreadyExists, with the first that is there.
  absl::Status CheckNew() const;
  // The keys that `from` has, durable at return. Errors: kAlreadyExists; those of
  // base/secret_file.h.
  absl::Status CopyKeys(const DataDirectory& from) const;
  // Held by the one process that writes the databases. Errors: kFailedPrecondition, with the
  // process that holds it.
  absl::StatusOr<base::FileLock> Lock() const;
  absl::StatusOr<base::FileLock> LockSigner() const;
  // The process that holds it, or held it last; nothing if none ever did.
  std::optional<pid_t> FindCoreProcess() const;

  std::filesystem::path database() const { return path_ / "wattmint.db"; }
  std::filesystem::path ledger() const { return path_ / "ledger.db"; }

  std::filesystem::path ledger_key() const { return path_ / "ledger.key"; }
  std::filesystem::path ledger_public_key() const { return path_ / "ledger.pub"; }

  // The key that the ledger began with; nothing before its first start. Errors: kInvalidArgument
  // for a damaged file.
  absl::StatusOr<std::optional<ledger::Ed25519PublicKey>> FindLedgerPublicKey() const;
  // Durable at return. Errors: kAlreadyExists; the file system's.
  absl::Status PinLedgerPublicKey(const ledger::Ed25519PublicKey& key) const;

  // What a signer kept of its day; the first of all days if nothing. Errors: as above.
  absl::StatusOr<ledger::SigningPolicy::Day> SignerDay() const;
  absl::Status KeepSignerDay(const ledger::SigningPolicy::Day& day) const;

  // Errors of all keys: those of base/secret_file.h; kInvalidArgument for a damaged one.
  absl::StatusOr<Key> CursorKey() const { return HexKey("cursor.key"); }
  absl::StatusOr<std::string> AdminKey() const { return ApiKey("admin.key"); }
  absl::StatusOr<std::string> RelayKey() const { return ApiKey("relay.key"); }
  // The same, but never made. Errors: also kNotFound.
  absl::StatusOr<Key> FindCursorKey() const;
  absl::StatusOr<std::string> FindAdminKey() const { return FindApiKey("admin.key"); }
  absl::StatusOr<std::string> FindRelayKey() const { return FindApiKey("relay.key"); }

  // Where "core" or "bridge" listens; nothing while it does not run.
  std::optional<std::string> FindAddress(std::string_view program) const;
  absl::Status WriteAddress(std::string_view program, std::string_view address) const;
  void RemoveAddress(std::string_view program) const;

 private:
  absl::StatusOr<base::FileLock> LockFor(std::string_view program) const;
  absl::StatusOr<Key> HexKey(std::string_view name) const;
  absl::StatusOr<std::string> ApiKey(std::string_view name) const;
  absl::StatusOr<std::string> FindApiKey(std::string_view name) const;

  std::filesystem::path path_;
};

}  // namespace wattmint::cli
