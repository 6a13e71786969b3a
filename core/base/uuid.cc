// SPDX-License-Identifier: Apache-2.0
#include "core/base/uuid.h"

#include "core/base/hex.h"
#include "core/base/status.h"

#include <algorithm>

namespace wattmint::base {
namespace {

constexpr size_t kTextLength = 36;
constexpr std::array<size_t, 4> kHyphens = {8, 13, 18, 23};

}  // namespace

absl::StatusOr<Uuid> Uuid::Parse(std::string_view text) {
  const bool is_shaped =
      text.size() == kTextLength &&
      std::all_of(kHyphens.begin(), kHyphens.end(), [&](size_t i) { return text[i] == '-'; });
  if (is_shaped) {
    std::string digits(text);
    std::erase(digits, '-');
    const absl::StatusOr<Bytes> bytes = DecodeHex(digits);
    Uuid uuid;
    if (bytes.ok() && bytes->size() == uuid.bytes.size()) {
      std::copy(bytes->begin(), bytes->end(), uuid.bytes.begin());
      return uuid;
    }
  }
  return InvalidArgument("not a UUID of the shape 01890a5d-ac96-774b-bcce-b302099a8057");
}

std::string Uuid::ToString() const {
  std::string text = EncodeHex(bytes);
  for (const size_t i : kHyphens) text.insert(i, 1, '-');
  return text;
}

}  // namespace wattmint::base
