// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "storage/connection.h"

#include <absl/status/statusor.h>

#include <memory>
#include <vector>

namespace wattmint::storage {

// A few connections that only read, lent out for one question each.
//
// Threads: any. Lifetime: leases end before the pool.
class ReaderPool {
 public:
  // A borrowed connection; its end gives it back.
  struct GiveBack {
    ReaderPool* pool = nullptr;
    void operator()(Connection* connection) const { pool->TakeBack(connection); }
  };
  using Lease = std::unique_ptr<Connection, GiveBack>;

  // Closed at first. REQUIRES: size >= 1.
  ReaderPool(ConnectionOptions options, int size);
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  // REQUIRES: closed. Errors: those of ToStatus(); it is closed then.
  absl::Status Open();
  // Waits for all leases to end; until the next Open() nothing is lent.
  void Close();
  // Waits until one is free. kUnavailable while closed.
  absl::StatusOr<Lease> Borrow();

 private:
  void TakeBack(Connection* connection);

  const ConnectionOptions options_;
  const std::size_t size_;
  base::Mutex mutex_;  // guards the connections; each is used without it by whoever borrowed it
  base::CondVar changed_;
  bool open_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Connection>> connections_ WATTMINT_GUARDED_BY(mutex_);
  std::vector<Connection*> free_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::storage
