// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_value.h"

#include "core/base/status.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace wattmint::bridge {
namespace {

// Builds a JsonValue from the calls of nlohmann's parser, which ends when one returns false.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add({nullptr}); }
  bool boolean(bool value) override { return Add({value}); }
  bool number_integer(std::int64_t value) override {
    return Add({JsonValue::Number{std::to_string(value)}});
  }
  bool number_unsigned(std::uint64_t value) override {
    return Add({JsonValue::Number{std::to_string(value)}});
  }
  // Also called for integers that do not fit.
  bool number_float(double, const std::string& text) override {
    return Add({JsonValue::Number{text}});
  }
  bool string(std::string& value) override { return Add({std::move(value)}); }
  bool binary(nlohmann::json::binary_t&) override { return false; }

  bool start_object(std::size_t) override { return Open({JsonValue::Object{}}); }
  bool key(std::string& name) override {
    auto& members = std::get<JsonValue::Object>(open_.back()->value);
    if (members.size() == JsonValue::kMembersMax) return Fail("an object has too many members");
    const bool is_new = std::none_of(members.begin(), members.end(),
                                     [&](const auto& member) { return member.first == name; });
    if (!is_new) return Fail("a member occurs twice");
    members.emplace_back(std::move(name), JsonValue{});
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open({JsonValue::Array{}}); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return Fail("it is no JSON");
  }

  absl::StatusOr<JsonValue> Result(bool is_complete) && {
    if (is_complete) return std::move(root_);
    return base::InvalidArgument("the message can't be read: {}", error_);
  }

 private:
  bool Fail(std::string_view error) {
    if (error_.empty()) error_ = error;
    return false;
  }

  // Puts the value where it belongs, and returns its place.
  JsonValue& Place(JsonValue value) {
    if (open_.empty()) return root_ = std::move(value);
    if (auto* array = std::get_if<JsonValue::Array>(&open_.back()->value)) {
      return array->emplace_back(std::move(value));
    }
    auto& member = std::get<JsonValue::Object>(open_.back()->value).back().second;
    return member = std::move(value);
  }

  bool Add(JsonValue value) {
    Place(std::move(value));
    return true;
  }

  bool Open(JsonValue value) {
    if (open_.size() == JsonValue::kDepthMax) return Fail("it is nested too deep");
    open_.push_back(&Place(std::move(value)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonValue root_;
  // From the outside in. Stable, since only the innermost grows.
  std::vector<JsonValue*> open_;
  std::string error_;
};

}  // namespace

absl::StatusOr<JsonValue> JsonValue::Parse(std::string_view text) {
  // The parser takes a NUL for the end of the text.
  if (text.find('\0') != std::string_view::npos) {
    return base::InvalidArgument("the message can't be read: it is no JSON");
  }
  Builder builder;
  const bool is_complete = nlohmann::json::sax_parse(text, &builder);
  return std::move(builder).Result(is_complete);
}

const JsonValue* JsonValue::Find(std::string_view name) const {
  const Object* members = AsObject();
  if (members == nullptr) return nullptr;
  for (const auto& [key, member] : *members) {
    if (key == name) return &member;
  }
  return nullptr;
}

}  // namespace wattmint::bridge
