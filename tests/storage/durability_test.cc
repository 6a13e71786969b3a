// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.h"
#include "core/base/status_macros.h"
#include "tests/storage/durability_world.h"
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include <charconv>
#include <string_view>

// What is left of both databases when the power goes, the program dies and the disk fails: many
// random worlds, each told by its seed alone. By hand, for other worlds or more of them:
//   storage_durability_test --seed=1 --cuts=1000000
// A failure prints its seed; --seed=THAT --cuts=1 lives the same world again.
namespace wattmint::storage {
namespace {

using Plant = DurabilityWorld::Plant;

std::uint64_t first_seed = 1;
std::int64_t cuts_wanted = 500;  // chosen: some seconds; by hand many more

struct Trial {
  DurabilityWorld::Counts counts;
  std::uint64_t worlds = 0;
  std::uint64_t failed_seed = 0;
  absl::Status status;  // of the first world that failed
};

// Worlds from `first_seed` on, until one fails or the power was cut often enough.
Trial Try(Plant plant, std::int64_t cuts) {
  Trial trial;
  while (trial.counts.power_cuts < cuts && trial.status.ok()) {
    trial.failed_seed = first_seed + trial.worlds++;
    DurabilityWorld world(trial.failed_seed, plant);
    trial.status = world.Run();
    trial.counts += world.counts();
  }
  return trial;
}

TEST(DurabilityTest, NothingAcknowledgedIsLostAndNothingIsHalf) {
  const Trial trial = Try(Plant::kNone, cuts_wanted);
  const DurabilityWorld::Counts& counts = trial.counts;
  fmt::print(
      "{} worlds from seed {}: {} power cuts ({} while opening), {} deaths, {} clean ends, {} "
      "commits, {} failed, {} found and {} gone of those not acknowledged, {} times opened again "
      "beside a reader, {} disk errors\n",
      trial.worlds, first_seed, counts.power_cuts, counts.power_cuts_while_opening, counts.deaths,
      counts.clean_ends, counts.commits, counts.failed_commits, counts.found, counts.gone,
      counts.reopened_beside_reader, counts.disk_errors);
  ASSERT_TRUE(trial.status.ok()) << "seed " << trial.failed_seed << ": " << trial.status;
  if (cuts_wanted < 500) return;
  EXPECT_GT(counts.power_cuts_while_opening, 0);
  EXPECT_GT(counts.deaths, 0);
  EXPECT_GT(counts.clean_ends, 0);
  EXPECT_GT(counts.found, 0);
  EXPECT_GT(counts.gone, 0);
  EXPECT_GT(counts.reopened_beside_reader, 0);
  EXPECT_GT(counts.disk_errors, 0);
}

TEST(DurabilityTest, SameSeedLivesTheSameWorld) {
  const auto live = [](std::uint64_t seed) {
    DurabilityWorld world(seed, Plant::kNone);
    EXPECT_TRUE(world.Run().ok());
    return world.trace();
  };
  EXPECT_EQ(live(first_seed), live(first_seed));
  EXPECT_NE(live(first_seed), live(first_seed + 1));
}

// A program dies during a commit, at each of its writes and syncs; the next one sees the commit or
// not, and the power goes. What was seen must still be there, although the first never synced it.
TEST(DurabilityTest, WhatADeadProgramLeftIsDurableOnceItIsSeen) {
  int seen = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::SimDisk disk(seed);
    const test::SimVfs vfs("dead", disk);
    Database::Options options;
    options.connection.path = "wattmint.db";
    options.connection.vfs = vfs.name();
    auto database = Value(Database::Open(options));
    const auto append = [&] {
      const auto transaction = Value(database->journal().Begin());
      Value(transaction->AppendEvent(std::string(5'000, 'e')));
      return transaction->Commit();
    };
    Value(append());
    for (std::int64_t change = 1;; ++change) {
      disk.CutAfter(change);
      const absl::Status status = append();
      if (!disk.IsOff()) break;
      database.reset();
      disk.Restart();
      database = Value(Database::Open(options));
      const std::int64_t last = Value(database->event_log().GetBounds()).last;
      if (!status.ok() && last > 1) ++seen;
      disk.Cut();
      database.reset();
      disk.PowerUp();
      database = Value(Database::Open(options));
      ASSERT_EQ(Value(database->event_log().GetBounds()).last, last)
          << "seed " << seed << ", change " << change;
    }
  }
  EXPECT_GT(seen, 10);
}

// The first page of a new file was lost to a sync that failed and a cut, and its journal with it.
TEST(DurabilityTest, AFileThatNeverBeganIsNotShutForEver) {
  DurabilityWorld world(8'703'133, Plant::kNone);
  EXPECT_THAT(world.Run(), test::IsOk());
}

class BlankFileTest : public testing::Test {
 protected:
  BlankFileTest() {
    options_.connection.path = "wattmint.db";
    options_.connection.vfs = vfs_.name();
  }
  void Overwrite(std::int64_t offset, const std::string& bytes) {
    const test::SimDisk::FilePtr file = disk_.Open("wattmint.db", true);
    disk_.Write(*file, offset, bytes);
    disk_.Close(file);
  }
  absl::StatusOr<std::int64_t> CountEvents() {
    WATTMINT_ASSIGN_OR_RETURN(const auto database, Database::Open(options_));
    WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, database->event_log().GetBounds());
    return bounds.last;
  }

  test::SimDisk disk_{1};
  const test::SimVfs vfs_{"blank", disk_};
  Database::Options options_;
};

TEST_F(BlankFileTest, BeginsAnew) {
  for (const std::size_t size : {1u, 512u, 3'584u, 4'096u}) {
    disk_.Remove("wattmint.db");
    Overwrite(0, std::string(size, '\0'));
    EXPECT_THAT(CountEvents(), test::IsOkAndHolds(0)) << size;
  }
}

TEST_F(BlankFileTest, IsNoneWithAByteInIt) {
  Overwrite(0, std::string(4'096, '\0'));
  Overwrite(4'000, "x");
  EXPECT_THAT(CountEvents(), test::StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(disk_.SizeOf("wattmint.db"), 4'096);
}

TEST_F(BlankFileTest, IsNoneBesideALog) {
  auto database = Value(Database::Open(options_));
  const auto transaction = Value(database->journal().Begin());
  Value(transaction->AppendEvent("event"));
  Value(transaction->Commit());
  disk_.Cut();
  database.reset();
  disk_.Restart();
  ASSERT_EQ(disk_.SizeOf("wattmint.db"), 4'096);  // all but its first page is in the log
  Overwrite(0, std::string(4'096, '\0'));
  EXPECT_THAT(CountEvents(), test::IsOkAndHolds(1));
}

// What becomes of a program whose sync failed.
enum class AfterFailedSync { kDies, kReopens, kReopensWhileSomebodyReads };

// A sync fails, and what it covered is on the disk in part, though all of it is seen.
class FailedSyncTest : public testing::TestWithParam<std::pair<const char*, AfterFailedSync>> {
 protected:
  static constexpr std::uint64_t kSeeds = 3;

  // Three events are certain, and a fourth is not, with which a switch is set.
  void Begin(std::uint64_t seed) {
    disk_.emplace(seed);
    vfs_.emplace("failed_sync", *disk_);
    options_.connection.path = "wattmint.db";
    options_.connection.vfs = vfs_->name();
    Value(Open());
    for (int i = 0; i < 2; ++i) Value(Append(""));
    database_.reset();  // folds the log
    Value(Open());
    Value(Append(""));
    disk_->faults().sync_errors_ppm = 1'000'000;
    EXPECT_FALSE(Append("on").ok());
    disk_->faults() = {};
    if (GetParam().second == AfterFailedSync::kDies) {
      disk_->Cut();
      database_.reset();
      disk_->Restart();
    } else if (GetParam().second == AfterFailedSync::kReopensWhileSomebodyReads) {
      reader_ = Value(BeginReading(options_.connection));
    }
  }
  absl::Status Open() {
    if (database_ != nullptr) return database_->journal().Reopen();
    auto opened = Database::Open(options_);
    if (opened.ok()) database_ = *std::move(opened);
    return opened.status();
  }
  void LosePower() {
    disk_->Cut();
    database_.reset();
    reader_.reset();
    disk_->PowerUp();
    Value(Open());
  }
  void End() {
    database_.reset();
    vfs_.reset();
    disk_.reset();
  }
  absl::Status Append(const std::string& switch_value) {
    const auto transaction = Value(database_->journal().Begin());
    if (!switch_value.empty()) Value(transaction->SetSwitch(kSwitch, switch_value));
    Value(transaction->AppendEvent(std::string(5'000, 'e')));
    return transaction->Commit();
  }
  // The number of events, each of which can be read, and none without what came with it.
  std::int64_t Count() {
    const std::int64_t last = Value(database_->event_log().GetBounds()).last;
    EXPECT_EQ(Value(database_->event_log().Read(1, 10, 1 << 20)).size(), last);
    EXPECT_EQ(Value(database_->queries().GetSwitch(kSwitch)).value_or(""), last > 3 ? "on" : "");
    return last;
  }

  std::optional<test::SimDisk> disk_;
  std::optional<test::SimVfs> vfs_;
  Database::Options options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> reader_;  // another program's
};

// The power goes at each change of opening again.
TEST_P(FailedSyncTest, NothingIsLostOrHalfWhereverThePowerGoes) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    bool cut = true;
    for (std::int64_t change = 1; cut; ++change) {
      Begin(seed);
      disk_->CutAfter(change);
      Open().IgnoreError();
      cut = disk_->IsOff();
      LosePower();
      ASSERT_THAT(Count(), testing::AnyOf(3, 4)) << "seed " << seed << ", change " << change;
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", change " << change;
      End();
    }
  }
}

// Further syncs fail while opening again, and the power goes when that is given up.
TEST_P(FailedSyncTest, NothingIsLostOrHalfWhenOpeningFailsToo) {
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= 20 * kSeeds; ++seed) {
    Begin(seed);
    disk_->faults().sync_errors_ppm = 500'000;
    failures += Open().ok() ? 0 : 1;
    database_.reset();
    disk_->faults() = {};
    LosePower();
    ASSERT_THAT(Count(), testing::AnyOf(3, 4)) << "seed " << seed;
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    End();
  }
  EXPECT_GT(failures, 10);
}

// The program has opened again and looked; the power goes at each change of its end and of the next
// one's beginning.
TEST_P(FailedSyncTest, WhatWasSeenAfterItStaysSo) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    bool cut = true;
    for (std::int64_t change = 1; cut; ++change) {
      Begin(seed);
      Value(Open());
      const std::int64_t seen = Count();
      disk_->CutAfter(change);
      database_.reset();
      Open().IgnoreError();
      cut = disk_->IsOff();
      LosePower();
      ASSERT_EQ(Count(), seen) << "seed " << seed << ", change " << change;
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", change " << change;
      End();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, FailedSyncTest,
                         testing::Values(std::pair("Dies", AfterFailedSync::kDies),
                                         std::pair("Reopens", AfterFailedSync::kReopens),
                                         std::pair("ReopensWhileSomebodyReads",
                                                   AfterFailedSync::kReopensWhileSomebodyReads)),
                         [](const auto& instance) { return std::string(instance.param.first); });

// Each of these must be found, or the tests above prove nothing.
class PlantTest : public testing::TestWithParam<std::pair<const char*, Plant>> {};

TEST_P(PlantTest, IsFound) {
  const Trial trial = Try(GetParam().second, 1'000);
  EXPECT_FALSE(trial.status.ok()) << "not in " << trial.worlds << " worlds";
  fmt::print("after {} power cuts: {}\n", trial.counts.power_cuts, trial.status.ToString());
}

INSTANTIATE_TEST_SUITE_P(Plants, PlantTest,
                         testing::Values(std::pair("NoSync", Plant::kNoSync),
                                         std::pair("NoLogSync", Plant::kNoLogSync),
                                         std::pair("NoFileSync", Plant::kNoFileSync),
                                         std::pair("NoDirectorySync", Plant::kNoDirectorySync),
                                         std::pair("AcknowledgesEarly", Plant::kAcknowledgesEarly),
                                         std::pair("CommitsHalf", Plant::kCommitsHalf)),
                         [](const auto& instance) { return std::string(instance.param.first); });

template <typename Number>
bool TakeFlag(std::string_view argument, std::string_view name, Number& out) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const char* const end = argument.data() + argument.size();
  const auto parsed = std::from_chars(argument.data(), end, out);
  WATTMINT_ASSERT(parsed.ec == std::errc() && parsed.ptr == end, "{} wants a number", name);
  return true;
}

}  // namespace
}  // namespace wattmint::storage

int main(int argc, char** argv) {
  using namespace wattmint::storage;
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (TakeFlag(argv[i], "--seed=", first_seed) || TakeFlag(argv[i], "--cuts=", cuts_wanted)) {
      continue;
    }
    fmt::print(stderr, "{}: neither --seed=N nor --cuts=N\n", argv[i]);
    return 2;
  }
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);  // a sixth of the time
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  spdlog::set_level(spdlog::level::off);  // each of thousands of faults would be logged
  return RUN_ALL_TESTS();
}
