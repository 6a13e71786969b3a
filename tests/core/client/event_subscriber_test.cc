// SPDX-License-Identifier: Apache-2.0
// The subscriber against a server that does what the test says. Against the real core:
// tests/integration/resume_test.cc.
#include "core/client/event_subscriber.h"

#include "wattmint/v1/event.grpc.pb.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/error_details.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace wattmint::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr seconds kPatience{20};
using Writer = grpc::ServerWriter<v1::SubscribeResponse>;

grpc::Status Lost() { return {grpc::StatusCode::UNAVAILABLE, "lost"}; }

grpc::Status LostFor(seconds retry_after) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(retry_after.count());
  google::rpc::Status details;
  details.set_code(static_cast<int>(grpc::StatusCode::UNAVAILABLE));
  details.add_details()->PackFrom(retry);
  grpc::Status status;
  const auto filled = Lost();
  status = {filled.error_code(), filled.error_message(), details.SerializeAsString()};
  return status;
}

void Establish(Writer& writer, const std::string& cursor) {
  v1::SubscribeResponse message;
  message.mutable_established()->set_epoch("epoch");
  message.mutable_established()->set_cursor(cursor);
  writer.Write(message);
}

void Beat(Writer& writer, const std::string& cursor) {
  v1::SubscribeResponse message;
  message.mutable_heartbeat()->set_cursor(cursor);
  writer.Write(message);
}

void Send(Writer& writer, std::initializer_list<std::int64_t> sequences) {
  v1::SubscribeResponse message;
  for (const std::int64_t sequence : sequences) {
    v1::Event& event = *message.mutable_batch()->add_events();
    event.set_sequence(sequence);
    event.mutable_minting_switched();
  }
  writer.Write(message);
}

// Plays one part for each call, in order; a call too many ends the stream for good.
class ScriptedServer final : public v1::EventService::Service {
 public:
  using Part = std::function<grpc::Status(Writer&)>;

  ScriptedServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  void Play(std::vector<Part> parts) {
    base::MutexLock lock(mutex_);
    parts_ = std::move(parts);
  }
  std::shared_ptr<grpc::Channel> NewChannel() const {
    ChannelOptions options;
    options.target = "127.0.0.1:" + std::to_string(port_);
    return OpenChannel(options);
  }
  std::vector<v1::SubscribeRequest> requests() {
    base::MutexLock lock(mutex_);
    return requests_;
  }

 private:
  grpc::Status Subscribe(grpc::ServerContext*, const v1::SubscribeRequest* request,
                         Writer* writer) override {
    Part part;
    {
      base::MutexLock lock(mutex_);
      requests_.push_back(*request);
      if (requests_.size() > parts_.size()) return {grpc::StatusCode::PERMISSION_DENIED, "the end"};
      part = parts_[requests_.size() - 1];
    }
    return part(*writer);
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  base::Mutex mutex_;  // guards all below
  std::vector<Part> parts_ WATTMINT_GUARDED_BY(mutex_);
  std::vector<v1::SubscribeRequest> requests_ WATTMINT_GUARDED_BY(mutex_);
};

class Recorder final : public EventListener {
 public:
  void OnEvents(std::span<const RawEvent> events) override { Append(events, events_); }
  void OnRepeated(std::span<const RawEvent> events) override { Append(events, repeated_); }
  void OnLost(const absl::Status&, base::Duration retry_in) override {
    base::MutexLock lock(mutex_);
    delays_.push_back(retry_in);
    changed_.NotifyAll();
  }
  void OnStopped(const absl::Status&) override {
    base::MutexLock lock(mutex_);
    has_stopped_ = true;
    changed_.NotifyAll();
  }

  bool AwaitEnd() {
    base::MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, kPatience,
                            [this]() WATTMINT_REQUIRES(mutex_) { return has_stopped_; });
  }
  bool AwaitLosses(std::size_t count) {
    base::MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, kPatience, [this, count]() WATTMINT_REQUIRES(mutex_) {
      return delays_.size() >= count;
    });
  }
  // To be read at the end.
  const std::vector<std::int64_t>& events() const { return events_; }
  const std::vector<std::int64_t>& repeated() const { return repeated_; }
  const std::vector<base::Duration>& delays() const { return delays_; }

 private:
  static void Append(std::span<const RawEvent> events, std::vector<std::int64_t>& out) {
    for (const RawEvent& event : events) out.push_back(event.sequence);
  }

  std::vector<std::int64_t> events_;    // of the subscriber's thread
  std::vector<std::int64_t> repeated_;  // the same
  base::Mutex mutex_;                   // guards the changes of all below
  base::CondVar changed_;
  std::vector<base::Duration> delays_;
  bool has_stopped_ = false;
};

class EventSubscriberTest : public testing::Test {
 protected:
  static EventSubscriber::Options FromTheBeginning() {
    EventSubscriber::Options options;
    options.request.set_from_sequence(1);
    options.backoff = {.initial = milliseconds(1), .cap = milliseconds(16), .multiplier = 2};
    return options;
  }
  // Plays until the server ends the stream for good.
  void PlayToTheEnd(std::vector<ScriptedServer::Part> parts) {
    server_.Play(std::move(parts));
    EventSubscriber subscriber(server_.NewChannel(), FromTheBeginning(), recorder_);
    subscriber.Start();
    ASSERT_TRUE(recorder_.AwaitEnd());
  }

  ScriptedServer server_;
  Recorder recorder_;
};

TEST_F(EventSubscriberTest, GoesOnFromTheNewestCursorAndTheLastEvent) {
  PlayToTheEnd({[](Writer& writer) {
                  Establish(writer, "a");
                  Send(writer, {5, 6});
                  Beat(writer, "b");
                  Send(writer, {8});
                  return Lost();
                },
                [](Writer& writer) {
                  Establish(writer, "");
                  Send(writer, {9});
                  return Lost();
                }});
  EXPECT_THAT(recorder_.events(), ElementsAre(5, 6, 8, 9));
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].from_sequence(), 1);
  EXPECT_EQ(requests[1].cursor(), "b");
  EXPECT_EQ(requests[1].last_sequence(), 8);
  EXPECT_EQ(requests[2].cursor(), "b") << "a message without a cursor takes none away";
  EXPECT_EQ(requests[2].last_sequence(), 9);
}

TEST_F(EventSubscriberTest, ALossBeforeTheFirstCursorStartsAnew) {
  PlayToTheEnd({[](Writer&) { return Lost(); },
                [](Writer& writer) {
                  Establish(writer, "a");
                  return Lost();
                }});
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].from_sequence(), 1);
  EXPECT_EQ(requests[2].cursor(), "a");
  EXPECT_EQ(requests[2].last_sequence(), 0);
}

TEST_F(EventSubscriberTest, WhatTheServerRepeatsIsNotHandedOverAgain) {
  PlayToTheEnd({[](Writer& writer) {
                  Establish(writer, "a");
                  Send(writer, {5, 6, 8});
                  Send(writer, {8});
                  Send(writer, {7});
                  return Lost();
                },
                [](Writer& writer) {
                  Establish(writer, "a");
                  Send(writer, {5, 6});
                  Send(writer, {8, 9});
                  return Lost();
                }});
  EXPECT_THAT(recorder_.events(), ElementsAre(5, 6, 8, 9));
  EXPECT_THAT(recorder_.repeated(), ElementsAre(8, 7, 5, 6, 8));
}

TEST_F(EventSubscriberTest, OfABrokenBatchNothingIsHandedOverAndItIsAskedForAgain) {
  PlayToTheEnd({[](Writer& writer) {
                  Establish(writer, "a");
                  Send(writer, {5});
                  Send(writer, {6, 8, 7});
                  Send(writer, {9});
                  return Lost();
                },
                [](Writer& writer) {
                  Establish(writer, "a");
                  Send(writer, {6, 7, 8, 9});
                  return Lost();
                }});
  EXPECT_THAT(recorder_.events(), ElementsAre(5, 6, 7, 8, 9));
  EXPECT_EQ(server_.requests()[1].last_sequence(), 5);
}

TEST_F(EventSubscriberTest, ADrainingServerSaysWhereAndWhenToGoOn) {
  PlayToTheEnd({[](Writer& writer) {
    Establish(writer, "a");
    v1::SubscribeResponse message;
    message.mutable_draining()->set_cursor("d");
    message.mutable_draining()->set_reconnect_after_ms(3);
    writer.Write(message);
    return Lost();
  }});
  EXPECT_EQ(server_.requests()[1].cursor(), "d");
  EXPECT_THAT(recorder_.delays(), ElementsAre(milliseconds(3)));
}

TEST_F(EventSubscriberTest, AttemptsAreSpreadByFullJitter) {
  PlayToTheEnd(std::vector<ScriptedServer::Part>(12, [](Writer&) { return Lost(); }));
  ASSERT_EQ(recorder_.delays().size(), 12u);
  base::Duration longest = milliseconds(1);
  std::set<base::Duration> different;
  for (const base::Duration delay : recorder_.delays()) {
    EXPECT_GT(delay.count(), 0);
    EXPECT_LE(delay, longest);
    longest = std::min<base::Duration>(longest * 2, milliseconds(16));
    different.insert(delay);
  }
  EXPECT_GT(different.size(), 6u);
}

TEST_F(EventSubscriberTest, AStreamThatWasEstablishedBeginsTheBackOffAnew) {
  std::vector<ScriptedServer::Part> parts(10, [](Writer&) { return Lost(); });
  parts.emplace_back([](Writer& writer) {
    Establish(writer, "a");
    return Lost();
  });
  PlayToTheEnd(parts);
  ASSERT_EQ(recorder_.delays().size(), 11u);
  EXPECT_LE(recorder_.delays().back(), milliseconds(1));
}

TEST_F(EventSubscriberTest, ThoseWhomTheServerPutsOffAreSpreadAsWell) {
  server_.Play({[](Writer&) { return LostFor(seconds(3'600)); }});
  EventSubscriber subscriber(server_.NewChannel(), FromTheBeginning(), recorder_);
  subscriber.Start();
  ASSERT_TRUE(recorder_.AwaitLosses(1));
  subscriber.Stop();
  EXPECT_GT(recorder_.delays()[0], seconds(3'600));
  EXPECT_LE(recorder_.delays()[0], seconds(3'600) + milliseconds(1));
}

}  // namespace
}  // namespace wattmint::client
