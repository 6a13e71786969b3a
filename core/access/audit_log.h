// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/principal.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/rate_limiter.h"
#include "core/base/sha256.h"
#include "core/domain/filter.h"

#include <absl/status/status.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace wattmint::access {

// What an audited call was about. The id of a meter is written as a hash.
struct AuditTarget {
  enum class Kind { kNone, kKey, kMeter, kReading, kTask, kEvent };
  Kind kind = Kind::kNone;
  std::string id = {};
};

// Writes down who did what, for whoever has to answer for it: one JSON object a line, as
// core/rpc/README.md describes it. It holds no secret and nothing that tells a person: API keys are
// named by their ids; users and meters by a keyed hash, which stays the same for years, and which
// only the holder of the key can find for a name.
//
// Refusals are written at some rate at most, and all of them are counted.
// Threads: any. Lifetime: the clock must outlive it.
class AuditLog {
 public:
  using Key = std::array<std::uint8_t, 32>;
  // Takes a line, without its line break. Called on any thread, several at a time.
  using Sink = std::function<void(std::string_view line)>;

  // What it counts refusals by; the last stands for every other.
  static std::span<const std::string_view> Reasons();

  // The key of an installation: made of the one that signs its cursors, so that core and bridges
  // write the same names.
  static Key KeyOf(const Key& cursor_key);
  // The name of a user or of a meter: 16 hex digits.
  static std::string HashOf(const Key& key, std::string_view id);

  // `program`: which one writes.
  AuditLog(std::string_view program, const Key& key, base::Clock& clock, Sink sink);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // A call has an outcome, which its caller does not know yet.
  void Called(std::string_view method, const Principal& who, const AuditTarget& target,
              const absl::Status& outcome);
  // A call or a session was turned away; `who` is nullptr when it is not known.
  void Refused(std::string_view method, const Principal* who, const absl::Status& why)
      WATTMINT_EXCLUDES(mutex_);

  // A stream or a session has begun, with a number that no other of this program has.
  void StreamOpened(std::int64_t stream, std::string_view method, const Principal& who);
  // What it is about from now on; none: everything that its principal may see.
  void Subscribed(std::int64_t stream, std::span<const domain::EventFilter> filters);
  // The same by channels, such as "system" or "meter:roof-1"; only their kinds are written.
  void SubscribedTo(std::int64_t stream, std::span<const std::string> channels);
  // It goes on by another credential.
  void Renewed(std::int64_t stream, const Principal& who);
  void StreamEnded(std::int64_t stream, base::Duration length, const absl::Status& why);

  // Refusals so far, in the order of Reasons().
  std::int64_t refused(std::size_t reason) const { return refused_[reason].load(); }

 private:
  static constexpr std::size_t kTargetBytesMax = 36;  // a UUID; ids of keys and tasks are shorter

  std::string NameOf(const AuditTarget& target) const;
  static constexpr std::size_t kReasons = 12;

  class Line;

  const std::string program_;
  const Key key_;
  base::Clock& clock_;
  const Sink sink_;
  std::array<std::atomic<std::int64_t>, kReasons> refused_{};

  base::Mutex mutex_;  // guards all below
  base::RateLimiter refusals_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t unwritten_ WATTMINT_GUARDED_BY(mutex_) = 0;  // since the last that was written
};

}  // namespace wattmint::access
