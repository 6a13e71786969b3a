// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wattmint::check {

// The users and meters that a check makes for itself, numbered from 0, and named so that nobody
// takes them for others: check-1a2b3c4d-user-1, check-1a2b3c4d-meter-1. Each user has two busy
// meters and a quiet one, which reports nothing before the end. Immutable.
class Cast {
 public:
  struct Meter {
    std::string id;
    std::int16_t user = 0;
    bool is_quiet = false;
  };

  // `run`: 1 to 16 characters that no other check of this server has.
  Cast(const std::string& run, int users);

  const std::string& run() const { return run_; }
  const std::vector<std::string>& users() const { return users_; }
  const std::vector<Meter>& meters() const { return meters_; }
  // Numbers of the busy or the quiet meters, all or of one user.
  std::vector<std::int16_t> Busy() const { return Select(false, -1); }
  std::vector<std::int16_t> Quiet() const { return Select(true, -1); }
  std::vector<std::int16_t> BusyOf(std::int16_t user) const { return Select(false, user); }
  std::vector<std::int16_t> QuietOf(std::int16_t user) const { return Select(true, user); }
  // LogEntry::kOther for a stranger.
  std::int16_t FindUser(std::string_view id) const { return Find(user_numbers_, id); }
  std::int16_t FindMeter(std::string_view id) const { return Find(meter_numbers_, id); }

 private:
  using Numbers = std::unordered_map<std::string, std::int16_t>;

  std::vector<std::int16_t> Select(bool is_quiet, int user) const;
  static std::int16_t Find(const Numbers& numbers, std::string_view id);

  std::string run_;
  std::vector<std::string> users_;
  std::vector<Meter> meters_;
  Numbers user_numbers_;
  Numbers meter_numbers_;
};

}  // namespace wattmint::check
