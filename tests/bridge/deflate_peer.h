// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace wattmint::test {

// What a client of permessage-deflate does with the messages that it sends.
class DeflateStream {
 public:
  DeflateStream() { EXPECT_EQ(deflateInit2(&stream_, 6, Z_DEFLATED, -15, 8, 0), Z_OK); }
  ~DeflateStream() { deflateEnd(&stream_); }
  DeflateStream(const DeflateStream&) = delete;
  DeflateStream& operator=(const DeflateStream&) = delete;

  // A message's payload, which may refer to those before.
  std::string Deflate(std::string_view message) {
    std::string payload(deflateBound(&stream_, message.size()) + 16, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(payload.data());
    stream_.avail_out = static_cast<uInt>(payload.size());
    EXPECT_EQ(deflate(&stream_, Z_SYNC_FLUSH), Z_OK);
    payload.resize(payload.size() - stream_.avail_out - 4);
    return payload;
  }

 private:
  z_stream stream_{};
};

inline std::string DeflateAlone(std::string_view message) {
  return DeflateStream().Deflate(message);
}

// What it does with those that it gets: keeps what came out, and fails the test if one refers to
// what never came, or does not inflate.
class InflateStream {
 public:
  explicit InflateStream(int window_bits = 15) {
    EXPECT_EQ(inflateInit2(&stream_, -window_bits), Z_OK);
  }
  ~InflateStream() { inflateEnd(&stream_); }
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;

  std::string Inflate(std::string payload) {
    payload.append("\0\0\xff\xff", 4);
    stream_.next_in = reinterpret_cast<Bytef*>(payload.data());
    stream_.avail_in = static_cast<uInt>(payload.size());
    std::string message;
    do {
      char slice[1'000];
      stream_.next_out = reinterpret_cast<Bytef*>(slice);
      stream_.avail_out = sizeof slice;
      const int result = inflate(&stream_, Z_SYNC_FLUSH);
      EXPECT_TRUE(result == Z_OK || result == Z_BUF_ERROR) << result;
      if (result != Z_OK) break;
      message.append(slice, sizeof slice - stream_.avail_out);
    } while (stream_.avail_out == 0);
    EXPECT_EQ(stream_.avail_in, 0u);
    return message;
  }

  // As a client that keeps no context between messages.
  void Forget() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

}  // namespace wattmint::test
