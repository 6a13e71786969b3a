// SPDX-License-Identifier: Apache-2.0
#include "core/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace wattmint::base {
namespace {

class Counter {
 public:
  void Increment() {
    MutexLock lock(mutex_);
    ++value_;
    changed_.NotifyAll();
  }

  void WaitFor(int value) {
    MutexLock lock(mutex_);
    changed_.Wait(mutex_, [&]() WATTMINT_REQUIRES(mutex_) { return value_ >= value; });
  }

  bool WaitBriefly(int value, std::chrono::milliseconds timeout) {
    MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, timeout,
                            [&]() WATTMINT_REQUIRES(mutex_) { return value_ >= value; });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int value_ WATTMINT_GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, LetsOneThreadInAtATime) {
  constexpr int kThreads = 4;
  constexpr int kIncrements = 1000;
  int value = 0;
  Mutex mutex;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kIncrements; ++j) {
        MutexLock lock(mutex);
        ++value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value, kThreads * kIncrements);
}

bool CanLock(Mutex& mutex) {
  if (!mutex.TryLock()) return false;
  mutex.Unlock();
  return true;
}

bool AnotherThreadCanLock(Mutex& mutex) {
  bool can_lock = false;
  std::thread([&] { can_lock = CanLock(mutex); }).join();
  return can_lock;
}

TEST(MutexLockTest, CanBeInterruptedInItsScope) {
  Mutex mutex;
  {
    MutexLock lock(mutex);
    EXPECT_FALSE(AnotherThreadCanLock(mutex));
    lock.Unlock();
    EXPECT_TRUE(AnotherThreadCanLock(mutex));
    lock.Lock();
    EXPECT_FALSE(AnotherThreadCanLock(mutex));
    lock.Unlock();
  }
  EXPECT_TRUE(CanLock(mutex));
}

TEST(CondVarTest, WakesWhenThePredicateHolds) {
  Counter counter;
  std::thread incrementer([&] {
    for (int i = 0; i < 3; ++i) counter.Increment();
  });
  counter.WaitFor(3);
  EXPECT_TRUE(counter.WaitBriefly(3, std::chrono::hours(1)));
  incrementer.join();
}

TEST(CondVarTest, SaysThatTheTimeCameFirst) {
  Counter counter;
  EXPECT_FALSE(counter.WaitBriefly(1, std::chrono::milliseconds(1)));
}

TEST(CondVarTest, HoldsTheMutexAfterAWaitThatTimedOut) {
  Mutex mutex;
  CondVar changed;
  MutexLock lock(mutex);
  EXPECT_FALSE(changed.WaitFor(mutex, std::chrono::milliseconds(1), [] { return false; }));
  EXPECT_FALSE(AnotherThreadCanLock(mutex));
}

}  // namespace
}  // namespace wattmint::base
