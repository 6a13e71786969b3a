// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/ledger/signer.h"

#include <absl/status/status.h>

#include <filesystem>
#include <memory>

namespace wattmint::ledger {

class SignerLink;

// A signer in a process of its own, which it speaks to by core/ledger/signer_protocol.h. It keeps
// one connection and makes a new one when that is gone, also in the middle of a batch.
//
// A text at which the signer hangs up is left out for this call, so that it can't hold up the
// others for ever. Threads: any; calls at the same time use a connection each.
class SocketSigner final : public Signer {
 public:
  struct Options {
    std::filesystem::path socket;
    base::Duration timeout = std::chrono::seconds(5);  // for one batch, connecting included
  };

  // The key of the signer that listens there. Errors: kUnavailable and kDeadlineExceeded, it is
  // away; kInvalidArgument for a path that can be none.
  static absl::StatusOr<Ed25519PublicKey> AskKey(const Options& options);

  // Connects when it is first needed. A signer with another key than `public_key` counts as away.
  SocketSigner(Options options, const Ed25519PublicKey& public_key);
  ~SocketSigner() override;

  const Ed25519PublicKey& public_key() const override { return public_key_; }
  std::vector<absl::StatusOr<Ed25519Signature>> Sign(std::span<const std::string> texts) override;

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  absl::StatusOr<std::unique_ptr<SignerLink>> Connect(Deadline deadline) const;
  std::unique_ptr<SignerLink> TakeIdle();
  void KeepIdle(std::unique_ptr<SignerLink> link);

  const Options options_;
  const Ed25519PublicKey public_key_;
  base::Mutex mutex_;  // guards idle_; not held while a connection is in use
  std::unique_ptr<SignerLink> idle_ WATTMINT_GUARDED_BY(mutex_);
};

}  // namespace wattmint::ledger
