// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/store/event_log.h"
#include "core/stream/event_list.h"

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace wattmint::stream {

// Streamed bytes that several subscribers send.
struct SharedBytes {
  std::shared_ptr<const char[]> owner;  // shared: whoever still sends the bytes keeps them
  std::string_view bytes;
};

using SharedPieces = absl::InlinedVector<SharedBytes, 1>;

// Keeps the newest events as they are streamed (wire::AppendEventField), each made once, one behind
// the other in large blocks, so that a run of events is one piece of memory for everybody.
//
// It stands before the hub: what the hub shows, the cache has seen. Threads: any.
// Lifetime: `next` must outlive it.
class FrameCache final : public store::EventSink {
 public:
  struct Options {
    std::size_t bytes_max = 32 << 20;
    std::size_t block_bytes = 256 << 10;
  };
  FrameCache(store::EventSink& next, Options options) : next_(next), options_(options) {}

  void Publish(std::vector<store::EventRecord> events) override;
  void Reset(std::int64_t last) override;

  // The streamed bytes of the events, in order, in as few pieces as can be. Events that are not
  // kept any more are made anew.
  SharedPieces Collect(const EventList& events) const;

 private:
  struct Block {
    std::shared_ptr<char[]> memory;  // shared: as in SharedBytes
    std::size_t capacity = 0;
    std::size_t used = 0;
    std::size_t events_count = 0;
  };
  struct Place {
    std::int64_t block = 0;  // number of the block, counted from the first ever
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  void AppendLocked(const store::EventRecord& event) WATTMINT_REQUIRES(mutex_);
  void ClearLocked() WATTMINT_REQUIRES(mutex_);
  void TrimLocked() WATTMINT_REQUIRES(mutex_);
  void CollectRunLocked(std::span<const store::EventRecord> run, SharedPieces& pieces) const
      WATTMINT_REQUIRES(mutex_);
  void CollectKeptLocked(const Place& first, const Place& last, SharedPieces& pieces) const
      WATTMINT_REQUIRES(mutex_);

  store::EventSink& next_;
  const Options options_;
  mutable base::Mutex mutex_;  // guards all below; not the bytes of events, which never change
  std::deque<Block> blocks_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t first_block_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_ WATTMINT_GUARDED_BY(mutex_) = 0;
  std::deque<Place> places_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t first_sequence_ WATTMINT_GUARDED_BY(mutex_) = 0;  // of places_.front()
};

}  // namespace wattmint::stream
