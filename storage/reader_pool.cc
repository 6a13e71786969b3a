// SPDX-License-Identifier: Apache-2.0
#include "storage/reader_pool.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

namespace wattmint::storage {

ReaderPool::ReaderPool(ConnectionOptions options, int size)
    : options_(std::move(options)), size_(static_cast<std::size_t>(size)) {
  WATTMINT_ASSERT(size >= 1, "{} readers", size);
}

ReaderPool::~ReaderPool() { Close(); }

absl::Status ReaderPool::Open() {
  std::vector<std::unique_ptr<Connection>> opened;
  while (opened.size() < size_) {
    WATTMINT_ASSIGN_OR_RETURN(opened.emplace_back(), Connection::Open(options_, Access::kRead));
  }
  base::MutexLock lock(mutex_);
  WATTMINT_ASSERT(!open_, "the readers are open already");
  connections_ = std::move(opened);
  for (const auto& connection : connections_) free_.push_back(connection.get());
  open_ = true;
  changed_.NotifyAll();
  return absl::OkStatus();
}

void ReaderPool::Close() {
  base::MutexLock lock(mutex_);
  open_ = false;
  changed_.NotifyAll();
  changed_.Wait(mutex_,
                [this]() WATTMINT_REQUIRES(mutex_) { return free_.size() == connections_.size(); });
  free_.clear();
  connections_.clear();
}

absl::StatusOr<ReaderPool::Lease> ReaderPool::Borrow() {
  base::MutexLock lock(mutex_);
  changed_.Wait(mutex_, [this]() WATTMINT_REQUIRES(mutex_) { return !open_ || !free_.empty(); });
  if (!open_) return base::Unavailable("the database is being opened again");
  Lease lease(free_.back(), GiveBack{this});
  free_.pop_back();
  return lease;
}

void ReaderPool::TakeBack(Connection* connection) {
  base::MutexLock lock(mutex_);
  free_.push_back(connection);
  changed_.NotifyAll();
}

}  // namespace wattmint::storage
