// SPDX-License-Identifier: Apache-2.0
#include "tests/support/json_schema.h"

#include <gtest/gtest.h>

namespace wattmint::test {
namespace {

using Json = nlohmann::json;

TEST(JsonSchemaTest, FindsTheFirstViolation) {
  struct Row {
    const char* schema;
    const char* good;
    const char* bad;
  };
  for (const Row& row : {
           Row{R"({"type":"object"})", "{}", "[]"},
           Row{R"({"type":"integer"})", "7", "7.5"},
           Row{R"({"type":["string","null"]})", "null", "true"},
           Row{R"({"const":"a"})", R"("a")", R"("b")"},
           Row{R"({"enum":["a",null]})", "null", R"("b")"},
           Row{R"({"minimum":0})", "0", "-1"},
           Row{R"({"maximum":7})", "7", "8"},
           Row{R"({"maxLength":2})", R"("ab")", R"("abc")"},
           Row{R"({"format":"date-time"})", R"("2026-01-05T10:00:00Z")", R"("yesterday")"},
           Row{R"({"format":"int64"})", R"("-9223372036854775808")", R"("07")"},
           Row{R"({"pattern":"^(a|b:.+)$"})", R"("b:c")", R"("b:")"},
           Row{R"({"required":["a"]})", R"({"a":1})", R"({"b":1})"},
           Row{R"({"properties":{"a":{"type":"null"}}})", R"({"b":1})", R"({"a":1})"},
           Row{R"({"items":{"type":"string"}})", R"(["a"])", R"(["a",7])"},
           Row{R"({"anyOf":[{"type":"null"},{"minimum":1}]})", "7", "0"},
           Row{R"({"oneOf":[{"minimum":1},{"minimum":3}]})", "2", "3"},
           Row{R"({"$ref":"#/inner"})", "7", "true"},
       }) {
    const Json document = {{"inner", {{"type", "number"}}}};
    const JsonSchema schemas(document);
    EXPECT_EQ(schemas.Violation(Json::parse(row.good), Json::parse(row.schema)), "") << row.schema;
    EXPECT_NE(schemas.Violation(Json::parse(row.bad), Json::parse(row.schema)), "") << row.schema;
  }
}

TEST(JsonSchemaTest, TellsMembersThatNoSchemaNames) {
  const Json schema = Json::parse(R"({"properties":{"a":{"properties":{}}}})");
  const Json value = Json::parse(R"({"a":{"b":1}})");
  EXPECT_EQ(JsonSchema(schema).Violation(value, schema), "");
  EXPECT_EQ(JsonSchema(schema, JsonSchema::Unknown::kForbidden).Violation(value, schema),
            "/a/b is not in the schema");
}

TEST(JsonSchemaTest, PassesNothingOver) {
  const Json empty = Json::object();
  EXPECT_NE(JsonSchema(empty).Violation(7, {{"multipleOf", 7}}), "") << "an unknown keyword";
  EXPECT_NE(JsonSchema(empty).Violation(7, {{"$ref", "#/nowhere"}}), "");
}

}  // namespace
}  // namespace wattmint::test
