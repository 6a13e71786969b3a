// SPDX-License-Identifier: Apache-2.0
#include "cli/bare_server.h"

#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/wire/event_codec.h"
#include "wattmint/v1/event.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace wattmint::cli {
namespace {

using grpc::ByteBuffer;

constexpr int kMessagesMade = 64;  // chosen: more than fits a cache, as in life
constexpr std::chrono::seconds kShutdownTimeout{1};
constexpr int kPingIntervalMinMs = 10'000;  // as the core's; clients ping every 30 s

ByteBuffer BufferOf(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return ByteBuffer(&slice, 1);
}

// A SubscribeResponse with so many events.
ByteBuffer MakeMessage(const BareServer::Options& options) {
  v1::Event event;
  event.mutable_meter_reading_received()->set_meter_id(std::string(options.event_bytes, 'm'));
  std::string events;
  for (int i = 1; i <= options.events_per_message; ++i) {
    wire::AppendEventField(i, event.SerializeAsString(), events);
  }
  std::uint8_t head[11] = {v1::SubscribeResponse::kBatchFieldNumber << 3 | 2};
  const std::uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(events.size(), head + 1);
  const grpc::Slice slices[] = {{head, static_cast<std::size_t>(end - head)}, {events}};
  return ByteBuffer(slices, 2);
}

class BareStream;

// What was published, and who waits for more. One thread starts the writes of those who do, so that
// nobody who publishes is held up. Threads: any.
class Publisher {
 public:
  explicit Publisher(const BareServer::Options& options)
      : messages_per_batch_(options.events_per_batch / options.events_per_message) {
    for (int i = 0; i < kMessagesMade; ++i) messages_.push_back(MakeMessage(options));
    waker_ = std::thread([this] { WakeLoop(); });
  }
  ~Publisher() {
    {
      base::MutexLock lock(mutex_);
      is_stopping_ = true;
      changed_.NotifyOne();
    }
    waker_.join();
  }

  void PublishBatch() {
    base::MutexLock lock(mutex_);
    published_ += messages_per_batch_;
    changed_.NotifyOne();
  }
  // The message at `position`; if there is none yet, `stream` is woken when there is.
  bool Take(std::int64_t position, const std::shared_ptr<BareStream>& stream, ByteBuffer& out) {
    base::MutexLock lock(mutex_);
    if (position >= published_) {
      idle_.push_back(stream);
      return false;
    }
    out = messages_[static_cast<std::size_t>(position % kMessagesMade)];
    return true;
  }

 private:
  void WakeLoop();

  const std::int64_t messages_per_batch_;
  std::vector<ByteBuffer> messages_;
  base::Mutex mutex_;  // guards all below
  base::CondVar changed_;
  std::int64_t published_ WATTMINT_GUARDED_BY(mutex_) = 0;
  // shared: a stream may end while it is here
  std::vector<std::shared_ptr<BareStream>> idle_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t woken_ WATTMINT_GUARDED_BY(mutex_) = 0;  // published_ when the idle were last woken
  bool is_stopping_ WATTMINT_GUARDED_BY(mutex_) = false;
  std::thread waker_;
};

// Keeps itself until OnDone().
class BareStream final : public grpc::ServerWriteReactor<ByteBuffer>,
                         public std::enable_shared_from_this<BareStream> {
 public:
  static grpc::ServerWriteReactor<ByteBuffer>* Start(Publisher& publisher) {
    auto stream = std::make_shared<BareStream>(publisher);
    stream->self_ = stream;
    v1::SubscribeResponse caught_up;
    caught_up.mutable_caught_up();
    base::MutexLock lock(stream->mutex_);
    stream->buffer_ = BufferOf(caught_up);
    stream->StartWrite(&stream->buffer_);
    return stream.get();
  }
  explicit BareStream(Publisher& publisher) : publisher_(publisher) {}

  void OnWriteDone(bool ok) override {
    base::MutexLock lock(mutex_);
    is_writing_ = false;
    is_cancelled_ |= !ok;
    WriteOnLocked();
  }
  void OnCancel() override {
    base::MutexLock lock(mutex_);
    is_cancelled_ = true;
    if (!is_writing_) WriteOnLocked();
  }
  void OnDone() override { self_.reset(); }
  void Wake() {
    base::MutexLock lock(mutex_);
    if (!is_writing_) WriteOnLocked();
  }

 private:
  void WriteOnLocked() WATTMINT_REQUIRES(mutex_) {
    if (is_finished_) return;
    if (is_cancelled_) {
      is_finished_ = true;
      return Finish(grpc::Status::CANCELLED);
    }
    if (!publisher_.Take(position_, self_, buffer_)) return;
    ++position_;
    is_writing_ = true;
    StartWrite(&buffer_);
  }

  Publisher& publisher_;
  std::shared_ptr<BareStream> self_;  // shared: with the publisher
  base::Mutex mutex_;                 // guards all below; the publisher's is taken after it
  ByteBuffer buffer_ WATTMINT_GUARDED_BY(mutex_);
  std::int64_t position_ WATTMINT_GUARDED_BY(mutex_) = 0;
  bool is_writing_ WATTMINT_GUARDED_BY(mutex_) = true;
  bool is_cancelled_ WATTMINT_GUARDED_BY(mutex_) = false;
  bool is_finished_ WATTMINT_GUARDED_BY(mutex_) = false;
};

void Publisher::WakeLoop() {
  for (;;) {
    std::vector<std::shared_ptr<BareStream>> idle;
    {
      base::MutexLock lock(mutex_);
      changed_.Wait(mutex_, [this]() WATTMINT_REQUIRES(mutex_) {
        return is_stopping_ || woken_ < published_;
      });
      if (is_stopping_) return;
      woken_ = published_;
      idle.swap(idle_);
    }
    for (const auto& stream : idle) stream->Wake();
  }
}

// Reads, and answers each message with the same bytes. Deletes itself.
class BareAnswers final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  BareAnswers(ByteBuffer answer, std::function<void()> on_message)
      : answer_(std::move(answer)), on_message_(std::move(on_message)) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    on_message_();
    writing_ = answer_;  // references
    StartWrite(&writing_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    request_.Clear();
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  const ByteBuffer answer_;
  const std::function<void()> on_message_;
  ByteBuffer request_;
  ByteBuffer writing_;
};

class Events final
    : public v1::EventService::WithRawCallbackMethod_Subscribe<
          v1::EventService::WithRawCallbackMethod_SubscribeDynamic<v1::EventService::Service>> {
 public:
  explicit Events(Publisher& publisher) : publisher_(publisher) {
    v1::SubscribeResponse answer;
    answer.mutable_filters_changed();
    changed_ = BufferOf(answer);
  }
  grpc::ServerWriteReactor<ByteBuffer>* Subscribe(grpc::CallbackServerContext*,
                                                  const ByteBuffer*) override {
    return BareStream::Start(publisher_);
  }
  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* SubscribeDynamic(
      grpc::CallbackServerContext*) override {
    return new BareAnswers(changed_, [] {});
  }

 private:
  Publisher& publisher_;
  ByteBuffer changed_;
};

class Readings final
    : public v1::ReadingService::WithRawCallbackMethod_StreamReadings<
          v1::ReadingService::WithCallbackMethod_SubmitReading<v1::ReadingService::Service>> {
 public:
  explicit Readings(Publisher& publisher)
      : publisher_(publisher), acknowledgement_(BufferOf(v1::StreamReadingsResponse())) {}
  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* StreamReadings(
      grpc::CallbackServerContext*) override {
    return new BareAnswers(acknowledgement_, [this] { publisher_.PublishBatch(); });
  }
  grpc::ServerUnaryReactor* SubmitReading(grpc::CallbackServerContext* context,
                                          const v1::SubmitReadingRequest*,
                                          v1::SubmitReadingResponse* response) override {
    response->mutable_result()->set_outcome(v1::SUBMIT_OUTCOME_ACCEPTED);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  Publisher& publisher_;
  const ByteBuffer acknowledgement_;
};

}  // namespace

struct BareServer::Parts {
  explicit Parts(const Options& options)
      : publisher(options), events(publisher), readings(publisher) {}
  Publisher publisher;
  Events events;
  Readings readings;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

absl::StatusOr<std::unique_ptr<BareServer>> BareServer::Start(const Options& options) {
  auto parts = std::make_unique<Parts>(options);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &parts->port);
  builder.RegisterService(&parts->events);
  builder.RegisterService(&parts->readings);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr || parts->port == 0) {
    return base::Unavailable("cannot listen for gRPC at {}", options.address);
  }
  return std::unique_ptr<BareServer>(new BareServer(std::move(parts)));
}

BareServer::BareServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

BareServer::~BareServer() {
  parts_->server->Shutdown(std::chrono::system_clock::now() + kShutdownTimeout);
  parts_->server->Wait();
}

int BareServer::port() const { return parts_->port; }

}  // namespace wattmint::cli
