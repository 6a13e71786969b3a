// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace wattmint::client {

// What a call presents as metadata (protos/README.md, "Credentials"). Never log it.
struct Credential {
  enum class Kind { kNone, kBearer, kApiKey, kTicket };
  Kind kind = Kind::kNone;
  std::string text;

  static Credential Bearer(std::string text) { return {Kind::kBearer, std::move(text)}; }
  static Credential ApiKey(std::string text) { return {Kind::kApiKey, std::move(text)}; }
  static Credential Ticket(std::string text) { return {Kind::kTicket, std::move(text)}; }
};

}  // namespace wattmint::client
