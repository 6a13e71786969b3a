// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/audience.h"
#include "core/base/assert.h"
#include "tests/bench/servers.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace wattmint::bench {

// What is waited for takes so long at most, else the program ends with a sentence.
inline constexpr std::chrono::minutes kPatience{10};

// Wall clock, and the CPU of a server, since the start.
class Watch {
 public:
  explicit Watch(const Server& server)
      : server_(server), cpu_(server.CpuSeconds()), start_(std::chrono::steady_clock::now()) {}
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double CpuSeconds() const { return server_.CpuSeconds() - cpu_; }

 private:
  const Server& server_;
  const double cpu_;
  const std::chrono::steady_clock::time_point start_;
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
