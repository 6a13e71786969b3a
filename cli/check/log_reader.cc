// SPDX-License-Identifier: Apache-2.0
#include "cli/check/log_reader.h"

#include "cli/check/observed_event.h"
#include "core/access/reason.h"
#include "core/base/backoff.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>

#include <chrono>
#include <utility>

namespace wattmint::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr base::Duration kCallTimeout = std::chrono::seconds(30);
constexpr std::int32_t kPageEvents = 2'000;
constexpr milliseconds kLookPeriod{20};  // at the end of the log
constexpr base::BackoffOptions kBackoff{.initial = milliseconds(100), .cap = milliseconds(1'000)};

std::string ReadingName(const std::string& reading_id) { return "reading " + reading_id; }
std::string MintName(std::int64_t task_id) { return fmt::format("the mint of task {}", task_id); }

bool IsOpen(v1::MintState state) {
  return state == v1::MINT_STATE_PENDING || state == v1::MINT_STATE_CLAIMED ||
         state == v1::MINT_STATE_SIGNED || state == v1::MINT_STATE_SUBMITTED;
}

}  // namespace

LogReader::LogReader(std::shared_ptr<grpc::Channel> channel, Options options, const Cast& cast,
                     const Sinks& sinks)
    : api_(std::move(channel), kCallTimeout),
      options_(std::move(options)),
      cast_(cast),
      sinks_(sinks),
      next_(sinks.log.first()) {}

LogReader::~LogReader() { Stop(); }

void LogReader::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LogReader::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    stopped_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

absl::Status LogReader::status() const {
  base::MutexLock lock(mutex_);
  return status_;
}

std::int64_t LogReader::readings() const {
  base::MutexLock lock(mutex_);
  return static_cast<std::int64_t>(readings_.size());
}

std::int64_t LogReader::open_tasks() const {
  base::MutexLock lock(mutex_);
  return static_cast<std::int64_t>(open_.size());
}

std::vector<std::string> LogReader::open_readings() const {
  base::MutexLock lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [task, reading] : open_) ids.push_back(reading);
  return ids;
}

void LogReader::Run() {
  const absl::Status status = Read();
  {
    base::MutexLock lock(mutex_);
    status_ = status;
  }
  sinks_.log.Close();
}

// Ends with OK when it is stopped.
absl::Status LogReader::Read() {
  base::SystemRandom random;
  int failures = 0;
  auto last_answer = steady_clock::now();
  for (;;) {
    v1::ReadEventsRequest request;
    request.set_from_sequence(next_);
    request.set_page_size(kPageEvents);
    const auto page = api_.ReadEvents(options_.credential, request);
    base::Duration delay = kLookPeriod;
    if (page.ok()) {
      failures = 0;
      last_answer = steady_clock::now();
      WATTMINT_RETURN_IF_ERROR(Take(*page));
      if (next_ <= page->head_sequence()) delay = base::Duration::zero();
    } else {
      if (access::ReasonOf(page.status()) == "START_IN_FUTURE") {
        Report(Guarantee::kReliable, next_ - 1, "the log ends before it, and had told it");
        return page.status();
      }
      const bool is_over = steady_clock::now() - last_answer > options_.patience;
      if (!client::IsTransient(page.status()) || is_over) return page.status();
      delay = client::RetryDelay(page.status(), kBackoff, ++failures, random);
    }
    if (!WaitUnlessStopped(delay)) return absl::OkStatus();
  }
}

absl::Status LogReader::Take(const v1::ReadEventsResponse& page) {
  if (page.epoch() != options_.epoch) {
    return base::FailedPrecondition("the log was replaced: its epoch is {} now", page.epoch());
  }
  sinks_.atomicity.OnHead(page.head_sequence());
  for (const v1::Event& event : page.events()) TakeEvent(event);
  if (page.next_sequence() > next_) {
    Report(Guarantee::kReliable, next_,
           fmt::format("the log goes on at {}, and has nothing in between", page.next_sequence()));
    while (next_ < page.next_sequence()) {
      sinks_.log.Append({});
      ++next_;
    }
  }
  return absl::OkStatus();
}

void LogReader::TakeEvent(const v1::Event& event) {
  if (event.sequence() < next_) {
    return Report(Guarantee::kUnique, event.sequence(), "ReadEvents told it again");
  }
  if (event.sequence() > next_) {
    Report(Guarantee::kReliable, next_,
           fmt::format("the log has a hole up to event {}", event.sequence()));
  }
  for (; next_ < event.sequence(); ++next_) sinks_.log.Append({});
  const LogEntry entry = Observe(event, cast_);
  if (entry.user >= 0) {
    if (event.has_meter_reading_received()) TakeReading(event, entry);
    TakeChange(event);
  }
  sinks_.log.Append(entry);
  ++next_;
}

void LogReader::TakeReading(const v1::Event& event, const LogEntry& entry) {
  const auto& reading = event.meter_reading_received();
  const std::int64_t minute = reading.interval_start().seconds() / 60;
  bool is_new = false;
  {
    base::MutexLock lock(mutex_);
    is_new = readings_
                 .insert(static_cast<std::uint64_t>(entry.meter) << 48 |
                         static_cast<std::uint64_t>(minute))
                 .second;
  }
  if (!is_new) {
    Report(Guarantee::kUnique, event.sequence(),
           fmt::format("one reading of meter {} was accepted twice", reading.meter_id()));
  }
}

void LogReader::TakeChange(const v1::Event& event) {
  const std::int64_t sequence = event.sequence();
  if (event.has_meter_reading_received()) {
    const auto& reading = event.meter_reading_received();
    if (reading.mint_state() != v1::MINT_STATE_NOT_APPLICABLE) {
      sinks_.atomicity.OnBegun(sequence, ReadingName(reading.reading_id()));
    }
  } else if (event.has_task_created()) {
    const auto& task = event.task_created();
    sinks_.atomicity.OnEnded(sequence, ReadingName(task.reading_id()));
    base::MutexLock lock(mutex_);
    open_[task.task_id()] = task.reading_id();
  } else if (event.has_task_status_changed()) {
    const auto& change = event.task_status_changed();
    if (change.new_state() == v1::MINT_STATE_CONFIRMED) {
      sinks_.atomicity.OnBegun(sequence, MintName(change.task_id()));
    }
    base::MutexLock lock(mutex_);
    if (!IsOpen(change.new_state())) open_.erase(change.task_id());
  } else if (event.has_tokens_minted()) {
    sinks_.atomicity.OnEnded(sequence, MintName(event.tokens_minted().task_id()));
  }
}

void LogReader::Report(Guarantee guarantee, std::int64_t sequence, std::string what) {
  sinks_.violations.Report({guarantee, "log", sequence, std::move(what)});
}

bool LogReader::WaitUnlessStopped(base::Duration delay) {
  base::MutexLock lock(mutex_);
  return !stopped_.WaitFor(mutex_, delay, [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
}

}  // namespace wattmint::check
