// SPDX-License-Identifier: Apache-2.0
#include "bridge/frame_deflater.h"

#include "bridge/deflate_offer.h"
#include "core/base/assert.h"

#include <memory>
#include <new>
#include <string>
#include <utility>

namespace wattmint::bridge {
namespace {

// Source: measured with a context of a few events; a higher level costs half as much again for 2 %
// fewer bytes, a larger table as much to clear for each message.
constexpr int kLevel = 3;
constexpr int kMemoryLevel = 5;
constexpr std::size_t kFlushBytes = 4;  // behind each message, not sent
constexpr std::size_t kRoomBytes = 16;  // for the flush, beyond deflateBound()
constexpr unsigned char kCompressedBit = 0x40;
// Context and a message of that size lie in the window; zlib keeps 262 bytes of it for itself.
static_assert(2 * kContextBytesMax <= std::size_t{1} << kDeflateWindowBits);

Bytef* BytesOf(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

std::string_view PayloadOf(const SharedFrame& frame) {
  const auto length = static_cast<unsigned char>((*frame)[1]);
  const std::size_t header = length < 126 ? 2 : length == 126 ? 4 : 10;
  return std::string_view(*frame).substr(header);
}

FrameDeflater::FrameDeflater() {
  if (deflateInit2(&stream_, kLevel, Z_DEFLATED, -kDeflateWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

FrameDeflater::~FrameDeflater() { deflateEnd(&stream_); }

SharedFrame FrameDeflater::Deflate(const SharedFrame& plain, std::string_view context) {
  const std::string_view message = PayloadOf(plain);
  WATTMINT_ASSERT(!message.empty(), "nothing to compress");
  deflateReset(&stream_);
  if (!context.empty()) {
    deflateSetDictionary(&stream_, BytesOf(context), static_cast<uInt>(context.size()));
  }
  std::string deflated(deflateBound(&stream_, message.size()) + kRoomBytes, '\0');
  stream_.next_in = BytesOf(message);
  stream_.avail_in = static_cast<uInt>(message.size());
  stream_.next_out = BytesOf(deflated);
  stream_.avail_out = static_cast<uInt>(deflated.size());
  const int result = deflate(&stream_, Z_SYNC_FLUSH);
  WATTMINT_ASSERT(result == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0,
                  "{} bytes of {} are left, {}", stream_.avail_in, message.size(), result);
  deflated.resize(deflated.size() - stream_.avail_out - kFlushBytes);
  std::string frame = *FrameText(deflated);
  frame[0] = static_cast<char>(static_cast<unsigned char>((*plain)[0]) | kCompressedBit);
  return std::make_shared<const std::string>(std::move(frame));
}

}  // namespace wattmint::bridge
