// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/reading.h"
#include "core/ledger/key_signer.h"

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <string>

namespace wattmint::cli {

// The secret key of a meter, in a file for its owner alone: an Ed25519 seed of 64 hex digits.
class MeterKey {
 public:
  // Errors: those of base/secret_file.h; kInvalidArgument if it holds something else.
  static absl::StatusOr<MeterKey> Read(const std::filesystem::path& file);
  // A new one. Errors: kAlreadyExists, and nothing changes, if the file is there.
  static absl::StatusOr<MeterKey> Create(const std::filesystem::path& file);

  // Base58, as the registry takes it.
  std::string public_key() const;
  // Base58: over the text of `reading` as it is.
  absl::StatusOr<std::string> Sign(const domain::Reading& reading) const;

 private:
  explicit MeterKey(std::unique_ptr<ledger::KeySigner> signer) : signer_(std::move(signer)) {}

  std::unique_ptr<ledger::KeySigner> signer_;
};

}  // namespace wattmint::cli
