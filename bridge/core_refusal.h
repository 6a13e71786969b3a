// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/protocol.h"

#include <absl/status/status.h>

#include <string>

namespace wattmint::bridge {

// What a client is told of what the core refused; `retry_after_ms` is set when the same may go well
// later.
ProtocolError CredentialRefusal(const std::string& id, const absl::Status& why);
ProtocolError BatchRefusal(const std::string& id, const std::string& channel,
                           const absl::Status& why);
ProtocolError SubmitRefusal(const std::string& id, const absl::Status& why);

}  // namespace wattmint::bridge
