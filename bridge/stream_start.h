// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/protocol.h"
#include "bridge/session_context.h"
#include "core/stream/cursor.h"

#include <cstdint>
#include <variant>

namespace wattmint::bridge {

// The sequence behind which a new stream begins, or why it cannot begin there. `place`: of the
// stream, with sequence 0.
std::variant<std::int64_t, ProtocolError> FindStart(const StreamStart& start,
                                                    const stream::Cursor& place,
                                                    const SessionContext& context);

}  // namespace wattmint::bridge
