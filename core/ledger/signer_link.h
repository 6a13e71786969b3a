// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ed25519.h"
#include "core/ledger/signer_stream.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::ledger {

// Texts to be signed, and what became of each so far. Thread-compatible.
class SignBatch {
 public:
  using Answer = absl::StatusOr<Ed25519Signature>;

  // What no signer may be asked, by its size, is refused at once.
  explicit SignBatch(std::span<const std::string> texts);

  // Texts without an answer, in order.
  std::size_t open_count() const { return open_.size(); }
  const std::string& open_text(std::size_t index) const { return texts_[open_[index]]; }

  // The first of them has this answer. REQUIRES: open_count() > 0.
  void AnswerFirst(Answer answer);
  // All of them have.
  void AnswerAll(const absl::Status& status);
  // REQUIRES: open_count() == 0.
  std::vector<Answer> TakeAnswers();

 private:
  const std::span<const std::string> texts_;
  std::vector<Answer> answers_;
  std::deque<std::size_t> open_;
};

// The core's end of one connection to a signer. After an error it is of no more use.
// Thread-compatible.
class SignerLink {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Connects and learns the signer's key. Errors: kUnavailable; kDeadlineExceeded;
  // kInvalidArgument for a path that can be none.
  static absl::StatusOr<std::unique_ptr<SignerLink>> Connect(const std::filesystem::path& socket,
                                                             Deadline deadline);

  const Ed25519PublicKey& key() const { return key_; }

  // Asks for what is open, and answers it, until nothing is. Errors: kUnavailable, the connection
  // broke or the signer does not keep to the protocol; kDeadlineExceeded. What it had answered
  // before stands.
  absl::Status Exchange(SignBatch& batch, Deadline deadline);

 private:
  explicit SignerLink(base::UniqueFd fd) : stream_(std::move(fd)) {}
  absl::Status Greet(Deadline deadline);
  void Ask(std::string_view text);
  // Waits for the descriptor, then sends and takes in what it can.
  absl::Status Move(Deadline deadline);
  absl::Status TakeAnswers(SignBatch& batch);

  SignerStream stream_;
  Ed25519PublicKey key_{};
  std::uint64_t asked_ = 0;     // requests of this connection
  std::uint64_t answered_ = 0;  // of these
};

}  // namespace wattmint::ledger
