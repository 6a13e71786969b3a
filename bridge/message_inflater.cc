// SPDX-License-Identifier: Apache-2.0
#include "bridge/message_inflater.h"

#include <array>
#include <new>

namespace wattmint::bridge {
namespace {

constexpr int kWindowBits = 15;  // a client may use all that there is
constexpr std::size_t kSliceBytes = 4'096;
constexpr int kBitsLeftMask = 7;
constexpr int kBehindBlock = 128;

}  // namespace

MessageInflater::MessageInflater() {
  if (inflateInit2(&stream_, -kWindowBits) != Z_OK) throw std::bad_alloc();
}

MessageInflater::~MessageInflater() { inflateEnd(&stream_); }

MessageInflater::Verdict MessageInflater::Inflate(std::string_view deflated, std::size_t bytes_max,
                                                  std::string& message) {
  inflateReset(&stream_);
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream_.avail_in = static_cast<uInt>(deflated.size());
  std::array<char, kSliceBytes> slice;
  bool is_between_blocks = false;
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(slice.data());
    stream_.avail_out = static_cast<uInt>(slice.size());
    const int result = inflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t size = slice.size() - stream_.avail_out;
    if (message.size() + size > bytes_max) return Verdict::kTooLong;
    message.append(slice.data(), size);
    if (result == Z_STREAM_END) {
      inflateReset(&stream_);  // a block may say that it is the last one, and more may follow
      is_between_blocks = false;
    } else if (result == Z_OK) {
      is_between_blocks =
          (stream_.data_type & kBehindBlock) != 0 && (stream_.data_type & kBitsLeftMask) == 0;
    } else if (result != Z_BUF_ERROR) {  // that is: nothing more came
      return Verdict::kBroken;
    }
  } while (stream_.avail_in > 0 || stream_.avail_out == 0);
  return is_between_blocks ? Verdict::kWhole : Verdict::kBroken;
}

}  // namespace wattmint::bridge
