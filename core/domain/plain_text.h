// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace wattmint::domain {

// Whether `text` is one line that people can be shown as it is: 1 to `bytes_max` bytes of UTF-8
// (RFC 3629), without control characters, and without what breaks lines or turns the direction of
// writing.
bool IsPlainText(std::string_view text, std::size_t bytes_max);

}  // namespace wattmint::domain
