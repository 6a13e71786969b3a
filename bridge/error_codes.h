// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace wattmint::bridge {

// A name of a refusal on the wire, and what a client does about it: bridge/README.md, "Error codes"
// and "Close codes", which say the same to people; a test holds them together.
struct ErrorCode {
  enum class Where { kFrame, kHttp, kBoth };  // `Error` frames, answers of HTTP
  enum class Reconnect { kNo, kYes };         // if the connection was refused, or is closed with it

  std::string_view name;
  Where where;
  std::string_view meaning;
  Reconnect reconnect;
  std::string_view remedy;
};

inline constexpr auto kErrorCodes = [] {
  using enum ErrorCode::Where;
  using enum ErrorCode::Reconnect;
  return std::to_array<ErrorCode>({
      {"INVALID_MESSAGE", kFrame, "no JSON object, too deep, a member twice, or a bad `id`", kNo,
       "mend the message"},
      {"INVALID_MESSAGE_TYPE", kFrame, "no `type`, or one that is not known", kNo,
       "mend the message"},
      {"INVALID_AUTHENTICATION_DATA", kFrame, "no credential, more than one, or one is checked now",
       kNo, "mend the message"},
      {"INVALID_SUBSCRIPTION_DATA", kFrame, "what to subscribe, or where to begin, is not clear",
       kNo, "mend the message"},
      {"INVALID_UNSUBSCRIPTION_DATA", kFrame, "what to unsubscribe is not clear", kNo,
       "mend the message"},
      {"INVALID_READING_DATA", kFrame, "a reading with a member that is missing or broken", kNo,
       "mend the message"},
      {"INVALID_ROOM", kFrame, "no such channel, or not offered by this server", kNo,
       "leave out that `channel`"},
      {"ACCESS_DENIED", kBoth, "the credential does not allow this", kNo, "ask for less"},
      {"AUTHENTICATION_REQUIRED", kFrame, "nobody has authenticated yet", kNo,
       "send `Authenticate` first"},
      {"AUTHENTICATION_FAILED", kBoth, "the credential is missing, wrong, expired or used up", kNo,
       "get a fresh credential first"},
      {"INVALID_API_KEY", kBoth, "the API key is wrong or revoked", kNo,
       "get another API key first"},
      {"SUBSCRIPTION_LIMIT_EXCEEDED", kFrame,
       "more channels than `Connected` allows, or too many tasks", kNo, "unsubscribe some"},
      {"RATE_LIMIT_EXCEEDED", kBoth, "too many messages, calls or connections", kYes,
       "after `retry_after_ms` or `Retry-After`"},
      {"INVALID_CURSOR", kFrame, "`resume` is no cursor of this service", kNo,
       "subscribe without `resume`"},
      {"CURSOR_COMPACTED", kFrame, "events behind the cursor are not kept any more", kYes,
       "subscribe without `resume`; `oldest_sequence` is the oldest that is there"},
      {"CURSOR_EPOCH_MISMATCH", kFrame, "the cursor is of another log", kNo,
       "subscribe without `resume`"},
      {"CURSOR_FILTER_MISMATCH", kFrame, "the cursor is for other channels, or another filter", kNo,
       "subscribe what it was made for, or without `resume`"},
      {"CURSOR_SCOPE_MISMATCH", kFrame, "the cursor is another user's, or of another role", kNo,
       "subscribe without `resume`"},
      {"UPSTREAM_UNAVAILABLE", kBoth, "the core can't be asked now", kYes,
       "after `retry_after_ms` or `Retry-After`"},
      {"INTERNAL", kBoth, "our bug", kYes, "with back-off"},
      {"ORIGIN_DENIED", kHttp, "pages of this origin may not connect", kNo,
       "ask the operator for it"},
      {"UNKNOWN_SUBPROTOCOL", kHttp, "none of the offered subprotocols is spoken", kNo,
       "offer another"},
      {"TOO_MANY_CONNECTIONS", kHttp, "the server is full", kYes, "after `Retry-After`"},
      {"UPGRADE_REQUIRED", kHttp, "no WebSocket of version 13", kNo, "mend the request"},
      {"NOT_FOUND", kHttp, "nothing is at this path", kNo, "mend the request"},
      {"METHOD_NOT_ALLOWED", kHttp, "the path has another method", kNo, "mend the request"},
      {"BAD_REQUEST", kHttp, "no proper HTTP", kNo, "mend the request"},
      {"BODY_TOO_LARGE", kHttp, "a body over the limit", kNo, "mend the request"},
      {"HEADERS_TOO_LARGE", kHttp, "headers over the limit", kNo, "mend the request"},
  });
}();

// `name`, which must be in the table: another one does not compile.
consteval std::string_view DocumentedError(std::string_view name) {
  for (const ErrorCode& code : kErrorCodes) {
    if (code.name == name) return code.name;
  }
  throw "add the code to kErrorCodes";
}

namespace error_code {
inline constexpr auto kInvalidMessage = DocumentedError("INVALID_MESSAGE");
inline constexpr auto kInvalidMessageType = DocumentedError("INVALID_MESSAGE_TYPE");
inline constexpr auto kInvalidAuthentication = DocumentedError("INVALID_AUTHENTICATION_DATA");
inline constexpr auto kInvalidSubscription = DocumentedError("INVALID_SUBSCRIPTION_DATA");
inline constexpr auto kInvalidUnsubscription = DocumentedError("INVALID_UNSUBSCRIPTION_DATA");
inline constexpr auto kInvalidReading = DocumentedError("INVALID_READING_DATA");
inline constexpr auto kInvalidRoom = DocumentedError("INVALID_ROOM");
inline constexpr auto kAccessDenied = DocumentedError("ACCESS_DENIED");
inline constexpr auto kAuthenticationRequired = DocumentedError("AUTHENTICATION_REQUIRED");
inline constexpr auto kAuthenticationFailed = DocumentedError("AUTHENTICATION_FAILED");
inline constexpr auto kInvalidApiKey = DocumentedError("INVALID_API_KEY");
inline constexpr auto kSubscriptionLimit = DocumentedError("SUBSCRIPTION_LIMIT_EXCEEDED");
inline constexpr auto kRateLimit = DocumentedError("RATE_LIMIT_EXCEEDED");
inline constexpr auto kInvalidCursor = DocumentedError("INVALID_CURSOR");
inline constexpr auto kCursorCompacted = DocumentedError("CURSOR_COMPACTED");
inline constexpr auto kCursorEpoch = DocumentedError("CURSOR_EPOCH_MISMATCH");
inline constexpr auto kCursorFilter = DocumentedError("CURSOR_FILTER_MISMATCH");
inline constexpr auto kCursorScope = DocumentedError("CURSOR_SCOPE_MISMATCH");
inline constexpr auto kUpstreamUnavailable = DocumentedError("UPSTREAM_UNAVAILABLE");
inline constexpr auto kInternal = DocumentedError("INTERNAL");
}  // namespace error_code

struct CloseCode {
  int number;
  std::string_view meaning;
  ErrorCode::Reconnect reconnect;
  std::string_view remedy;  // may be empty
};

inline constexpr auto kCloseCodes = [] {
  using enum ErrorCode::Reconnect;
  return std::to_array<CloseCode>({
      {1000, "the client said goodbye", kNo, ""},
      {1001, "draining", kYes, "after `Draining.reconnect_after_ms`, with the cursor"},
      {1002, "broken frame", kNo, "a bug"},
      {1003, "binary frame", kNo, "a bug"},
      {1006, "connection lost (never sent)", kYes, "with back-off, with the cursor"},
      {1007, "text that is not UTF-8, or does not inflate", kNo, "a bug"},
      {1009, "frame over 16 KiB", kNo, "a bug"},
      {1011, "our bug", kYes, "with back-off"},
      {1013, "overloaded", kYes, "with back-off"},
      {4401, "credential missing, wrong, expired or revoked", kNo, "only with a fresh credential"},
      {4403, "no longer allowed", kNo, ""},
      {4408, "no `Authenticate` within 10 s", kNo, "only with a credential"},
      {4429, "went on sending over the rate limit", kYes, "after a minute"},
      {4503, "the stream can't be continued (the cursor's log is gone)", kYes,
       "subscribe without `resume`"},
  });
}();

consteval int DocumentedClose(int number) {
  for (const CloseCode& code : kCloseCodes) {
    if (code.number == number) return number;
  }
  throw "add the code to kCloseCodes";
}

// Those that sessions close with; the others are websocketpp's.
namespace close_code {
inline constexpr int kInternal = DocumentedClose(1011);
inline constexpr int kBadCredential = DocumentedClose(4401);
inline constexpr int kNotAuthenticated = DocumentedClose(4408);
inline constexpr int kTooManyFrames = DocumentedClose(4429);
inline constexpr int kStreamLost = DocumentedClose(4503);
}  // namespace close_code

}  // namespace wattmint::bridge
