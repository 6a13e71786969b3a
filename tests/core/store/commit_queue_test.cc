// SPDX-License-Identifier: Apache-2.0
#include "core/store/commit_queue.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/store/run_op.h"
#include "core/wire/event_codec.h"
#include "storage/database.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::store {
namespace {

using test::Engine;
using test::IsOk;
using test::StatusIs;
using testing::HasSubstr;

// The real journal, which may be told to fail at the commit: before it happens, or after.
class FlakyJournal final : public Journal {
 public:
  explicit FlakyJournal(Journal& real) : real_(real) {}

  absl::StatusOr<std::unique_ptr<Transaction>> Begin() override;
  absl::Status Reopen() override {
    ++reopens;
    if (reopen_failures > 0) {
      --reopen_failures;
      return base::Unavailable("the disk is away");
    }
    return real_.Reopen();
  }

  enum class Failure { kNone, kBeforeCommit, kAfterCommit };
  std::atomic<Failure> next{Failure::kNone};
  std::atomic<int> reopens{0};
  std::atomic<int> reopen_failures{0};
  std::atomic<int> commits{0};

 private:
  Journal& real_;
};

class FlakyTransaction final : public Transaction {
 public:
  FlakyTransaction(std::unique_ptr<Transaction> real, FlakyJournal& journal)
      : real_(std::move(real)), journal_(journal) {}

  absl::StatusOr<std::optional<KnownReading>> FindReading(std::int64_t meter, domain::Time start,
                                                          domain::Duration length) override {
    return real_->FindReading(meter, start, length);
  }
  absl::StatusOr<std::optional<ReadingSpan>> FindLastStartingBefore(std::int64_t meter,
                                                                    domain::Time end) override {
    return real_->FindLastStartingBefore(meter, end);
  }
  absl::StatusOr<bool> HasPointBetween(std::int64_t meter, domain::Time after,
                                       domain::Time before) override {
    return real_->HasPointBetween(meter, after, before);
  }
  absl::StatusOr<std::optional<KnownReading>> FindRequestId(std::int64_t meter,
                                                            std::string_view id) override {
    return real_->FindRequestId(meter, id);
  }
  absl::StatusOr<std::optional<AnnouncementRecord>> FindAnnouncement(
      std::string_view request_id) override {
    return real_->FindAnnouncement(request_id);
  }
  absl::Status InsertAnnouncement(const AnnouncementRecord& announcement) override {
    return real_->InsertAnnouncement(announcement);
  }
  absl::StatusOr<std::int64_t> FindCounter(std::int64_t meter_ref,
                                           std::string_view public_key) override {
    return real_->FindCounter(meter_ref, public_key);
  }
  absl::StatusOr<std::optional<domain::Time>> FindLastEnd(std::int64_t meter) override {
    return real_->FindLastEnd(meter);
  }
  absl::StatusOr<domain::ReadingId> InsertReading(const domain::Meter& meter,
                                                  const domain::Reading& reading,
                                                  const MintStart& mint,
                                                  domain::Time time) override {
    return real_->InsertReading(meter, reading, mint, time);
  }
  absl::StatusOr<std::optional<StoredReading>> FindStored(std::int64_t row) override {
    return real_->FindStored(row);
  }
  absl::StatusOr<std::int64_t> CorrectReading(std::int64_t row,
                                              const domain::Correction& change) override {
    return real_->CorrectReading(row, change);
  }
  absl::StatusOr<std::optional<domain::Correction>> FindLastCorrection(std::int64_t row) override {
    return real_->FindLastCorrection(row);
  }
  absl::Status InsertTask(std::int64_t row, const MintStart& mint, domain::Time time) override {
    return real_->InsertTask(row, mint, time);
  }
  absl::StatusOr<std::optional<domain::PowerPeak>> FindPeak(std::int64_t meter) override {
    return real_->FindPeak(meter);
  }
  absl::Status RaisePeak(std::int64_t meter, const domain::PowerPeak& peak) override {
    return real_->RaisePeak(meter, peak);
  }
  absl::StatusOr<std::optional<domain::MintTask>> FindTask(std::int64_t task_id) override {
    return real_->FindTask(task_id);
  }
  absl::StatusOr<std::int64_t> CompactEvents(std::int64_t before, std::int64_t count_max) override {
    return real_->CompactEvents(before, count_max);
  }
  absl::StatusOr<bool> UpdateTask(const domain::MintTask& task,
                                  domain::MintState expected) override {
    return real_->UpdateTask(task, expected);
  }
  absl::StatusOr<domain::Remainder> GetRemainder(std::string_view meter) override {
    return real_->GetRemainder(meter);
  }
  absl::Status SetRemainder(std::string_view meter, domain::Remainder remainder) override {
    return real_->SetRemainder(meter, remainder);
  }
  absl::StatusOr<domain::Energy> GetSignedEnergy(std::int64_t day) override {
    return real_->GetSignedEnergy(day);
  }
  absl::Status AddSignedEnergy(std::int64_t day, domain::Energy energy) override {
    return real_->AddSignedEnergy(day, energy);
  }
  absl::StatusOr<std::int64_t> InsertMeter(const domain::Meter& meter) override {
    return real_->InsertMeter(meter);
  }
  absl::Status UpdateMeter(const domain::Meter& meter) override {
    return real_->UpdateMeter(meter);
  }
  absl::Status InsertApiKey(const ApiKeyRecord& key) override { return real_->InsertApiKey(key); }
  absl::Status SetKeyUse(const KeyUse& use) override { return real_->SetKeyUse(use); }
  absl::Status UpdateApiKey(const ApiKeyRecord& key) override { return real_->UpdateApiKey(key); }
  absl::Status SetSwitch(std::string_view name, std::string_view value) override {
    return real_->SetSwitch(name, value);
  }
  absl::StatusOr<std::int64_t> AppendEvent(std::string_view payload) override {
    return real_->AppendEvent(payload);
  }
  absl::Status Commit() override {
    ++journal_.commits;
    switch (journal_.next.exchange(FlakyJournal::Failure::kNone)) {
      case FlakyJournal::Failure::kNone:
        return real_->Commit();
      case FlakyJournal::Failure::kAfterCommit:
        EXPECT_THAT(real_->Commit(), IsOk());
        break;
      case FlakyJournal::Failure::kBeforeCommit:
        break;
    }
    is_broken_ = true;
    return base::Unavailable("input/output error");
  }
  bool IsBroken() const override { return is_broken_ || real_->IsBroken(); }

 private:
  std::unique_ptr<Transaction> real_;
  FlakyJournal& journal_;
  bool is_broken_ = false;
};

absl::StatusOr<std::unique_ptr<Transaction>> FlakyJournal::Begin() {
  WATTMINT_ASSIGN_OR_RETURN(auto real, real_.Begin());
  return std::make_unique<FlakyTransaction>(std::move(real), *this);
}

class CommitQueueTest : public testing::Test {
 protected:
  CommitQueueTest() {
    storage::Database::Options options;
    options.connection.path = (dir_ / "wattmint.db").string();
    database_ = Engine::Value(storage::Database::Open(options));
    journal_ = std::make_unique<FlakyJournal>(database_->journal());
    hub_ = std::make_unique<stream::Hub>(database_->event_log(), wire::DecodeAttributes, 0,
                                         stream::Hub::Options{});
    Start({});
  }
  ~CommitQueueTest() override { queue_.reset(); }

  void Start(CommitQueue::Options options) {
    queue_.reset();
    options.reopen_delay = std::chrono::milliseconds(1);
    queue_ = std::make_unique<CommitQueue>(*journal_, database_->event_log(), *hub_, clock_,
                                           wire::EncodePayload, options);
  }
  static absl::Status AppendOne(WriteContext& context) {
    return context.Append(domain::MintingSwitched{true, "why"});
  }
  std::int64_t LastSequence() { return Engine::Value(database_->event_log().GetBounds()).last; }
  // Holds up the writer until it is let go, so that ops accumulate.
  std::future<absl::Status> Block(std::binary_semaphore& let_go, std::binary_semaphore& begun) {
    auto promise = std::make_shared<std::promise<absl::Status>>();
    queue_->Submit(std::make_unique<FunctionOp>(
        [&](WriteContext&) {
          begun.release();
          let_go.acquire();
          return absl::OkStatus();
        },
        [promise](const absl::Status& status) { promise->set_value(status); }));
    return promise->get_future();
  }

  test::TempDir dir_;
  test::FakeClock clock_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<FlakyJournal> journal_;
  std::unique_ptr<stream::Hub> hub_;
  std::unique_ptr<CommitQueue> queue_;
};

TEST_F(CommitQueueTest, AnOpIsDurableAndPublishedWhenItIsAcknowledged) {
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  EXPECT_EQ(LastSequence(), 1);
  EXPECT_EQ(hub_->head(), 1);
}

TEST_F(CommitQueueTest, WhatHasAccumulatedIsOneCommit) {
  std::binary_semaphore let_go{0};
  std::binary_semaphore begun{0};
  auto blocked = Block(let_go, begun);
  begun.acquire();
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    queue_->Submit(std::make_unique<FunctionOp>(AppendOne, [&](const absl::Status&) { ++done; }));
  }
  let_go.release();
  EXPECT_THAT(blocked.get(), IsOk());
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  EXPECT_EQ(done, 100);
  EXPECT_LE(journal_->commits, 3);
  EXPECT_EQ(LastSequence(), 101);
}

TEST_F(CommitQueueTest, ARefusedOpLeavesTheOthersAlone) {
  std::binary_semaphore let_go{0};
  std::binary_semaphore begun{0};
  auto blocked = Block(let_go, begun);
  begun.acquire();
  std::vector<absl::Status> outcomes(3);
  for (std::size_t i = 0; i < 3; ++i) {
    queue_->Submit(std::make_unique<FunctionOp>(
        [i](WriteContext& context) {
          return i == 1 ? base::AlreadyExists("refused") : AppendOne(context);
        },
        [&outcomes, i](const absl::Status& status) { outcomes[i] = status; }));
  }
  let_go.release();
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  EXPECT_THAT(outcomes[0], IsOk());
  EXPECT_THAT(outcomes[1], StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(outcomes[2], IsOk());
  EXPECT_EQ(LastSequence(), 3);
}

TEST_F(CommitQueueTest, ACommitIsBoundedByWeight) {
  Start({.weight_max = 10});
  std::binary_semaphore let_go{0};
  std::binary_semaphore begun{0};
  auto blocked = Block(let_go, begun);
  begun.acquire();
  const int before = journal_->commits;
  for (int i = 0; i < 10; ++i) {
    queue_->Submit(std::make_unique<FunctionOp>(
        AppendOne, [](const absl::Status&) {}, 5));
  }
  let_go.release();
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  EXPECT_GE(journal_->commits - before, 1 + 5);
}

TEST_F(CommitQueueTest, ABacklogThatIsFullRefusesAndSaysSo) {
  Start({.backlog_max = 10});
  std::binary_semaphore let_go{0};
  std::binary_semaphore begun{0};
  auto blocked = Block(let_go, begun);
  begun.acquire();
  queue_->Submit(std::make_unique<FunctionOp>(
      AppendOne, [](const absl::Status&) {}, 8));
  EXPECT_THAT(RunOp(*queue_, AppendOne, 5),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("8 rows wait")));
  let_go.release();
  EXPECT_THAT(blocked.get(), IsOk());
}

TEST_F(CommitQueueTest, AFailedCommitIsUnknownAndTheDatabaseIsReopened) {
  int reloads = 0;
  queue_->OnReopen([&reloads] {
    ++reloads;
    return absl::OkStatus();
  });
  journal_->next = FlakyJournal::Failure::kBeforeCommit;
  EXPECT_THAT(RunOp(*queue_, AppendOne),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("outcome is unknown")));
  EXPECT_EQ(reloads, 1);
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  EXPECT_EQ(LastSequence(), 1) << "no gap where the failed one would have been";
}

// About one in ten failed commits is found stored later.
TEST_F(CommitQueueTest, ACommitThatHappenedAllTheSameIsPublished) {
  auto subscription = hub_->Subscribe({{access::EventScope::Reach::kEverything, ""}, {}}, 0, [] {});
  journal_->next = FlakyJournal::Failure::kAfterCommit;
  EXPECT_THAT(RunOp(*queue_, AppendOne), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(RunOp(*queue_, AppendOne), IsOk());
  std::vector<std::int64_t> sequences;
  for (int page = 0; page < 2; ++page) {
    const auto next = subscription->Next(10, 1'000'000);
    ASSERT_THAT(next, IsOk());
    for (const auto& event : next->events) sequences.push_back(event.sequence);
  }
  EXPECT_THAT(sequences, testing::ElementsAre(1, 2));
}

TEST_F(CommitQueueTest, ReopeningIsTriedUntilItWorks) {
  journal_->next = FlakyJournal::Failure::kBeforeCommit;
  journal_->reopen_failures = 5;
  EXPECT_THAT(RunOp(*queue_, AppendOne), StatusIs(absl::StatusCode::kUnavailable));
  while (journal_->reopens < 6) std::this_thread::yield();
  while (!RunOp(*queue_, AppendOne).ok()) std::this_thread::yield();
  EXPECT_EQ(journal_->reopens, 6);
}

TEST_F(CommitQueueTest, TimesOfEventsNeverDecrease) {
  const domain::Time start = clock_.Now();
  Start({.event_time_min = start + std::chrono::seconds(5)});
  std::vector<domain::Time> now;
  const auto append = [&now](WriteContext& context) {
    now.push_back(context.now());
    return AppendOne(context);
  };
  ASSERT_THAT(RunOp(*queue_, append), IsOk());
  clock_.Advance(std::chrono::seconds(9));
  ASSERT_THAT(RunOp(*queue_, append), IsOk());
  clock_.Advance(std::chrono::seconds(-8));
  ASSERT_THAT(RunOp(*queue_, append), IsOk());

  const std::vector<int> expected = {5, 9, 9};
  const auto events = Engine::Value(database_->event_log().Read(1, 10, 1'000));
  ASSERT_EQ(events.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(Engine::Value(wire::DecodeTime(events[i].payload)) - start,
              std::chrono::seconds(expected[i]));
  }
  EXPECT_EQ(now.back() - start, std::chrono::seconds(1)) << "only events are held back";
}

TEST_F(CommitQueueTest, StopFinishesWhatWasSubmittedAndRefusesMore) {
  std::atomic<int> finished{0};
  for (int i = 0; i < 50; ++i) {
    queue_->Submit(std::make_unique<FunctionOp>(
        AppendOne, [&](const absl::Status& status) { finished += status.ok() ? 1 : 0; }));
  }
  queue_->Stop();
  EXPECT_EQ(finished, 50);
  EXPECT_EQ(LastSequence(), 50);
  EXPECT_THAT(RunOp(*queue_, AppendOne), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(CommitQueueTest, StopDuringTroubleEnds) {
  journal_->next = FlakyJournal::Failure::kBeforeCommit;
  journal_->reopen_failures = 1'000'000;
  std::promise<absl::Status> outcome;
  queue_->Submit(std::make_unique<FunctionOp>(
      AppendOne, [&](const absl::Status& status) { outcome.set_value(status); }));
  while (journal_->reopens < 3) std::this_thread::yield();
  queue_->Stop();
  EXPECT_THAT(outcome.get_future().get(), StatusIs(absl::StatusCode::kUnavailable));
}

// Else a core whose disk is away could not even be stopped: its calls would never end.
TEST_F(CommitQueueTest, NobodyWaitsForADiskThatIsAway) {
  journal_->next = FlakyJournal::Failure::kBeforeCommit;
  journal_->reopen_failures = 1'000'000;
  for (int i = 0; i < 3; ++i) {
    std::promise<absl::Status> outcome;
    auto answer = outcome.get_future();
    queue_->Submit(std::make_unique<FunctionOp>(
        AppendOne, [&](const absl::Status& status) { outcome.set_value(status); }));
    const bool answered = answer.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
    if (!answered) queue_->Stop();
    ASSERT_TRUE(answered) << "op " << i;
    EXPECT_THAT(answer.get(), StatusIs(absl::StatusCode::kUnavailable));
  }
  journal_->reopen_failures = 0;
  while (!RunOp(*queue_, AppendOne).ok()) std::this_thread::yield();
  EXPECT_EQ(LastSequence(), 1);
  EXPECT_EQ(hub_->head(), 1);
}

TEST_F(CommitQueueTest, ManyThreadsSubmitAndEveryOpIsDoneOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 250;
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        queue_->Submit(std::make_unique<FunctionOp>(
            AppendOne, [&](const absl::Status& status) { done += status.ok() ? 1 : 1'000'000; }));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  queue_->Stop();
  EXPECT_EQ(done, kThreads * kEach);
  EXPECT_EQ(LastSequence(), kThreads * kEach);
  EXPECT_EQ(hub_->head(), kThreads * kEach);
}

}  // namespace
}  // namespace wattmint::store
