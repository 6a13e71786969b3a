// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/socket_signer.h"

#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/ledger/signer_link.h"

#include <utility>

namespace wattmint::ledger {
namespace {

constexpr int kHangUpsMax = 3;  // chosen: texts of a batch at which the signer may hang up

// A lost connection as the answer to a text. Whatever broke it, it says nothing about the text.
absl::Status Away(const std::filesystem::path& socket, const absl::Status& lost) {
  const auto code = absl::IsDeadlineExceeded(lost) ? absl::StatusCode::kDeadlineExceeded
                                                   : absl::StatusCode::kUnavailable;
  return absl::Status(
      code, fmt::format("the signer at {} is away: {}", socket.native(), base::Message(lost)));
}

}  // namespace

SocketSigner::SocketSigner(Options options, const Ed25519PublicKey& public_key)
    : options_(std::move(options)), public_key_(public_key) {}

SocketSigner::~SocketSigner() = default;

absl::StatusOr<Ed25519PublicKey> SocketSigner::AskKey(const Options& options) {
  const auto link =
      SignerLink::Connect(options.socket, std::chrono::steady_clock::now() + options.timeout);
  if (link.ok()) return (*link)->key();
  if (absl::IsInvalidArgument(link.status())) return link.status();
  return Away(options.socket, link.status());
}

std::vector<absl::StatusOr<Ed25519Signature>> SocketSigner::Sign(
    std::span<const std::string> texts) {
  const Deadline deadline = std::chrono::steady_clock::now() + options_.timeout;
  SignBatch batch(texts);
  std::unique_ptr<SignerLink> link = TakeIdle();
  bool is_fresh = link == nullptr;
  absl::Status lost;
  for (int hang_ups = 0; batch.open_count() > 0 && hang_ups < kHangUpsMax; is_fresh = true) {
    if (link == nullptr) {
      auto connected = Connect(deadline);
      lost = connected.status();
      if (!lost.ok()) break;
      link = *std::move(connected);
    }
    const std::size_t open_before = batch.open_count();
    lost = link->Exchange(batch, deadline);
    if (lost.ok()) break;
    link.reset();
    if (absl::IsDeadlineExceeded(lost) || batch.open_count() == 0) break;
    // A kept connection may have been dead all along, which says nothing about the text.
    if (!is_fresh && batch.open_count() == open_before) continue;
    batch.AnswerFirst(Away(options_.socket, lost));
    ++hang_ups;
  }
  if (!lost.ok()) batch.AnswerAll(Away(options_.socket, lost));
  if (link != nullptr) KeepIdle(std::move(link));
  return batch.TakeAnswers();
}

absl::StatusOr<std::unique_ptr<SignerLink>> SocketSigner::Connect(Deadline deadline) const {
  WATTMINT_ASSIGN_OR_RETURN(auto link, SignerLink::Connect(options_.socket, deadline));
  if (link->key() == public_key_) return link;
  return base::Unavailable("its key is {}, and the ledger's is {}", base::EncodeBase58(link->key()),
                           base::EncodeBase58(public_key_));
}

std::unique_ptr<SignerLink> SocketSigner::TakeIdle() {
  base::MutexLock lock(mutex_);
  return std::move(idle_);
}

void SocketSigner::KeepIdle(std::unique_ptr<SignerLink> link) {
  base::MutexLock lock(mutex_);
  std::swap(idle_, link);  // a second one is closed after the lock is gone
}

}  // namespace wattmint::ledger
