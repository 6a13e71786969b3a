// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/settings.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <absl/status/statusor.h>
#include <fmt/core.h>

#include <initializer_list>
#include <string>
#include <string_view>

// The kinds of setting. Each function makes one Setting; `access` is a generic lambda that answers
// a reference to its member of Settings, const or not.
namespace wattmint::cli {

absl::StatusOr<bool> ParseFlag(std::string_view text);
// Both limits included.
absl::StatusOr<std::int64_t> ParseCount(std::string_view text, std::int64_t min, std::int64_t max);

template <typename Access>
Setting Text(std::string_view name, std::string_view variable, std::string_view type,
             std::uint8_t scopes, std::string_view help, Access access) {
  return {name,
          variable,
          type,
          help,
          scopes,
          false,
          [access](Settings& settings, std::string_view text) {
            access(settings) = text;
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return access(settings); }};
}

// HOST:PORT with a port from 0 to 65535. Errors: kInvalidArgument.
absl::Status CheckAddress(std::string_view text);

// IP addresses, separated by commas. Errors: kInvalidArgument.
absl::Status CheckAddresses(std::string_view text);

// A text that `check` lets pass.
template <typename Access>
Setting CheckedText(std::string_view name, std::string_view variable, std::string_view type,
                    std::uint8_t scopes, std::string_view help,
                    absl::Status (*check)(std::string_view), Access access) {
  Setting setting = Text(name, variable, type, scopes, help, access);
  setting.set = [check, access](Settings& settings, std::string_view text) {
    WATTMINT_RETURN_IF_ERROR(check(text));
    access(settings) = text;
    return absl::OkStatus();
  };
  return setting;
}

template <typename Access>
Setting Address(std::string_view name, std::string_view variable, std::uint8_t scopes,
                std::string_view help, Access access) {
  return CheckedText(name, variable, "HOST:PORT", scopes, help, CheckAddress, access);
}

template <typename Access>
Setting Secret(std::string_view name, std::string_view variable, std::string_view help,
               Access access) {
  Setting setting = Text(name, variable, "SECRET", kClientScope, help, access);
  setting.is_secret = true;
  return setting;
}

// The path of a file, or an address on the web, which must hold no password. Errors:
// kInvalidArgument.
absl::Status CheckFileOrAddress(std::string_view text);

template <typename Access>
Setting FileOrAddress(std::string_view name, std::string_view variable, std::uint8_t scopes,
                      std::string_view help, Access access) {
  Setting setting =
      CheckedText(name, variable, "FILE|ADDRESS", scopes, help, CheckFileOrAddress, access);
  setting.is_reference = true;
  return setting;
}

// The name of a variable that holds a secret, but no secret by mistake. Errors: kInvalidArgument.
absl::Status CheckVariableName(std::string_view text);

template <typename Access>
Setting VariableName(std::string_view name, std::string_view variable, std::uint8_t scopes,
                     std::string_view help, Access access) {
  Setting setting = CheckedText(name, variable, "NAME", scopes, help, CheckVariableName, access);
  setting.is_reference = true;
  return setting;
}

absl::Status CheckChoice(std::string_view text, const std::vector<std::string>& choices);

template <typename Access>
Setting Choice(std::string_view name, std::string_view variable,
               std::initializer_list<std::string> choices, std::uint8_t scopes,
               std::string_view help, Access access) {
  return {name,
          variable,
          "WORD",
          help,
          scopes,
          false,
          [access, choices = std::vector<std::string>(choices)](Settings& settings,
                                                                std::string_view text) {
            WATTMINT_RETURN_IF_ERROR(CheckChoice(text, choices));
            access(settings) = text;
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return access(settings); }};
}

template <typename Access>
Setting Flag(std::string_view name, std::string_view variable, std::uint8_t scopes,
             std::string_view help, Access access) {
  return {name,
          variable,
          "true|false",
          help,
          scopes,
          false,
          [access](Settings& settings, std::string_view text) {
            WATTMINT_ASSIGN_OR_RETURN(access(settings), ParseFlag(text));
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return access(settings) ? "true" : "false"; }};
}

template <typename Access>
Setting Count(std::string_view name, std::string_view variable, int min, int max,
              std::uint8_t scopes, std::string_view help, Access access) {
  return {name,
          variable,
          "NUMBER",
          help,
          scopes,
          false,
          [=](Settings& settings, std::string_view text) {
            WATTMINT_ASSIGN_OR_RETURN(const std::int64_t count, ParseCount(text, min, max));
            access(settings) = static_cast<int>(count);
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return std::to_string(access(settings)); }};
}

// A length of time as a whole number of `Unit`.
template <typename Unit, typename Access>
Setting Length(std::string_view name, std::string_view variable, int min, int max,
               std::uint8_t scopes, std::string_view help, Access access) {
  return {name,
          variable,
          "NUMBER",
          help,
          scopes,
          false,
          [=](Settings& settings, std::string_view text) {
            WATTMINT_ASSIGN_OR_RETURN(const std::int64_t count, ParseCount(text, min, max));
            access(settings) = Unit(count);
            return absl::OkStatus();
          },
          [access](const Settings& settings) {
            return std::to_string(std::chrono::duration_cast<Unit>(access(settings)).count());
          }};
}

enum class ZeroKwh { kRefused, kAllowed };

template <typename Access>
Setting Kwh(std::string_view name, std::string_view variable, std::uint8_t scopes,
            std::string_view help, Access access, ZeroKwh zero = ZeroKwh::kRefused) {
  return {name,
          variable,
          "KWH",
          help,
          scopes,
          false,
          [access, zero](Settings& settings, std::string_view text) {
            WATTMINT_ASSIGN_OR_RETURN(const domain::Energy energy, domain::Energy::Parse(text));
            const bool is_zero_refused = zero == ZeroKwh::kRefused;
            if (energy < domain::Energy() || (is_zero_refused && energy == domain::Energy())) {
              return base::InvalidArgument("energy {} zero is expected",
                                           is_zero_refused ? "above" : "not below");
            }
            access(settings) = energy;
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return access(settings).ToString(); }};
}

template <typename Access>
Setting TokenRatio(std::string_view name, std::string_view variable, std::uint8_t scopes,
                   std::string_view help, Access access) {
  return {name,
          variable,
          "RATIO",
          help,
          scopes,
          false,
          [access](Settings& settings, std::string_view text) {
            WATTMINT_ASSIGN_OR_RETURN(access(settings), domain::Ratio::Parse(text));
            return absl::OkStatus();
          },
          [access](const Settings& settings) { return access(settings).ToString(); }};
}

// A name of the specifications of which this program knows one value only; another stops the start.
Setting Fixed(std::string_view name, std::string_view variable, std::string_view value,
              std::uint8_t scopes, std::string_view help);

}  // namespace wattmint::cli
