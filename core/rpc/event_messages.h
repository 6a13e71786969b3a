// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/stream/feed.h"
#include "core/stream/frame_cache.h"
#include "wattmint/v1/event.pb.h"

#include <grpcpp/support/byte_buffer.h>

namespace wattmint::rpc {

// The serialised SubscribeResponse of a message. `terms`: what Established tells beside where the
// stream begins. Events are not copied: the buffer shares their
// bytes with everybody else who sends them.
grpc::ByteBuffer Encode(const stream::Feed::Message& message, const v1::Established& terms,
                        const stream::FrameCache& frames);

}  // namespace wattmint::rpc
