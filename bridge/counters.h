// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/websocket_server.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace wattmint::bridge {

// What happened to all sessions since the start, and how it stands. Threads: any.
struct Counters {
  using Number = std::atomic<std::int64_t>;

  Number sessions_open{0};
  Number sessions_unauthenticated{0};  // of those, and of those that are about to open
  Number sessions_opened{0};           // the number of a session is how many there were by then
  Number upgrades_refused{0};          // credential, origin, path, or the core could not be asked
  Number frames_received{0};           // messages of clients, refused ones included
  Number frames_refused{0};            // over the rate
  Number events_sent{0};               // an event to a session
  Number messages_sent{0};             // what is no event
  Number errors_sent{0};               // of those
  Number subscription_changes{0};      // Subscribe and Unsubscribe that were done
  Number fell_behind{0};               // times that a session left the live feed
  Number history_reads{0};             // pages asked of the core
  Number heartbeats_sent{0};
  Number unknown_events{0};            // that came live, of a type that this bridge does not know
  Number events_compressed{0};         // frames of them
  Number bytes_before_compression{0};  // of their frames
  Number bytes_after_compression{0};
  std::array<Number, kServerLimitsCount> limits{};  // by ServerLimit

  std::atomic<bool> is_upstream_connected{false};  // all sessions' threads were told so
  Number upstream_head{0};
  Number upstream_lag_us{0};

  Number certificate_end_s{0};  // Unix time; 0: no TLS
};

// One more in a number, while it lives.
class CountedIn {
 public:
  explicit CountedIn(Counters::Number& number) : number_(number) { ++number_; }
  ~CountedIn() { --number_; }
  CountedIn(const CountedIn&) = delete;
  CountedIn& operator=(const CountedIn&) = delete;

 private:
  Counters::Number& number_;
};

}  // namespace wattmint::bridge
