// SPDX-License-Identifier: Apache-2.0
#include "core/access/verification_key.h"

#include "core/base/base64.h"
#include "core/base/crypto_init.h"
#include "core/base/hmac.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nlohmann/json.hpp>
#include <rhonabwy.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <mutex>
#include <span>
#include <utility>

namespace wattmint::access {
namespace {

using Json = nlohmann::json;
using KeyPtr = std::unique_ptr<const VerificationKey>;
using KeyId = std::optional<std::string>;

struct JwkFree {
  void operator()(jwk_t* jwk) const { r_jwk_free(jwk); }
};
struct PublicKeyFree {
  void operator()(gnutls_pubkey_t key) const { gnutls_pubkey_deinit(key); }
};
using JwkPtr = std::unique_ptr<jwk_t, JwkFree>;
using PublicKeyPtr = std::unique_ptr<gnutls_pubkey_st, PublicKeyFree>;

gnutls_datum_t Datum(base::ByteView bytes) {
  // gnutls reads what its datum points to; its type has no const.
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}

class HmacKey final : public VerificationKey {
 public:
  HmacKey(KeyId key_id, base::Bytes secret)
      : VerificationKey(std::move(key_id), SigningAlgorithm::kHs256, secret),
        secret_(std::move(secret)) {}
  ~HmacKey() override { sodium_memzero(secret_.data(), secret_.size()); }

  bool IsSignatureOf(std::string_view text, base::ByteView signature) const override {
    return base::ConstantTimeEqual(base::HmacSha256(secret_, base::AsBytes(text)), signature);
  }

 private:
  base::Bytes secret_;
};

class Ed25519Key final : public VerificationKey {
 public:
  using Point = std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES>;

  Ed25519Key(KeyId key_id, const Point& point)
      : VerificationKey(std::move(key_id), SigningAlgorithm::kEdDsa, point), point_(point) {}

  bool IsSignatureOf(std::string_view text, base::ByteView signature) const override {
    const base::ByteView bytes = base::AsBytes(text);
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(signature.data(), bytes.data(), bytes.size(),
                                       point_.data()) == 0;
  }

 private:
  const Point point_;
};

class RsaKey final : public VerificationKey {
 public:
  RsaKey(KeyId key_id, std::string_view material, PublicKeyPtr key)
      : VerificationKey(std::move(key_id), SigningAlgorithm::kRs256, base::AsBytes(material)),
        key_(std::move(key)) {}

  bool IsSignatureOf(std::string_view text, base::ByteView signature) const override {
    const gnutls_datum_t data = Datum(base::AsBytes(text));
    const gnutls_datum_t signature_data = Datum(signature);
    return gnutls_pubkey_verify_data2(key_.get(), GNUTLS_SIGN_RSA_SHA256, 0, &data,
                                      &signature_data) >= 0;
  }

 private:
  const PublicKeyPtr key_;
};

class EcdsaKey final : public VerificationKey {
 public:
  EcdsaKey(KeyId key_id, std::string_view material, PublicKeyPtr key)
      : VerificationKey(std::move(key_id), SigningAlgorithm::kEs256, base::AsBytes(material)),
        key_(std::move(key)) {}

  bool IsSignatureOf(std::string_view text, base::ByteView signature) const override {
    if (signature.size() != 2 * kScalarBytes) return false;
    const gnutls_datum_t r = Datum(signature.first(kScalarBytes));
    const gnutls_datum_t s = Datum(signature.last(kScalarBytes));
    gnutls_datum_t der{};
    if (gnutls_encode_rs_value(&der, &r, &s) < 0) return false;
    const gnutls_datum_t data = Datum(base::AsBytes(text));
    const int result =
        gnutls_pubkey_verify_data2(key_.get(), GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der);
    gnutls_free(der.data);
    return result >= 0;
  }

 private:
  static constexpr std::size_t kScalarBytes = 32;
  const PublicKeyPtr key_;
};

std::string_view StringMember(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

absl::StatusOr<base::Bytes> BytesMember(const Json& jwk, const char* name) {
  return base::DecodeBase64(StringMember(jwk, name), base::Base64::kUrlSafe);
}

// Nothing but the named members, so that no certificate or address in the key set is followed.
std::string BareJwk(const Json& jwk, std::initializer_list<const char*> members) {
  Json bare = Json::object();
  for (const char* member : members) bare[member] = StringMember(jwk, member);
  return bare.dump();
}

absl::StatusOr<PublicKeyPtr> ImportPublicKey(const std::string& bare_jwk) {
  static std::once_flag initialized;
  std::call_once(initialized, [] { r_global_init(); });
  jwk_t* raw = nullptr;
  if (r_jwk_init(&raw) != RHN_OK) return base::ResourceExhausted("no memory for a key");
  const JwkPtr imported(raw);
  if (r_jwk_import_from_json_str(raw, bare_jwk.c_str()) != RHN_OK) {
    return base::InvalidArgument("it is malformed");
  }
  PublicKeyPtr key(r_jwk_export_to_gnutls_pubkey(raw, R_FLAG_IGNORE_REMOTE));
  if (key == nullptr || gnutls_pubkey_verify_params(key.get()) < 0) {
    return base::InvalidArgument("it is no public key");
  }
  return key;
}

absl::StatusOr<KeyPtr> MakeHmacKey(KeyId key_id, base::Bytes secret) {
  if (secret.size() < kHmacSecretBytesMin) {
    return base::InvalidArgument("the secret has {} bytes, and HS256 needs at least {}",
                                 secret.size(), kHmacSecretBytesMin);
  }
  return std::make_unique<HmacKey>(std::move(key_id), std::move(secret));
}

absl::StatusOr<KeyPtr> MakeEd25519Key(KeyId key_id, const Json& jwk) {
  WATTMINT_ASSIGN_OR_RETURN(const base::Bytes bytes, BytesMember(jwk, "x"));
  base::EnsureCryptoReady();
  Ed25519Key::Point point{};
  if (bytes.size() != point.size() || crypto_core_ed25519_is_valid_point(bytes.data()) != 1) {
    return base::InvalidArgument("it is no point of Ed25519");
  }
  std::ranges::copy(bytes, point.begin());
  return std::make_unique<Ed25519Key>(std::move(key_id), point);
}

absl::StatusOr<KeyPtr> MakeRsaKey(KeyId key_id, const Json& jwk) {
  const std::string bare = BareJwk(jwk, {"kty", "n", "e"});
  WATTMINT_ASSIGN_OR_RETURN(PublicKeyPtr key, ImportPublicKey(bare));
  unsigned bits = 0;
  if (gnutls_pubkey_get_pk_algorithm(key.get(), &bits) != GNUTLS_PK_RSA || bits < kRsaBitsMin) {
    return base::InvalidArgument("RSA needs at least {} bits", kRsaBitsMin);
  }
  return std::make_unique<RsaKey>(std::move(key_id), bare, std::move(key));
}

absl::StatusOr<KeyPtr> MakeEcdsaKey(KeyId key_id, const Json& jwk) {
  const std::string bare = BareJwk(jwk, {"kty", "crv", "x", "y"});
  WATTMINT_ASSIGN_OR_RETURN(PublicKeyPtr key, ImportPublicKey(bare));
  return std::make_unique<EcdsaKey>(std::move(key_id), bare, std::move(key));
}

// What a key is for by its kind; nothing for kinds that sign no token of ours.
std::optional<SigningAlgorithm> AlgorithmOfKind(const Json& jwk) {
  const std::string_view kind = StringMember(jwk, "kty");
  const std::string_view curve = StringMember(jwk, "crv");
  if (kind == "oct") return SigningAlgorithm::kHs256;
  if (kind == "RSA") return SigningAlgorithm::kRs256;
  if (kind == "EC" && curve == "P-256") return SigningAlgorithm::kEs256;
  if (kind == "OKP" && curve == "Ed25519") return SigningAlgorithm::kEdDsa;
  return std::nullopt;
}

bool IsForTokens(const Json& jwk, SigningAlgorithm algorithm) {
  const std::string_view use = StringMember(jwk, "use");
  if (!use.empty() && use != "sig") return false;
  return !jwk.contains("alg") || ParseSigningAlgorithm(StringMember(jwk, "alg")) == algorithm;
}

absl::StatusOr<KeyPtr> MakeKey(const Json& jwk, SigningAlgorithm algorithm) {
  KeyId key_id;
  if (jwk.contains("kid")) key_id = StringMember(jwk, "kid");
  if (key_id == "") return base::InvalidArgument("its key ID is no text");
  if (jwk.contains("d")) return base::InvalidArgument("it is private and belongs to the issuer");
  switch (algorithm) {
    case SigningAlgorithm::kHs256: {
      WATTMINT_ASSIGN_OR_RETURN(base::Bytes secret, BytesMember(jwk, "k"));
      return MakeHmacKey(std::move(key_id), std::move(secret));
    }
    case SigningAlgorithm::kRs256:
      return MakeRsaKey(std::move(key_id), jwk);
    case SigningAlgorithm::kEs256:
      return MakeEcdsaKey(std::move(key_id), jwk);
    case SigningAlgorithm::kEdDsa:
      return MakeEd25519Key(std::move(key_id), jwk);
  }
  return base::Internal("an algorithm without keys");
}

std::uint64_t FingerprintOf(const KeyId& key_id, SigningAlgorithm algorithm,
                            base::ByteView material) {
  base::Bytes text;
  text.push_back(static_cast<std::uint8_t>(algorithm));
  const base::ByteView name = base::AsBytes(key_id.has_value() ? *key_id : std::string_view());
  text.insert(text.end(), name.begin(), name.end());
  text.push_back(0);  // no name holds it
  text.insert(text.end(), material.begin(), material.end());
  const base::Sha256Digest hash = base::Sha256(text);
  sodium_memzero(text.data(), text.size());
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | hash[i];
  return std::max<std::uint64_t>(number, 1);
}

}  // namespace

VerificationKey::VerificationKey(std::optional<std::string> key_id, SigningAlgorithm algorithm,
                                 base::ByteView material)
    : key_id_(std::move(key_id)),
      algorithm_(algorithm),
      fingerprint_(FingerprintOf(key_id_, algorithm, material)) {}

std::optional<SigningAlgorithm> ParseSigningAlgorithm(std::string_view name) {
  if (name == "HS256") return SigningAlgorithm::kHs256;
  if (name == "RS256") return SigningAlgorithm::kRs256;
  if (name == "ES256") return SigningAlgorithm::kEs256;
  if (name == "EdDSA") return SigningAlgorithm::kEdDsa;
  return std::nullopt;
}

absl::StatusOr<KeySet> KeySet::FromJwks(std::string_view json) {
  const Json document = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("keys") || !document["keys"].is_array()) {
    return base::InvalidArgument("this is no JSON Web Key Set: an object with an array \"keys\"");
  }
  KeySet set;
  std::size_t index = 0;
  for (const Json& jwk : document["keys"]) {
    const std::size_t position = index++;
    if (!jwk.is_object()) return base::InvalidArgument("key {} is no object", position);
    const std::optional<SigningAlgorithm> algorithm = AlgorithmOfKind(jwk);
    if (!algorithm.has_value() || !IsForTokens(jwk, *algorithm)) continue;
    absl::StatusOr<KeyPtr> key = MakeKey(jwk, *algorithm);
    if (!key.ok()) {
      return base::InvalidArgument("key {} cannot be used: {}", position,
                                   base::Message(key.status()));
    }
    const auto has_same_id = [&](const KeyPtr& other) {
      return other->key_id().has_value() && other->key_id() == (*key)->key_id();
    };
    if (std::ranges::any_of(set.keys_, has_same_id)) {
      return base::InvalidArgument("key {} has the key ID of another", position);
    }
    set.keys_.push_back(*std::move(key));
  }
  if (set.keys_.empty()) {
    return base::InvalidArgument("no key in the set signs HS256, RS256, ES256 or EdDSA");
  }
  return set;
}

absl::StatusOr<KeySet> KeySet::FromSecret(std::string_view secret) {
  const base::ByteView bytes = base::AsBytes(secret);
  WATTMINT_ASSIGN_OR_RETURN(KeyPtr key,
                            MakeHmacKey(std::nullopt, base::Bytes(bytes.begin(), bytes.end())));
  KeySet set;
  set.keys_.push_back(std::move(key));
  return set;
}

const VerificationKey* KeySet::Find(const std::optional<std::string>& key_id,
                                    SigningAlgorithm algorithm) const {
  const VerificationKey* found = nullptr;
  for (const KeyPtr& key : keys_) {
    if (key->algorithm() != algorithm) continue;
    if (key_id.has_value() && key->key_id() != key_id) continue;
    if (found != nullptr) return nullptr;
    found = key.get();
  }
  return found;
}

bool KeySet::HasKeyId(std::string_view key_id) const {
  return std::ranges::any_of(keys_, [&](const KeyPtr& key) { return key->key_id() == key_id; });
}

bool KeySet::HasFingerprint(std::uint64_t fingerprint) const {
  return std::ranges::any_of(keys_,
                             [&](const KeyPtr& key) { return key->fingerprint() == fingerprint; });
}

}  // namespace wattmint::access
