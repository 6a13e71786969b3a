// SPDX-License-Identifier: Apache-2.0
#include "tests/core/access/token_signer.h"

#include "core/base/assert.h"
#include "core/base/base64.h"
#include "core/base/bytes.h"

#include <fmt/core.h>

#include <array>

namespace wattmint::test {
namespace {

using Json = nlohmann::json;

Json ToJson(jwk_t* jwk) {
  char* text = r_jwk_export_to_json_str(jwk, 0);
  Json json = Json::parse(text);
  r_free(text);
  return json;
}

jwk_t* NewJwk() {
  jwk_t* jwk = nullptr;
  WATTMINT_ASSERT(r_jwk_init(&jwk) == RHN_OK, "no key");
  return jwk;
}

std::string Encode(std::string_view text) {
  return base::EncodeBase64(base::AsBytes(text), base::Base64::kUrlSafe);
}

}  // namespace

TokenSigner TokenSigner::Make(std::string_view algorithm, std::string_view key_id, unsigned bits) {
  if (algorithm.starts_with("HS")) {
    TokenSigner signer = OfSecret("a secret of this test, 32 bytes at least");
    signer.algorithm_ = algorithm;
    signer.key_id_ = key_id;
    return signer;
  }
  static const int initialized = r_global_init();
  WATTMINT_ASSERT(initialized == RHN_OK, "rhonabwy does not start");
  TokenSigner signer;
  signer.algorithm_ = algorithm;
  signer.key_id_ = key_id;
  signer.private_.reset(NewJwk());
  signer.public_.reset(NewJwk());
  int type = R_KEY_TYPE_RSA;
  if (algorithm == "ES256") type = R_KEY_TYPE_EC;
  if (algorithm == "EdDSA") type = R_KEY_TYPE_EDDSA;
  const unsigned bits_default = type == R_KEY_TYPE_RSA ? 2'048 : 256;
  const int result = r_jwk_generate_key_pair(signer.private_.get(), signer.public_.get(), type,
                                             bits == 0 ? bits_default : bits, nullptr);
  WATTMINT_ASSERT(result == RHN_OK, "no key pair: {}", result);
  return signer;
}

TokenSigner TokenSigner::OfSecret(std::string_view secret) {
  TokenSigner signer;
  signer.algorithm_ = "HS256";
  signer.private_.reset(NewJwk());
  signer.public_.reset(NewJwk());
  const base::ByteView bytes = base::AsBytes(secret);
  for (jwk_t* jwk : {signer.private_.get(), signer.public_.get()}) {
    const int result = r_jwk_import_from_symmetric_key(jwk, bytes.data(), bytes.size());
    WATTMINT_ASSERT(result == RHN_OK, "no secret: {}", result);
  }
  return signer;
}

Json TokenSigner::PublicJwk() const {
  Json jwk = ToJson(public_.get());
  jwk["alg"] = algorithm_;
  jwk.erase("kid");
  if (!key_id_.empty()) jwk["kid"] = key_id_;
  return jwk;
}

Json TokenSigner::PrivateJwk() const { return ToJson(private_.get()); }

std::string TokenSigner::PublicPem() const {
  std::array<unsigned char, 4'096> buffer{};
  std::size_t size = buffer.size();
  const int result = r_jwk_export_to_pem_der(public_.get(), R_FORMAT_PEM, buffer.data(), &size,
                                             R_FLAG_IGNORE_REMOTE);
  WATTMINT_ASSERT(result == RHN_OK, "no PEM: {}", result);
  return std::string(base::AsText(base::ByteView(buffer.data(), size)));
}

std::string TokenSigner::Sign(const Json& claims, const Json& header) const {
  return Sign(algorithm_, claims, header);
}

std::string TokenSigner::SignAs(std::string_view algorithm, const Json& claims) const {
  return Sign(algorithm, claims, Json::object());
}

std::string TokenSigner::Sign(std::string_view algorithm, const Json& claims,
                              const Json& header) const {
  Json full = {{"alg", algorithm}, {"typ", "JWT"}};
  if (!key_id_.empty()) full["kid"] = key_id_;
  full.update(header);
  jws_t* jws = nullptr;
  WATTMINT_ASSERT(r_jws_init(&jws) == RHN_OK, "no signature");
  const std::string payload = claims.dump();
  const base::ByteView bytes = base::AsBytes(payload);
  r_jws_set_full_header_json_str(jws, full.dump().c_str());
  r_jws_set_alg(jws, r_str_to_jwa_alg(std::string(algorithm).c_str()));
  r_jws_set_payload(jws, bytes.data(), bytes.size());
  char* text = r_jws_serialize(jws, private_.get(), R_FLAG_IGNORE_REMOTE);
  WATTMINT_ASSERT(text != nullptr, "nothing signed as {}", algorithm);
  std::string token = text;
  r_free(text);
  r_jws_free(jws);
  return token;
}

std::string JwksOf(const std::vector<Json>& keys) { return Json{{"keys", keys}}.dump(); }

std::string ForgeToken(const Json& header, const Json& claims, std::string_view signature) {
  return fmt::format("{}.{}.{}", Encode(header.dump()), Encode(claims.dump()), Encode(signature));
}

}  // namespace wattmint::test
