// SPDX-License-Identifier: Apache-2.0
#include "cli/check/witness.h"

#include <utility>

namespace wattmint::check {

using std::chrono::steady_clock;

Witness::Witness(const SubscriberPlan& plan, const ReferenceLog& log, ViolationSink& sink,
                 base::Duration patience)
    : name_(plan.name),
      is_websocket_(plan.is_websocket()),
      beginning_(plan.beginning),
      log_(log),
      patience_(patience),
      judge_(plan.name, plan.interest, log, sink) {}

void Witness::OnEstablished(std::int64_t head) {
  base::MutexLock lock(mutex_);
  ++counts_.streams;
  is_established_ = true;
  if (!judge_.has_begun()) {
    // The cast is new: what is older than the log under check is none of its subscribers'.
    judge_.OnBegin(beginning_ == Beginning::kNow ? head : log_.first() - 1);
  } else if (std::exchange(resumes_at_bookmark_, false)) {
    judge_.OnResumedAtBookmark();
  } else {
    judge_.OnResumed();
  }
}

void Witness::OnEvents(std::span<const Judge::Received> events) {
  if (!AwaitLog(events.back().sequence)) return;
  base::MutexLock lock(mutex_);
  judge_.OnEvents(events);
}

void Witness::OnHeartbeat(std::int64_t head, std::int64_t delivered, std::string_view cursor) {
  if (!AwaitLog(delivered)) return;
  base::MutexLock lock(mutex_);
  judge_.OnHeartbeat(head, delivered, cursor);
}

void Witness::OnCaughtUp() {
  base::MutexLock lock(mutex_);
  judge_.OnCaughtUp();
}

void Witness::OnFellBehind() {
  base::MutexLock lock(mutex_);
  judge_.OnFellBehind();
}

void Witness::OnLost() {
  base::MutexLock lock(mutex_);
  if (is_established_) ++counts_.losses;
  MarkAway();
}

void Witness::OnRefused(const absl::Status& why) {
  base::MutexLock lock(mutex_);
  MarkAway();
  refused_ = why;
  if (judge_.has_begun()) judge_.OnRefused(why.ToString());
}

void Witness::OnCut(Place place) {
  base::MutexLock lock(mutex_);
  ++counts_.cuts;
  resumes_at_bookmark_ = place == Place::kBookmark;
  MarkAway();
}

bool Witness::is_established() const {
  base::MutexLock lock(mutex_);
  return is_established_;
}

base::Duration Witness::away() const {
  base::MutexLock lock(mutex_);
  if (is_established_) return base::Duration::zero();
  return std::chrono::duration_cast<base::Duration>(steady_clock::now() - away_since_);
}

absl::Status Witness::refused() const {
  base::MutexLock lock(mutex_);
  return refused_;
}

bool Witness::HasAll(std::int64_t head) {
  base::MutexLock lock(mutex_);
  return judge_.has_begun() && judge_.HasAll(head);
}

std::optional<std::int64_t> Witness::bookmark() const {
  base::MutexLock lock(mutex_);
  return judge_.bookmark();
}

void Witness::Finish(std::int64_t head) {
  base::MutexLock lock(mutex_);
  judge_.Finish(head);
}

Witness::Counts Witness::counts() const {
  base::MutexLock lock(mutex_);
  Counts counts = counts_;
  counts.delivered = judge_.delivered();
  return counts;
}

bool Witness::AwaitLog(std::int64_t sequence) const {
  return log_.WaitFor(sequence, patience_) || !log_.is_closed();
}

void Witness::MarkAway() {
  if (std::exchange(is_established_, false)) away_since_ = steady_clock::now();
}

}  // namespace wattmint::check
