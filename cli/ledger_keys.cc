// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_keys.h"

#include "core/base/base58.h"
#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/base/secret_file.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/wipe.h"
#include "core/ledger/embedded_ledger.h"
#include "core/ledger/socket_signer.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace wattmint::cli {
namespace {

using ledger::Ed25519PublicKey;
using ledger::KeySigner;
using ledger::Signer;
using ledger::SocketSigner;

absl::Status CheckOneSource(const LedgerKeySettings& settings) {
  const int named =
      !settings.file.empty() + !settings.variable.empty() + !settings.signer_socket.empty();
  if (named <= 1) return absl::OkStatus();
  return base::InvalidArgument(
      "of ledger-key-file, ledger-key-env and signer more than one is set; keep one of them");
}

absl::StatusOr<std::unique_ptr<KeySigner>> KeyOf(std::string_view text, std::string_view place) {
  auto key = KeySigner::FromHex(text.substr(0, text.find_first_of(" \r\n")));
  if (key.ok()) return key;
  return base::InvalidArgument("{}: {}", place, base::Message(key.status()));
}

absl::StatusOr<std::unique_ptr<KeySigner>> KeyOfVariable(const std::string& name) {
  char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return base::NotFound("variable {} of the environment, which ledger-key-env names, is not set",
                          name);
  }
  std::span<char> secret(value, std::string_view(value).size());
  const base::WipeAtEnd wipe(secret);
  return KeyOf(value, fmt::format("variable {} of the environment", name));
}

absl::StatusOr<std::unique_ptr<KeySigner>> KeyOfFile(const std::filesystem::path& path) {
  WATTMINT_ASSIGN_OR_RETURN(std::string text,
                            base::ReadSecretFile(path, base::SecretOwner::kThisUser));
  const base::WipeAtEnd wipe(text);
  return KeyOf(text, path.native());
}

absl::Status MakeKeyFile(const std::filesystem::path& path) {
  ledger::Ed25519Seed seed{};
  const base::WipeAtEnd wipe_seed(seed);
  base::SystemRandom().Fill(seed);
  std::string text = base::EncodeHex(seed) + "\n";
  const base::WipeAtEnd wipe_text(text);
  return base::CreateSecretFile(path, text);
}

absl::StatusOr<std::unique_ptr<Signer>> OpenSocket(const LedgerKeySettings& settings,
                                                   const std::optional<Ed25519PublicKey>& known) {
  const SocketSigner::Options options{.socket = settings.signer_socket,
                                      .timeout = settings.signer_timeout};
  absl::StatusOr<Ed25519PublicKey> key = SocketSigner::AskKey(options);
  if (!key.ok()) {
    const bool is_away =
        absl::IsUnavailable(key.status()) || absl::IsDeadlineExceeded(key.status());
    if (!is_away) return key.status();
    if (!known) {
      return base::Unavailable(
          "{}; start it before the first start of the core, which must learn "
          "its key",
          base::Message(key.status()));
    }
    spdlog::warn("{}; nothing can be minted until it is back", base::Message(key.status()));
    key = *known;
  }
  return std::make_unique<SocketSigner>(options, *key);
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeySigner>> OpenKey(const LedgerKeySettings& settings,
                                                   const DataDirectory& data, MissingKey missing) {
  WATTMINT_RETURN_IF_ERROR(CheckOneSource(settings));
  if (!settings.variable.empty()) return KeyOfVariable(settings.variable);
  if (!settings.file.empty()) return KeyOfFile(settings.file);
  const std::filesystem::path file = data.ledger_key();
  if (std::filesystem::exists(file)) return KeyOfFile(file);
  if (missing == MissingKey::kRefuse) {
    return base::NotFound("there is no {}; bring it back, or say where the ledger's key is",
                          file.native());
  }
  WATTMINT_RETURN_IF_ERROR(MakeKeyFile(file));
  return KeyOfFile(file);
}

absl::StatusOr<std::unique_ptr<Signer>> OpenSigner(const LedgerKeySettings& settings,
                                                   const DataDirectory& data,
                                                   store::LedgerBook& book) {
  WATTMINT_RETURN_IF_ERROR(CheckOneSource(settings));
  WATTMINT_ASSIGN_OR_RETURN(const auto known, data.FindLedgerPublicKey());
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book.GetHead());
  std::unique_ptr<Signer> signer;
  if (!settings.signer_socket.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(signer, OpenSocket(settings, known));
  } else {
    // A new key would be of no use to a ledger that has one.
    const bool is_first = !known && head.height == 0;
    WATTMINT_ASSIGN_OR_RETURN(
        signer, OpenKey(settings, data, is_first ? MissingKey::kMake : MissingKey::kRefuse));
  }
  if (known && *known != signer->public_key()) {
    return base::FailedPrecondition(
        "the ledger began with key {} ({}), and the one that is set is {}; bring the first one "
        "back{}",
        base::EncodeBase58(*known), data.ledger_public_key().native(),
        base::EncodeBase58(signer->public_key()),
        head.height == 0 ? ", or, since nothing is minted yet, remove that file" : "");
  }
  WATTMINT_RETURN_IF_ERROR(ledger::CheckKey(book, signer->public_key()));
  if (!known) WATTMINT_RETURN_IF_ERROR(data.PinLedgerPublicKey(signer->public_key()));
  return signer;
}

}  // namespace wattmint::cli
