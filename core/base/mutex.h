// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

// Clang's thread-safety annotations. They have our own names because Abseil's do not know
// std::mutex as a capability, and absl::Mutex gives false reports under ThreadSanitizer.
#if defined(__clang__)
#define WATTMINT_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define WATTMINT_THREAD_ANNOTATION(x)
#endif

#define WATTMINT_CAPABILITY(name) WATTMINT_THREAD_ANNOTATION(capability(name))
#define WATTMINT_SCOPED_CAPABILITY WATTMINT_THREAD_ANNOTATION(scoped_lockable)
#define WATTMINT_GUARDED_BY(mutex) WATTMINT_THREAD_ANNOTATION(guarded_by(mutex))
#define WATTMINT_PT_GUARDED_BY(mutex) WATTMINT_THREAD_ANNOTATION(pt_guarded_by(mutex))
#define WATTMINT_ACQUIRED_AFTER(...) WATTMINT_THREAD_ANNOTATION(acquired_after(__VA_ARGS__))
#define WATTMINT_REQUIRES(...) WATTMINT_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define WATTMINT_EXCLUDES(...) WATTMINT_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define WATTMINT_ACQUIRE(...) WATTMINT_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define WATTMINT_TRY_ACQUIRE(...) WATTMINT_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define WATTMINT_RELEASE(...) WATTMINT_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define WATTMINT_NO_THREAD_SAFETY_ANALYSIS WATTMINT_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace wattmint::base {

// The only mutex of this project. Threads: any.
class WATTMINT_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() WATTMINT_ACQUIRE() { mutex_.lock(); }
  void Unlock() WATTMINT_RELEASE() { mutex_.unlock(); }
  [[nodiscard]] bool TryLock() WATTMINT_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a mutex for a scope. Unlock() and Lock() interrupt it, for a call out in the middle.
class WATTMINT_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) WATTMINT_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() WATTMINT_RELEASE() {
    if (held_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() WATTMINT_RELEASE() {
    held_ = false;
    mutex_.Unlock();
  }
  void Lock() WATTMINT_ACQUIRE() {
    mutex_.Lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// Waits while holding a Mutex, which is released during the wait.
//
// Predicates are called with the mutex held; a lambda that reads guarded members says so:
//   changed_.Wait(mutex_, [this]() WATTMINT_REQUIRES(mutex_) { return !queue_.empty(); });
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  // Returns when `predicate()` holds.
  template <typename Predicate>
  void Wait(Mutex& mutex, Predicate predicate)
      WATTMINT_REQUIRES(mutex) WATTMINT_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock, std::move(predicate));
    lock.release();
  }

  // Returns `predicate()` at the end: false says that the time came first.
  template <typename Predicate>
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline, Predicate predicate)
      WATTMINT_REQUIRES(mutex) WATTMINT_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool holds = condition_.wait_until(lock, deadline, std::move(predicate));
    lock.release();
    return holds;
  }

  // As WaitUntil, with a time from now on the steady clock.
  template <typename Rep, typename Period, typename Predicate>
  bool WaitFor(Mutex& mutex, std::chrono::duration<Rep, Period> timeout, Predicate predicate)
      WATTMINT_REQUIRES(mutex) WATTMINT_NO_THREAD_SAFETY_ANALYSIS {
    return WaitUntil(mutex, std::chrono::steady_clock::now() + timeout, std::move(predicate));
  }

 private:
  std::condition_variable condition_;
};

}  // namespace wattmint::base
