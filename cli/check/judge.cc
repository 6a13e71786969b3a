// SPDX-License-Identifier: Apache-2.0
#include "cli/check/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wattmint::check {
namespace {

constexpr std::size_t kMissingMax = 10'000;  // chosen: bounds what a broken server makes us keep
constexpr int kStuckHeartbeats = 2;          // one may cross with the events

template <typename Values, typename Value>
bool IsAny(const Values& values, Value value) {
  return values.empty() || std::ranges::find(values, value) != values.end();
}

}  // namespace

bool Interest::AskedFor(const LogEntry& entry) const {
  if (is_own_only && entry.user == LogEntry::kEverybody) return false;
  return IsAny(meters, entry.meter) && IsAny(types, entry.type);
}

Judge::Judge(std::string subscriber, Interest interest, const ReferenceLog& log,
             ViolationSink& sink)
    : subscriber_(std::move(subscriber)),
      interest_(std::move(interest)),
      sink_(sink),
      window_(log) {}

void Judge::OnBegin(std::int64_t after) {
  has_begun_ = true;
  begin_ = position_ = clear_ = after;
}

void Judge::OnResumed() {
  is_first_of_stream_ = true;
  is_caught_up_ = false;
  stuck_heartbeats_ = 0;
}

void Judge::OnResumedAtBookmark() {
  OnResumed();
  position_ = clear_ = bookmark().value_or(begin_);
}

void Judge::OnRefused(std::string_view why) {
  Report(
      Guarantee::kResumable, position_,
      fmt::format("the stream was to go on behind event {}, and was refused: {}", position_, why));
}

void Judge::OnEvents(std::span<const Received> events) {
  for (const Received& event : events) Receive(event);
}

void Judge::Receive(const Received& event) {
  if (event.sequence <= position_) return ReceiveAgain(event.sequence);
  MissUpTo(event.sequence - 1, fmt::format("event {} came instead", event.sequence));
  is_first_of_stream_ = false;
  position_ = event.sequence;
  const LogEntry* const entry = window_.Find(event.sequence);
  if (entry == nullptr) {
    return Report(Guarantee::kReliable, event.sequence, "it was delivered, and the log lacks it");
  }
  if (entry->type == 0) return;  // of a later version: whose it is cannot be told
  const bool is_json = interest_.encoding == Interest::Encoding::kJson;
  if (!interest_.MaySee(*entry)) {
    Report(Guarantee::kPrivate, event.sequence, "it concerns somebody else, and was delivered");
  } else if (!interest_.AskedFor(*entry)) {
    Report(Guarantee::kPrivate, event.sequence, "the filter excludes it, and it was delivered");
  } else if (event.digest != (is_json ? entry->json_digest : entry->grpc_digest)) {
    Report(Guarantee::kReliable, event.sequence,
           "it was delivered with another content than the "
           "log's");
  } else {
    ++delivered_;
  }
}

void Judge::ReceiveAgain(std::int64_t sequence) {
  if (missing_.erase(sequence) > 0) {
    return Report(Guarantee::kOrdered, sequence, fmt::format("it came behind event {}", position_));
  }
  const LogEntry* const entry = window_.Find(sequence);
  if (entry == nullptr || !interest_.MaySee(*entry) || !interest_.AskedFor(*entry)) {
    return Report(
        Guarantee::kPrivate, sequence,
        fmt::format("it is none of this subscription's, and came behind event {}", position_));
  }
  if (sequence <= begin_) {
    return Report(Guarantee::kResumable, sequence,
                  fmt::format("the stream was to begin behind event {}", begin_));
  }
  Report(Guarantee::kUnique, sequence,
         fmt::format("it came once more, when everything up to {} had come", position_));
}

void Judge::OnHeartbeat(std::int64_t head, std::int64_t delivered, std::string_view cursor) {
  MissUpTo(delivered, fmt::format("a heartbeat says that everything up to {} came", delivered));
  Heartbeat now{head, delivered, std::string(cursor)};
  CheckBookmark(now);
  last_heartbeat_ = std::move(now);
}

void Judge::CheckBookmark(const Heartbeat& now) {
  if (now.cursor.empty()) {
    return Report(Guarantee::kBookmarkable, now.delivered, "a heartbeat came without a cursor");
  }
  if (!last_heartbeat_) return;
  const Heartbeat& last = *last_heartbeat_;
  if (now.delivered < last.delivered) {
    Report(Guarantee::kBookmarkable, now.delivered,
           fmt::format("a heartbeat went back from {}", last.delivered));
  } else if (now.delivered > last.delivered && now.cursor == last.cursor) {
    Report(Guarantee::kBookmarkable, now.delivered,
           fmt::format("the cursor is the same as at {}", last.delivered));
  }
  const bool is_stuck =
      is_caught_up_ && now.delivered < last.head && !FirstDue(now.delivered, last.head);
  stuck_heartbeats_ = is_stuck ? stuck_heartbeats_ + 1 : 0;
  if (stuck_heartbeats_ == kStuckHeartbeats) {
    Report(
        Guarantee::kBookmarkable, now.delivered,
        fmt::format("the cursor did not move, and the log had {} events a heartbeat before, none "
                    "of them for this subscription",
                    last.head));
  }
}

bool Judge::HasAll(std::int64_t head) {
  const std::optional<std::int64_t> due = FirstDue(std::max(position_, clear_), head);
  clear_ = due ? *due - 1 : std::max({position_, clear_, head});
  return !due;
}

void Judge::Finish(std::int64_t head) { MissUpTo(head, "it never came"); }

std::optional<std::int64_t> Judge::bookmark() const {
  return last_heartbeat_ ? std::optional(last_heartbeat_->delivered) : std::nullopt;
}

bool Judge::IsDue(const LogEntry& entry) const {
  return entry.type != 0 && interest_.MaySee(entry) && interest_.AskedFor(entry);
}

// One report for all that is missing in one place.
void Judge::MissUpTo(std::int64_t sequence, std::string_view evidence) {
  if (sequence <= position_) return;
  std::int64_t first = 0;
  std::int64_t count = 0;
  for (auto due = FirstDue(position_, sequence); due; due = FirstDue(*due, sequence)) {
    if (count++ == 0) first = *due;
    if (missing_.size() < kMissingMax) missing_.insert(*due);
  }
  position_ = sequence;
  if (count == 0) return;
  Report(is_first_of_stream_ ? Guarantee::kResumable : Guarantee::kReliable, first,
         count == 1 ? fmt::format("it is missing; {}", evidence)
                    : fmt::format("it is missing, and {} more behind it; {}", count - 1, evidence));
}

// The first event in (after, up_to] that is to come.
std::optional<std::int64_t> Judge::FirstDue(std::int64_t after, std::int64_t up_to) {
  for (std::int64_t sequence = after + 1; sequence <= up_to; ++sequence) {
    const LogEntry* const entry = window_.Find(sequence);
    if (entry == nullptr) return std::nullopt;
    if (IsDue(*entry)) return sequence;
  }
  return std::nullopt;
}

void Judge::Report(Guarantee guarantee, std::int64_t sequence, std::string what) {
  sink_.Report({guarantee, subscriber_, sequence, std::move(what)});
}

}  // namespace wattmint::check
