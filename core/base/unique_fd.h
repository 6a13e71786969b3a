// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace wattmint::base {

// Owns a file descriptor, or none (-1). Thread-compatible.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Close(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  bool IsOpen() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // The descriptor, which is the caller's from now on.
  int Release() { return std::exchange(fd_, -1); }

 private:
  void Close();

  int fd_ = -1;
};

}  // namespace wattmint::base
