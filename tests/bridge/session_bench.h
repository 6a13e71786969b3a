// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/session.h"
#include "bridge/tail_only_log.h"
#include "core/base/mutex.h"
#include "core/wire/event_codec.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::bridge {

// A socket that keeps what it is sent, and can stop taking it.
class FakeConnection final : public WebSocketConnection {
 public:
  std::size_t Send(const SharedFrame& frame) override {
    frames_.push_back(frame);
    if (is_stalled_) pending_ += frame->size();
    pending_max_ = std::max(pending_max_, pending_);
    return pending_;
  }
  std::size_t SendAll(const std::vector<SharedFrame>& frames) override {
    for (const SharedFrame& frame : frames) Send(frame);
    return pending_;
  }
  std::size_t PendingBytes() const override { return pending_; }
  void Close(int code, std::string_view) override {
    if (close_code_ == 0) close_code_ = code;
  }

  void Stall() { is_stalled_ = true; }
  // Everything that waited is taken. The session's OnWritable() is the test's to call.
  void Drain() {
    is_stalled_ = false;
    pending_ = 0;
  }
  int close_code() const { return close_code_; }
  std::size_t pending_max() const { return pending_max_; }
  const SharedFrame& last_frame() const { return frames_.back(); }

  // The frames since the last call, as JSON.
  std::vector<nlohmann::json> Take() {
    std::vector<nlohmann::json> messages;
    for (; read_ < frames_.size(); ++read_) {
      const std::string& bytes = *frames_[read_];
      const std::size_t header = bytes[1] < 126 ? 2 : 4;
      messages.push_back(nlohmann::json::parse(bytes.substr(header)));
    }
    return messages;
  }

 private:
  std::vector<SharedFrame> frames_;
  std::size_t read_ = 0;
  std::size_t pending_ = 0;
  std::size_t pending_max_ = 0;
  bool is_stalled_ = false;
  int close_code_ = 0;
};

// A core in memory. Answers wait until the test runs them, in order.
class FakeCore final : public CoreLink {
 public:
  explicit FakeCore(test::MemoryLog& log) : log_(log) {}

  void Authenticate(client::Credential credential, Done<access::Principal> done) override {
    answers_.push_back([this, credential, done] {
      const auto known = principals_.find(credential.text);
      if (!failure_.ok()) return done(failure_);
      if (known == principals_.end()) {
        return done(absl::UnauthenticatedError("no such credential"));
      }
      done(known->second);
    });
  }
  void CreateTicket(client::Credential, Done<NewTicket> done) override {
    answers_.push_back([this, done] {
      if (!failure_.ok()) return done(failure_);
      done(NewTicket{"ticket", base::Time{}});
    });
  }
  void ReadHistory(HistoryRequest request, Done<HistoryPage> done) override {
    requests_.push_back(request);
    answers_.push_back([this, request, done] { done(Page(request)); });
  }

  void Know(const std::string& credential, access::Principal principal) {
    principals_[credential] = std::move(principal);
  }
  void Fail(absl::Status failure) {
    failure_ = failure;
    log_.Fail(std::move(failure));
  }
  std::size_t waiting_count() const { return answers_.size(); }
  bool RunOne() {
    if (answers_.empty()) return false;
    const std::function<void()> answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
    return true;
  }
  const std::vector<HistoryRequest>& requests() const { return requests_; }

 private:
  // As the core does it: everything in the scope that the filter lets through.
  absl::StatusOr<HistoryPage> Page(const HistoryRequest& request) {
    auto stored =
        log_.Read(request.from_sequence, static_cast<std::size_t>(request.events_max), 1 << 20);
    if (!stored.ok()) return stored.status();
    HistoryPage page{.events = {}, .next_sequence = request.from_sequence};
    for (const store::StoredEvent& event : *stored) {
      page.next_sequence = event.sequence + 1;
      const domain::EventAttributes attributes = *wire::DecodeAttributes(event.payload);
      if (!stream::IsVisible(request.scope, attributes)) continue;
      if (request.filter && !request.filter->Matches(attributes)) continue;
      page.events.push_back({event.sequence, std::make_shared<const store::EventRecord::Body>(
                                                 event.payload, attributes)});
    }
    return page;
  }

  test::MemoryLog& log_;
  absl::Status failure_;
  std::map<std::string, access::Principal> principals_;
  std::deque<std::function<void()>> answers_;
  std::vector<HistoryRequest> requests_;
};

// Sessions without sockets and without gRPC.
class SessionBench {
 public:
  // `kept_in_tail`: whether the hub has what was appended, or only the core.
  enum class Where { kTail, kCoreOnly };
  using Json = nlohmann::json;

  struct Client {
    FakeConnection connection;
    std::unique_ptr<Session> session;
  };

  explicit SessionBench(SessionOptions session_options = {}, stream::Hub::Options hub_options = {})
      : options(session_options), hub(refusing_log_, wire::DecodeAttributes, 0, hub_options) {
    upstream.is_connected = true;
    upstream.epoch = "epoch-1";
  }

  std::unique_ptr<Client> Open(std::optional<access::Principal> principal) {
    auto client = std::make_unique<Client>();
    client->session = std::make_unique<Session>(context, std::move(principal));
    client->session->OnOpen(client->connection);
    return client;
  }
  // An open session of that user; the frames of its opening are taken.
  std::unique_ptr<Client> OpenAs(const std::string& user) {
    std::unique_ptr<Client> client = Open(Principal(user));
    client->connection.Take();
    return client;
  }
  static access::Principal Principal(const std::string& user) {
    access::Principal principal;
    principal.user_id = user;
    principal.roles = {user == "admin" ? access::Role::kAdmin : access::Role::kUser};
    return principal;
  }

  std::int64_t Append(const domain::Fact& fact, Where where = Where::kTail) {
    const std::string payload = wire::EncodePayload(clock.Now(), fact);
    const std::int64_t sequence = log.Append(payload);
    if (where == Where::kTail) {
      hub.Publish({{sequence, std::make_shared<const store::EventRecord::Body>(
                                  payload, domain::AttributesOf(fact))}});
    } else {
      hub.Reset(sequence);
    }
    upstream.head_sequence = sequence;
    return sequence;
  }
  static domain::ReadingId ReadingId() {
    return {base::Time(std::chrono::seconds(1'767'608'100)), 7, 42};
  }
  static domain::TokensMinted Minted(const std::string& user, const std::string& meter,
                                     std::int64_t nano_kwh = 1'000'000'000) {
    domain::TokensMinted fact;
    fact.user_id = user;
    fact.meter_id = meter;
    fact.energy = domain::Energy::FromNanoKwh(nano_kwh);
    fact.tokens = domain::TokenAmount::FromBaseUnits(nano_kwh);
    fact.transaction_signature = std::string(88, 's');
    fact.reading_id = ReadingId();
    return fact;
  }

  // Runs what was posted and what the core answers, until `done` holds.
  void RunUntil(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (core.RunOne()) continue;
      std::function<void()> work = NextPosted(give_up);
      if (work == nullptr) {
        ADD_FAILURE() << "it never comes";
        return;
      }
      work();
    }
  }
  void RunAnswers() {
    while (core.RunOne()) continue;
  }
  // Time passes in steps, as the server ticks.
  void Pass(base::Duration duration, const std::vector<Client*>& clients) {
    constexpr base::Duration kStep = std::chrono::milliseconds(250);
    for (; duration > base::Duration::zero(); duration -= kStep) {
      clock.Advance(std::min(duration, kStep));
      for (Client* client : clients) client->session->OnTick();
    }
  }

  test::FakeClock clock;
  test::MemoryLog log;
  const SessionOptions options;
  UpstreamState upstream;
  FakeCore core{log};
  std::unordered_set<std::string> revoked_keys;

 private:
  std::function<void()> NextPosted(std::chrono::steady_clock::time_point give_up) {
    base::MutexLock lock(mutex_);
    posted_changed_.WaitUntil(mutex_, give_up,
                              [this]() WATTMINT_REQUIRES(mutex_) { return !posted_.empty(); });
    if (posted_.empty()) return nullptr;
    std::function<void()> work = std::move(posted_.front());
    posted_.pop_front();
    return work;
  }
  void Post(std::function<void()> work) {
    base::MutexLock lock(mutex_);
    posted_.push_back(std::move(work));
    posted_changed_.NotifyAll();
  }

  base::Mutex mutex_;
  base::CondVar posted_changed_;
  std::deque<std::function<void()>> posted_ WATTMINT_GUARDED_BY(mutex_);
  TailOnlyLog refusing_log_;
  const stream::CursorSigner signer_{stream::CursorSigner::Key{1, 2, 3}};
  const ServerMessages messages_{clock};

 public:
  EventFrames frames;
  stream::Hub hub;
  SessionRegistry registry{[this](std::function<void()> work) { Post(std::move(work)); }};
  const SessionContext context{options, clock,     core,     hub,      signer_,
                               frames,  messages_, registry, upstream, revoked_keys};
};

}  // namespace wattmint::bridge
