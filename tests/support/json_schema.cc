// SPDX-License-Identifier: Apache-2.0
#include "tests/support/json_schema.h"

#include "core/base/time_format.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace wattmint::test {
namespace {

using Json = nlohmann::json;

bool IsOfType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

bool IsOfTypes(const Json& value, const Json& types) {
  if (types.is_string()) return IsOfType(value, types);
  return std::ranges::any_of(types, [&](const Json& type) { return IsOfType(value, type); });
}

bool HasFormat(const std::string& text, const std::string& format) {
  std::int64_t number = 0;
  if (format == "date-time") return base::ParseRfc3339(text).ok();
  return format == "int64" && absl::SimpleAtoi(text, &number) && std::to_string(number) == text;
}

bool Matches(const std::string& text, const std::string& pattern) {
  regex_t expression;
  if (regcomp(&expression, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
  const bool is_match = regexec(&expression, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&expression);
  return is_match;
}

bool Contains(const Json& list, const Json& value) {
  return std::ranges::find(list, value) != list.end();
}

bool Holds(const std::string& keyword, const Json& argument, const Json& value) {
  if (keyword == "type") return IsOfTypes(value, argument);
  if (keyword == "const") return value == argument;
  if (keyword == "enum") return Contains(argument, value);
  if (keyword == "minimum") return !value.is_number() || value >= argument;
  if (keyword == "maximum") return !value.is_number() || value <= argument;
  if (!value.is_string()) return true;  // the others are about text
  if (keyword == "format") return HasFormat(value, argument);
  if (keyword == "pattern") return Matches(value, argument);
  return value.get<std::string>().size() <= argument.get<std::size_t>();  // of ASCII
}

}  // namespace

std::string JsonSchema::Check(const Json& value, const Json& schema,
                              const std::string& place) const {
  if (schema.contains("$ref")) {
    const Json::json_pointer target(schema["$ref"].get<std::string>().substr(1));
    if (!document_.contains(target)) return place + ": " + schema.dump() + " leads nowhere";
    return Check(value, document_[target], place);
  }
  for (const auto& [keyword, argument] : schema.items()) {
    std::string violation = CheckKeyword(keyword, argument, value, schema, place);
    if (!violation.empty()) return violation;
  }
  return "";
}

std::string JsonSchema::CheckKeyword(const std::string& keyword, const Json& argument,
                                     const Json& value, const Json& schema,
                                     const std::string& place) const {
  static const std::set<std::string> kPlain = {"type",    "const",  "enum",    "minimum",
                                               "maximum", "format", "pattern", "maxLength"};
  static const std::set<std::string> kForPeople = {"description", "examples", "title"};
  if (kForPeople.contains(keyword)) return "";
  bool holds = false;
  if (kPlain.contains(keyword)) {
    holds = Holds(keyword, argument, value);
  } else if (keyword == "required") {
    holds = !value.is_object() || std::ranges::all_of(argument, [&](const Json& name) {
      return value.contains(name.get<std::string>());
    });
  } else if (keyword == "properties") {
    return value.is_object() ? CheckMembers(value, schema, place) : "";
  } else if (keyword == "items") {
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
      std::string violation = Check(value[i], argument, fmt::format("{}/{}", place, i));
      if (!violation.empty()) return violation;
    }
    return "";
  } else if (keyword == "anyOf") {
    holds = CountMatches(value, argument, place) >= 1;
  } else if (keyword == "oneOf") {
    holds = CountMatches(value, argument, place) == 1;
  } else {
    return fmt::format("{}: the keyword {} is not known here", place, keyword);
  }
  if (holds) return "";
  return fmt::format("{}: {} is against {} {}", place, value.dump(), keyword, argument.dump());
}

std::string JsonSchema::CheckMembers(const Json& value, const Json& schema,
                                     const std::string& place) const {
  for (const auto& [name, member] : value.items()) {
    const auto known = schema["properties"].find(name);
    const std::string inner = fmt::format("{}/{}", place, name);
    if (known == schema["properties"].end()) {
      if (unknown_ == Unknown::kForbidden) return inner + " is not in the schema";
      continue;
    }
    std::string violation = Check(member, *known, inner);
    if (!violation.empty()) return violation;
  }
  return "";
}

std::ptrdiff_t JsonSchema::CountMatches(const Json& value, const Json& schemas,
                                        const std::string& place) const {
  return std::ranges::count_if(
      schemas, [&](const Json& schema) { return Check(value, schema, place).empty(); });
}

}  // namespace wattmint::test
