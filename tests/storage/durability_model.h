// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/ledger_book.h"
#include "storage/database.h"

#include <absl/status/status.h>

#include <optional>
#include <string>
#include <vector>

namespace wattmint::storage {

// What wattmint.db should hold.
struct ExpectedDatabase {
  struct Reading {
    domain::Meter meter;  // at the time of acceptance
    domain::Reading reading;
    std::optional<domain::MintTask> task;  // nothing: NOT_APPLICABLE
  };
  std::string epoch;                          // empty: not known yet
  std::vector<domain::Meter> meters;          // by meter_ref
  std::vector<domain::Remainder> remainders;  // beside them
  std::vector<Reading> readings;              // by row
  std::vector<std::string> events;            // by sequence
  std::string switch_value;                   // of kSwitch
};
inline constexpr char kSwitch[] = "minting_paused";

// What ledger.db should hold.
struct ExpectedBook {
  std::string ledger_id;  // empty: not known yet
  std::vector<store::LedgerEntry> entries;
};

// OK if the file holds just that: rows, sequences without a gap, and sums that agree with both.
// Else kDataLoss says what differs first; other errors are the environment's.
absl::Status CheckDatabase(Database& database, const ExpectedDatabase& expected);
absl::Status CheckBook(store::LedgerBook& book, const ExpectedBook& expected);

}  // namespace wattmint::storage
