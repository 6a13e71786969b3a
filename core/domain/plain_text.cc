// SPDX-License-Identifier: Apache-2.0
#include "core/domain/plain_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace wattmint::domain {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Source: Unicode, categories Cc, Zl, Zp, and the controls of bidirectional text; surrogates are no
// characters.
constexpr Range kRefused[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C},
                              {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
                              {0xD800, 0xDFFF}};

// The least character that needs so many bytes more than the first.
constexpr char32_t kLeast[] = {0x00, 0x80, 0x800, 0x10000};
constexpr char32_t kGreatest = 0x10FFFF;

bool IsShown(char32_t character) {
  return std::ranges::none_of(kRefused, [character](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

// How many bytes follow the first one; -1 if it begins no character.
int FollowersOf(std::uint8_t first) {
  if (first < 0x80) return 0;
  if (first >= 0xC0 && first < 0xE0) return 1;
  if (first >= 0xE0 && first < 0xF0) return 2;
  if (first >= 0xF0 && first < 0xF8) return 3;
  return -1;
}

// Takes the first character off, if it is one that is shown.
bool TakeCharacter(std::string_view& text) {
  const auto first = static_cast<std::uint8_t>(text.front());
  const int followers = FollowersOf(first);
  if (followers < 0 || std::ssize(text) <= followers) return false;
  char32_t character = followers == 0 ? first : first & (0x3F >> followers);
  for (int i = 1; i <= followers; ++i) {
    const auto next = static_cast<std::uint8_t>(text[static_cast<std::size_t>(i)]);
    if ((next & 0xC0) != 0x80) return false;
    character = character << 6 | (next & 0x3F);
  }
  text.remove_prefix(static_cast<std::size_t>(followers) + 1);
  return character >= kLeast[followers] && character <= kGreatest && IsShown(character);
}

}  // namespace

bool IsPlainText(std::string_view text, std::size_t bytes_max) {
  if (text.empty() || text.size() > bytes_max) return false;
  while (!text.empty()) {
    if (!TakeCharacter(text)) return false;
  }
  return true;
}

}  // namespace wattmint::domain
