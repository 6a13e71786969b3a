// SPDX-License-Identifier: Apache-2.0
#include "core/door/police.h"

#include <algorithm>
#include <string_view>

namespace wattmint::door {
namespace {

// Source: RFC 9113, sections 3.4 and 6.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kRstStream = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kPing = 6;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr std::uint8_t kContinuation = 9;
constexpr std::uint8_t kEndStream = 1;
constexpr std::uint8_t kAck = 1;  // the same bit
constexpr std::uint8_t kEndHeaders = 4;

std::optional<Refusal> RefuseIf(bool is_wrong, Refusal refusal) {
  return is_wrong ? std::optional(refusal) : std::nullopt;
}

}  // namespace

bool Police::HasGreeted() const { return preface_size_ == kPreface.size(); }

std::optional<Refusal> Police::Inspect(std::span<const std::uint8_t> bytes, Instant now) {
  if (!TakePreface(bytes)) return Refusal::kNotHttp2;
  while (const auto frame = from_client_.Next(bytes)) {
    if (const auto refusal = Judge(*frame, now)) return refusal;
  }
  return std::nullopt;
}

void Police::NoteAnswer(std::span<const std::uint8_t> bytes) {
  while (const auto frame = from_server_.Next(bytes)) {
    if (frame->type == kData) ++pings_earned_;
    if (frame->type == kHeaders && (frame->flags & kEndStream) == 0) ++resets_earned_;
    if (frame->type == kSettings && (frame->flags & kAck) == 0) ++settings_to_agree_;
  }
}

bool Police::TakePreface(std::span<const std::uint8_t>& bytes) {
  const std::string_view left = kPreface.substr(preface_size_);
  const std::size_t size = std::min(left.size(), bytes.size());
  if (!std::equal(left.begin(), left.begin() + size, bytes.begin())) return false;
  preface_size_ += size;
  bytes = bytes.subspan(size);
  return true;
}

std::optional<Refusal> Police::Judge(const FrameHeader& frame, Instant now) {
  // DATA is bounded by the windows that the server gives, and may follow a length that it raised.
  if (frame.type != kData && frame.length > limits_.frame_bytes_max) return Refusal::kLargeFrame;
  const bool goes_on = frame.type == kContinuation && frame.stream == block_stream_;
  if ((frame.type == kContinuation || block_stream_ != 0) && !goes_on) {
    return Refusal::kBrokenHeaders;
  }
  BeginWindow(now);
  const bool has_flag = (frame.flags & kAck) != 0;
  switch (frame.type) {
    case kHeaders:
    case kContinuation:
      return JudgeHeaders(frame);
    case kSettings:
      return JudgeSettings(frame);
    case kRstStream:
      if (resets_earned_ == 0) {
        return RefuseIf(++resets_ > limits_.resets_in_window, Refusal::kManyResets);
      }
      --resets_earned_;
      return std::nullopt;
    case kPing:
      if (has_flag) break;
      return RefuseIf(++pings_ > limits_.pings_in_window + pings_earned_, Refusal::kManyPings);
    case kData:
      if (frame.length == 0 && (frame.flags & kEndStream) == 0) break;
      return std::nullopt;
    case kWindowUpdate:  // one for each DATA frame received, and no dearer than its bytes
      return std::nullopt;
    default:
      break;
  }
  return RefuseIf(++idle_frames_ > limits_.idle_frames_in_window, Refusal::kManyIdleFrames);
}

std::optional<Refusal> Police::JudgeHeaders(const FrameHeader& frame) {
  if (frame.stream == 0) return Refusal::kBrokenHeaders;
  if (frame.type == kHeaders) {
    block_bytes_ = 0;
    block_frames_ = 0;
    if (frame.stream > newest_stream_) {
      newest_stream_ = frame.stream;
      // A client that never agrees to the limit is never held to it by gRPC.
      if (!has_agreed_ && ++streams_before_ > limits_.streams_max) return Refusal::kManyStreams;
    }
  }
  block_bytes_ += frame.length;
  block_stream_ = (frame.flags & kEndHeaders) != 0 ? 0 : frame.stream;
  return RefuseIf(
      block_bytes_ > limits_.header_bytes_max || ++block_frames_ > limits_.header_frames_max,
      Refusal::kLargeHeaders);
}

std::optional<Refusal> Police::JudgeSettings(const FrameHeader& frame) {
  if ((frame.flags & kAck) == 0) {
    return RefuseIf(++settings_ > limits_.settings_in_window, Refusal::kManySettings);
  }
  // An answer before its question would take effect as if there were no limits.
  if (settings_to_agree_ == 0) return Refusal::kFalseAck;
  --settings_to_agree_;
  has_agreed_ = true;
  return std::nullopt;
}

void Police::BeginWindow(Instant now) {
  if (now < window_end_) return;
  window_end_ = now + limits_.window;
  resets_ = pings_ = pings_earned_ = settings_ = idle_frames_ = 0;
}

}  // namespace wattmint::door
