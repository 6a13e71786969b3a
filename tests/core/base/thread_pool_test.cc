// SPDX-License-Identifier: Apache-2.0
#include "core/base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <vector>

namespace wattmint::base {
namespace {

TEST(ThreadPoolTest, RunsEverythingBeforeStopReturns) {
  std::atomic<int> ran = 0;
  ThreadPool pool(3);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pool.Post([&] { ++ran; }));
  pool.Stop();
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPoolTest, KeepsTheOrderOnOneThread) {
  std::vector<int> order;
  ThreadPool pool(1);
  for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  pool.Stop();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ThreadPoolTest, TakesMoveOnlyWork) {
  std::promise<int> promise;
  std::future<int> answer = promise.get_future();
  ThreadPool pool(1);
  pool.Post([value = std::make_unique<int>(42), promise = std::move(promise)]() mutable {
    promise.set_value(*value);
  });
  EXPECT_EQ(answer.get(), 42);
}

TEST(ThreadPoolTest, RunsWorkSideBySide) {
  std::promise<void> first;
  std::promise<void> second;
  ThreadPool pool(2);
  pool.Post([&] {
    first.set_value();
    second.get_future().wait();
  });
  pool.Post([&] {
    first.get_future().wait();
    second.set_value();
  });
  pool.Stop();
}

TEST(ThreadPoolTest, WorkMayPostMoreWork) {
  std::promise<void> done;
  ThreadPool pool(1);
  pool.Post([&] { pool.Post([&] { done.set_value(); }); });
  done.get_future().wait();
}

TEST(ThreadPoolTest, RefusesWorkAfterStop) {
  bool ran = false;
  ThreadPool pool(1);
  pool.Stop();
  EXPECT_FALSE(pool.Post([&] { ran = true; }));
  pool.Stop();
  EXPECT_FALSE(ran);
}

TEST(ThreadPoolDeathTest, RefusesToHaveNoThreads) {
  EXPECT_DEATH(ThreadPool(0), "a pool of 0 threads");
}

}  // namespace
}  // namespace wattmint::base
