// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/message_catalogue.h"

#include <array>
#include <string_view>

namespace wattmint::bridge {

// The server's messages that are no events: bridge/message_catalogue.h. Here, since a message of a
// type that has no entry does not compile.
namespace server_message {

inline constexpr auto kUpstream =
    Member{"upstream", MemberType::kWord, Presence::kAlways,
           "Whether the bridge is connected to the core", [] {
             return std::vector<std::string_view>{"connected", "lost"};
           }};
inline constexpr auto kHead = Member{"head_sequence", MemberType::kCount, Presence::kAlways,
                                     "Newest sequence of the log that the bridge knows of"};
inline constexpr auto kDelivered =
    Member{"delivered_sequence", MemberType::kCount, Presence::kAlways,
           "Everything up to here that is subscribed was delivered"};
inline constexpr auto kCursor = Member{"cursor", MemberType::kText, Presence::kSometimes,
                                       "For `Subscribe.resume`; absent without a subscription"};

inline constexpr auto kLimits = std::to_array<Member>({
    {"subscriptions", MemberType::kCount, Presence::kAlways, "Channels of a session"},
    {"object_subscriptions", MemberType::kCount, Presence::kAlways,
     "Of them meters, wallets, jobs and tasks"},
    {"user_subscriptions", MemberType::kCount, Presence::kAlways, "Of them users"},
    {"channels_per_message", MemberType::kCount, Presence::kAlways, "Channels in one message"},
    {"frame_bytes", MemberType::kCount, Presence::kAlways, "Bytes of a client's frame"},
    {"frames_per_minute", MemberType::kCount, Presence::kAlways, "Frames of a client"},
});
inline constexpr auto kConnected = std::to_array<Member>({
    {"connection_id", MemberType::kText, Presence::kAlways, "Of this connection, for logs"},
    {"server_time", MemberType::kCount, Presence::kAlways, "Milliseconds since 1970"},
    {"authenticated", MemberType::kBool, Presence::kAlways, "Whether the upgrade said who comes"},
    {"authenticate_within_ms", MemberType::kCount, Presence::kSometimes,
     "If not authenticated: until then `Authenticate` must come"},
    {"limits", MemberType::kObject, Presence::kAlways, "What a client may do at most", nullptr,
     kLimits},
});
inline constexpr auto kAuthenticated = std::to_array<Member>({
    {"user_id", MemberType::kText, Presence::kAlways, "Who the credential stands for"},
    {"wallet", MemberType::kText, Presence::kOrNull, "The first wallet that the credential names"},
    {"roles", MemberType::kWords, Presence::kAlways, "What the credential may do", RoleWords},
    {"expires_at", MemberType::kTime, Presence::kOrNull,
     "The first moment at which the credential is refused"},
});
inline constexpr auto kFilter = std::to_array<Member>({
    {"event_types", MemberType::kWords, Presence::kAlways, "Empty: any", EventTypeWords},
    {"meters", MemberType::kTexts, Presence::kAlways, "Ids of meters; empty: any"},
    {"min_amount", MemberType::kDecimal, Presence::kOrNull, "Lowest energy in kWh, included"},
});
inline constexpr auto kSubscribed = std::to_array<Member>({
    {"channels", MemberType::kTexts, Presence::kOrNull,
     "All that are subscribed now, in their canonical spelling; null if a filter is"},
    {"filter", MemberType::kObject, Presence::kOrNull, "What is subscribed; null if channels are",
     nullptr, kFilter},
    {"added", MemberType::kTexts, Presence::kAlways, "The channels of the message"},
    kCursor,
    {"epoch", MemberType::kText, Presence::kAlways, "Identity of the log"},
    kHead,
    {"replaying", MemberType::kBool, Presence::kAlways, "Whether history comes first"},
});
inline constexpr auto kUnsubscribed = std::to_array<Member>({
    {"channels", MemberType::kTexts, Presence::kAlways, "What remains"},
    {"removed", MemberType::kTexts, Presence::kAlways, "What does not"},
    kCursor,
});
inline constexpr auto kHeartbeat = std::to_array<Member>({kCursor, kHead, kDelivered, kUpstream});
inline constexpr auto kCaughtUp = std::to_array<Member>({
    {"cursor", MemberType::kText, Presence::kAlways, "For `Subscribe.resume`"},
    {"sequence", MemberType::kCount, Presence::kAlways, "Everything up to here was delivered"},
});
inline constexpr auto kFellBehind = std::to_array<Member>({kDelivered, kHead});
inline constexpr auto kDraining = std::to_array<Member>({
    {"reconnect_after_ms", MemberType::kCount, Presence::kAlways, "Connect again so much later"},
    kCursor,
});
inline constexpr auto kCredentialExpiring = std::to_array<Member>({
    {"expires_at", MemberType::kTime, Presence::kAlways,
     "The first moment at which the credential is refused"},
});
inline constexpr auto kReadingSubmitted = std::to_array<Member>({
    {"outcome", MemberType::kWord, Presence::kAlways, "What became of the reading",
     [] {
       return std::vector<std::string_view>{"accepted", "exists", "rejected"};
     }},
    {"reading_id", MemberType::kText, Presence::kSometimes, "Of the reading, unless rejected"},
    {"mint_state", MemberType::kWord, Presence::kSometimes, "State of its mint task",
     MintStateWords},
    {"error_reason", MemberType::kWord, Presence::kSometimes, "Why it was rejected",
     RejectionWords},
    {"message", MemberType::kText, Presence::kSometimes, "The same in a sentence"},
});
inline constexpr auto kPong = std::to_array<Member>({
    {"timestamp", MemberType::kNumber, Presence::kSometimes, "The client's, as it came"},
});
inline constexpr auto kRateLimitWarning = std::to_array<Member>({
    {"used", MemberType::kCount, Presence::kAlways, "Frames of the burst that are used up"},
    {"limit", MemberType::kCount, Presence::kAlways, "Frames of a burst"},
});
inline constexpr auto kSystemStatus = std::to_array<Member>({
    {"status", MemberType::kWord, Presence::kAlways, "\"degraded\" while the core is lost",
     [] {
       return std::vector<std::string_view>{"healthy", "degraded"};
     }},
    {"connections", MemberType::kCount, Presence::kAlways, "Open connections of the bridge"},
    kUpstream,
    kHead,
    {"lag_ms", MemberType::kCount, Presence::kAlways, "Since the last word of a lost core"},
});
inline constexpr auto kTask = std::to_array<Member>({
    {"task_id", MemberType::kBigNumber, Presence::kAlways, "The mint task"},
    {"user_id", MemberType::kText, Presence::kAlways, "Owner of the reading"},
    {"meter_id", MemberType::kText, Presence::kAlways, "The meter"},
    {"reading_id", MemberType::kText, Presence::kAlways, "The reading, a UUID"},
    {"kwh_amount", MemberType::kDecimal, Presence::kAlways, "Energy in kWh"},
    {"status", MemberType::kWord, Presence::kAlways, "Its state", MintStateWords},
    {"tokens_minted", MemberType::kCount, Presence::kSometimes, "In base units, once signed"},
    {"wallet_address", MemberType::kText, Presence::kSometimes, "That they go to, once signed"},
    {"transaction_signature", MemberType::kText, Presence::kSometimes, "The ledger's, base58"},
    {"reason", MemberType::kText, Presence::kSometimes, "Why it is where it is"},
    {"created_at", MemberType::kTime, Presence::kAlways, "When it came to be"},
    {"updated_at", MemberType::kTime, Presence::kAlways, "When it last changed"},
});
inline constexpr auto kJobSnapshot = std::to_array<Member>({
    {"job_id", MemberType::kText, Presence::kAlways, "The batch"},
    {"sequence", MemberType::kCount, Presence::kAlways,
     "The tasks are as they were behind this event: apply greater ones only"},
    {"tasks", MemberType::kObjects, Presence::kAlways, "Those that one may see, some at a time",
     nullptr, kTask},
    {"more", MemberType::kBool, Presence::kAlways, "Whether another of the same job follows"},
});
// As the event of that name.
inline constexpr auto kSystemAlert = std::to_array<Member>({
    {"kind", MemberType::kText, Presence::kAlways, "upstream"},
    {"severity", MemberType::kWord, Presence::kAlways, "How much it matters", SeverityWords},
    {"message", MemberType::kText, Presence::kAlways, "For people"},
    {"timestamp", MemberType::kTime, Presence::kAlways, "When the bridge noticed"},
});
inline constexpr auto kError = std::to_array<Member>({
    {"code", MemberType::kWord, Presence::kAlways, "See x-error-codes", ErrorCodeWords},
    {"message", MemberType::kText, Presence::kAlways, "For people"},
    {"retry_after_ms", MemberType::kCount, Presence::kSometimes,
     "The same may go well so much later"},
    {"channel", MemberType::kText, Presence::kSometimes, "The channel that is at fault"},
    {"oldest_sequence", MemberType::kCount, Presence::kSometimes,
     "The oldest event that is still there"},
});

}  // namespace server_message

inline constexpr auto kServerMessageShapes = std::to_array<MessageShape>({
    {"Connected", "The first frame.", server_message::kConnected},
    {"Authenticated", "The credential is good.", server_message::kAuthenticated},
    {"Subscribed", "The subscription holds from now on.", server_message::kSubscribed},
    {"Unsubscribed", "What was named is not subscribed any more.", server_message::kUnsubscribed},
    {"JobSnapshot", "The tasks of a job that was subscribed.", server_message::kJobSnapshot},
    {"Heartbeat", "A sign of life, also on a quiet stream.", server_message::kHeartbeat},
    {"CaughtUp", "History is through; what follows is live.", server_message::kCaughtUp},
    {"FellBehind", "This client reads too slowly and is fed from the log; nothing is lost.",
     server_message::kFellBehind},
    {"Draining", "The server is about to stop; close 1001 follows.", server_message::kDraining},
    {"CredentialExpiring", "A fresh `Authenticate` is needed soon, or close 4401 follows.",
     server_message::kCredentialExpiring},
    {"ReadingSubmitted", "What became of the reading, durably.", server_message::kReadingSubmitted},
    {"Pong", "Answers `Ping`.", server_message::kPong},
    {"RateLimitWarning", "Most of the client's frames are used up.",
     server_message::kRateLimitWarning},
    {"SystemStatus", "How the bridge stands: every 30 s and on change.",
     server_message::kSystemStatus},
    {"SystemAlert", "The bridge lost its core, or has it again.", server_message::kSystemAlert},
    {"Error", "Something was refused; the connection lives unless a close follows.",
     server_message::kError},
});

// The name of a server message, which must have an entry above: another one does not compile.
struct ServerMessageName {
  consteval ServerMessageName(const char* name) : text(name) {  // implicit: it stands for the text
    for (const MessageShape& shape : kServerMessageShapes) {
      if (shape.name == text) return;
    }
    throw "add the message to kServerMessageShapes";
  }
  std::string_view text;
};

}  // namespace wattmint::bridge
