// SPDX-License-Identifier: Apache-2.0
#include "cli/setting_types.h"

#include "bridge/client_address.h"
#include "bridge/http_text.h"
#include "core/access/web_document.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace wattmint::cli {

absl::StatusOr<bool> ParseFlag(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return base::InvalidArgument("true or false is expected");
}

absl::StatusOr<std::int64_t> ParseCount(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    return base::InvalidArgument("a whole number from {} to {} is expected", min, max);
  }
  return value;
}

absl::Status CheckAddress(std::string_view text) {
  constexpr int kPortMax = 65'535;
  const std::size_t colon = text.rfind(':');
  const bool has_both = colon != std::string_view::npos && colon > 0;
  if (has_both && ParseCount(text.substr(colon + 1), 0, kPortMax).ok()) return absl::OkStatus();
  return base::InvalidArgument("HOST:PORT with a port from 0 to {} is expected", kPortMax);
}

absl::Status CheckAddresses(std::string_view text) {
  for (const std::string_view address : bridge::SplitTrimmed(text, ',')) {
    if (bridge::IsAddress(address)) continue;
    return base::InvalidArgument("IP addresses are expected, and \"{}\" is none", address);
  }
  return absl::OkStatus();
}

absl::Status CheckFileOrAddress(std::string_view text) {
  if (!access::IsWebAddress(text)) return absl::OkStatus();
  return access::CheckWebAddress(std::string(text));
}

absl::Status CheckVariableName(std::string_view text) {
  constexpr std::size_t kNameBytesMax = 63;  // a key has 64 hex digits
  const auto is_fit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool is_name = !text.empty() && text.size() <= kNameBytesMax &&
                       !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, is_fit);
  if (is_name) return absl::OkStatus();
  return base::InvalidArgument(
      "the name of a variable is expected: at most {} letters, digits and _; never the secret",
      kNameBytesMax);
}

absl::Status CheckChoice(std::string_view text, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return absl::OkStatus();
  return base::InvalidArgument("one of {} is expected", fmt::join(choices, ", "));
}

Setting Fixed(std::string_view name, std::string_view variable, std::string_view value,
              std::uint8_t scopes, std::string_view help) {
  return {name,
          variable,
          value,
          help,
          scopes,
          false,
          [value](Settings&, std::string_view text) {
            if (text == value) return absl::OkStatus();
            return base::InvalidArgument("this version knows {} only", value);
          },
          [value](const Settings&) { return std::string(value); }};
}

}  // namespace wattmint::cli
