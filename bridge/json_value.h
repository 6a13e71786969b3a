// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wattmint::bridge {

// JSON text as a value, read strictly: a member that occurs twice is refused, and a number stays
// the text that it was, since money goes through here.
struct JsonValue {
  struct Number {
    std::string text;
  };
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;  // in the order of the text

  std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> value = nullptr;

  static constexpr std::size_t kDepthMax = 8;  // chosen: the protocol needs 5

  static constexpr std::size_t kMembersMax = 64;  // of an object; chosen: the protocol needs 16

  // Total. Errors: kInvalidArgument with a sentence, also for more than kDepthMax levels or
  // kMembersMax members: each is compared with those before it.
  static absl::StatusOr<JsonValue> Parse(std::string_view text);

  // The member of that name; nullptr if there is none, or this is no object.
  const JsonValue* Find(std::string_view name) const;

  bool IsNull() const { return std::holds_alternative<std::nullptr_t>(value); }
  const std::string* AsString() const { return std::get_if<std::string>(&value); }
  const Number* AsNumber() const { return std::get_if<Number>(&value); }
  const Array* AsArray() const { return std::get_if<Array>(&value); }
  const Object* AsObject() const { return std::get_if<Object>(&value); }
};

}  // namespace wattmint::bridge
