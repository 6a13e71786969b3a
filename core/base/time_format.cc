// SPDX-License-Identifier: Apache-2.0
#include "core/base/time_format.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

#include <iterator>
#include <optional>

namespace wattmint::base {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// What calendar and clock show, in whatever zone.
using Civil = std::chrono::local_time<Duration>;

// Longest: 9999-12-31T23:59:59.999999+23:59.
constexpr size_t kTimeLengthMax = 32;
constexpr int kFractionDigitsMax = 6;
constexpr Time kFirst = std::chrono::sys_days{std::chrono::year{1970} / 1 / 1};
constexpr Time kEnd = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};

enum class Seconds { kRequired, kOptional };

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Accept(std::string_view any_of) {
    if (AtEnd() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<int> Digit() {
    if (AtEnd() || rest_.front() < '0' || rest_.front() > '9') return std::nullopt;
    const int digit = rest_.front() - '0';
    rest_.remove_prefix(1);
    return digit;
  }

  // A number of exactly `width` digits, at most `max`.
  std::optional<int> Number(int width, int max) {
    int number = 0;
    for (int i = 0; i < width; ++i) {
      const std::optional<int> digit = Digit();
      if (!digit.has_value()) return std::nullopt;
      number = number * 10 + *digit;
    }
    if (number > max) return std::nullopt;
    return number;
  }

 private:
  std::string_view rest_;
};

absl::StatusOr<std::chrono::local_days> ScanDate(Scanner& scanner) {
  const auto year = scanner.Number(4, 9999);
  if (!year || !scanner.Accept("-")) return InvalidArgument("the date is not YYYY-MM-DD");
  const auto month = scanner.Number(2, 12);
  if (!month || !scanner.Accept("-")) return InvalidArgument("the month is not 01 to 12");
  const auto day = scanner.Number(2, 31);
  if (!day) return InvalidArgument("the day is not 01 to 31");
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return InvalidArgument("the calendar has no such day");
  return std::chrono::local_days{date};
}

absl::StatusOr<Duration> ScanFraction(Scanner& scanner) {
  int fraction = 0;
  int width = 0;
  for (auto digit = scanner.Digit(); digit; digit = scanner.Digit()) {
    if (++width > kFractionDigitsMax) return InvalidArgument("it is finer than a microsecond");
    fraction = fraction * 10 + *digit;
  }
  if (width == 0) return InvalidArgument("no digit follows the point");
  for (; width < kFractionDigitsMax; ++width) fraction *= 10;
  return Duration(fraction);
}

absl::StatusOr<Duration> ScanTimeOfDay(Scanner& scanner, Seconds rule) {
  const auto hour = scanner.Number(2, 23);
  if (!hour || !scanner.Accept(":")) return InvalidArgument("the hour is not 00 to 23");
  const auto minute = scanner.Number(2, 59);
  if (!minute) return InvalidArgument("the minute is not 00 to 59");
  const Duration whole_minutes = hours(*hour) + minutes(*minute);
  if (!scanner.Accept(":")) {
    if (rule == Seconds::kOptional) return whole_minutes;
    return InvalidArgument("it has no seconds");
  }
  const auto second = scanner.Number(2, 60);
  if (!second) return InvalidArgument("the second is not 00 to 59");
  if (*second == 60) return InvalidArgument("leap seconds are not supported");
  Duration fraction{};
  if (scanner.Accept(".")) {
    WATTMINT_ASSIGN_OR_RETURN(fraction, ScanFraction(scanner));
  }
  return whole_minutes + seconds(*second) + fraction;
}

absl::StatusOr<Civil> ScanCivil(Scanner& scanner, std::string_view separators, Seconds rule) {
  WATTMINT_ASSIGN_OR_RETURN(const std::chrono::local_days date, ScanDate(scanner));
  if (!scanner.Accept(separators)) return InvalidArgument("no time of day follows the date");
  WATTMINT_ASSIGN_OR_RETURN(const Duration time_of_day, ScanTimeOfDay(scanner, rule));
  return date + time_of_day;
}

absl::StatusOr<minutes> ScanOffset(Scanner& scanner) {
  if (scanner.Accept("Zz")) return minutes(0);
  const bool east = scanner.Accept("+");
  if (!east && !scanner.Accept("-")) return InvalidArgument("neither Z nor ±hh:mm follows");
  const auto hour = scanner.Number(2, 23);
  if (!hour || !scanner.Accept(":")) return InvalidArgument("the offset is not ±hh:mm");
  const auto minute = scanner.Number(2, 59);
  if (!minute) return InvalidArgument("the offset is not ±hh:mm");
  const minutes offset = hours(*hour) + minutes(*minute);
  return east ? offset : -offset;
}

absl::Status CheckEnd(const Scanner& scanner) {
  return scanner.AtEnd() ? absl::OkStatus() : InvalidArgument("something follows its end");
}

absl::Status CheckYears(Time time) {
  if (time >= kFirst && time < kEnd) return absl::OkStatus();
  return InvalidArgument("it is not within the years 1970 to 9999");
}

absl::StatusOr<Time> ScanRfc3339(std::string_view text) {
  Scanner scanner(text);
  WATTMINT_ASSIGN_OR_RETURN(const Civil civil, ScanCivil(scanner, "Tt", Seconds::kRequired));
  WATTMINT_ASSIGN_OR_RETURN(const minutes offset, ScanOffset(scanner));
  WATTMINT_RETURN_IF_ERROR(CheckEnd(scanner));
  const Time time(civil.time_since_epoch() - offset);
  WATTMINT_RETURN_IF_ERROR(CheckYears(time));
  return time;
}

absl::CivilSecond ToCivilSecond(std::chrono::local_seconds civil) {
  return absl::CivilSecond() + civil.time_since_epoch().count();
}

absl::StatusOr<LocalTime> ScanLocalTime(std::string_view text, const absl::TimeZone& zone) {
  Scanner scanner(text);
  WATTMINT_ASSIGN_OR_RETURN(const Civil civil, ScanCivil(scanner, " Tt", Seconds::kOptional));
  WATTMINT_RETURN_IF_ERROR(CheckEnd(scanner));
  const auto civil_seconds = std::chrono::floor<seconds>(civil);
  const absl::TimeZone::TimeInfo info = zone.At(ToCivilSecond(civil_seconds));
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return LocalTime{.kind = LocalTime::Kind::kSkipped, .earlier = {}, .later = {}};
  }
  const auto to_time = [&](absl::Time time) {
    return Time(Duration(absl::ToUnixMicros(time)) + (civil - civil_seconds));
  };
  const bool unique = info.kind == absl::TimeZone::TimeInfo::UNIQUE;
  const LocalTime local{.kind = unique ? LocalTime::Kind::kUnique : LocalTime::Kind::kRepeated,
                        .earlier = to_time(info.pre),
                        .later = to_time(info.post)};
  WATTMINT_RETURN_IF_ERROR(CheckYears(local.earlier));
  WATTMINT_RETURN_IF_ERROR(CheckYears(local.later));
  return local;
}

template <typename T>
absl::StatusOr<T> NamingText(absl::StatusOr<T> result, std::string_view text) {
  if (result.ok()) return result;
  return InvalidArgument("\"{}\" is not a time: {}", text, Message(result.status()));
}

absl::Status CheckLength(std::string_view text) {
  if (text.size() <= kTimeLengthMax) return absl::OkStatus();
  return InvalidArgument("a time has at most {} characters, not {}", kTimeLengthMax, text.size());
}

}  // namespace

absl::StatusOr<Time> ParseRfc3339(std::string_view text) {
  WATTMINT_RETURN_IF_ERROR(CheckLength(text));
  return NamingText(ScanRfc3339(text), text);
}

std::string FormatRfc3339(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, clock.hours().count(), clock.minutes().count(),
                  clock.seconds().count());
  const auto microseconds = clock.subseconds().count();
  if (microseconds % 1000 != 0) {
    fmt::format_to(std::back_inserter(text), ".{:06}", microseconds);
  } else if (microseconds != 0) {
    fmt::format_to(std::back_inserter(text), ".{:03}", microseconds / 1000);
  }
  text += 'Z';
  return text;
}

absl::StatusOr<LocalTime> ParseLocalTime(std::string_view text, const absl::TimeZone& zone) {
  WATTMINT_RETURN_IF_ERROR(CheckLength(text));
  return NamingText(ScanLocalTime(text, zone), text);
}

absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view name) {
  absl::TimeZone zone;
  if (name.empty() || !absl::LoadTimeZone(std::string(name), &zone)) {
    return InvalidArgument("\"{}\" is not the name of a time zone, such as Europe/Zurich", name);
  }
  return zone;
}

}  // namespace wattmint::base
