// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/storage_fixture.h"
#include "tests/support/status_matchers.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

// Readers on several threads beside the writer.
namespace wattmint::storage {
namespace {

using domain::MintState;
using test::IsOk;

constexpr std::int64_t kTransactions = 150;
constexpr std::int64_t kReadingsEach = 5;

class ConcurrencyTest : public StorageTest {
 protected:
  ConcurrencyTest() { options_.readers = 2; }

  void StoreAndCommit(const domain::Meter& meter, std::int64_t number) {
    Write([&](auto& transaction) {
      for (std::int64_t i = 0; i < kReadingsEach; ++i) {
        const std::int64_t minute = 15 * (number * kReadingsEach + i);
        Value(transaction.InsertReading(meter, Interval("m", minute, 15), MintState::kPending,
                                        AtMinute(minute + 15)));
        Value(transaction.AppendEvent("event"));
      }
    });
  }
  // Reads the log to its end as it grows, and asks for sums in between: whole transactions only.
  // `reopens` tells whether kUnavailable is an answer.
  void Follow(bool reopens) {
    std::int64_t next = 1;
    while (next <= kTransactions * kReadingsEach) {
      const auto events = log().Read(next, 7, 1'000'000);
      const auto sums = queries().SumTasks();
      const auto bounds = log().GetBounds();
      if (reopens && (!events.ok() || !sums.ok() || !bounds.ok())) continue;
      ASSERT_THAT(events, IsOk());
      for (const store::StoredEvent& event : *events) ASSERT_EQ(event.sequence, next++);
      ASSERT_THAT(sums, IsOk());
      ASSERT_EQ(sums->open % kReadingsEach, 0);
      ASSERT_THAT(bounds, IsOk());
      ASSERT_EQ(bounds->last % kReadingsEach, 0);
      ASSERT_GE(bounds->last, next - 1);
    }
  }
  void WriteBeside(int followers, bool reopens) {
    const domain::Meter meter = Register("m", "ada");
    std::vector<std::thread> threads;
    for (int i = 0; i < followers; ++i) {
      threads.emplace_back([&] { Follow(reopens); });
    }
    for (std::int64_t i = 0; i < kTransactions; ++i) {
      StoreAndCommit(meter, i);
      if (reopens && i % 10 == 0) Value(journal().Reopen());
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(ConcurrencyTest, ReadersSeeWholeTransactionsInOrder) { WriteBeside(4, false); }

// Task n + 1 is signed in the transaction that confirms task n.
TEST_F(ConcurrencyTest, AnOverviewOfTasksIsOfOneMoment) {
  const domain::Meter meter = Register("m", "ada");
  for (std::int64_t i = 0; i <= kTransactions; ++i) StoreAndCommit(meter, i);
  Move(1, MintState::kPending, MintState::kSigned);
  std::thread reader([&] {
    for (std::int64_t confirmed = 0; confirmed < kTransactions;) {
      const store::TaskOverview overview = Value(queries().GetTaskOverview());
      confirmed = overview.sums.confirmed;
      ASSERT_EQ(overview.in_work.size(), 1u);
      ASSERT_EQ(overview.in_work.front().task_id, confirmed + 1);
    }
  });
  for (std::int64_t i = 1; i <= kTransactions; ++i) {
    Write([&](auto& transaction) {
      domain::MintTask done = Value(transaction.FindTask(i)).value();
      done.state = MintState::kConfirmed;
      Value(transaction.UpdateTask(done, MintState::kSigned));
      domain::MintTask next = Value(transaction.FindTask(i + 1)).value();
      next.state = MintState::kSigned;
      Value(transaction.UpdateTask(next, MintState::kPending));
    });
  }
  reader.join();
}

TEST_F(ConcurrencyTest, ReadersGoOnAfterTheDatabaseIsReopened) { WriteBeside(3, true); }

}  // namespace
}  // namespace wattmint::storage
