// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/event_log.h"
#include "storage/reader_pool.h"

namespace wattmint::storage {

// The events of wattmint.db. Threads: any. Lifetime: `readers` must outlive it.
class SqliteEventLog final : public store::EventLog {
 public:
  explicit SqliteEventLog(ReaderPool& readers) : readers_(readers) {}

  absl::StatusOr<store::LogBounds> GetBounds() override;
  absl::StatusOr<std::vector<store::StoredEvent>> Read(std::int64_t from, std::size_t count_max,
                                                       std::size_t bytes_max) override;

 private:
  ReaderPool& readers_;
};

}  // namespace wattmint::storage
