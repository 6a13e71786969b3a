// SPDX-License-Identifier: Apache-2.0
#include "core/stream/dry_run.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/stream/start.h"
#include "core/wire/event_codec.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace wattmint::stream {
namespace {

constexpr std::int64_t kPageEvents = 4'096;  // chosen: some 1 MB
constexpr std::size_t kPageBytes = 1 << 20;

// Counts the events that match, in order.
class Counter {
 public:
  explicit Counter(const Interest& interest) : interest_(interest) {}

  absl::Status Look(const store::StoredEvent& stored) {
    WATTMINT_ASSIGN_OR_RETURN(const domain::Event event,
                              wire::DecodePayload(stored.sequence, stored.payload));
    if (!found_.first_time) found_.first_time = event.time;
    found_.last_time = event.time;
    found_.last = stored.sequence;
    ++found_.scanned;
    if (!interest_.Matches(domain::AttributesOf(event.fact))) return absl::OkStatus();
    const auto bytes =
        static_cast<std::int64_t>(wire::EventFieldSize(stored.sequence, stored.payload.size()));
    Add(found_.all, bytes);
    Add(found_.by_type[TypeOf(event.fact)], bytes);
    const auto second = std::chrono::floor<std::chrono::seconds>(event.time);
    in_second_ = second == second_ ? in_second_ + 1 : 1;
    second_ = second;
    found_.peak_per_second = std::max(found_.peak_per_second, in_second_);
    return absl::OkStatus();
  }
  DryRun& found() { return found_; }

 private:
  static void Add(DryRun::Count& count, std::int64_t bytes) {
    ++count.events;
    count.bytes += bytes;
  }

  const Interest& interest_;
  DryRun found_;
  std::optional<std::chrono::sys_seconds> second_;
  std::int64_t in_second_ = 0;
};

}  // namespace

double DryRun::MeanPerSecond() const {
  if (!first_time || *first_time == *last_time) return 0;
  return static_cast<double>(all.events) /
         std::chrono::duration<double>(*last_time - *first_time).count();
}

absl::StatusOr<DryRun> TryOut(const Interest& interest, store::EventLog& log, std::int64_t after,
                              std::int64_t head, std::int64_t scan_max) {
  Counter counter(interest);
  counter.found().last = after;
  for (const std::int64_t end = std::min(head, after + scan_max); after < end;) {
    const auto count = static_cast<std::size_t>(std::min(end - after, kPageEvents));
    auto page = log.Read(after + 1, count, kPageBytes);
    if (absl::IsOutOfRange(page.status())) {
      WATTMINT_ASSIGN_OR_RETURN(const store::LogBounds bounds, log.GetBounds());
      return Compacted(page.status(), bounds.first);
    }
    WATTMINT_RETURN_IF_ERROR(page.status());
    if (page->empty()) return base::DataLoss("the log has no event {}", after + 1);
    for (const store::StoredEvent& stored : *page) WATTMINT_RETURN_IF_ERROR(counter.Look(stored));
    after = page->back().sequence;
  }
  return std::move(counter.found());
}

}  // namespace wattmint::stream
