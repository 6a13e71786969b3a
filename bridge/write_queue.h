// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include "bridge/websocket_server.h"

#include <cassert>
#include <cstddef>
#include <functional>
#include <sys/uio.h>
#include <system_error>
#include <utility>
#include <vector>

namespace wattmint::bridge {

// Frames that a socket has still to take, in order. It holds no memory while it is empty.
//
// Threads: the caller's.
class WriteQueue {
 public:
  // Called once the frame is through.
  using Done = std::function<void(const std::error_code&)>;

  bool IsEmpty() const { return bytes_ == 0; }
  // Those that are still to be taken.
  std::size_t bytes() const { return bytes_; }

  // The first `taken_bytes` of the frame have been written. REQUIRES: taken_bytes is below the
  // frame's size, and 0 unless the queue is empty.
  void Push(SharedFrame frame, Done done = nullptr, std::size_t taken_bytes = 0) {
    assert(taken_bytes < frame->size() && (taken_bytes == 0 || IsEmpty()));
    if (taken_bytes > 0) front_taken_ = taken_bytes;
    bytes_ += frame->size() - taken_bytes;
    items_.push_back({std::move(frame), std::move(done)});
  }

  // Fills `parts` from the front; returns how many were filled.
  template <typename Parts>
  std::size_t Gather(Parts& parts) const {
    std::size_t count = 0;
    for (std::size_t i = front_; i < items_.size() && count < parts.size(); ++i) {
      const std::size_t offset = count == 0 ? front_taken_ : 0;
      const std::string& frame = *items_[i].frame;
      parts[count++] = {const_cast<char*>(frame.data()) + offset, frame.size() - offset};
    }
    return count;
  }

  // The socket has taken so many bytes. Returns what is to be called now.
  std::vector<Done> Consume(std::size_t taken_bytes) {
    std::vector<Done> done;
    bytes_ -= taken_bytes;
    front_taken_ += taken_bytes;
    while (front_ < items_.size() && front_taken_ >= items_[front_].frame->size()) {
      Item& front = items_[front_++];
      front_taken_ -= front.frame->size();
      if (front.done) done.push_back(std::move(front.done));
      front.frame = nullptr;
    }
    Compact();
    return done;
  }

  // Forgets everything. Returns what would have been called.
  std::vector<Done> Clear() {
    std::vector<Done> done;
    for (std::size_t i = front_; i < items_.size(); ++i) {
      if (items_[i].done) done.push_back(std::move(items_[i].done));
    }
    *this = WriteQueue();
    return done;
  }

 private:
  struct Item {
    SharedFrame frame;
    Done done;
  };

  void Compact() {
    if (bytes_ == 0) {
      *this = WriteQueue();
    } else if (front_ > items_.size() / 2) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(front_));
      front_ = 0;
    }
  }

  std::size_t bytes_ = 0;
  std::size_t front_taken_ = 0;  // bytes of the first frame that the socket has
  std::size_t front_ = 0;        // the first in items_
  std::vector<Item> items_;
};

}  // namespace wattmint::bridge
