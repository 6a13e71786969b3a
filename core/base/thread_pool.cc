// SPDX-License-Identifier: Apache-2.0
#include "core/base/thread_pool.h"

#include "core/base/assert.h"

namespace wattmint::base {

ThreadPool::ThreadPool(int threads_count) {
  WATTMINT_ASSERT(threads_count >= 1, "a pool of {} threads", threads_count);
  threads_.reserve(static_cast<size_t>(threads_count));
  for (int i = 0; i < threads_count; ++i) threads_.emplace_back([this] { RunUntilStopped(); });
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    WATTMINT_ASSERT(thread.get_id() != std::this_thread::get_id(), "a pool stopped by its work");
    thread.join();
  }
  threads_.clear();
}

bool ThreadPool::Enqueue(std::unique_ptr<Work> work) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(work));
  }
  changed_.NotifyOne();
  return true;
}

void ThreadPool::RunUntilStopped() noexcept {
  while (const std::unique_ptr<Work> work = NextWork()) work->Run();
}

std::unique_ptr<ThreadPool::Work> ThreadPool::NextWork() {
  MutexLock lock(mutex_);
  changed_.Wait(mutex_,
                [this]() WATTMINT_REQUIRES(mutex_) { return stopping_ || !queue_.empty(); });
  if (queue_.empty()) return nullptr;
  std::unique_ptr<Work> work = std::move(queue_.front());
  queue_.pop_front();
  return work;
}

}  // namespace wattmint::base
