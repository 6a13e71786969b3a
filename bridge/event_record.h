// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/store/event_log.h"

#include <cstdint>
#include <string>

namespace wattmint::bridge {

// An event as it came from the core, with what can be asked of it.
//
// An event of a later version, which this bridge cannot read, keeps its place: it is for those who
// may see everything, since whose it is cannot be told, and no filter lets it through.
store::EventRecord MakeRecord(std::int64_t sequence, std::string payload);

// Whether it is of a type that this bridge does not know.
bool IsUnknown(const store::EventRecord& event);

}  // namespace wattmint::bridge
