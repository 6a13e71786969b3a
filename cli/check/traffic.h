// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/cast.h"
#include "cli/check/check_options.h"
#include "cli/core_link.h"
#include "core/base/mutex.h"
#include "core/client/reading_sender.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::check {

// What a check does to the server: it makes meters and keys for its cast, submits readings of
// minutes long ago, gives a meter to another user on the way, and cleans up. Every call that a lost
// connection ended is made again, for as long as the patience lasts.
//
// Most readings are consumption, which is never minted; one in kTaskEvery is generation, to be
// withdrawn at the end. With `mints`, all are generation on wallets that nobody has the key of.
//
// Threads: one, and one of its own that submits. Lifetime: all references must outlive it.
class Traffic {
 public:
  static constexpr std::int64_t kTaskEvery = 20;

  Traffic(const cli::CoreLink& link, const Cast& cast, const CheckOptions& options);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  absl::Status RegisterMeters();
  // One for each user, in their order; with the role `user` alone.
  absl::StatusOr<std::vector<client::Credential>> MakeKeys();

  // Submits all readings of the options, in a thread.
  void Start();
  void Stop();
  // How many of them were acknowledged; whether that is all; why it ended before.
  std::int64_t acknowledged() const { return acknowledged_; }
  bool is_done() const { return is_done_; }
  absl::Status status() const WATTMINT_EXCLUDES(mutex_);

  // One more reading of each of these meters. REQUIRES: is_done().
  absl::Status SubmitOneOfEach(const std::vector<std::int16_t>& meters);
  absl::Status Withdraw(const std::vector<std::string>& reading_ids);
  // Readings that were accepted, as far as the server said.
  std::int64_t accepted() const { return accepted_; }

  absl::Status RevokeKeys();
  // The last sequence of the log, as it is now.
  absl::StatusOr<std::int64_t> LogEnd() const;

 private:
  void Run();
  absl::Status SubmitAll();
  absl::Status TransferOnce();
  v1::ReadingInput NextReading(std::int16_t meter, bool is_generation);
  // Calls until it went well, failed for good, or the patience is over.
  absl::Status Insist(const std::function<absl::Status()>& call) const;

  const cli::CoreLink& link_;
  const Cast& cast_;
  const CheckOptions& options_;
  std::vector<std::int64_t> next_minute_;  // by meter; of whoever submits
  std::atomic<std::int64_t> acknowledged_ = 0;
  std::atomic<std::int64_t> accepted_ = 0;
  std::atomic<bool> is_done_ = false;

  mutable base::Mutex mutex_;  // guards all below
  mutable base::CondVar stopped_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  absl::Status status_ WATTMINT_GUARDED_BY(mutex_);
  client::ReadingSender* sender_ WATTMINT_GUARDED_BY(mutex_) = nullptr;

  std::thread thread_;
};

}  // namespace wattmint::check
