// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/door/frame_scanner.h"
#include "core/door/refusal.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace wattmint::door {

// What one connection may do. Counts with `in_window` are of each `window`.
struct PoliceLimits {
  std::uint32_t frame_bytes_max = 16'384;   // but DATA; source: RFC 9113, 6.5.2: what all take
  std::uint32_t header_bytes_max = 16'384;  // of a block; chosen: gRPC takes 12 KiB, unpacked
  int header_frames_max = 8;                // of a block
  int streams_max = 1'000;                  // while the client has not agreed to our settings
  int resets_in_window = 200;               // besides one for each answer that has begun
  int pings_in_window = 200;                // besides one for each DATA frame that it was sent
  int settings_in_window = 200;       // chosen: ten times what clients do that measure the line
  int idle_frames_in_window = 1'000;  // chosen: clients of gRPC send none
  std::chrono::steady_clock::duration window = std::chrono::seconds(10);
};

// Watches the frames of one HTTP/2 connection for what costs its server more than its client:
// header blocks without end, streams that are reset as soon as opened, floods of frames that bring
// nothing, streams beyond the limit. It looks at the headers of frames only, is fed the bytes of
// both directions in pieces of any size, and costs some ten nanoseconds a frame.
//
// Pings are told apart by what they follow: clients that measure the line send one for DATA that
// they received, thousands in a second on a short line, and no more. So are resets: who ends calls
// that are being answered, such as streams, does no wrong.
// A value. Thread-compatible.
class Police {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  explicit Police(const PoliceLimits& limits) : limits_(limits) {}

  // Sees what the client sent, and says what is wrong with it; afterwards it must not be called.
  // Bytes that were refused must not reach the server.
  std::optional<Refusal> Inspect(std::span<const std::uint8_t> bytes, Instant now);

  // Sees what the client is about to be sent.
  void NoteAnswer(std::span<const std::uint8_t> bytes);

  // Whether the preface of HTTP/2 has come, whole.
  bool HasGreeted() const;

 private:
  // Takes the preface off `bytes`; false if they are something else.
  bool TakePreface(std::span<const std::uint8_t>& bytes);
  std::optional<Refusal> Judge(const FrameHeader& frame, Instant now);
  std::optional<Refusal> JudgeHeaders(const FrameHeader& frame);
  std::optional<Refusal> JudgeSettings(const FrameHeader& frame);
  void BeginWindow(Instant now);

  PoliceLimits limits_;
  std::size_t preface_size_ = 0;  // bytes of it that have come
  FrameScanner from_client_;
  FrameScanner from_server_;

  std::uint32_t newest_stream_ = 0;
  std::uint32_t block_stream_ = 0;  // of the header block that is open; 0: none is
  std::uint32_t block_bytes_ = 0;
  int block_frames_ = 0;
  int settings_to_agree_ = 0;  // sent to the client, and not acknowledged yet
  bool has_agreed_ = false;    // from then on the server itself counts its streams
  int streams_before_ = 0;     // opened until then

  Instant window_end_{};
  int resets_ = 0;
  int resets_earned_ = 0;  // and not used yet; they outlive the window
  int pings_ = 0;
  int pings_earned_ = 0;
  int settings_ = 0;
  int idle_frames_ = 0;
};

}  // namespace wattmint::door
