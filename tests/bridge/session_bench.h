// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/deflate_offer.h"
#include "bridge/event_record.h"
#include "bridge/session.h"
#include "bridge/tail_only_log.h"
#include "core/base/mutex.h"
#include "core/wire/event_codec.h"
#include "tests/bridge/deflate_peer.h"
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
  explicit FakeConnection(Compression compression = Compression::kNone)
      : compression_(compression) {}
  std::size_t Send(const SharedFrame& frame) override {
    frames_.push_back(frame);
    if (on_send) on_send();
    if (is_stalled_) pending_ += frame->size();
    pending_max_ = std::max(pending_max_, pending_);
    return pending_;
  }
  std::size_t SendAll(const std::vector<SharedFrame>& frames) override {
    for (const SharedFrame& frame : frames) Send(frame);
    return pending_;
  }
  Compression compression() const override { return compression_; }
  std::size_t PendingBytes() const override { return pending_; }
  void Close(int code, std::string_view) override {
    if (close_code_ == 0) close_code_ = code;
  }

  std::function<void()> on_send;

  void Stall() { is_stalled_ = true; }
  // Everything that waited is taken. The session's OnWritable() is the test's to call.
  void Drain() {
    is_stalled_ = false;
    pending_ = 0;
  }
  int close_code() const { return close_code_; }
  std::size_t pending_max() const { return pending_max_; }
  const SharedFrame& last_frame() const { return frames_.back(); }
  std::size_t compressed_count() const { return compressed_count_; }  // of those taken
  std::size_t compressed_bytes() const { return compressed_bytes_; }

  // The frames since the last call, as JSON; binary ones as its binary values.
  std::vector<nlohmann::json> Take() {
    std::vector<nlohmann::json> messages;
    for (; read_ < frames_.size(); ++read_) {
      const std::string& bytes = *frames_[read_];
      const std::string payload = Read(bytes);
      const bool is_text = (bytes[0] & 0xf) == 1;
      messages.push_back(is_text ? nlohmann::json::parse(payload)
                                 : nlohmann::json::binary({payload.begin(), payload.end()}));
    }
    return messages;
  }

 private:
  static constexpr unsigned char kCompressedBit = 0x40;

  // As a client does it that keeps the smallest window which the server allows.
  std::string Read(const std::string& frame) {
    const std::string payload = frame.substr(frame[1] < 126 ? 2 : 4);
    if ((frame[0] & kCompressedBit) == 0) return payload;
    EXPECT_NE(compression_, Compression::kNone);
    if (compression_ == Compression::kAlone) inflate_.Forget();
    ++compressed_count_;
    compressed_bytes_ += payload.size();
    return inflate_.Inflate(payload);
  }

  const Compression compression_;
  test::InflateStream inflate_{kDeflateWindowBits};
  std::size_t compressed_count_ = 0;
  std::size_t compressed_bytes_ = 0;
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

  void ReadBatch(BatchRequest request, Done<store::BatchState> done) override {
    batch_requests_.push_back(request);
    answers_.push_back([this, request, done] {
      if (!failure_.ok()) return done(failure_);
      store::BatchState batch{.tasks = {}, .sequence = log_.GetBounds()->last};
      for (const domain::MintTask& task : batches_[request.batch_id]) {
        const bool is_visible =
            request.scope.user_id.empty() || task.user_id == request.scope.user_id;
        if (is_visible) batch.tasks.push_back(task);
      }
      done(batch);
    });
  }
  void SubmitReading(client::Credential credential, domain::Reading reading,
                     Done<SubmitAnswer> done) override {
    answers_.push_back([this, credential, reading, done] {
      if (!failure_.ok()) return done(failure_);
      submitted_.emplace_back(credential.text, reading);
      done(SubmitAnswer{.reading_id = "r-1", .mint_state = domain::MintState::kPending});
    });
  }

  // A batch has these tasks.
  void Set(const std::string& batch_id, std::vector<domain::MintTask> tasks) {
    batches_[batch_id] = std::move(tasks);
  }
  const std::vector<BatchRequest>& batch_requests() const { return batch_requests_; }
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
  // By which credential, and what.
  const std::vector<std::pair<std::string, domain::Reading>>& submitted() const {
    return submitted_;
  }

 private:
  // As the core does it: everything in the scope that the filter lets through.
  absl::StatusOr<HistoryPage> Page(const HistoryRequest& request) {
    auto stored =
        log_.Read(request.from_sequence, static_cast<std::size_t>(request.events_max), 1 << 20);
    if (!stored.ok()) return stored.status();
    HistoryPage page{.events = {}, .next_sequence = request.from_sequence};
    for (const store::StoredEvent& event : *stored) {
      page.next_sequence = event.sequence + 1;
      store::EventRecord record = MakeRecord(event.sequence, event.payload);
      const domain::EventAttributes& attributes = record.body->attributes;
      if (!stream::IsVisible(request.scope, attributes)) continue;
      if (request.filter && !request.filter->Matches(attributes)) continue;
      page.events.push_back(std::move(record));
    }
    return page;
  }

  test::MemoryLog& log_;
  absl::Status failure_;
  std::map<std::string, access::Principal> principals_;
  std::deque<std::function<void()>> answers_;
  std::vector<HistoryRequest> requests_;
  std::map<std::string, std::vector<domain::MintTask>> batches_;
  std::vector<BatchRequest> batch_requests_;
  std::vector<std::pair<std::string, domain::Reading>> submitted_;
};

// Sessions without sockets and without gRPC.
class SessionBench {
 public:
  // `kept_in_tail`: whether the hub has what was appended, or only the core.
  enum class Where { kTail, kCoreOnly };
  using Json = nlohmann::json;

  struct Client {
    explicit Client(Compression compression) : connection(compression) {}
    FakeConnection connection;
    std::unique_ptr<Session> session;
  };

  explicit SessionBench(SessionOptions session_options = {}, stream::Hub::Options hub_options = {})
      : options(session_options), hub(refusing_log_, wire::DecodeAttributes, 0, hub_options) {
    upstream.is_connected = true;
    upstream.epoch = "epoch-1";
    frames.Reset(upstream.epoch);
  }

  std::unique_ptr<Client> Open(std::optional<access::Principal> principal, SessionStart start = {},
                               Compression compression = Compression::kNone) {
    auto client = std::make_unique<Client>(compression);
    client->session = std::make_unique<Session>(context, std::move(start), std::move(principal));
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
    return AppendPayload(wire::EncodePayload(clock.Now(), fact), where);
  }
  std::int64_t AppendPayload(const std::string& payload, Where where = Where::kTail) {
    const std::int64_t sequence = log.Append(payload);
    if (where == Where::kTail) {
      hub.Publish({MakeRecord(sequence, payload)});
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
  // What the hub posts when it wakes somebody, which it does soon.
  void RunUntilWoken() {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const std::function<void()> work = NextPosted(give_up);
    if (work == nullptr) ADD_FAILURE() << "nobody is woken";
    if (work != nullptr) work();
  }
  // What has been posted so far.
  void RunPosted() {
    while (const std::function<void()> work = NextPosted(std::chrono::steady_clock::time_point{})) {
      work();
    }
  }
  void RunAnswers() {
    while (core.RunOne()) continue;
  }
  // Time passes in steps, as the server ticks.
  void Pass(base::Duration duration) {
    constexpr base::Duration kStep = std::chrono::milliseconds(250);
    for (; duration > base::Duration::zero(); duration -= kStep) {
      clock.Advance(std::min(duration, kStep));
      registry.Tick(clock.Steady());
      groups.OnTick();
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
  const ByEncoding<ServerMessages> messages_ = ServerMessages::InAll(clock);

 public:
  EventFrames frames;
  stream::Hub hub;
  Counters counters;
  SessionRegistry registry;
  LiveGroups groups{hub,
                    clock,
                    frames,
                    counters,
                    {.events_max = options.page_events_max,
                     .bytes_max = options.page_bytes_max,
                     .pending_bytes_max = options.queue_bytes_max,
                     .compressed_bytes_min = options.compressed_bytes_min},
                    [this](std::function<void()> work) { Post(std::move(work)); }};
  std::vector<nlohmann::json> audit_lines;
  access::AuditLog audit{"bridge", {}, clock, [this](std::string_view line) {
                           audit_lines.push_back(nlohmann::json::parse(line));
                         }};
  ChannelCounts channels;
  const SessionContext context{options,      clock,     core,     hub,     signer_,
                               frames,       messages_, registry, groups,  upstream,
                               revoked_keys, audit,     counters, channels};
};

}  // namespace wattmint::bridge
