// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/atomicity.h"
#include "cli/check/cast.h"
#include "cli/check/reference_log.h"
#include "cli/check/violation.h"
#include "core/base/mutex.h"
#include "core/client/core_api.h"
#include "wattmint/v1/event.pb.h"

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace wattmint::check {

// Reads the log by ReadEvents, page by page, independently of every stream, into the ReferenceLog;
// and checks what the log itself must hold: no hole, each reading once, changes whole. A server
// that is away is asked again.
//
// Threads: one of its own; all functions from any.
class LogReader {
 public:
  struct Options {
    client::Credential credential;  // of an admin
    std::string epoch;              // of the log
    base::Duration patience{};      // so long the server may be away
  };
  struct Sinks {
    ReferenceLog& log;
    AtomicityJudge& atomicity;
    ViolationSink& violations;
  };

  LogReader(std::shared_ptr<grpc::Channel> channel, Options options, const Cast& cast,
            const Sinks& sinks);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  void Start();
  // Closes the log.
  void Stop() WATTMINT_EXCLUDES(mutex_);

  // Why it ended by itself.
  absl::Status status() const WATTMINT_EXCLUDES(mutex_);
  // Readings of the cast that the log tells of.
  std::int64_t readings() const WATTMINT_EXCLUDES(mutex_);
  // Mint tasks of the cast that are neither confirmed nor given up.
  std::int64_t open_tasks() const WATTMINT_EXCLUDES(mutex_);
  // Readings of these tasks.
  std::vector<std::string> open_readings() const WATTMINT_EXCLUDES(mutex_);

 private:
  void Run();
  absl::Status Read();
  absl::Status Take(const v1::ReadEventsResponse& page);
  void TakeEvent(const v1::Event& event);
  void TakeReading(const v1::Event& event, const LogEntry& entry);
  void TakeChange(const v1::Event& event);
  void Report(Guarantee guarantee, std::int64_t sequence, std::string what);
  bool WaitUnlessStopped(base::Duration delay) WATTMINT_EXCLUDES(mutex_);

  client::CoreApi api_;
  const Options options_;
  const Cast& cast_;
  const Sinks sinks_;
  std::int64_t next_;  // of its own thread

  mutable base::Mutex mutex_;  // guards all below
  base::CondVar stopped_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  absl::Status status_ WATTMINT_GUARDED_BY(mutex_);
  std::unordered_set<std::uint64_t> readings_ WATTMINT_GUARDED_BY(mutex_);  // meter and minute
  std::unordered_map<std::int64_t, std::string> open_ WATTMINT_GUARDED_BY(mutex_);  // task: reading

  std::thread thread_;
};

}  // namespace wattmint::check
