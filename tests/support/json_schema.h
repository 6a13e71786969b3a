// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace wattmint::test {

// Checks values by the schemas of one document, which may refer to each other.
//
// It knows the keywords of JSON Schema (draft 7) that our own schemas have. Another one is a
// violation, so that nothing goes unchecked; words for people alone are passed over.
class JsonSchema {
 public:
  using Json = nlohmann::json;
  // Whether a member that no schema names is a violation, whatever `additionalProperties` says.
  enum class Unknown { kAllowed, kForbidden };

  // `document` must outlive it.
  explicit JsonSchema(const Json& document, Unknown unknown = Unknown::kAllowed)
      : document_(document), unknown_(unknown) {}

  // "" if `value` is as the schema says; else the first violation, with its place.
  std::string Violation(const Json& value, const Json& schema) const {
    return Check(value, schema, "");
  }

 private:
  std::string Check(const Json& value, const Json& schema, const std::string& place) const;
  std::string CheckKeyword(const std::string& keyword, const Json& argument, const Json& value,
                           const Json& schema, const std::string& place) const;
  std::string CheckMembers(const Json& value, const Json& schema, const std::string& place) const;
  std::ptrdiff_t CountMatches(const Json& value, const Json& schemas,
                              const std::string& place) const;

  const Json& document_;
  const Unknown unknown_;
};

}  // namespace wattmint::test
