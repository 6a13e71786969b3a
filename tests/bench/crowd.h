// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace wattmint::bench {

// Many browsers on one thread, which count the events that they get and care for little else.
//
// Each opens its WebSocket, subscribes, and is live once the server has said so. All must go well,
// or the program ends with a sentence.
// Threads: one, beside its own.
class Crowd {
 public:
  struct Options {
    int port = 0;
    int count = 1;
    int opening_max = 500;  // at a time
    std::string key;        // API key; empty: a server that asks for none
    // Members of `data` of the Subscribe of each; empty: it is live once the socket is open.
    std::function<std::string(int number)> subscription;
    int stalled = 0;           // so many of the last read nothing once they are live
    bool has_to_match = true;  // sequences of events have no gap
    bool takes_times = false;  // of the events
    // Offers permessage-deflate. Each compressed message then counts as an event, unread.
    bool compresses = false;
  };
  explicit Crowd(Options options);
  // Closes all.
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Each of these ends the program after kPatience.
  void AwaitLive(int count) WATTMINT_EXCLUDES(mutex_);
  // Received by all together since the start.
  void AwaitEvents(std::int64_t count) WATTMINT_EXCLUDES(mutex_);

  std::int64_t events() const { return events_; }
  std::int64_t event_bytes() const { return event_bytes_; }

  // Who loses the connection connects at once again, and resumes; but not between these two.
  // AwaitLive(0) waits until the last has lost it.
  void StayAway() { stays_away_ = true; }
  void ComeBack() { stays_away_ = false; }

  // From the time that an event names to its receipt, in milliseconds, of those since the last
  // call. REQUIRES: takes_times; no event comes meanwhile.
  std::vector<double> TakeTimes() { return std::exchange(times_, {}); }

 private:
  enum class State { kIdle, kConnecting, kUpgrading, kOpen, kLive };
  struct Member {
    int number = 0;
    State state = State::kIdle;
    base::UniqueFd socket;
    std::string rest;  // received, but no whole frame yet
    std::string cursor;
    bool was_live = false;
    std::int64_t sequence = 0;  // of the last event
  };

  void Run();
  void Begin(Member& member);
  void OnReady(Member& member, std::uint32_t readiness);
  void SendUpgrade(Member& member);
  void Subscribe(Member& member);
  void BecomeLive(Member& member);
  void Lose(Member& member);
  // Returns how much of `bytes` was used up.
  std::size_t Take(Member& member, std::string_view bytes);
  std::size_t TakeAnswer(Member& member, std::string_view bytes);
  std::size_t TakeFrame(Member& member, std::string_view bytes);
  void OnText(Member& member, std::string_view text);
  void OnEvent(Member& member, std::string_view text, std::string_view sequence);
  void OnMessage(Member& member, std::string_view text);
  void Publish() WATTMINT_EXCLUDES(mutex_);
  void Watch(Member& member, int operation, std::uint32_t readiness);

  const Options options_;
  const base::UniqueFd poll_;
  std::vector<Member> members_;
  std::vector<char> buffer_;
  std::vector<int> waiting_;  // who has to begin
  std::vector<int> refused_;  // who has to subscribe once more
  int opening_ = 0;
  std::int64_t counted_ = 0;  // events, also those that are not published yet
  std::int64_t counted_bytes_ = 0;
  std::vector<double> times_;

  std::atomic<bool> stops_ = false;
  std::atomic<bool> stays_away_ = false;
  std::atomic<int> live_ = 0;
  std::atomic<std::int64_t> events_ = 0;
  std::atomic<std::int64_t> event_bytes_ = 0;

  base::Mutex mutex_;  // of who waits for a change of the atomics
  base::CondVar changed_;
  std::thread thread_;
};

}  // namespace wattmint::bench
