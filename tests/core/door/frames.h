// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wattmint::door {

// Bytes of HTTP/2 for the tests of this folder, valid or not.
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;

struct FrameShape {
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::size_t payload_bytes = 0;
};

inline std::string Frame(FrameType type, const FrameShape& shape = {}) {
  const auto byte = [](std::uint64_t value, int shift) {
    return static_cast<char>(value >> shift & 0xff);
  };
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += byte(shape.payload_bytes, shift);
  frame += static_cast<char>(type);
  frame += static_cast<char>(shape.flags);
  for (const int shift : {24, 16, 8, 0}) frame += byte(shape.stream, shift);
  return frame.append(shape.payload_bytes, 'x');
}

inline std::span<const std::uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace wattmint::door
