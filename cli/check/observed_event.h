// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/cast.h"
#include "cli/check/reference_log.h"
#include "wattmint/v1/event.pb.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace wattmint::check {

// What an event is compared by: what is equal has equal digests, within one run of the program.

// Of the bytes that a gRPC stream carries of it, its sequence left out.
std::uint64_t DigestOfPayload(std::string_view payload);
// Of a frame of the WebSocket. Members that this version does not know are left out, since a later
// server may add them.
std::uint64_t DigestOfFrame(const nlohmann::json& frame);

// What a verdict needs of an event of the log.
LogEntry Observe(const v1::Event& event, const Cast& cast);

}  // namespace wattmint::check
