// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_verification.h"

#include "cli/data_directory.h"
#include "cli/progress.h"
#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/ledger/book_reader.h"
#include "core/ledger/book_verification.h"
#include "core/mint/verification.h"
#include "storage/database.h"
#include "storage/sqlite_ledger_book.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace wattmint::cli {
namespace {

// The key that was asked for, else the one that the ledger of the data directory began with.
absl::StatusOr<std::string> PublicKey(const VerificationOrder& order, const DataDirectory& data) {
  if (!order.public_key.empty()) return order.public_key;
  WATTMINT_ASSIGN_OR_RETURN(const auto known, data.FindLedgerPublicKey());
  if (known) return base::EncodeBase58(*known);
  return base::InvalidArgument(
      "there is no ledger.pub beside the ledger; say whose signatures to check: --public-key");
}

absl::Status CheckThere(const std::string& path) {
  if (std::filesystem::exists(path)) return absl::OkStatus();
  return base::NotFound("{} is not there; name the core's --data, or a --file", path);
}

absl::StatusOr<std::unique_ptr<storage::SqliteLedgerBook>> OpenBook(const std::string& path) {
  WATTMINT_RETURN_IF_ERROR(CheckThere(path));
  storage::ConnectionOptions options;
  options.path = path;
  return storage::SqliteLedgerBook::OpenToRead(options);
}

absl::StatusOr<ledger::Supply> CheckBook(store::LedgerBook& book, const std::string& key,
                                         std::FILE* progress_to) {
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book.GetHead());
  base::SystemClock clock;
  Progress progress(progress_to, clock);
  return ledger::VerifyBook(book, key, [&](std::int64_t height) {
    progress.Update(height, static_cast<double>(height) / static_cast<double>(head.height));
  });
}

absl::StatusOr<mint::Reconciliation> CheckLog(const std::string& path, store::LedgerBook& book,
                                              mint::Beside beside) {
  WATTMINT_RETURN_IF_ERROR(CheckThere(path));
  storage::Database::Options options;
  options.connection.path = path;
  options.readers = 1;
  WATTMINT_ASSIGN_OR_RETURN(const auto database, storage::Database::OpenToRead(options));
  ledger::BookReader ledger(book);
  return mint::VerifyLog(database->queries(), ledger, beside);
}

void Report(const std::string& book_path, const std::string& key, const ledger::Supply& supply,
            Output& output) {
  output.Line(fmt::format(
      "{}: {} mints, {} GRX; the chain, every signature of {} and the balances are right",
      book_path, CountText(supply.mints), supply.tokens.ToString(), key));
}

void Report(const std::string& log_path, const mint::Reconciliation& found, mint::Beside beside,
            Output& output) {
  output.Line(fmt::format(
      "{}: agrees with the ledger both ways; {} GRX = {} of {} confirmed tasks with {} kWh + {} in "
      "work{}",
      log_path, found.on_ledger.ToString(), found.confirmed.ToString(),
      CountText(found.tasks_checked), found.confirmed_energy.ToString(), found.in_work.ToString(),
      beside == mint::Beside::kRunningCore ? "; sums, which a running core moves, were not compared"
                                           : ", and its sums are right"));
}

nlohmann::ordered_json JsonOf(const mint::Reconciliation& found, mint::Beside beside) {
  return {{"tasks", std::to_string(found.tasks_checked)},
          {"confirmed_base_units", std::to_string(found.confirmed.base_units())},
          {"confirmed_kwh", found.confirmed_energy.ToString()},
          {"in_work_base_units", std::to_string(found.in_work.base_units())},
          {"sums_compared", beside == mint::Beside::kNobody}};
}

}  // namespace

absl::StatusOr<ExitCode> VerifyLedger(const VerificationOrder& order, CommandContext& context) {
  const DataDirectory data(context.settings.values.data_directory);
  const std::string book_path = order.file.empty() ? data.ledger().string() : order.file;
  WATTMINT_ASSIGN_OR_RETURN(const auto book, OpenBook(book_path));
  WATTMINT_ASSIGN_OR_RETURN(const std::string key, PublicKey(order, data));
  // Held to the end, so that no core starts meanwhile.
  const absl::StatusOr<base::FileLock> lock =
      order.file.empty() ? data.Lock() : base::NotFound("a single file has no lock");
  const mint::Beside beside = lock.ok() ? mint::Beside::kNobody : mint::Beside::kRunningCore;

  WATTMINT_ASSIGN_OR_RETURN(const ledger::Supply supply, CheckBook(*book, key, context.error));
  nlohmann::ordered_json json = {{"verified", true},
                                 {"mints", std::to_string(supply.mints)},
                                 {"supply_base_units", std::to_string(supply.tokens.base_units())},
                                 {"public_key", key},
                                 {"ledger_id", book->ledger_id()}};
  Report(book_path, key, supply, context.output);
  if (order.file.empty()) {
    const std::string log_path = data.database().string();
    WATTMINT_ASSIGN_OR_RETURN(const mint::Reconciliation found, CheckLog(log_path, *book, beside));
    json["log"] = JsonOf(found, beside);
    Report(log_path, found, beside, context.output);
  }
  context.output.Json(json);
  return ExitCode::kOk;
}

}  // namespace wattmint::cli
