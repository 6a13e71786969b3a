// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/migrations.h"

namespace wattmint::storage {

// wattmint.db. README.md says what each table means.
extern const Schema kWattmintSchema;
// ledger.db, the file of the embedded ledger.
extern const Schema kLedgerSchema;

}  // namespace wattmint::storage
