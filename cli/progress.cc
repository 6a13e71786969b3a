// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace wattmint::cli {
namespace {

using std::chrono::seconds;

constexpr int kBarColumns = 30;
constexpr auto kTerminalPeriod = std::chrono::milliseconds(100);
constexpr auto kLogPeriod = seconds(5);

std::string BarText(double fraction) {
  const int full = static_cast<int>(fraction * kBarColumns);
  return fmt::format("[{:#<{}}{:.<{}}]", "", full, "", kBarColumns - full);
}

std::string RemainingText(double fraction, double elapsed_seconds) {
  const auto rest = static_cast<std::int64_t>(elapsed_seconds / fraction * (1 - fraction) + 0.5);
  if (rest < 60) return fmt::format("{} s left", rest);
  return fmt::format("{}:{:02} min left", rest / 60, rest % 60);
}

}  // namespace

std::string ProgressText(const ProgressState& state) {
  const double elapsed = std::chrono::duration<double>(state.elapsed).count();
  const auto rate =
      static_cast<std::int64_t>(elapsed > 0 ? static_cast<double>(state.rows) / elapsed : 0);
  std::string text = fmt::format("{} rows, {} rows/s", CountText(state.rows), CountText(rate));
  if (!state.fraction) return text;
  const double fraction = std::clamp(*state.fraction, 0.0, 1.0);
  text = fmt::format("{} {:3.0f} %  {}", BarText(fraction), fraction * 100, text);
  if (fraction > 0 && fraction < 1) text += ", " + RemainingText(fraction, elapsed);
  return text;
}

Progress::Progress(std::FILE* out, base::Clock& clock)
    : out_(out),
      clock_(clock),
      is_terminal_(isatty(fileno(out)) == 1),
      start_(clock.Steady()),
      shown_at_(start_) {}

Progress::~Progress() { Clear(); }

base::Duration Progress::elapsed() {
  return std::chrono::duration_cast<base::Duration>(clock_.Steady() - start_);
}

void Progress::Update(std::int64_t rows, std::optional<double> fraction) {
  const auto now = clock_.Steady();
  if (now - shown_at_ < (is_terminal_ ? kTerminalPeriod : kLogPeriod)) return;
  shown_at_ = now;
  const std::string text = ProgressText({rows, fraction, elapsed()});
  if (is_terminal_) {
    fmt::print(out_, "\r\x1b[K{}", text);
    is_shown_ = true;
  } else {
    fmt::print(out_, "{}\n", text);
  }
  std::fflush(out_);
}

void Progress::Say(const std::string& text) {
  Clear();
  fmt::print(out_, "{}\n", text);
}

void Progress::Clear() {
  if (is_shown_) fmt::print(out_, "\r\x1b[K");
  is_shown_ = false;
}

}  // namespace wattmint::cli
