// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/atomicity.h"
#include "cli/check/cast.h"
#include "cli/check/check_options.h"
#include "cli/check/findings.h"
#include "cli/check/log_reader.h"
#include "cli/check/reference_log.h"
#include "cli/check/subscriber.h"
#include "cli/check/traffic.h"
#include "cli/core_link.h"
#include "cli/progress.h"
#include "cli/stop_signal.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::check {

// How much a check has checked.
struct CheckTotals {
  std::int64_t readings = 0;
  std::int64_t log_events = 0;
  std::int64_t grpc_events = 0;  // delivered, as they should be
  std::int64_t websocket_events = 0;
  std::int64_t streams = 0;
  std::int64_t cuts = 0;
  std::int64_t losses = 0;  // streams that ended otherwise, such as with the server
};

// One check of a live server from the cast's meters to its verdict: subscribers listen, readings
// are submitted, connections are cut; in the end everybody must have everything, and everybody
// goes on once more from a bookmark alone.
//
// Threads: one; those that it starts end with it. Lifetime: all references must outlive it.
class CheckRun {
 public:
  // Where the core is, apart from the link: each subscriber has a connection of its own.
  CheckRun(const cli::CoreLink& link, client::ChannelOptions core, CheckOptions options,
           cli::StopSignal& stop, cli::Progress& progress, Findings& findings);
  ~CheckRun();

  // Ends early with OK at a violation, unless told to go on. Cleans up in any case. Errors: why
  // nothing could be said: the server refused, or was away for too long; kCancelled by the signal.
  absl::Status Run();

  // Whether it came so far as to change anything.
  bool has_begun() const { return has_begun_; }
  CheckTotals Totals() const;
  const Cast& cast() const { return cast_; }

 private:
  struct Member {
    std::unique_ptr<Subscriber> subscriber;
    std::vector<std::int64_t> cuts;  // that are left: at so many readings, the next one last
  };

  absl::Status Prepare();
  absl::Status AddSubscribers(const std::vector<client::Credential>& keys);
  absl::Status CheckAll();
  absl::Status DriveAndCut();
  absl::Status SettleTasks();
  absl::Status CheckBookmarks();
  absl::Status AwaitEverything(std::string_view what);
  void Judge();
  void CleanUp(absl::Status& status);

  void TellShare(std::int64_t readings);
  bool CutWhoIsDue(std::int64_t readings);
  // Looks now and then until `is_done`. Errors: as Run(); kAborted when a violation ends the check;
  // kDeadlineExceeded after `patience`.
  absl::Status Await(const std::function<bool()>& is_done, base::Duration patience);
  absl::Status Look();
  template <typename Predicate>
  bool AllOf(Predicate predicate) {
    for (const Member& member : members_) {
      if (!predicate(member.subscriber->witness())) return false;
    }
    return true;
  }

  const cli::CoreLink& link_;
  const client::ChannelOptions core_;
  const CheckOptions options_;
  cli::StopSignal& stop_;
  cli::Progress& progress_;
  Findings& findings_;
  const Cast cast_;
  std::mt19937_64 random_;  // of the moments of cuts

  bool has_begun_ = false;
  AtomicityJudge atomicity_;
  std::unique_ptr<ReferenceLog> log_;
  std::unique_ptr<LogReader> reader_;
  Traffic traffic_;
  std::vector<Member> members_;
  std::int64_t tenth_told_ = 0;
  std::int64_t end_ = 0;  // the last event that everybody must have
};

}  // namespace wattmint::check
