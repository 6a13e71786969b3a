// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/websocket_server.h"

#include <zlib.h>

#include <cstddef>
#include <string_view>

namespace wattmint::bridge {

// How much of what a client inflated before the next message may refer to.
// Source: measured; twice as much made events 2 % smaller and their compression 40 % dearer.
inline constexpr std::size_t kContextBytesMax = 2'048;

// The message of a frame. REQUIRES: the frame was made by FrameText() or FrameBinary().
std::string_view PayloadOf(const SharedFrame& frame);

// Compresses messages (RFC 7692). Needs nothing but the context from one to the next, so that one
// serves all groups of a thread: some 40 KB.
//
// Threads: the owner's. Throws std::bad_alloc when there is no memory for it.
class FrameDeflater {
 public:
  FrameDeflater();
  ~FrameDeflater();
  FrameDeflater(const FrameDeflater&) = delete;
  FrameDeflater& operator=(const FrameDeflater&) = delete;

  // The frame of the same message, compressed. `context`: what its receivers inflated last, up to
  // the message; "" if they have nothing in common. REQUIRES: as PayloadOf(), not empty.
  SharedFrame Deflate(const SharedFrame& plain, std::string_view context);

 private:
  z_stream stream_{};
};

}  // namespace wattmint::bridge
