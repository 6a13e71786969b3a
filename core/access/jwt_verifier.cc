// SPDX-License-Identifier: Apache-2.0
#include "core/access/jwt_verifier.h"

#include "core/access/reason.h"
#include "core/access/web_document.h"
#include "core/base/base64.h"
#include "core/base/secret_file.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace wattmint::access {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kKeySetBytesMax = 1'048'576;               // chosen: thousands of keys
constexpr std::size_t kVerifiedMax = 8'192;                      // chosen: about 2 MB
constexpr std::int64_t kNumericDateMax = 253'402'300'799;        // the last second of the year 9999
constexpr int kWalletsMax = 100;                                 // chosen
constexpr base::Duration kRetryAfter = std::chrono::seconds(1);  // chosen: fetching takes less

absl::Status KeyNotYetKnown() {
  return WithRetryAfter(
      WithReason(base::Unavailable("the key of the token is not known yet; it is looked for"),
                 reason::kKeyNotYetKnown),
      kRetryAfter);
}

absl::StatusOr<std::string> ReadPublicFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kKeySetBytesMax + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (file.bad() || (content.empty() && !file.eof())) {
    return base::NotFound("the file cannot be read");
  }
  if (content.size() > kKeySetBytesMax) {
    return base::InvalidArgument("the file is larger than 1 MiB");
  }
  return content;
}

// What the keys are made of, as it is found.
absl::StatusOr<std::string> ReadSource(const JwtOptions& options,
                                       const std::function<bool()>& is_cancelled) {
  if (!options.key_address.empty()) {
    return FetchDocument(options.key_address,
                         {.ca_file = options.key_address_ca, .bytes_max = kKeySetBytesMax},
                         is_cancelled);
  }
  return options.key_format == JwtOptions::KeyFormat::kJwks
             ? ReadPublicFile(options.key_file)
             : base::ReadSecretFile(options.key_file);
}

absl::StatusOr<KeySet> MakeKeys(const JwtOptions& options, std::string_view source) {
  if (options.key_format == JwtOptions::KeyFormat::kJwks) return KeySet::FromJwks(source);
  std::string_view secret = source;
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  return KeySet::FromSecret(secret);
}

// The three parts of a compact token, still in base64.
struct TokenParts {
  std::string_view signed_text;
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
};

std::optional<TokenParts> Split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == last || token.find('.', first + 1) != last) return std::nullopt;
  return TokenParts{.signed_text = token.substr(0, last),
                    .header = token.substr(0, first),
                    .claims = token.substr(first + 1, last - first - 1),
                    .signature = token.substr(last + 1)};
}

std::optional<Json> DecodeObject(std::string_view base64) {
  const absl::StatusOr<base::Bytes> bytes = base::DecodeBase64(base64, base::Base64::kUrlSafe);
  if (!bytes.ok()) return std::nullopt;
  Json json = Json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

// Whether the header names a key that is in none of our sets, yet.
bool NamesUnknownKey(const Json& header, const KeySet& keys) {
  const auto key_id = header.find("kid");
  return key_id != header.end() && key_id->is_string() &&
         !keys.HasKeyId(key_id->get_ref<const std::string&>());
}

// The key that the header asks for, if there is one for the algorithm that the header claims.
// Extensions are refused whether critical or not: compression above all.
const VerificationKey* FindKey(const Json& header, const KeySet& keys) {
  if (header.contains("crit") || header.contains("zip") || header.contains("b64")) return nullptr;
  const auto name = header.find("alg");
  if (name == header.end() || !name->is_string()) return nullptr;
  const std::optional<SigningAlgorithm> algorithm =
      ParseSigningAlgorithm(name->get_ref<const std::string&>());
  if (!algorithm.has_value()) return nullptr;
  const auto key_id = header.find("kid");
  if (key_id == header.end()) return keys.Find(std::nullopt, *algorithm);
  if (!key_id->is_string()) return nullptr;
  return keys.Find(key_id->get<std::string>(), *algorithm);
}

// A NumericDate (RFC 7519 section 2), fractions of a second cut off.
std::optional<base::Time> DateClaim(const Json& claims, const char* name) {
  const auto claim = claims.find(name);
  if (claim == claims.end() || !claim->is_number()) return std::nullopt;
  const double seconds = claim->get<double>();
  if (!(seconds >= 0 && seconds <= static_cast<double>(kNumericDateMax))) return std::nullopt;
  return base::Time(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

// The texts of a claim that is one text or an array of texts; nothing if it is anything else.
std::optional<std::vector<std::string>> TextsClaim(const Json& claim) {
  if (claim.is_string()) return std::vector{claim.get<std::string>()};
  if (!claim.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& element : claim) {
    if (!element.is_string()) return std::nullopt;
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

bool IsForUs(const Json& claims, const JwtOptions& options) {
  if (!options.issuer.empty()) {
    const auto issuer = claims.find("iss");
    if (issuer == claims.end() || *issuer != options.issuer) return false;
  }
  if (options.audience.empty()) return true;
  const auto audience = claims.find("aud");
  if (audience == claims.end()) return false;
  const auto texts = TextsClaim(*audience);
  return texts.has_value() && std::ranges::find(*texts, options.audience) != texts->end();
}

std::optional<RoleSet> RolesOf(const Json& claims) {
  RoleSet roles;
  bool is_named = false;
  for (const char* name : {"role", "roles"}) {
    const auto claim = claims.find(name);
    if (claim == claims.end()) continue;
    const auto texts = TextsClaim(*claim);
    if (!texts.has_value()) return std::nullopt;
    is_named = true;
    for (const std::string& text : *texts) {
      if (const std::optional<Role> role = ParseRole(text)) roles.Add(*role);
    }
  }
  if (!is_named) roles.Add(Role::kUser);
  return roles;
}

std::optional<std::vector<std::string>> WalletsOf(const Json& claims) {
  const auto claim = claims.find("wallet");
  if (claim == claims.end()) return std::vector<std::string>();
  auto wallets = TextsClaim(*claim);
  if (!wallets.has_value() || wallets->size() > kWalletsMax) return std::nullopt;
  if (!std::ranges::all_of(*wallets, domain::IsWalletAddress)) return std::nullopt;
  return wallets;
}

// What signed claims say, if they say it well. They are not checked against the time yet.
std::optional<Principal> PrincipalOf(const Json& claims) {
  const auto subject = claims.find("sub");
  if (subject == claims.end() || !subject->is_string()) return std::nullopt;
  std::optional<RoleSet> roles = RolesOf(claims);
  std::optional<std::vector<std::string>> wallets = WalletsOf(claims);
  Principal principal;
  principal.user_id = subject->get<std::string>();
  if (!domain::IsUserId(principal.user_id) || !roles || !wallets) return std::nullopt;
  principal.roles = *roles;
  principal.wallets = *std::move(wallets);
  principal.credential = CredentialKind::kJwt;
  return principal;
}

}  // namespace

absl::Status InvalidToken() {
  return WithReason(base::Unauthenticated("the token is not valid"), reason::kInvalidToken);
}

absl::Status ExpiredToken() {
  return WithReason(base::Unauthenticated("the token has expired"), reason::kExpiredToken);
}

absl::StatusOr<std::unique_ptr<JwtVerifier>> JwtVerifier::Open(JwtOptions options,
                                                               base::Clock& clock) {
  if (!options.key_address.empty()) {
    WATTMINT_RETURN_IF_ERROR(CheckWebAddress(options.key_address));
  }
  std::unique_ptr<JwtVerifier> verifier(new JwtVerifier(std::move(options), clock));
  WATTMINT_RETURN_IF_ERROR(verifier->Reload().status());
  return verifier;
}

JwtVerifier::JwtVerifier(JwtOptions options, base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

absl::StatusOr<bool> JwtVerifier::Reload(const std::function<bool()>& is_cancelled) {
  const auto explain = [this](const absl::Status& status) {
    // What an address asks for may be for nobody's eyes.
    const std::string place = options_.key_address.empty()
                                  ? options_.key_file.native()
                                  : options_.key_address.substr(0, options_.key_address.find('?'));
    return absl::Status(status.code(),
                        fmt::format("keys for tokens in {}: {}", place, base::Message(status)));
  };
  const absl::StatusOr<std::string> source = ReadSource(options_, is_cancelled);
  if (!source.ok()) return explain(source.status());
  const base::Sha256Digest hash = base::Sha256(base::AsBytes(*source));
  if (hash == source_hash_) return false;
  absl::StatusOr<KeySet> keys = MakeKeys(options_, *source);
  if (!keys.ok()) return explain(keys.status());
  source_hash_ = hash;
  auto shared_keys = std::make_shared<const KeySet>(*std::move(keys));
  base::MutexLock lock(mutex_);
  keys_ = std::move(shared_keys);
  verified_.clear();
  return true;
}

bool JwtVerifier::IsKeyCurrent(std::uint64_t fingerprint) {
  base::MutexLock lock(mutex_);
  return keys_->HasFingerprint(fingerprint);
}

absl::StatusOr<Principal> JwtVerifier::Verify(std::string_view token) {
  if (token.size() > kTokenBytesMax) return InvalidToken();
  const base::Sha256Digest token_hash = base::Sha256(base::AsBytes(token));
  const base::Time now = clock_.Now();
  SharedKeys keys;
  {
    base::MutexLock lock(mutex_);
    keys = keys_;
    if (const auto known = verified_.find(token_hash); known != verified_.end()) {
      if (now < known->second.expires_at) return known->second;
      verified_.erase(known);
      return ExpiredToken();
    }
  }
  WATTMINT_ASSIGN_OR_RETURN(Principal principal, VerifyUnknown(token, *keys));
  Remember(token_hash, keys, principal);
  return principal;
}

absl::StatusOr<Principal> JwtVerifier::VerifyUnknown(std::string_view token,
                                                     const KeySet& keys) const {
  const std::optional<TokenParts> parts = Split(token);
  if (!parts.has_value()) return InvalidToken();
  const std::optional<Json> header = DecodeObject(parts->header);
  if (!header.has_value()) return InvalidToken();
  const VerificationKey* key = FindKey(*header, keys);
  const auto signature = base::DecodeBase64(parts->signature, base::Base64::kUrlSafe);
  if (key == nullptr && NamesUnknownKey(*header, keys) && look_()) return KeyNotYetKnown();
  if (key == nullptr || !signature.ok()) return InvalidToken();
  if (!key->IsSignatureOf(parts->signed_text, *signature)) return InvalidToken();

  const std::optional<Json> claims = DecodeObject(parts->claims);
  if (!claims.has_value() || !IsForUs(*claims, options_)) return InvalidToken();
  std::optional<Principal> principal = PrincipalOf(*claims);
  const std::optional<base::Time> expires_at = DateClaim(*claims, "exp");
  if (!principal.has_value() || !expires_at.has_value()) return InvalidToken();
  principal->expires_at = *expires_at + options_.leeway;
  principal->token_key = key->fingerprint();

  const base::Time now = clock_.Now();
  if (now >= *principal->expires_at) return ExpiredToken();
  if (!claims->contains("nbf")) return *std::move(principal);
  const std::optional<base::Time> not_before = DateClaim(*claims, "nbf");
  if (!not_before.has_value() || now + options_.leeway < *not_before) return InvalidToken();
  return *std::move(principal);
}

void JwtVerifier::Remember(const base::Sha256Digest& token_hash, const SharedKeys& keys,
                           const Principal& principal) {
  base::MutexLock lock(mutex_);
  if (keys != keys_) return;  // proved by keys that a reload has replaced meanwhile
  if (verified_.size() >= kVerifiedMax) verified_.clear();
  verified_.emplace(token_hash, principal);
}

}  // namespace wattmint::access
