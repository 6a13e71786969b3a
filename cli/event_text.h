// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wattmint/v1/event.pb.h"

#include <string>

namespace wattmint::cli {

// One line: sequence, time, type, owner, meter, and what the type has to say; exact values.
std::string EventText(const v1::Event& event);

}  // namespace wattmint::cli
