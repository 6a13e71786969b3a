// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/ids.h"
#include "core/domain/mint_state.h"
#include "core/domain/reading.h"
#include "core/domain/rejection.h"
#include "core/domain/severity.h"
#include "core/domain/time.h"
#include "core/domain/token_amount.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wattmint::domain {

// Numbers are stored and sent (wattmint.v1.EventType, and the fields of wattmint.v1.Event): never
// renumber.
enum class EventType : std::uint8_t {
  kMeterReadingReceived = 10,
  kMeterReadingValidationFailed = 11,
  kTokensMinted = 12,
  kBatchMintingCompleted = 13,
  kTaskCreated = 14,
  kTaskUpdated = 15,
  kTaskStatusChanged = 16,
  kTaskFeeUpdated = 17,
  kMeterChanged = 18,
  kApiKeyChanged = 19,
  kMintingSwitched = 20,
  kReadingCorrected = 21,
  kReadingWithdrawn = 22,
  kSystemAlert = 23,
  kNotification = 24,
};
inline constexpr int kEventTypeMin = 10;
inline constexpr int kEventTypeMax = 24;

// "TokensMinted" ...: PascalCase, as on the WebSocket.
std::string_view Name(EventType type);
// The type of any spelling in use: TokensMinted, tokens_minted, TOKENS_MINTED,
// EVENT_TYPE_TOKENS_MINTED.
std::optional<EventType> ParseEventType(std::string_view text);

// The facts. Fields are those of the message with the same name in wattmint/v1/event.proto.
struct MeterReadingReceived {
  std::string user_id;
  std::string wallet_address;
  std::string meter_id;
  Energy energy;
  ReadingId reading_id;
  Time interval_start{};
  Duration interval{};
  Quality quality = Quality::kActual;
  Channel channel = Channel::kGeneration;
  MintState mint_state = MintState::kPending;
};
struct MeterReadingValidationFailed {
  std::string user_id;
  std::string wallet_address;
  std::string meter_id;
  Energy energy;
  Refusal refusal;
  std::optional<Time> interval_start;
};
struct TokensMinted {
  std::string user_id;
  std::string wallet_address;
  std::string meter_id;
  Energy energy;
  TokenAmount tokens;
  std::string transaction_signature;
  ReadingId reading_id;
  std::int64_t task_id = 0;
  std::string batch_id;
  Time interval_start{};
};
struct BatchMintingCompleted {
  std::string batch_id;
  std::int32_t total_readings = 0;
  std::int32_t successful_mints = 0;
  std::int32_t failed_mints = 0;
  std::int32_t deferred_mints = 0;
  std::int32_t duplicate_mints = 0;
};
struct TaskCreated {
  std::int64_t task_id = 0;
  std::string user_id;
  std::string meter_id;
  ReadingId reading_id;
  Energy energy;
};
struct TaskUpdated {
  std::int64_t task_id = 0;
  std::string user_id;
  std::string meter_id;
  std::string batch_id;
  std::string wallet_address;
  TokenAmount tokens;
  std::string transaction_signature;
  std::int64_t ledger_height = 0;
};
struct TaskStatusChanged {
  std::int64_t task_id = 0;
  std::string user_id;
  std::string meter_id;
  std::string batch_id;
  MintState old_state = MintState::kPending;
  MintState new_state = MintState::kPending;
  std::string reason;
};
struct TaskFeeUpdated {
  std::int64_t task_id = 0;
  std::string user_id;
  std::string meter_id;
  std::string batch_id;
  std::int64_t old_fee = 0;
  std::int64_t new_fee = 0;
};
struct MeterChanged {
  std::string user_id;
  std::string meter_id;
  std::string wallet_address;
  std::string public_key;
};
struct ApiKeyChanged {
  std::string user_id;
  std::string key_id;
  bool revoked = false;
};
struct MintingSwitched {
  bool paused = false;
  std::string reason;
};

// Energy and quality as they are now, and as they were.
struct ReadingCorrected {
  std::string user_id;
  std::string wallet_address;
  std::string meter_id;
  Energy energy;
  ReadingId reading_id;
  std::int64_t task_id = 0;  // 0: none
  Time interval_start{};
  Energy old_energy;
  Quality quality = Quality::kActual;
  Quality old_quality = Quality::kActual;
  std::string reason;
  std::int64_t correction_id = 0;
  MintState mint_state = MintState::kPending;
};
struct ReadingWithdrawn {
  std::string user_id;
  std::string wallet_address;
  std::string meter_id;
  Energy energy;
  ReadingId reading_id;
  std::int64_t task_id = 0;  // 0: it had none
  Time interval_start{};
  std::string reason;
  std::int64_t correction_id = 0;
};

struct SystemAlert {
  std::string kind;
  Severity severity = Severity::kInfo;
  std::string message;
};
struct Notification {
  std::string user_id;
  Severity level = Severity::kInfo;
  std::string message;
};

using Fact = std::variant<MeterReadingReceived, MeterReadingValidationFailed, TokensMinted,
                          BatchMintingCompleted, TaskCreated, TaskUpdated, TaskStatusChanged,
                          TaskFeeUpdated, MeterChanged, ApiKeyChanged, MintingSwitched,
                          ReadingCorrected, ReadingWithdrawn, SystemAlert, Notification>;

EventType TypeOf(const Fact& fact);

// One immutable fact of the log.
struct Event {
  std::int64_t sequence = 0;  // from 1, gap-free
  Time time{};
  Fact fact;
};

}  // namespace wattmint::domain
