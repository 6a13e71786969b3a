// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/store/ledger_book.h"
#include "storage/connection.h"

#include <absl/status/statusor.h>

#include <memory>

namespace wattmint::storage {

// ledger.db, the file of the embedded ledger.
//
// One connection serves everybody in turn, since appending is rare and reading is short. After an
// error it is closed, and the next call opens it again, so that what the file holds is known.
// Threads: any.
class SqliteLedgerBook final : public store::LedgerBook {
 public:
  // Creates the file, or brings it up to date. Errors: those of Migrate().
  static absl::StatusOr<std::unique_ptr<SqliteLedgerBook>> Open(const ConnectionOptions& options);
  // Only to look: Append() fails, and nothing is changed, also beside a core that runs on the file.
  // Errors: those of CheckNewest(); kDataLoss for a file without its identity.
  static absl::StatusOr<std::unique_ptr<SqliteLedgerBook>> OpenToRead(
      const ConnectionOptions& options);

  std::string ledger_id() const override { return ledger_id_; }
  absl::StatusOr<store::LedgerHead> GetHead() override;
  absl::StatusOr<std::optional<store::LedgerEntry>> Find(std::string_view idempotency_key) override;
  absl::Status Append(std::span<const store::LedgerEntry> entries) override;
  absl::StatusOr<std::vector<store::LedgerEntry>> Read(std::int64_t from,
                                                       std::size_t count_max) override;
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) override;
  absl::StatusOr<domain::TokenAmount> SumBalances() override;

 private:
  SqliteLedgerBook(ConnectionOptions options, Access access)
      : options_(std::move(options)), access_(access) {}

  // Runs `work(connection)` under the mutex.
  template <typename Work>
  auto Do(std::string_view doing, Work work);
  absl::Status Prepare() WATTMINT_REQUIRES(mutex_);

  const ConnectionOptions options_;
  const Access access_;
  std::string ledger_id_;
  base::Mutex mutex_;  // guards the connection
  std::unique_ptr<Connection> connection_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::storage
