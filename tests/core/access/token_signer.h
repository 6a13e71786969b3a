// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <rhonabwy.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::test {

// An issuer of tokens with one key, by an implementation of its own (rhonabwy), so that what
// verifies them is not tested against itself.
class TokenSigner {
 public:
  // A fresh key. `algorithm` is one of "HS256", "HS512", "RS256", "PS256", "ES256", "EdDSA"; empty
  // `key_id`: none.
  static TokenSigner Make(std::string_view algorithm, std::string_view key_id, unsigned bits = 0);
  // HS256 with that secret.
  static TokenSigner OfSecret(std::string_view secret);

  // The key that verifies; of HS256 the secret itself.
  nlohmann::json PublicJwk() const;
  nlohmann::json PrivateJwk() const;
  // In PEM.
  std::string PublicPem() const;

  // Signs; `header` is added to alg and kid, and may replace kid.
  std::string Sign(const nlohmann::json& claims,
                   const nlohmann::json& header = nlohmann::json::object()) const;
  // Signs with another algorithm than the key is for.
  std::string SignAs(std::string_view algorithm, const nlohmann::json& claims) const;

 private:
  struct JwkFree {
    void operator()(jwk_t* jwk) const { r_jwk_free(jwk); }
  };
  using JwkPtr = std::unique_ptr<jwk_t, JwkFree>;

  TokenSigner() = default;
  std::string Sign(std::string_view algorithm, const nlohmann::json& claims,
                   const nlohmann::json& header) const;

  std::string algorithm_;
  std::string key_id_;
  JwkPtr private_;
  JwkPtr public_;
};

// A JSON Web Key Set of these keys.
std::string JwksOf(const std::vector<nlohmann::json>& keys);

// A token of these parts, encoded but not signed.
std::string ForgeToken(const nlohmann::json& header, const nlohmann::json& claims,
                       std::string_view signature);

}  // namespace wattmint::test
