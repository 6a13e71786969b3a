// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"
#include "core/store/commit_queue.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>

namespace wattmint::ingest {

// Tells everybody, or one user, what an admin has to say: each as one event of the log, however
// often it is asked for by the same request id.
//
// Threads: any. Lifetime: the queue must outlive it. Errors: kInvalidArgument that names the field;
// kAlreadyExists when the request id was used for something else; those of the queue.
class Announcer {
 public:
  struct Sent {
    std::int64_t sequence = 0;  // of its event
    bool existed = false;       // it was sent before
  };
  // Called on the queue's acknowledger thread, or within Send(); must not block.
  using Callback = std::function<void(absl::StatusOr<Sent>)>;

  explicit Announcer(store::CommitQueue& queue) : queue_(queue) {}

  void Send(std::string request_id, domain::SystemAlert alert, Callback done);
  void Send(std::string request_id, domain::Notification notification, Callback done);

 private:
  void Submit(std::string request_id, domain::Fact fact, const std::string& content, Callback done);

  store::CommitQueue& queue_;
};

}  // namespace wattmint::ingest
