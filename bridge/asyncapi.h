// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/session_context.h"

#include <string>

namespace wattmint::bridge {

// The protocol as an AsyncAPI 3.0.0 document, in JSON: bridge/README.md for machines. It is made of
// the tables that the code uses, of message_catalogue.h, and of frames by the real encoders.
// Its limits are those of `options`. Takes some milliseconds; the same options give the same bytes.
std::string AsyncApiDocument(const SessionOptions& options);

}  // namespace wattmint::bridge
