// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_samples.h"

#include "bridge/json_encoder.h"
#include "bridge/server_messages.h"
#include "core/wire/event_codec.h"
#include "wattmint/v1/event.pb.h"

#include <array>
#include <chrono>
#include <utility>

namespace wattmint::bridge {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr base::Time kSampleTime{std::chrono::microseconds(1'767'608'100'123'456)};
constexpr std::int64_t kSampleSequence = 1'042;
constexpr std::string_view kSampleCursor = "Y3Vyc29yIG9mIHRoZSBleGFtcGxl";

// Values of fields by their names; a text field of another name holds its name, a number 1.
constexpr auto kSampleTexts = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"user_id", "ana"},
    {"wallet_address", "So11111111111111111111111111111111111111112"},
    {"meter_id", "AUS-17"},
    {"reading_id", "019b8d9c-2e7b-7007-8000-00000000002a"},
    {"batch_id", "019b8d9c-2e7b-7ab2-9c1f-3d2b8a6e4f10"},
    {"transaction_signature",
     "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"},
    {"public_key", "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu"},
    {"key_id", "2f1c0a97"},
    {"reason", "the operator asked for it"},
    {"message", "a sentence for people"},
    {"kind", "maintenance"},
});
constexpr auto kSampleNumbers = std::to_array<std::pair<std::string_view, std::int64_t>>({
    {"energy_nano_kwh", 1'250'000'000},
    {"old_energy_nano_kwh", 1'500'000'000},
    {"base_units", 1'250'000'000},
    {"interval_us", 900'000'000},
    {"task_id", 77},
    {"ledger_height", 31'415},
    {"total_readings", 6},
    {"successful_mints", 3},
    {"old_fee", 5'000},
    {"new_fee", 7'500},
    {"rejection", static_cast<int>(domain::Rejection::kEnergyTooHigh)},
    {"old_state", static_cast<int>(domain::MintState::kSubmitted)},
    {"new_state", static_cast<int>(domain::MintState::kConfirmed)},
    {"old_quality", static_cast<int>(domain::Quality::kEstimated)},
});

template <typename Table, typename Value>
Value SampleOf(const Table& table, std::string_view name, Value otherwise) {
  for (const auto& [known, value] : table) {
    if (known == name) return value;
  }
  return otherwise;
}

std::string SampleTextOf(std::string_view field) {
  return std::string(SampleOf(kSampleTexts, field, field));
}

void FillSample(Message& message);

void FillSample(Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const auto number = SampleOf(kSampleNumbers, field.name(), std::int64_t{1});
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, SampleTextOf(field.name()));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, number);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, static_cast<std::int32_t>(number));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, static_cast<int>(number));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, true);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FillSample(*reflection.MutableMessage(&message, &field));
    default:
      return;  // events have no others; asyncapi_test notices
  }
}

void FillSample(Message& message) {
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
    return time->set_seconds(
        std::chrono::floor<std::chrono::minutes>(kSampleTime).time_since_epoch() /
        std::chrono::seconds(1));
  }
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    FillSample(message, *message.GetDescriptor()->field(i));
  }
}

class SampleClock final : public base::Clock {
 public:
  base::Time Now() override { return kSampleTime; }
  std::chrono::steady_clock::time_point Steady() override { return {}; }
};

// What a socket would read. A server's frame has 2 bytes, or more for a longer text, before it.
std::string SampleText(const SharedFrame& frame) {
  const auto length = static_cast<unsigned char>(frame->at(1));
  const std::size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
  return frame->substr(header);
}

void AddSubscriptions(const ServerMessages& messages, std::vector<SharedFrame>& frames) {
  const std::string cursor(kSampleCursor);
  const std::string epoch(kSampleEpoch);
  const std::vector<std::string> both = {"user:ana", "meter:AUS-17"};
  frames.push_back(messages.Subscribed("\"2\"", {.channels = both,
                                                 .added = both,
                                                 .cursor = cursor,
                                                 .epoch = epoch,
                                                 .head_sequence = kSampleSequence,
                                                 .is_replaying = true}));
  frames.push_back(messages.Subscribed("", {.channels = {"system"},
                                            .added = {"system"},
                                            .epoch = epoch,
                                            .head_sequence = kSampleSequence}));
  domain::EventFilter filter{.types = {domain::EventType::kTokensMinted}, .meter_ids = {"AUS-17"}};
  for (const auto energy_min :
       {std::optional<domain::Energy>(), std::optional(domain::Energy::FromNanoKwh(500'000'000))}) {
    filter.energy_min = energy_min;
    frames.push_back(messages.Subscribed(
        "3",
        {.filter = &filter, .cursor = cursor, .epoch = epoch, .head_sequence = kSampleSequence}));
  }
  frames.push_back(messages.Unsubscribed("\"4\"", {"user:ana"}, {"meter:AUS-17"}, cursor));
  frames.push_back(messages.Unsubscribed("", {}, {"user:ana"}, ""));
}

void AddSessions(const ServerMessages& messages, const SessionOptions& options,
                 std::vector<SharedFrame>& frames) {
  const ServerMessages::SessionLimits limits{
      .subscriptions = options.subscriptions.channels_max,
      .object_subscriptions = options.subscriptions.object_channels_max,
      .user_subscriptions = options.subscriptions.user_channels_max,
      .frame_bytes = options.frame_bytes_max,
      .frames_per_minute = options.inbound.frames_per_minute};
  frames.push_back(messages.Connected("s1", options.authenticate_within, limits));
  frames.push_back(messages.Connected("s2", {}, limits));
  access::Principal ana;
  ana.user_id = "ana";
  ana.roles = {access::Role::kUser};
  frames.push_back(messages.Authenticated("", ana));
  ana.wallets = {SampleTextOf("wallet_address")};
  ana.expires_at = kSampleTime + std::chrono::hours(1);
  frames.push_back(messages.Authenticated("\"1\"", ana));
  frames.push_back(messages.CredentialExpiring(*ana.expires_at));
  frames.push_back(messages.RateLimitWarning(options.inbound.burst_frames * 4 / 5,
                                             options.inbound.burst_frames));
  frames.push_back(messages.Pong("\"6\"", "1767608100123"));
  frames.push_back(messages.Pong("", ""));
}

void AddStreams(const ServerMessages& messages, std::vector<SharedFrame>& frames) {
  const UpstreamState connected{
      .is_connected = true, .epoch = {}, .head_sequence = kSampleSequence, .lag = {}};
  UpstreamState lost = connected;
  lost.is_connected = false;
  lost.lag = std::chrono::milliseconds(1'500);
  frames.push_back(messages.Heartbeat(kSampleCursor, kSampleSequence, connected));
  frames.push_back(messages.Heartbeat("", kSampleSequence, lost));
  frames.push_back(messages.CaughtUp(kSampleCursor, kSampleSequence));
  frames.push_back(messages.FellBehind(kSampleSequence - 40, kSampleSequence));
  frames.push_back(messages.Draining(std::chrono::milliseconds(2'750), kSampleCursor));
  frames.push_back(messages.Draining(std::chrono::milliseconds(500), ""));
  frames.push_back(messages.SystemStatus(3, connected));
  frames.push_back(messages.SystemStatus(3, lost));
  frames.push_back(messages.SystemAlert(domain::Severity::kInfo, "the core is connected again"));
}

void AddJobs(const ServerMessages& messages, std::vector<SharedFrame>& frames) {
  domain::MintTask task;
  task.task_id = 77;
  task.user_id = "ana";
  task.meter_id = "AUS-17";
  task.energy = domain::Energy::FromNanoKwh(1'250'000'000);
  task.create_time = task.update_time = kSampleTime;
  domain::MintTask minted = task;
  minted.state = domain::MintState::kConfirmed;
  minted.tokens = domain::TokenAmount::FromBaseUnits(1'250'000'000);
  minted.wallet_address = SampleTextOf("wallet_address");
  minted.transaction_signature = SampleTextOf("transaction_signature");
  minted.reason = SampleTextOf("reason");
  const std::vector<domain::MintTask> tasks = {task, minted};
  frames.push_back(messages.JobSnapshot(SampleTextOf("batch_id"), kSampleSequence, tasks, false));
}

void AddAnswers(const ServerMessages& messages, std::vector<SharedFrame>& frames) {
  frames.push_back(messages.ReadingSubmitted("\"5\"", {.reading_id = SampleTextOf("reading_id"),
                                                       .mint_state = domain::MintState::kPending}));
  frames.push_back(
      messages.ReadingSubmitted("", {.outcome = SubmitAnswer::Outcome::kRejected,
                                     .rejection = domain::Rejection::kEnergyTooHigh,
                                     .message = "300 kWh in 900 s is more than the meter can"}));
  frames.push_back(messages.Error({.id = "\"2\"",
                                   .code = error_code::kInvalidRoom,
                                   .message = "there is no such channel",
                                   .channel = "nowhere"}));
  frames.push_back(messages.Error({.id = "7",
                                   .code = error_code::kUpstreamUnavailable,
                                   .message = "the core has not been reached yet",
                                   .retry_after_ms = kRetryMs}));
  frames.push_back(messages.Error({.code = error_code::kCursorCompacted,
                                   .message = "these events are not kept any more",
                                   .oldest_sequence = kSampleSequence - 40}));
}

}  // namespace

std::optional<domain::Event> SampleEvent(domain::EventType type) {
  v1::Event event;
  const FieldDescriptor* const fact =
      event.GetDescriptor()->FindFieldByNumber(static_cast<int>(type));
  if (fact == nullptr) return std::nullopt;
  FillSample(event, *fact);
  absl::StatusOr<domain::Event> decoded =
      wire::DecodePayload(kSampleSequence, event.SerializeAsString());
  if (!decoded.ok()) return std::nullopt;
  decoded->time = kSampleTime;
  return *std::move(decoded);
}

std::vector<std::string> SampleMessages(Encoding encoding, const SessionOptions& options) {
  SampleClock clock;
  const ServerMessages messages(clock, encoding);
  std::vector<SharedFrame> frames;
  AddSessions(messages, options, frames);
  AddSubscriptions(messages, frames);
  AddStreams(messages, frames);
  AddJobs(messages, frames);
  AddAnswers(messages, frames);
  std::vector<std::string> texts;
  for (const SharedFrame& frame : frames) texts.push_back(SampleText(frame));
  texts.push_back(EncodeUnknown({kSampleSequence, kSampleTime, 99}, encoding, kSampleEpoch));
  return texts;
}

}  // namespace wattmint::bridge
