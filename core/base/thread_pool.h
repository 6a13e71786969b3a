// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"

#include <deque>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace wattmint::base {

// Runs posted work on a fixed number of threads, in the order of posting.
//
// Threads: Post() from any, also from work. Stop() and the destructor from outside the pool.
// Errors: work must not throw; an exception ends the program.
class ThreadPool {
 public:
  // Starts the threads. REQUIRES: threads_count >= 1.
  explicit ThreadPool(int threads_count);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Queues a callable (which may be move-only) and never blocks on other work. Returns false, and
  // drops it, once Stop() has begun. The queue has no bound: the caller limits what is in flight.
  template <typename Callable>
  bool Post(Callable&& callable) {
    using Function = std::decay_t<Callable>;
    return Enqueue(std::make_unique<CallableWork<Function>>(std::forward<Callable>(callable)));
  }

  // Refuses new work, runs everything that is queued, and joins the threads. May be called again.
  void Stop();

 private:
  struct Work {
    virtual ~Work() = default;
    virtual void Run() = 0;
  };

  template <typename Function>
  struct CallableWork final : Work {
    explicit CallableWork(Function work) : function(std::move(work)) {}
    void Run() override { function(); }
    Function function;
  };

  bool Enqueue(std::unique_ptr<Work> work) WATTMINT_EXCLUDES(mutex_);
  void RunUntilStopped() noexcept WATTMINT_EXCLUDES(mutex_);
  std::unique_ptr<Work> NextWork() WATTMINT_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::unique_ptr<Work>> queue_ WATTMINT_GUARDED_BY(mutex_);
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace wattmint::base
