// SPDX-License-Identifier: Apache-2.0
#include "cli/meter_key.h"

#include "core/base/base58.h"
#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/base/secret_file.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/wipe.h"
#include "core/ingest/reading_text.h"

#include <array>
#include <utility>

namespace wattmint::cli {

absl::StatusOr<MeterKey> MeterKey::Read(const std::filesystem::path& file) {
  WATTMINT_ASSIGN_OR_RETURN(std::string text, base::ReadSecretFile(file));
  const base::WipeAtEnd wipe(text);
  auto signer = ledger::KeySigner::FromHex(std::string_view(text).substr(0, text.find('\n')));
  if (signer.ok()) return MeterKey(*std::move(signer));
  return base::InvalidArgument("{} is no key of a meter: {}", file.string(),
                               base::Message(signer.status()));
}

absl::StatusOr<MeterKey> MeterKey::Create(const std::filesystem::path& file) {
  base::Ed25519Seed seed;
  const base::WipeAtEnd wipe_seed(seed);
  base::SystemRandom().Fill(seed);
  std::string text = base::EncodeHex(seed) + "\n";
  const base::WipeAtEnd wipe_text(text);
  WATTMINT_RETURN_IF_ERROR(base::CreateSecretFile(file, text));
  return MeterKey(std::make_unique<ledger::KeySigner>(seed));
}

std::string MeterKey::public_key() const { return base::EncodeBase58(signer_->public_key()); }

absl::StatusOr<std::string> MeterKey::Sign(const domain::Reading& reading) const {
  const std::array texts = {ingest::ReadingText(reading)};
  const auto signatures = signer_->Sign(texts);
  WATTMINT_RETURN_IF_ERROR(signatures.front().status());
  return base::EncodeBase58(*signatures.front());
}

}  // namespace wattmint::cli
