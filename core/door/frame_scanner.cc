// SPDX-License-Identifier: Apache-2.0
#include "core/door/frame_scanner.h"

#include <algorithm>

namespace wattmint::door {
namespace {

std::uint32_t BigEndian(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

std::optional<FrameHeader> FrameScanner::Next(std::span<const std::uint8_t>& bytes) {
  const std::size_t skipped = std::min(payload_left_, bytes.size());
  payload_left_ -= skipped;
  bytes = bytes.subspan(skipped);
  const std::size_t taken = std::min(kHeaderBytes - header_size_, bytes.size());
  std::copy_n(bytes.begin(), taken, header_.begin() + header_size_);
  header_size_ += taken;
  bytes = bytes.subspan(taken);
  if (header_size_ < kHeaderBytes) return std::nullopt;
  constexpr std::uint32_t kStreamBits = 0x7fff'ffff;  // the highest is reserved
  const std::span<const std::uint8_t> header(header_);
  const FrameHeader frame{.length = BigEndian(header.first(3)),
                          .type = header[3],
                          .flags = header[4],
                          .stream = BigEndian(header.subspan(5)) & kStreamBits};
  header_size_ = 0;
  payload_left_ = frame.length;
  return frame;
}

}  // namespace wattmint::door
