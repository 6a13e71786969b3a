// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/reference_log.h"
#include "cli/check/violation.h"

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::check {

// What a subscriber may see and asked for; decided here by itself, with none of the server's code.
struct Interest {
  std::optional<std::int16_t> user;  // whose events; nothing: an admin, everything
  std::vector<std::int16_t> meters;  // empty: all
  std::vector<std::uint16_t> types;  // empty: all
  bool is_own_only = false;          // asked for the user's own: not for what everybody sees
  enum class Encoding { kGrpc, kJson } encoding = Encoding::kGrpc;

  bool MaySee(const LogEntry& entry) const {
    return !user || entry.user == *user || entry.user == LogEntry::kEverybody;
  }
  bool AskedFor(const LogEntry& entry) const;
};

// Holds what one subscriber was told, message by message, against the log. It keeps a position and
// no copy of what came.
//
// Every event that the subscriber may see and asked for must come, once, by ascending sequence and
// as the log says it; nothing else may. What is found is reported once, and then taken as it is.
//
// What the log does not have when it is told counts as not being there: wait for the log first.
//
// Threads: one at a time. Lifetime: `log` and `sink` must outlive it.
class Judge {
 public:
  struct Received {
    std::int64_t sequence = 0;
    std::uint64_t digest = 0;  // of its bytes, in the encoding of the interest
  };

  // `subscriber`: its name in what is reported.
  Judge(std::string subscriber, Interest interest, const ReferenceLog& log, ViolationSink& sink);

  // The first stream begins: everything behind `after` is to come.
  void OnBegin(std::int64_t after);
  // A stream goes on from the newest cursor and the last sequence that came.
  void OnResumed();
  // A stream goes on from the cursor of the last heartbeat alone: what came after it comes again.
  void OnResumedAtBookmark();
  // A stream that should go on was refused.
  void OnRefused(std::string_view why);

  void OnEvents(std::span<const Received> events);
  void OnHeartbeat(std::int64_t head, std::int64_t delivered, std::string_view cursor);
  void OnCaughtUp() { is_caught_up_ = true; }
  void OnFellBehind() { is_caught_up_ = false; }

  // Whether nothing up to `head` is still to come. REQUIRES: the log has come so far.
  bool HasAll(std::int64_t head);
  // What is still to come up to `head` never came.
  void Finish(std::int64_t head);

  // Whether OnBegin() was called.
  bool has_begun() const { return has_begun_; }
  // Up to here the last heartbeat's cursor stands; nothing before the first one.
  std::optional<std::int64_t> bookmark() const;
  // How many events came as they should.
  std::int64_t delivered() const { return delivered_; }

 private:
  struct Heartbeat {
    std::int64_t head = 0;
    std::int64_t delivered = 0;
    std::string cursor;
  };

  bool IsDue(const LogEntry& entry) const;
  void Receive(const Received& event);
  void ReceiveAgain(std::int64_t sequence);
  // Moves on to `sequence`, included; what is due on the way is missing.
  void MissUpTo(std::int64_t sequence, std::string_view evidence);
  std::optional<std::int64_t> FirstDue(std::int64_t after, std::int64_t up_to);
  void CheckBookmark(const Heartbeat& now);
  void Report(Guarantee guarantee, std::int64_t sequence, std::string what);

  const std::string subscriber_;
  const Interest interest_;
  ViolationSink& sink_;
  LogWindow window_;

  bool has_begun_ = false;
  std::int64_t begin_ = 0;           // the first stream began behind this
  std::int64_t position_ = 0;        // everything up to here is judged
  std::int64_t clear_ = 0;           // nothing is due between position_ and here
  bool is_first_of_stream_ = false;  // nothing came since the stream was resumed
  bool is_caught_up_ = false;
  std::optional<Heartbeat> last_heartbeat_;  // of any stream
  int stuck_heartbeats_ = 0;                 // of this stream, in a row
  std::set<std::int64_t> missing_;           // reported as such, and not seen since
  std::int64_t delivered_ = 0;
};

}  // namespace wattmint::check
