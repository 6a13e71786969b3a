// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/sqlite_ledger_book.h"
#include "tests/storage/durability_model.h"
#include "tests/support/sim_vfs.h"

#include <memory>
#include <optional>

namespace wattmint::storage {

// A connection of another program, which reads and does not end.
absl::StatusOr<std::unique_ptr<Connection>> BeginReading(const ConnectionOptions& options);

// A machine whose disk holds wattmint.db and ledger.db, written at random by the production
// classes, while its power goes and its disk fails. Whenever the files were opened again they must
// hold every change that was acknowledged, and the one that was not, whole or not at all. What was
// found once counts as acknowledged from then on, since somebody may have been told.
//
// Threads: one. One world at a time. The same seed and plant give the same run.
class DurabilityWorld {
 public:
  // A fault of ours that must be found.
  enum class Plant {
    kNone,
    kNoSync,      // every sync of the disk lies
    kNoLogSync,   // as with synchronous = NORMAL
    kNoFileSync,  // of the databases themselves
    kNoDirectorySync,
    kAcknowledgesEarly,  // before Commit()
    kCommitsHalf,        // one change in two transactions
  };
  // How often what happened, so that a test can say that it was tried.
  struct Counts {
    std::int64_t power_cuts = 0;
    std::int64_t power_cuts_while_opening = 0;
    std::int64_t deaths = 0;  // of the program alone
    std::int64_t clean_ends = 0;
    std::int64_t commits = 0;
    std::int64_t failed_commits = 0;
    std::int64_t found = 0;  // not acknowledged, but whole
    std::int64_t gone = 0;   // not acknowledged, and nothing of it there
    std::int64_t reopened_beside_reader = 0;
    std::int64_t disk_errors = 0;
    Counts& operator+=(const Counts& other);
  };

  DurabilityWorld(std::uint64_t seed, Plant plant);

  // Lives through kRounds ends of the program. kDataLoss: something is missing, half or too much;
  // any other error: the files cannot be opened or read although the disk is well.
  absl::Status Run();
  const Counts& counts() const { return counts_; }
  std::uint64_t trace() const { return disk_.trace(); }  // test::SimDisk::trace()

  static constexpr int kRounds = 16;

 private:
  // State of one file: what is certain, and what may have happened on top of it.
  template <typename Expected>
  struct Knowledge {
    Expected certain;
    std::optional<Expected> possible;
  };

  std::int64_t Draw(std::uint64_t bound);
  bool OneIn(std::uint64_t bound) { return Draw(bound) == 0; }
  std::string DrawBytes();
  void DrawFaults(Plant plant);
  test::SimDisk::Faults Calm() const;  // a disk that is well, but for what was planted

  absl::Status Live();
  // Some other program reads for the rest of the round.
  absl::Status LetSomebodyRead();
  absl::Status Work();
  absl::Status Change();
  absl::Status ChangeOnce(store::Transaction& transaction, ExpectedDatabase& next);
  absl::Status InsertReading(store::Transaction& transaction, ExpectedDatabase& next);
  absl::Status UpdateTask(store::Transaction& transaction, ExpectedDatabase& next);
  absl::Status InsertMeter(store::Transaction& transaction, ExpectedDatabase& next);
  absl::Status UpdateMeter(store::Transaction& transaction, ExpectedDatabase& next);
  absl::Status Append();
  // After an error that was not the end: opens again and looks. Ends the program if that is no
  // good.
  absl::Status Mend();

  // Ends the program in some way and begins it again.
  absl::Status EndAndBegin();
  void Close();
  absl::Status Open();
  // Opens, whatever it takes; the power may go meanwhile, again and again.
  absl::Status OpenAtLast();
  absl::Status Check();
  absl::Status Look();
  absl::Status CheckIntegrity();

  test::SeededRandom random_;
  const Plant plant_;
  test::SimDisk disk_;
  test::SimVfs vfs_;
  test::SimDisk::Faults faults_;
  bool fills_up_ = false;
  Database::Options options_;
  ConnectionOptions book_options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<SqliteLedgerBook> book_;
  std::vector<std::unique_ptr<Connection>> others_;
  Knowledge<ExpectedDatabase> wattmint_;
  Knowledge<ExpectedBook> ledger_;
  Counts counts_;
};

}  // namespace wattmint::storage
