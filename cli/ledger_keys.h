// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/data_directory.h"
#include "cli/settings.h"
#include "core/ledger/key_signer.h"
#include "core/ledger/signer.h"
#include "core/store/ledger_book.h"

#include <absl/status/statusor.h>

#include <memory>

// Where the ledger's key comes from: a file, a variable of the environment that a setting names, or
// another process that keeps it. No error and no log repeats a key.
namespace wattmint::cli {

enum class MissingKey {
  kMake,    // in the default file
  kRefuse,  // an error
};

// The key of the named variable or file, or of ledger.key. The variable is wiped from the
// environment of this process. Errors: kInvalidArgument if more than one is named, or what is there
// is no key; kNotFound; those of base/secret_file.h.
absl::StatusOr<std::unique_ptr<ledger::KeySigner>> OpenKey(const LedgerKeySettings& settings,
                                                           const DataDirectory& data,
                                                           MissingKey missing);

// Who signs for `book`: OpenKey(), or the process that the settings name. Notes its key in
// ledger.pub at the first start, and takes no other from then on. A process that is away is waited
// for later, if its key is known already. Errors: also kFailedPrecondition for another key, and
// kUnavailable for a process that is away.
absl::StatusOr<std::unique_ptr<ledger::Signer>> OpenSigner(const LedgerKeySettings& settings,
                                                           const DataDirectory& data,
                                                           store::LedgerBook& book);

}  // namespace wattmint::cli
