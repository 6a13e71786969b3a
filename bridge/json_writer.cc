// SPDX-License-Identifier: Apache-2.0
#include "bridge/json_writer.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Length of the well-formed UTF-8 sequence that `text` begins with; 0 if it is none.
// Source: RFC 3629, section 4.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto is_tail = [&](std::size_t i, unsigned min = 0x80, unsigned max = 0xbf) {
    return byte(i) >= min && byte(i) <= max;
  };
  const unsigned lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf) return is_tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned min = lead == 0xe0 ? 0xa0 : 0x80;  // not overlong
    const unsigned max = lead == 0xed ? 0x9f : 0xbf;  // no surrogate
    return is_tail(1, min, max) && is_tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned min = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned max = lead == 0xf4 ? 0x8f : 0xbf;
    return is_tail(1, min, max) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

bool IsPlain(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte >= 0x20 && byte < 0x7f && character != '"' && character != '\\';
}

void AppendEscaped(char character, std::string& out) {
  switch (character) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(character));
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      AppendEscaped(text.front(), out);
      text.remove_prefix(1);
    } else if (const std::size_t length = SequenceLength(text); length > 0) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += kReplacement;
      text.remove_prefix(1);
    }
  }
  out += '"';
}

void JsonWriter::Name(std::string_view name) {
  if (!std::exchange(is_first_, false)) text_ += ',';
  text_ += '"';
  text_.append(name).append("\":");
}

JsonWriter& JsonWriter::String(std::string_view name, std::string_view value) {
  Name(name);
  AppendJsonString(value, text_);
  return *this;
}

JsonWriter& JsonWriter::Strings(std::string_view name, const std::vector<std::string>& values) {
  Name(name);
  text_ += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text_ += ',';
    AppendJsonString(values[i], text_);
  }
  text_ += ']';
  return *this;
}

JsonWriter& JsonWriter::Number(std::string_view name, std::int64_t value) {
  Name(name);
  text_ += fmt::format_int(value).c_str();
  return *this;
}

JsonWriter& JsonWriter::BigNumber(std::string_view name, std::int64_t value) {
  Name(name);
  text_ += '"';
  text_.append(fmt::format_int(value).c_str()) += '"';
  return *this;
}

JsonWriter& JsonWriter::Bool(std::string_view name, bool value) {
  return Raw(name, value ? "true" : "false");
}

JsonWriter& JsonWriter::Null(std::string_view name) { return Raw(name, "null"); }

JsonWriter& JsonWriter::Raw(std::string_view name, std::string_view json) {
  Name(name);
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::Begin(std::string_view name) {
  Name(name);
  Open();
  return *this;
}

JsonWriter& JsonWriter::End() {
  text_ += '}';
  is_first_ = false;
  return *this;
}

JsonWriter& JsonWriter::BeginArray(std::string_view name) {
  Name(name);
  text_ += '[';
  is_first_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginElement() {
  if (!is_first_) text_ += ',';
  Open();
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  text_ += ']';
  is_first_ = false;
  return *this;
}

std::string JsonWriter::Take() && {
  End();
  return std::move(text_);
}

}  // namespace wattmint::bridge
