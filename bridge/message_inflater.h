// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17, as websocket_server.h.

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace wattmint::bridge {

// Inflates whole messages of clients that keep no context from one to the next (RFC 7692, 7.2.2),
// so that one serves all connections of a thread: some 40 KB.
//
// Threads: the owner's. Throws std::bad_alloc when there is no memory for it.
class MessageInflater {
 public:
  enum class Verdict {
    kWhole,
    kTooLong,
    kBroken,  // no proper DEFLATE data, or not all of it
  };

  MessageInflater();
  ~MessageInflater();
  MessageInflater(const MessageInflater&) = delete;
  MessageInflater& operator=(const MessageInflater&) = delete;

  // Appends what `deflated` inflates to; its last four bytes, which a frame leaves out, have been
  // added. Stops soon after there are more than `bytes_max`, whatever it would become.
  Verdict Inflate(std::string_view deflated, std::size_t bytes_max, std::string& message);

 private:
  z_stream stream_{};
};

}  // namespace wattmint::bridge
