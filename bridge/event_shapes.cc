// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_catalogue.h"

#include <array>

namespace wattmint::bridge {
namespace event_shape {

using enum MemberType;
using enum Presence;

constexpr Member kUserId{"user_id", kText, kSometimes, "The owner, when it happened"};
constexpr Member kWallet{"wallet_address", kText, kSometimes, "The owner's wallet at that time"};
constexpr Member kMeterId{"meter_id", kText, kSometimes, "The meter"};
constexpr Member kEnergy{"kwh_amount", kDecimal, kAlways, "Energy in kWh"};
constexpr Member kCommitted{"timestamp", kTime, kAlways, "When it was committed"};
constexpr Member kOfReading{"timestamp", kTime, kAlways, "Start of the reading's interval"};
constexpr Member kReadingId{"reading_id", kText, kAlways, "The reading, a UUID"};
constexpr Member kTaskId{"task_id", kBigNumber, kAlways, "The mint task"};
constexpr Member kTaskIfAny{"task_id", kBigNumber, kSometimes, "Its mint task; absent without one"};
constexpr Member kJobId{"job_id", kText, kSometimes, "The batch; absent outside of one"};
constexpr Member kBatchId{"batch_id", kText, kSometimes, "The batch, a UUID"};
constexpr Member kTokens{"tokens_minted", kCount, kAlways, "Tokens in base units (10^-9 GRX)"};
constexpr Member kSignature{"transaction_signature", kText, kSometimes, "The ledger's, base58"};
constexpr Member kQuality{"quality", kWord, kAlways, "How the energy came about", QualityWords};
constexpr Member kMintState{"mint_state", kWord, kAlways, "State of its mint task", MintStateWords};
constexpr Member kReason{"reason", kText, kSometimes, "Why"};
constexpr Member kCorrectionId{"correction_id", kBigNumber, kAlways, "Number of the correction"};

constexpr auto kReceived = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    kEnergy,
    kOfReading,
    kReadingId,
    {"interval_seconds", kCount, kAlways, "Length of the interval; 0: a point reading"},
    kQuality,
    {"channel", kWord, kAlways, "Which way the energy flowed", EnergyChannelWords},
    kMintState,
});
constexpr auto kRefused = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    kEnergy,
    {"error_reason", kWord, kAlways, "Why", RejectionWords},
    {"message", kText, kSometimes, "The same in a sentence"},
    kOfReading,
});
constexpr auto kMinted = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    kEnergy,
    kTokens,
    kSignature,
    kCommitted,
    kReadingId,
    kTaskId,
    kBatchId,
    {"interval_start", kTime, kAlways, "Start of the reading's interval"},
});
constexpr auto kBatch = std::to_array<Member>({
    kBatchId,
    {"total_readings", kCount, kAlways, "Tasks that this is about: the sum of the four below"},
    {"successful_mints", kCount, kAlways, "Minted, finally, by what was sent"},
    {"failed_mints", kCount, kAlways, "Failed for good, or parked"},
    {"deferred_mints", kCount, kAlways, "Open still"},
    {"duplicate_mints", kCount, kAlways, "The ledger had them already"},
    kCommitted,
});
constexpr auto kCreatedChanges = std::to_array<Member>({
    kTaskId,
    kReadingId,
    kEnergy,
    {"created_at", kTime, kAlways, "When it was committed"},
});
constexpr auto kCreated = std::to_array<Member>({
    kTaskId,
    kUserId,
    kMeterId,
    {"changes", kObject, kAlways, "The task", nullptr, kCreatedChanges},
    kCommitted,
});
constexpr auto kUpdatedChanges = std::to_array<Member>({
    kWallet,
    kTokens,
    kSignature,
    {"ledger_height", kBigNumber, kSometimes, "Position on the ledger, once it is known"},
});
constexpr auto kUpdated = std::to_array<Member>({
    kTaskId,
    kJobId,
    kUserId,
    kMeterId,
    {"changes", kObject, kAlways, "Execution data", nullptr, kUpdatedChanges},
    kCommitted,
});
constexpr auto kStatusChanges = std::to_array<Member>({
    {"old_status", kWord, kAlways, "The state before", MintStateWords},
    {"new_status", kWord, kAlways, "The state now", MintStateWords},
    kReason,
});
constexpr auto kStatus = std::to_array<Member>({
    kTaskId,
    kJobId,
    kUserId,
    kMeterId,
    {"changes", kObject, kAlways, "The states", nullptr, kStatusChanges},
    kCommitted,
});
constexpr auto kFeeChanges = std::to_array<Member>({
    {"old_fee", kBigNumber, kAlways, "The fee before, in the ledger's smallest unit"},
    {"new_fee", kBigNumber, kAlways, "The fee now"},
});
constexpr auto kFee = std::to_array<Member>({
    kTaskId,
    kJobId,
    kUserId,
    kMeterId,
    {"changes", kObject, kAlways, "The fees", nullptr, kFeeChanges},
    kCommitted,
});
constexpr auto kMeter = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    {"public_key", kText, kSometimes, "Its public key, base58; absent when it has none"},
    kCommitted,
});
constexpr auto kKey = std::to_array<Member>({
    {"user_id", kText, kSometimes, "The user that the key stands for"},
    {"key_id", kText, kSometimes, "The key"},
    {"revoked", kBool, kAlways, "Whether it was revoked"},
    kCommitted,
});
constexpr auto kSwitched = std::to_array<Member>({
    {"paused", kBool, kAlways, "Whether it is paused now"},
    kReason,
    kCommitted,
});
constexpr auto kCorrected = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    {"kwh_amount", kDecimal, kAlways, "Energy in kWh, now"},
    {"old_kwh_amount", kDecimal, kAlways, "Energy in kWh, before"},
    kOfReading,
    kReadingId,
    kTaskIfAny,
    kQuality,
    {"old_quality", kWord, kAlways, "How the energy before came about", QualityWords},
    kMintState,
    kReason,
    kCorrectionId,
});
constexpr auto kWithdrawn = std::to_array<Member>({
    kUserId,
    kWallet,
    kMeterId,
    kEnergy,
    kOfReading,
    kReadingId,
    kTaskIfAny,
    kReason,
    kCorrectionId,
});

constexpr auto kAlert = std::to_array<Member>({
    {"kind", kText, kSometimes, "Such as \"maintenance\"; of the bridge itself: \"upstream\""},
    {"severity", kWord, kAlways, "How much it matters", SeverityWords},
    {"message", kText, kSometimes, "For people"},
    kCommitted,
});
constexpr auto kNotice = std::to_array<Member>({
    {"user_id", kText, kSometimes, "Whom it is for"},
    {"level", kWord, kAlways, "How much it matters", SeverityWords},
    {"message", kText, kSometimes, "For people"},
    kCommitted,
});
constexpr auto kUnknown = std::to_array<Member>({
    {"event_type", kCount, kAlways, "Its number in event.proto; 0: none"},
});

constexpr auto kEventShapes = std::to_array<MessageShape>({
    {"MeterReadingReceived", "A reading was accepted. To its owner.", kReceived},
    {"MeterReadingValidationFailed", "A reading was refused. To the meter's owner.", kRefused},
    {"TokensMinted", "Tokens are on the ledger, finally. To their owner.", kMinted},
    {"BatchMintingCompleted", "A batch was worked. To admins.", kBatch},
    {"TaskCreated", "A mint task came to be. To its owner.", kCreated},
    {"TaskUpdated", "Execution data of a mint task became known. To its owner.", kUpdated},
    {"TaskStatusChanged", "A mint task changed its state. To its owner.", kStatus},
    {"TaskFeeUpdated", "The network fee of a mint task changed. To its owner.", kFee},
    {"MeterChanged", "A meter was registered or transferred, or its wallet or key changed.",
     kMeter},
    {"ApiKeyChanged", "An API key was made or revoked. To admins.", kKey},
    {"MintingSwitched", "Minting was paused or resumed. To admins.", kSwitched},
    {"ReadingCorrected", "An accepted reading says something else now. To its owner.", kCorrected},
    {"ReadingWithdrawn", "An accepted reading was withdrawn. To its owner.", kWithdrawn},
    {"SystemAlert", "An admin tells everybody; or, without a sequence, the bridge does.", kAlert},
    {"Notification", "An admin tells one user.", kNotice},
});

constexpr MessageShape kUnknownShape{
    "Unknown", "An event of a core that is newer than the bridge. To admins.", kUnknown};

}  // namespace event_shape

std::span<const MessageShape> EventShapes() { return event_shape::kEventShapes; }

const MessageShape& UnknownEventShape() { return event_shape::kUnknownShape; }

}  // namespace wattmint::bridge
