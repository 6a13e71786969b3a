// SPDX-License-Identifier: Apache-2.0
#include "core/mint/reconcile_schedule.h"

#include "core/access/reason.h"
#include "core/base/status.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace wattmint::mint {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using test::IsOk;
using test::StatusIs;

using Report = ReconcileSchedule::Report;
using Answer = absl::StatusOr<Report>;
using IsCancelled = std::function<bool()>;

// A schedule on a thread of its own. What it reconciles is `work`, given by the test.
class ReconcileScheduleTest : public testing::Test {
 protected:
  ~ReconcileScheduleTest() override { Stop(); }

  void Start(base::Duration interval, ReconcileSchedule::Work work) {
    schedule_ = std::make_unique<ReconcileSchedule>(
        ReconcileSchedule::Options{.interval = interval, .retry_interval = milliseconds(1)}, clock_,
        [this, work = std::move(work)](const IsCancelled& is_cancelled) {
          EXPECT_EQ(running_.fetch_add(1), 0) << "two at a time";
          auto found = work(is_cancelled);
          running_.fetch_sub(1);
          return found;
        },
        [this](const Answer& answer) {
          ++ended_;
          if (!answer.ok()) ++failed_;
        });
    thread_ = std::thread([this] { schedule_->Run(); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    schedule_->Stop();
    thread_.join();
  }
  std::future<Answer> Ask() {
    // shared: std::function wants a copy.
    const auto promise = std::make_shared<std::promise<Answer>>();
    schedule_->Ask([promise](const Answer& answer) { promise->set_value(answer); });
    return promise->get_future();
  }
  static Reconciliation Mints(std::int64_t count) {
    Reconciliation found;
    found.mints_checked = count;
    return found;
  }

  test::FakeClock clock_;
  std::atomic<int> running_{0};
  std::atomic<int> ended_{0};
  std::atomic<int> failed_{0};
  std::unique_ptr<ReconcileSchedule> schedule_;
  std::thread thread_;
};

TEST_F(ReconcileScheduleTest, RunsAtTheStartAndAgainAndAgain) {
  std::promise<void> third;
  int runs = 0;
  Start(milliseconds(1), [&](const IsCancelled&) {
    if (++runs == 3) third.set_value();
    return Mints(runs);
  });
  third.get_future().wait();
  Stop();
  EXPECT_GE(schedule_->state().done, 2);
  EXPECT_EQ(schedule_->state().done + schedule_->state().failed, runs);
}

TEST_F(ReconcileScheduleTest, WithoutAnIntervalRunsAtTheStartAndWhenAsked) {
  std::promise<void> first;
  int runs = 0;
  Start(base::Duration::zero(), [&](const IsCancelled&) {
    if (++runs == 1) first.set_value();
    return Mints(runs);
  });
  first.get_future().wait();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Ask().get(), IsOk());
  EXPECT_EQ(Ask().get()->found.mints_checked, runs);
  Stop();
  EXPECT_LE(runs, 5);
}

TEST_F(ReconcileScheduleTest, WhoAsksGetsOneThatBeganAfterwardsAndSharesIt) {
  std::promise<void> started;
  std::promise<void> release;
  int runs = 0;
  Start(hours(1), [&](const IsCancelled&) {
    if (++runs == 1) {
      started.set_value();
      release.get_future().wait();
    }
    return Mints(runs);
  });
  started.get_future().wait();
  auto one = Ask();
  auto other = Ask();
  release.set_value();
  EXPECT_EQ(one.get()->found.mints_checked, 2);
  EXPECT_EQ(other.get()->found.mints_checked, 2);
  EXPECT_EQ(schedule_->state().done, 2);
  EXPECT_EQ(ended_, 2);
}

TEST_F(ReconcileScheduleTest, ReportsWhenItWasAndHowLongItTook) {
  const base::Time begin = clock_.Now();
  Start(hours(1), [this](const IsCancelled&) {
    clock_.Advance(std::chrono::seconds(3));
    clock_.SetNow(clock_.Now() + hours(1));  // somebody sets the wall clock
    return Mints(1);
  });
  ASSERT_THAT(Ask().get(), IsOk());
  const Report last = *schedule_->state().last;
  EXPECT_GE(last.start_time, begin);
  EXPECT_EQ(last.end_time - last.start_time, hours(1) + std::chrono::seconds(3));
  EXPECT_EQ(last.duration, std::chrono::seconds(3));
}

TEST_F(ReconcileScheduleTest, OneThatCouldNotBeDoneIsSoonTriedAgain) {
  std::promise<void> second;
  int runs = 0;
  Start(hours(1), [&](const IsCancelled&) -> absl::StatusOr<Reconciliation> {
    if (++runs == 1) return base::Unavailable("the disk is away");
    second.set_value();
    return Mints(runs);
  });
  second.get_future().wait();
  Stop();
  EXPECT_EQ(failed_, 1);
  EXPECT_EQ(schedule_->state().failed, 1);
}

TEST_F(ReconcileScheduleTest, StopEndsTheOneThatRuns) {
  std::promise<void> started;
  Start(hours(1), [&](const IsCancelled& is_cancelled) -> absl::StatusOr<Reconciliation> {
    started.set_value();
    while (!is_cancelled()) std::this_thread::yield();
    return base::Cancelled("ended");
  });
  started.get_future().wait();
  auto waiting = Ask();
  Stop();
  const Answer answer = waiting.get();
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(access::ReasonOf(answer.status()), "DRAINING");
  EXPECT_EQ(ended_, 0) << "what was ended on purpose is not reported";
  EXPECT_THAT(Ask().get(), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::mint
