// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace wattmint::door {

// What stands before each frame of HTTP/2. Source: RFC 9113, section 4.1.
struct FrameHeader {
  std::uint32_t length = 0;  // bytes of the payload that follows
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
};

// Finds the headers of frames in bytes that come in pieces; payloads are skipped unread.
// Thread-compatible.
class FrameScanner {
 public:
  // The next header that ends in `bytes`, which is shortened by what was read; nothing once all of
  // it was.
  std::optional<FrameHeader> Next(std::span<const std::uint8_t>& bytes);

 private:
  static constexpr std::size_t kHeaderBytes = 9;

  std::array<std::uint8_t, kHeaderBytes> header_{};
  std::size_t header_size_ = 0;  // bytes of header_ that are there
  std::size_t payload_left_ = 0;
};

}  // namespace wattmint::door
