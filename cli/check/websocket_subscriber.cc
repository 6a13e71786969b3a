// SPDX-License-Identifier: Apache-2.0
#include "cli/check/websocket_subscriber.h"

#include "cli/check/observed_event.h"
#include "core/access/reason.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/client/channel.h"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace wattmint::check {
namespace {

using bridge::BridgeClient;
using nlohmann::json;

constexpr base::Duration kSilenceMax = std::chrono::seconds(45);  // three heartbeats
constexpr base::BackoffOptions kBackoff{.initial = std::chrono::milliseconds(100),
                                        .cap = std::chrono::milliseconds(2'000)};

std::string Text(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

std::int64_t Number(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_number_integer() ? member->get<std::int64_t>() : 0;
}

// What the close code says about coming back: bridge/README.md, "Close codes".
absl::Status FromCloseCode(const std::string& code) {
  const bool is_final = (code.starts_with("44") && code != "4429") || code == "1002" ||
                        code == "1003" || code == "1007" || code == "1009" || code == "4503";
  return is_final ? base::FailedPrecondition("the bridge closed the connection with {}", code)
                  : base::Unavailable("the bridge closed the connection with {}", code);
}

}  // namespace

WebSocketSubscriber::WebSocketSubscriber(Options options, std::unique_ptr<Witness> witness)
    : options_(std::move(options)), witness_(std::move(witness)) {}

void WebSocketSubscriber::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WebSocketSubscriber::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    if (socket_ != nullptr) socket_->Abort();
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void WebSocketSubscriber::Cut(Witness::Place place) {
  base::MutexLock lock(mutex_);
  cut_ = place == Witness::Place::kBookmark ? Request::kResumeAtBookmark : Request::kResume;
  if (socket_ != nullptr) socket_->Abort();
  // Until the thread has seen it, so that nothing of the old connection is told as of the new one.
  changed_.Wait(
      mutex_, [this]() WATTMINT_REQUIRES(mutex_) { return cut_ == Request::kNone || has_ended_; });
}

void WebSocketSubscriber::Run() {
  const auto end = absl::MakeCleanup([this] {
    base::MutexLock lock(mutex_);
    has_ended_ = true;
    changed_.NotifyAll();
  });
  int failures = 0;
  base::Duration delay{};
  while (WaitUnlessStopped(delay)) {
    const absl::Status why = FollowOnce();
    const bool was_established = witness_->is_established();
    delay = base::Duration::zero();
    if (Close()) continue;
    if (!WaitUnlessStopped(delay)) return;
    if (!client::IsTransient(why)) return witness_->OnRefused(why);
    witness_->OnLost();
    failures = was_established ? 1 : failures + 1;
    delay = client::RetryDelay(why, kBackoff, failures, random_);
  }
}

bool WebSocketSubscriber::Close() {
  base::MutexLock lock(mutex_);
  if (socket_ != nullptr) socket_->Reset();
  socket_.reset();
  const Request cut = std::exchange(cut_, Request::kNone);
  if (cut == Request::kNone) return false;
  if (cut == Request::kResumeAtBookmark) {
    cursor_ = bookmark_;
    last_sequence_ = 0;
  }
  witness_->OnCut(cut == Request::kResumeAtBookmark ? Witness::Place::kBookmark
                                                    : Witness::Place::kLastEvent);
  changed_.NotifyAll();
  return true;
}

absl::Status WebSocketSubscriber::FollowOnce() {
  WATTMINT_RETURN_IF_ERROR(Open());
  const nlohmann::ordered_json subscribe = {
      {"type", "Subscribe"}, {"id", "1"}, {"data", MakeSubscribe()}};
  if (!socket_->SendText(subscribe.dump())) return base::Unavailable("the connection is gone");
  for (;;) {
    const absl::StatusOr<std::string> text = socket_->ReadText(kSilenceMax);
    if (absl::IsCancelled(text.status())) {
      return FromCloseCode(std::string(base::Message(text.status())));
    }
    if (absl::IsDataLoss(text.status())) {
      return base::Unavailable("{}", base::Message(text.status()));
    }
    WATTMINT_RETURN_IF_ERROR(text.status());
    const json frame = json::parse(*text, nullptr, false);
    if (!frame.is_object()) return base::Unavailable("a frame is no JSON object");
    WATTMINT_RETURN_IF_ERROR(Handle(frame));
  }
}

absl::Status WebSocketSubscriber::Open() {
  WATTMINT_ASSIGN_OR_RETURN(
      BridgeClient client,
      BridgeClient::Connect(options_.bridge, {.authorities = options_.bridge_ca}));
  const bool is_key = options_.credential.kind == client::Credential::Kind::kApiKey;
  const BridgeClient::Headers headers = {
      is_key ? std::pair<std::string, std::string>("X-Api-Key", options_.credential.text)
             : std::pair<std::string, std::string>("Authorization",
                                                   "Bearer " + options_.credential.text)};
  const bridge::HttpAnswer answer = client.Upgrade("/ws", headers);
  if (answer.status == 401 || answer.status == 403 || answer.status == 404) {
    return base::PermissionDenied("the bridge answered {}: {}", answer.status, answer.body);
  }
  if (answer.status != 101) {
    return base::Unavailable("the bridge answered {}: {}", answer.status, answer.body);
  }
  base::MutexLock lock(mutex_);
  socket_ = std::make_unique<BridgeClient>(std::move(client));
  if (stopping_ || cut_ != Request::kNone) socket_->Abort();
  return absl::OkStatus();
}

nlohmann::ordered_json WebSocketSubscriber::MakeSubscribe() const {
  nlohmann::ordered_json data = options_.subscribe;
  if (cursor_.empty()) return data;
  data.erase("start");
  data["resume"] = cursor_;
  if (last_sequence_ > 0) data["last_seq"] = last_sequence_;
  return data;
}

absl::Status WebSocketSubscriber::Handle(const json& frame) {
  if (frame.contains("seq")) {
    HandleEvent(frame);
    return absl::OkStatus();
  }
  const std::string type = Text(frame, "type");
  const json data = frame.value("data", json::object());
  if (!data.is_object()) return base::Unavailable("the data of {} is no object", type);
  if (type == "Error") return HandleError(data);
  KeepCursor(data);
  if (type == "Subscribed") witness_->OnEstablished(Number(data, "head_sequence"));
  if (type == "CaughtUp") witness_->OnCaughtUp();
  if (type == "FellBehind") witness_->OnFellBehind();
  if (type == "Heartbeat") {
    bookmark_ = Text(data, "cursor");
    const std::int64_t delivered = Number(data, "delivered_sequence");
    // A bridge without its core can't move on.
    const bool is_fed = Text(data, "upstream") == "connected";
    witness_->OnHeartbeat(is_fed ? Number(data, "head_sequence") : delivered, delivered, bookmark_);
  }
  return absl::OkStatus();
}

absl::Status WebSocketSubscriber::HandleError(const json& data) {
  const std::string code = Text(data, "code");
  const absl::Status status =
      base::Unavailable("the bridge answered {}: {}", code, Text(data, "message"));
  if (code != "UPSTREAM_UNAVAILABLE" && code != "RATE_LIMIT_EXCEEDED" && code != "INTERNAL") {
    return base::FailedPrecondition("{}", base::Message(status));
  }
  return access::WithRetryAfter(status, std::chrono::milliseconds(Number(data, "retry_after_ms")));
}

void WebSocketSubscriber::HandleEvent(const json& frame) {
  const Judge::Received event{Number(frame, "seq"), DigestOfFrame(frame)};
  last_sequence_ = std::max(last_sequence_, event.sequence);
  witness_->OnEvents({&event, 1});
}

void WebSocketSubscriber::KeepCursor(const json& data) {
  const std::string cursor = Text(data, "cursor");
  if (!cursor.empty()) cursor_ = cursor;
}

bool WebSocketSubscriber::WaitUnlessStopped(base::Duration delay) {
  base::MutexLock lock(mutex_);
  changed_.WaitFor(mutex_, delay, [this]() WATTMINT_REQUIRES(mutex_) {
    return stopping_ || cut_ != Request::kNone;
  });
  return !stopping_;
}

}  // namespace wattmint::check
