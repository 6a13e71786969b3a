// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::ledger {

// One end of a connection between core and signer: what came and is not read yet, and what is to be
// sent. Nothing here blocks; whoever holds it waits for the descriptor. Thread-compatible.
class SignerStream {
 public:
  explicit SignerStream(base::UniqueFd fd) : fd_(std::move(fd)) {}

  const base::UniqueFd& fd() const { return fd_; }
  // Bytes that Flush() has yet to send.
  std::size_t unsent() const { return out_.size(); }
  // poll(2)'s events to wait for: input, and room for output if there is any.
  short events() const;

  void Send(std::string_view bytes) { out_ += bytes; }
  // Sends what fits. Errors: kUnavailable, the other side is gone.
  absl::Status Flush();
  // Takes in what has come, at most 64 KiB. Errors: kUnavailable, the other side is gone; what it
  // sent before can still be taken.
  absl::Status Fill();

  // The next line without its newline, or the next bytes; nothing if they are not there yet.
  // Errors: kUnavailable for a line above kSignerLineBytesMax.
  absl::StatusOr<std::optional<std::string>> TakeLine();
  std::optional<std::string> TakeBytes(std::size_t count);

 private:
  std::string_view unread() const { return std::string_view(in_).substr(taken_); }
  std::string Take(std::size_t count);

  base::UniqueFd fd_;
  std::string in_;
  std::size_t taken_ = 0;  // bytes of in_ that were taken
  std::string out_;
};

}  // namespace wattmint::ledger
