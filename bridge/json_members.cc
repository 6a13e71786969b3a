// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_members.h"

#include "core/base/status.h"

#include <absl/strings/numbers.h>

namespace wattmint::bridge {
namespace {

constexpr std::int64_t kExactMax = (std::int64_t{1} << 53) - 1;

}  // namespace

std::optional<std::int64_t> WholeNumber(const JsonValue& value) {
  const JsonValue::Number* number = value.AsNumber();
  std::int64_t whole = 0;
  if (number == nullptr || !absl::SimpleAtoi(number->text, &whole)) return std::nullopt;
  if (whole < 0 || whole > kExactMax) return std::nullopt;
  return whole;
}

const JsonValue* Given(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.Find(name);
  return member == nullptr || member->IsNull() ? nullptr : member;
}

absl::StatusOr<std::string> Text(const JsonValue& object, std::string_view name,
                                 std::size_t bytes_max) {
  const JsonValue* member = Given(object, name);
  if (member == nullptr) return std::string();
  const std::string* text = member->AsString();
  if (text == nullptr) return base::InvalidArgument("\"{}\" must be a string", name);
  if (text->size() > bytes_max) return base::InvalidArgument("\"{}\" is too long", name);
  return *text;
}

absl::StatusOr<std::string> NumberText(const JsonValue& object, std::string_view name) {
  const JsonValue* member = Given(object, name);
  if (member == nullptr) return std::string();
  if (const JsonValue::Number* number = member->AsNumber()) return number->text;
  if (const std::string* text = member->AsString()) return *text;
  return base::InvalidArgument("\"{}\" must be a number", name);
}

}  // namespace wattmint::bridge
