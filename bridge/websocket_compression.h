// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it: compressed messages of clients, which
// websocketpp hands on as they come. Its own extension keeps 43 KB a connection, and inflates
// without bound.

#include <websocketpp/extensions/permessage_deflate/disabled.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace wattmint::bridge::impl {

// What a connection has beside websocketpp's.
struct ConnectionTerms {
  bool takes_compressed = false;  // messages of the client; else such a one is a protocol error
};

// In the place of websocketpp's extension.
class CompressedPassage : public websocketpp::extensions::permessage_deflate::disabled<void> {
 public:
  // `terms` must outlive it.
  void Follow(const ConnectionTerms& terms) { terms_ = &terms; }

  bool is_enabled() const { return terms_ != nullptr && terms_->takes_compressed; }

  // Only asked for the four bytes behind a message, which its last frame leaves out.
  std::error_code decompress(const std::uint8_t* bytes, std::size_t size, std::string& message) {
    message.append(reinterpret_cast<const char*>(bytes), size);
    return {};
  }

 private:
  const ConnectionTerms* terms_ = nullptr;
};

}  // namespace wattmint::bridge::impl
