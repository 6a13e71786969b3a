// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace wattmint::base {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

// The same memory under the other type: protos and SQLite speak of characters, cryptography of
// bytes.
inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace wattmint::base
