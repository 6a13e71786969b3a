// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/correction.h"
#include "core/domain/meter.h"
#include "core/domain/mint_task.h"
#include "core/domain/power.h"
#include "core/domain/reading.h"
#include "core/domain/token_amount.h"
#include "core/store/announcement_record.h"
#include "core/store/api_key_record.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wattmint::store {

// What is needed of an accepted reading to answer a repeated submission.
struct KnownReading {
  domain::ReadingId reading_id;
  domain::Energy energy;
  domain::Quality quality = domain::Quality::kActual;
  domain::Channel channel = domain::Channel::kGeneration;
  domain::MintState mint_state = domain::MintState::kPending;
};

// An accepted reading, with the number of its meter.
struct StoredReading {
  std::int64_t meter_ref = 0;
  domain::AcceptedReading accepted;
};

// Where an accepted reading of a meter lies in time.
struct ReadingSpan {
  domain::Time start{};
  domain::Duration length{};
};

// How the minting of a new reading begins. A value.
struct MintStart {
  MintStart(domain::MintState begun, std::string why = "")  // NOLINT(google-explicit-constructor)
      : state(begun), reason(std::move(why)) {}
  domain::MintState state;
  std::string reason;  // kParked and kRejected only: why
};

// One transaction of the only writer: sees its own changes, becomes durable as a whole by Commit(),
// and is rolled back when it is destroyed without.
//
// Threads: one. Lifetime: ends before its Journal.
// Errors: any error is one of the environment (disk, corruption); after it only the destructor may
// be called, and IsBroken() is true. A Commit() that fails may have happened all the same.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // Readings. `meter_ref` as in domain::Meter.
  virtual absl::StatusOr<std::optional<KnownReading>> FindReading(std::int64_t meter_ref,
                                                                  domain::Time start,
                                                                  domain::Duration length) = 0;
  // The reading with the greatest start below `end`.
  virtual absl::StatusOr<std::optional<ReadingSpan>> FindLastStartingBefore(std::int64_t meter_ref,
                                                                            domain::Time end) = 0;
  // Whether a point reading lies in (after, before), both excluded.
  virtual absl::StatusOr<bool> HasPointBetween(std::int64_t meter_ref, domain::Time after,
                                               domain::Time before) = 0;
  virtual absl::StatusOr<std::optional<KnownReading>> FindRequestId(
      std::int64_t meter_ref, std::string_view request_id) = 0;
  // Greatest end of the meter's readings (a point reading ends where it starts).
  virtual absl::StatusOr<std::optional<domain::Time>> FindLastEnd(std::int64_t meter_ref) = 0;
  // The greatest counter of the meter's readings that were verified with this key; 0 if none was.
  virtual absl::StatusOr<std::int64_t> FindCounter(std::int64_t meter_ref,
                                                   std::string_view public_key) = 0;
  // Stores the reading and, unless it begins as kNotApplicable, its mint task: kPending and due at
  // once, or kParked. REQUIRES: one of these three; the natural key and the request id are new; if
  // the meter has a key, the reading's signature was verified with it.
  virtual absl::StatusOr<domain::ReadingId> InsertReading(const domain::Meter& meter,
                                                          const domain::Reading& reading,
                                                          const MintStart& mint,
                                                          domain::Time accept_time) = 0;
  // The reading of a row, as it is now.
  virtual absl::StatusOr<std::optional<StoredReading>> FindStored(std::int64_t row) = 0;

  // Gives the reading the energy and the quality of `change`, and keeps the change. Answers its
  // number, the last plus one. REQUIRES: the row is there, its task is not kConfirmed, and the old
  // energy and quality are those that are stored; `change.correction_id` is not looked at.
  virtual absl::StatusOr<std::int64_t> CorrectReading(std::int64_t row,
                                                      const domain::Correction& change) = 0;
  virtual absl::StatusOr<std::optional<domain::Correction>> FindLastCorrection(
      std::int64_t row) = 0;
  // Makes the task of a reading that had none: kPending and due at once, or kRejected.
  // REQUIRES: the row is there, and has no task.
  virtual absl::Status InsertTask(std::int64_t row, const MintStart& mint, domain::Time time) = 0;

  // The greatest mean power of a meter's readings that are not in quarantine. RaisePeak() keeps the
  // first `first_start` and the greatest power.
  virtual absl::StatusOr<std::optional<domain::PowerPeak>> FindPeak(std::int64_t meter_ref) = 0;
  virtual absl::Status RaisePeak(std::int64_t meter_ref, const domain::PowerPeak& peak) = 0;

  // Mint tasks.
  virtual absl::StatusOr<std::optional<domain::MintTask>> FindTask(std::int64_t task_id) = 0;
  // Compare-and-set: stores every changeable field of `task` if its state in the database is
  // `expected`; false, and nothing changed, if it is not.
  virtual absl::StatusOr<bool> UpdateTask(const domain::MintTask& task,
                                          domain::MintState expected) = 0;
  // The part of a base unit that rounding left over for the meter; 0 at first.
  virtual absl::StatusOr<domain::Remainder> GetRemainder(std::string_view meter_id) = 0;
  virtual absl::Status SetRemainder(std::string_view meter_id, domain::Remainder remainder) = 0;
  // Energy of the tasks that were signed on that day (domain::DayOf), each once.
  virtual absl::StatusOr<domain::Energy> GetSignedEnergy(std::int64_t day) = 0;
  // Adds to what was signed on that day.
  virtual absl::Status AddSignedEnergy(std::int64_t day, domain::Energy energy) = 0;

  // Meters. InsertMeter draws meter_ref. REQUIRES: the meter_id is new, or known, respectively.
  virtual absl::StatusOr<std::int64_t> InsertMeter(const domain::Meter& meter) = 0;
  virtual absl::Status UpdateMeter(const domain::Meter& meter) = 0;

  // Access. REQUIRES: the key_id is new, or known, respectively.
  virtual absl::Status InsertApiKey(const ApiKeyRecord& key) = 0;
  virtual absl::Status UpdateApiKey(const ApiKeyRecord& key) = 0;
  // Also of keys that are not stored themselves.
  virtual absl::Status SetKeyUse(const KeyUse& use) = 0;

  // Alerts and notifications that were sent. REQUIRES: the request_id is new.
  virtual absl::StatusOr<std::optional<AnnouncementRecord>> FindAnnouncement(
      std::string_view request_id) = 0;
  virtual absl::Status InsertAnnouncement(const AnnouncementRecord& announcement) = 0;

  // Small durable switches, such as "minting_paused"; empty removes.
  virtual absl::Status SetSwitch(std::string_view name, std::string_view value) = 0;

  // Appends one event: the payload is a serialised wattmint.v1.Event without its sequence. Answers
  // the sequence.
  virtual absl::StatusOr<std::int64_t> AppendEvent(std::string_view payload) = 0;
  // Removes the oldest events, at most `count_max` of them and none from `before` on, but never the
  // newest. Answers how many.
  virtual absl::StatusOr<std::int64_t> CompactEvents(std::int64_t before,
                                                     std::int64_t count_max) = 0;

  // Makes everything durable (fsync). Nothing may be called afterwards.
  virtual absl::Status Commit() = 0;
  virtual bool IsBroken() const = 0;
};

// The database as its only writer sees it. Threads: one.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual absl::StatusOr<std::unique_ptr<Transaction>> Begin() = 0;
  // After a transaction broke: closes and opens the database again, so that what it holds is known.
  virtual absl::Status Reopen() = 0;
};

}  // namespace wattmint::store
