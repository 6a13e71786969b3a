// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/status.h>

#include <filesystem>

namespace wattmint::storage {

// The two files of one installation.
struct DatabaseFiles {
  std::filesystem::path log;     // wattmint.db
  std::filesystem::path ledger;  // ledger.db
};

// Copies both as they are at one moment, so that the ledger has just the mints that the log knows
// of; also while a core runs on them, which neither waits nor is waited for. The copy of the log
// gets an identity of its own: no cursor of the one is good for the other. Durable at return,
// except for the names in their folders.
//
// Errors: kAlreadyExists if a copy would replace a file; kUnavailable when mints go on too quickly
// for a moment to be found; those of CheckNewest() and ToStatus(). Then neither copy is there.
absl::Status BackUp(const DatabaseFiles& from, const DatabaseFiles& to);

}  // namespace wattmint::storage
