// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/bridge_client.h"
#include "cli/check/subscriber.h"
#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/client/credential.h"

#include <absl/status/status.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace wattmint::check {

// By the JSON protocol of bridge/README.md, on one socket after another.
class WebSocketSubscriber final : public Subscriber {
 public:
  struct Options {
    std::string bridge;          // HOST:PORT
    std::string bridge_ca = "";  // PEM; empty: no TLS
    client::Credential credential;
    nlohmann::ordered_json subscribe;  // the data of the first Subscribe
  };

  WebSocketSubscriber(Options options, std::unique_ptr<Witness> witness);
  ~WebSocketSubscriber() override { Stop(); }

  void Start() override;
  void Stop() override WATTMINT_EXCLUDES(mutex_);
  void Cut(Witness::Place place) override WATTMINT_EXCLUDES(mutex_);
  Witness& witness() override { return *witness_; }

 private:
  void Run() WATTMINT_EXCLUDES(mutex_);
  // Takes the connection down; true if it was cut.
  bool Close() WATTMINT_EXCLUDES(mutex_);
  // Connects, subscribes and reads to the end of the connection. Errors: why it ended; permanent
  // unless client::IsTransient().
  absl::Status FollowOnce();
  absl::Status Open();
  absl::Status Handle(const nlohmann::json& frame);
  absl::Status HandleError(const nlohmann::json& data);
  void HandleEvent(const nlohmann::json& frame);
  void KeepCursor(const nlohmann::json& data);
  nlohmann::ordered_json MakeSubscribe() const;
  bool WaitUnlessStopped(base::Duration delay) WATTMINT_EXCLUDES(mutex_);

  const Options options_;
  const std::unique_ptr<Witness> witness_;

  // Of its own thread.
  std::string cursor_;              // the newest one
  std::int64_t last_sequence_ = 0;  // of the last event
  std::string bookmark_;            // the cursor of the last heartbeat
  base::SystemRandom random_;

  base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  bool stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool has_ended_ WATTMINT_GUARDED_BY(mutex_) = false;
  enum class Request { kNone, kResume, kResumeAtBookmark };
  Request cut_ WATTMINT_GUARDED_BY(mutex_) = Request::kNone;
  std::unique_ptr<bridge::BridgeClient> socket_;  // replaced under the mutex, used by the thread

  std::thread thread_;
};

}  // namespace wattmint::check
