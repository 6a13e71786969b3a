// SPDX-License-Identifier: Apache-2.0
#include "bridge/deflate_offer.h"

#include <absl/strings/ascii.h>

#include <set>
#include <utility>
#include <vector>

namespace wattmint::bridge {
namespace {

struct Parameter {
  std::string name;
  std::optional<std::string> value;
};

struct Extension {
  std::string name;
  std::vector<Parameter> parameters;
};

bool IsTokenCharacter(char character) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  return absl::ascii_isgraph(static_cast<unsigned char>(character)) &&
         kSeparators.find(character) == std::string_view::npos;
}

// Reads what RFC 6455 (9.1) calls an extension-list.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text) {}

  // Nothing if it is malformed.
  std::optional<std::vector<Extension>> Read() {
    std::vector<Extension> list;
    while (!IsAtEnd()) {
      if (Take(',')) continue;  // HTTP's lists may have empty elements
      std::optional<Extension> extension = ReadExtension();
      if (!extension || (!IsAtEnd() && !Take(','))) return std::nullopt;
      list.push_back(*std::move(extension));
    }
    return list;
  }

 private:
  void SkipBlanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) {
      text_.remove_prefix(1);
    }
  }

  bool IsAtEnd() {
    SkipBlanks();
    return text_.empty();
  }

  bool Take(char character) {
    SkipBlanks();
    if (text_.empty() || text_.front() != character) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::optional<Extension> ReadExtension() {
    Extension extension;
    extension.name = ReadToken();
    if (extension.name.empty()) return std::nullopt;
    while (Take(';')) {
      Parameter parameter{ReadToken(), std::nullopt};
      if (parameter.name.empty()) return std::nullopt;
      if (Take('=')) {
        parameter.value = Take('"') ? ReadQuoted() : ReadToken();
        if (parameter.value->empty()) return std::nullopt;
      }
      extension.parameters.push_back(std::move(parameter));
    }
    return extension;
  }

  std::string ReadToken() {
    SkipBlanks();
    std::string token;
    while (!text_.empty() && IsTokenCharacter(text_.front())) token += Next();
    return token;
  }

  // Behind the opening quote. What stands between quotes has to be a token as well; "" if it is
  // none.
  std::string ReadQuoted() {
    std::string token;
    while (!text_.empty() && text_.front() != '"') {
      if (text_.front() == '\\') text_.remove_prefix(1);
      if (text_.empty() || !IsTokenCharacter(text_.front())) return "";
      token += Next();
    }
    return Take('"') ? token : "";
  }

  char Next() {
    const char next = text_.front();
    text_.remove_prefix(1);
    return next;
  }

  std::string_view text_;
};

// 8 to 15, without leading zeros; else nothing.
std::optional<int> WindowBits(const std::string& text) {
  for (int bits = 8; bits <= 15; ++bits) {
    if (text == std::to_string(bits)) return bits;
  }
  return std::nullopt;
}

bool IsProper(const Parameter& parameter) {
  const auto& [name, value] = parameter;
  if (name == "server_no_context_takeover" || name == "client_no_context_takeover") return !value;
  if (name == "server_max_window_bits") return value && WindowBits(*value);
  return name == "client_max_window_bits" && (!value || WindowBits(*value));
}

std::optional<DeflateTerms> Accept(const Extension& offer) {
  DeflateTerms terms{Compression::kStream, offer.name + "; client_no_context_takeover"};
  std::set<std::string> names;
  for (const Parameter& parameter : offer.parameters) {
    if (!IsProper(parameter) || !names.insert(parameter.name).second) return std::nullopt;
    if (parameter.name == "server_no_context_takeover") {
      terms.compression = Compression::kAlone;
      terms.answer += "; server_no_context_takeover";
    } else if (parameter.name == "server_max_window_bits") {
      if (*WindowBits(*parameter.value) < kDeflateWindowBits) return std::nullopt;
      terms.answer += "; server_max_window_bits=" + std::to_string(kDeflateWindowBits);
    }
  }
  return terms;
}

}  // namespace

std::optional<DeflateTerms> AcceptDeflate(std::string_view offers) {
  const std::optional<std::vector<Extension>> list = ListReader(offers).Read();
  if (!list) return std::nullopt;
  for (const Extension& extension : *list) {
    if (extension.name != "permessage-deflate") continue;
    if (std::optional<DeflateTerms> terms = Accept(extension)) return terms;
  }
  return std::nullopt;
}

}  // namespace wattmint::bridge
