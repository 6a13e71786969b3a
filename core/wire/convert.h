// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"
#include "core/domain/time.h"
#include "wattmint/v1/event.pb.h"

#include <optional>

namespace wattmint::wire {

// Between domain values and their messages, for whoever already sees messages.

void ToProto(domain::Time time, google::protobuf::Timestamp& out);
// What is finer than a microsecond is cut off.
domain::Time FromProto(const google::protobuf::Timestamp& time);

// Sets the fact of `out`.
void FactToProto(const domain::Fact& fact, v1::Event& out);
// Nothing when the message has no fact that this version knows, or one with ids that are none.
std::optional<domain::Fact> FactFromProto(const v1::Event& message);

}  // namespace wattmint::wire
