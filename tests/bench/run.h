// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/audience.h"
#include "core/base/assert.h"
#include "core/base/mutex.h"
#include "tests/bench/servers.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace wattmint::bench {

// What is waited for takes so long at most, else the program ends with a sentence.
inline constexpr std::chrono::minutes kPatience{10};

using Steady = std::chrono::steady_clock;

// Waits until then, and no longer.
inline void WaitUntil(Steady::time_point time) {
  base::Mutex mutex;
  base::CondVar never;
  base::MutexLock lock(mutex);
  const auto left = std::chrono::ceil<std::chrono::microseconds>(time - Steady::now());
  if (left > left.zero()) never.WaitFor(mutex, left, [] { return false; });
}

// Wall clock, and the CPU of a server, since the start.
class Watch {
 public:
  explicit Watch(const Server& server)
      : server_(server), cpu_(server.CpuSeconds()), start_(Steady::now()) {}
  double Seconds() const { return std::chrono::duration<double>(Steady::now() - start_).count(); }
  double CpuSeconds() const { return server_.CpuSeconds() - cpu_; }

 private:
  const Server& server_;
  const double cpu_;
  const Steady::time_point start_;
};

inline void Check(const absl::Status& status) {
  WATTMINT_ASSERT(status.ok(), "{}", status.ToString());
}

// Adds subscribers, so many on each connection; they ask for what `request(number)` says.
template <typename Request>
void Subscribe(const Server& server, int count, int per_connection, const Request& request,
               cli::Audience& audience) {
  std::shared_ptr<grpc::Channel> channel;
  for (int i = 0; i < count; ++i) {
    if (i % per_connection == 0) channel = server.NewChannel();
    audience.Add(channel, server.credential(), request(i));
  }
}

}  // namespace wattmint::bench
