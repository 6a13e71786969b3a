// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/event.h"

#include <string>

namespace wattmint::bridge {

// The event as the default encoding says it: {"type","seq","timestamp","data"}, with the field
// names of bridge/README.md. Energy and the tokens of one reading are exact numbers; other 64-bit
// values are text.
std::string EncodeEvent(const domain::Event& event);

}  // namespace wattmint::bridge
