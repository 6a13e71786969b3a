// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// Appends `text` in quotes, escaped. Bytes that are no UTF-8 become U+FFFD, since a text frame
// with such bytes ends the connection.
void AppendJsonString(std::string_view text, std::string& out);

// Writes one JSON object, member by member, in the order of the calls. Names are not escaped.
class JsonWriter {
 public:
  JsonWriter() { Open(); }

  JsonWriter& String(std::string_view name, std::string_view value);
  JsonWriter& Strings(std::string_view name, const std::vector<std::string>& values);
  JsonWriter& Number(std::string_view name, std::int64_t value);
  // A 64-bit value that may pass 2^53: as text.
  JsonWriter& BigNumber(std::string_view name, std::int64_t value);
  JsonWriter& Bool(std::string_view name, bool value);
  JsonWriter& Null(std::string_view name);
  // `json` is written as it is.
  JsonWriter& Raw(std::string_view name, std::string_view json);
  // The members until End() belong to an object of that name.
  JsonWriter& Begin(std::string_view name);
  JsonWriter& End();
  // The elements until EndArray() belong to an array of that name; each is an object.
  JsonWriter& BeginArray(std::string_view name);
  JsonWriter& BeginElement();
  JsonWriter& EndArray();

  // Ends the object. Nothing may be called afterwards. REQUIRES: every Begin() has its End().
  std::string Take() &&;

 private:
  void Open() {
    text_ += '{';
    is_first_ = true;
  }
  void Name(std::string_view name);

  std::string text_;
  bool is_first_ = true;
};

}  // namespace wattmint::bridge
