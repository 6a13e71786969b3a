// SPDX-License-Identifier: Apache-2.0
#include "cli/data_directory.h"

#include "core/access/api_key.h"
#include "core/base/base58.h"
#include "core/base/decimal.h"
#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/base/secret_file.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/time_format.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace wattmint::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSecrets[] = {"ledger.key", "cursor.key", "admin.key", "relay.key"};

std::string FirstLine(std::string text) { return text.substr(0, text.find('\n')); }

std::string RandomHex() {
  DataDirectory::Key bytes;
  base::SystemRandom().Fill(bytes);
  return base::EncodeHex(bytes) + "\n";
}

std::string RandomApiKey() {
  base::SystemRandom random;
  return access::MakeApiKey(random).text + "\n";
}

}  // namespace

absl::Status DataDirectory::Create() const {
  std::error_code error;
  const bool is_new = fs::create_directories(path_, error);
  if (!error && is_new) fs::permissions(path_, fs::perms::owner_all, error);
  if (!error) return absl::OkStatus();
  return base::NotFound("data directory {} cannot be made: {}; check --data", path_.string(),
                        error.message());
}

absl::Status DataDirectory::CheckNew() const {
  const auto check = [this](const char* name) -> absl::Status {
    if (!fs::exists(path_ / name)) return absl::OkStatus();
    return base::AlreadyExists("{} holds a {} already; name a folder that is new", path_.string(),
                               name);
  };
  for (const char* name : {"wattmint.db", "ledger.db", "ledger.pub"}) {
    WATTMINT_RETURN_IF_ERROR(check(name));
  }
  for (const char* name : kSecrets) WATTMINT_RETURN_IF_ERROR(check(name));
  return absl::OkStatus();
}

absl::Status DataDirectory::CopyKeys(const DataDirectory& from) const {
  WATTMINT_ASSIGN_OR_RETURN(const auto ledger_key, from.FindLedgerPublicKey());
  if (ledger_key) WATTMINT_RETURN_IF_ERROR(PinLedgerPublicKey(*ledger_key));
  for (const char* name : kSecrets) {
    const absl::StatusOr<std::string> key = base::ReadSecretFile(from.path_ / name);
    if (absl::IsNotFound(key.status())) continue;
    WATTMINT_RETURN_IF_ERROR(key.status());
    WATTMINT_RETURN_IF_ERROR(base::CreateSecretFile(path_ / name, *key));
  }
  return absl::OkStatus();
}

absl::StatusOr<base::FileLock> DataDirectory::Lock() const { return LockFor("core"); }

absl::StatusOr<base::FileLock> DataDirectory::LockSigner() const { return LockFor("signer"); }

std::optional<pid_t> DataDirectory::FindCoreProcess() const {
  pid_t process = 0;
  if (!(std::ifstream(path_ / "core.lock") >> process)) return std::nullopt;
  return process;
}

absl::StatusOr<base::FileLock> DataDirectory::LockFor(std::string_view program) const {
  absl::StatusOr<base::FileLock> lock =
      base::FileLock::Acquire(path_ / (std::string(program) + ".lock"));
  if (lock.ok() || !absl::IsFailedPrecondition(lock.status())) return lock;
  return base::FailedPrecondition("a {} runs on data directory {} already: {}", program,
                                  path_.string(), base::Message(lock.status()));
}

absl::StatusOr<std::optional<ledger::Ed25519PublicKey>> DataDirectory::FindLedgerPublicKey() const {
  const fs::path file = ledger_public_key();
  if (!fs::exists(file)) return std::nullopt;
  std::ifstream stream(file);
  std::string text;
  std::getline(stream, text);
  const auto key = base::DecodeBase58Array<32>(text);
  if (key.ok()) return *key;
  return base::InvalidArgument("{} is no public key in base58; bring back the right file",
                               file.string());
}

absl::Status DataDirectory::PinLedgerPublicKey(const ledger::Ed25519PublicKey& key) const {
  return base::CreateSecretFile(ledger_public_key(), base::EncodeBase58(key) + "\n");
}

absl::StatusOr<ledger::SigningPolicy::Day> DataDirectory::SignerDay() const {
  const fs::path file = path_ / "signer.day";
  absl::StatusOr<std::string> text = base::ReadSecretFile(file);
  if (absl::IsNotFound(text.status())) return ledger::SigningPolicy::Day{};
  WATTMINT_RETURN_IF_ERROR(text.status());
  const std::string line = FirstLine(*std::move(text));
  const std::size_t space = std::min(line.find(' '), line.size());
  const auto date = base::ParseRfc3339(line.substr(0, space) + "T00:00:00Z");
  const auto units = base::ParseDecimal(line.substr(std::min(space + 1, line.size())), 0);
  if (!date.ok() || !units.ok()) {
    return base::InvalidArgument("{} is damaged; remove it once the day (UTC) is over",
                                 file.string());
  }
  return ledger::SigningPolicy::Day{.date = std::chrono::floor<std::chrono::days>(*date),
                                    .set_aside = domain::TokenAmount::FromBaseUnits(*units)};
}

absl::Status DataDirectory::KeepSignerDay(const ledger::SigningPolicy::Day& day) const {
  const std::string date = base::FormatRfc3339(base::Time(day.date)).substr(0, 10);
  return base::ReplaceSecretFile(path_ / "signer.day",
                                 fmt::format("{} {}\n", date, day.set_aside.base_units()));
}

absl::StatusOr<DataDirectory::Key> DataDirectory::HexKey(std::string_view name) const {
  const fs::path file = path_ / name;
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, base::ReadOrCreateSecretFile(file, RandomHex));
  const absl::StatusOr<base::Bytes> bytes = base::DecodeHex(FirstLine(text));
  Key key;
  if (!bytes.ok() || bytes->size() != key.size()) {
    return base::InvalidArgument("{} is no key of 64 hex digits; bring back the right file",
                                 file.string());
  }
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return key;
}

absl::StatusOr<std::string> DataDirectory::ApiKey(std::string_view name) const {
  const fs::path file = path_ / name;
  WATTMINT_ASSIGN_OR_RETURN(std::string text, base::ReadOrCreateSecretFile(file, RandomApiKey));
  text = FirstLine(std::move(text));
  if (access::KeyIdOf(text)) return text;
  return base::InvalidArgument("{} is no API key; remove it, and the next start makes a new one",
                               file.string());
}

absl::StatusOr<std::string> DataDirectory::FindApiKey(std::string_view name) const {
  WATTMINT_ASSIGN_OR_RETURN(std::string text, base::ReadSecretFile(path_ / name));
  return FirstLine(std::move(text));
}

absl::StatusOr<DataDirectory::Key> DataDirectory::FindCursorKey() const {
  WATTMINT_RETURN_IF_ERROR(base::ReadSecretFile(path_ / "cursor.key").status());
  return CursorKey();
}

std::optional<std::string> DataDirectory::FindAddress(std::string_view program) const {
  std::ifstream file(path_ / (std::string(program) + ".address"));
  std::string address;
  if (std::getline(file, address) && !address.empty()) return address;
  return std::nullopt;
}

absl::Status DataDirectory::WriteAddress(std::string_view program, std::string_view address) const {
  const fs::path file = path_ / (std::string(program) + ".address");
  const fs::path fresh = file.string() + ".new";
  std::error_code error;
  if (std::ofstream(fresh) << address << '\n' << std::flush) {
    fs::rename(fresh, file, error);
    if (!error) return absl::OkStatus();
  }
  return base::Unavailable("{} cannot be written; check the directory's permissions",
                           file.string());
}

void DataDirectory::RemoveAddress(std::string_view program) const {
  std::error_code ignored;
  fs::remove(path_ / (std::string(program) + ".address"), ignored);
}

}  // namespace wattmint::cli
