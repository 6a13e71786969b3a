// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace wattmint::cli {

// How far some work over rows is.
struct ProgressState {
  std::int64_t rows = 0;
  std::optional<double> fraction;  // 0 to 1; absent if the whole is not known
  base::Duration elapsed{};
};

// One line: rows, rate, and when the whole is known a bar, the share and the time that remains.
std::string ProgressText(const ProgressState& state);

// Shows progress on a terminal as one line that changes, elsewhere as a line now and then.
// Threads: one. Lifetime: `clock` must outlive it.
class Progress {
 public:
  Progress(std::FILE* out, base::Clock& clock);
  // Clears the line on a terminal.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(std::int64_t rows, std::optional<double> fraction);
  // A message of its own line.
  void Say(const std::string& text);
  base::Duration elapsed();

 private:
  void Clear();

  std::FILE* out_;
  base::Clock& clock_;
  const bool is_terminal_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_at_;
  bool is_shown_ = false;
};

}  // namespace wattmint::cli
