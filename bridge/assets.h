// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace wattmint::bridge {

// A static file that is built in.
struct Asset {
  std::string_view path;  // on the server, such as "/client.js"
  std::string_view content_type;
  std::string_view etag;  // quoted; another one for other bytes
  std::string_view body;
};

// The dashboard, the client package and the plotting library.
std::span<const Asset> Assets();

}  // namespace wattmint::bridge
