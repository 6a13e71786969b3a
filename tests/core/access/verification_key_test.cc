// SPDX-License-Identifier: Apache-2.0
#include "core/access/verification_key.h"

#include "core/base/base64.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wattmint::access {
namespace {

using Json = nlohmann::json;
using test::IsOk;
using test::JwksOf;
using test::StatusIs;
using test::TokenSigner;
using testing::HasSubstr;

std::string Encode(const std::string& bytes) {
  return base::EncodeBase64(base::AsBytes(bytes), base::Base64::kUrlSafe);
}

Json SecretJwk(const std::string& secret) { return {{"kty", "oct"}, {"k", Encode(secret)}}; }

auto IsRefused(const std::string& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
}

TEST(SigningAlgorithmTest, OnlyFourNamesAreKnown) {
  EXPECT_EQ(ParseSigningAlgorithm("HS256"), SigningAlgorithm::kHs256);
  EXPECT_EQ(ParseSigningAlgorithm("RS256"), SigningAlgorithm::kRs256);
  EXPECT_EQ(ParseSigningAlgorithm("ES256"), SigningAlgorithm::kEs256);
  EXPECT_EQ(ParseSigningAlgorithm("EdDSA"), SigningAlgorithm::kEdDsa);
  for (const char* name : {"", "none", "None", "hs256", "HS512", "PS256", "ES256K", "EDDSA"}) {
    EXPECT_EQ(ParseSigningAlgorithm(name), std::nullopt) << name;
  }
}

TEST(KeySetTest, TakesEveryKindOfKeyAndDerivesItsAlgorithm) {
  std::vector<Json> keys;
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    Json jwk = TokenSigner::Make(algorithm, algorithm).PublicJwk();
    jwk.erase("alg");
    keys.push_back(jwk);
  }
  const absl::StatusOr<KeySet> set = KeySet::FromJwks(JwksOf(keys));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->size(), 4u);
  EXPECT_NE(set->Find("HS256", SigningAlgorithm::kHs256), nullptr);
  EXPECT_NE(set->Find("RS256", SigningAlgorithm::kRs256), nullptr);
  EXPECT_NE(set->Find("ES256", SigningAlgorithm::kEs256), nullptr);
  EXPECT_NE(set->Find("EdDSA", SigningAlgorithm::kEdDsa), nullptr);
}

TEST(KeySetTest, KeyIsFoundForItsOwnAlgorithmOnly) {
  const auto set = KeySet::FromJwks(JwksOf({TokenSigner::Make("ES256", "one").PublicJwk()}));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->Find("one", SigningAlgorithm::kHs256), nullptr);
  EXPECT_EQ(set->Find("two", SigningAlgorithm::kEs256), nullptr);
  EXPECT_NE(set->Find(std::nullopt, SigningAlgorithm::kEs256), nullptr);
}

TEST(KeySetTest, WithoutKeyIdTheAlgorithmMustBeUnambiguous) {
  const auto set = KeySet::FromJwks(JwksOf({TokenSigner::Make("ES256", "one").PublicJwk(),
                                            TokenSigner::Make("ES256", "two").PublicJwk(),
                                            TokenSigner::Make("EdDSA", "").PublicJwk()}));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->Find(std::nullopt, SigningAlgorithm::kEs256), nullptr);
  EXPECT_NE(set->Find("two", SigningAlgorithm::kEs256), nullptr);
  EXPECT_NE(set->Find(std::nullopt, SigningAlgorithm::kEdDsa), nullptr);
  EXPECT_EQ(set->Find("", SigningAlgorithm::kEdDsa), nullptr);
}

TEST(KeySetTest, KeysForOtherUsesArePassedOver) {
  Json encryption = TokenSigner::Make("ES256", "encryption").PublicJwk();
  encryption["use"] = "enc";
  Json other_algorithm = TokenSigner::Make("RS256", "oaep").PublicJwk();
  other_algorithm["alg"] = "RSA-OAEP";
  Json signing = TokenSigner::Make("ES256", "signing").PublicJwk();
  signing["use"] = "sig";
  const Json other_curve = {{"kty", "EC"}, {"crv", "P-384"}, {"x", "AA"}, {"y", "AA"}};
  const Json other_kind = {{"kty", "AKP"}};
  const auto set =
      KeySet::FromJwks(JwksOf({encryption, other_algorithm, signing, other_curve, other_kind}));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->size(), 1u);
  EXPECT_NE(set->Find("signing", SigningAlgorithm::kEs256), nullptr);
}

TEST(KeySetTest, WhatIsNoKeySetIsRefused) {
  for (const char* json : {"", "{", "[]", "{}", "{\"keys\":{}}", "\"keys\"", "{\"keys\":null}"}) {
    EXPECT_THAT(KeySet::FromJwks(json), IsRefused("no JSON Web Key Set")) << json;
  }
  EXPECT_THAT(KeySet::FromJwks("{\"keys\":[7]}"), IsRefused("key 0 is no object"));
  EXPECT_THAT(KeySet::FromJwks("{\"keys\":[]}"), IsRefused("no key in the set"));
}

TEST(KeySetTest, SameKeyIdTwiceIsRefused) {
  const std::vector<Json> keys = {TokenSigner::Make("ES256", "one").PublicJwk(),
                                  TokenSigner::Make("EdDSA", "one").PublicJwk()};
  EXPECT_THAT(KeySet::FromJwks(JwksOf(keys)), IsRefused("key 1 has the key ID of another"));
}

TEST(KeySetTest, KeyIdThatIsNoTextIsRefused) {
  Json jwk = TokenSigner::Make("ES256", "one").PublicJwk();
  jwk["kid"] = 7;
  EXPECT_THAT(KeySet::FromJwks(JwksOf({jwk})), IsRefused("key ID"));
}

TEST(KeySetTest, PrivateKeysAreRefused) {
  for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
    const Json jwk = TokenSigner::Make(algorithm, "one").PrivateJwk();
    ASSERT_TRUE(jwk.contains("d"));
    EXPECT_THAT(KeySet::FromJwks(JwksOf({jwk})), IsRefused("private")) << algorithm;
  }
}

TEST(KeySetTest, WeakKeysAreRefused) {
  EXPECT_THAT(KeySet::FromJwks(JwksOf({TokenSigner::Make("RS256", "one", 1'024).PublicJwk()})),
              IsRefused("2048 bits"));
  EXPECT_THAT(KeySet::FromJwks(JwksOf({SecretJwk(std::string(31, 's'))})), IsRefused("31 bytes"));
  EXPECT_THAT(KeySet::FromJwks(JwksOf({SecretJwk(std::string(32, 's'))})), IsOk());
  EXPECT_THAT(KeySet::FromSecret(std::string(31, 's')), IsRefused("31 bytes"));
  EXPECT_THAT(KeySet::FromSecret(std::string(32, 's')), IsOk());
}

TEST(KeySetTest, MalformedKeysAreRefused) {
  const Json good_ec = TokenSigner::Make("ES256", "ec").PublicJwk();
  Json off_curve = good_ec;
  off_curve["y"] = off_curve["x"];
  Json missing = good_ec;
  missing.erase("x");
  const Json small_order = {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", Encode(std::string(32, 0))}};
  const Json short_point = {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", Encode("short")}};
  const Json padded = {{"kty", "oct"}, {"k", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="}};
  const Json no_modulus = {{"kty", "RSA"}, {"e", "AQAB"}};
  for (const Json& jwk : {off_curve, missing, small_order, short_point, padded, no_modulus}) {
    EXPECT_THAT(KeySet::FromJwks(JwksOf({jwk})), IsRefused("key 0 cannot be used")) << jwk;
  }
}

TEST(KeySetTest, AddressesAndCertificatesInAKeyAreNotFollowed) {
  Json jwk = TokenSigner::Make("RS256", "one").PublicJwk();
  jwk["x5u"] = "http://127.0.0.1:1/never";
  jwk["x5c"] = Json::array({"bm8gY2VydGlmaWNhdGU="});
  EXPECT_THAT(KeySet::FromJwks(JwksOf({jwk})), IsOk());
}

TEST(VerificationKeyTest, SignaturesOfOtherSizesAreNone) {
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    const auto set = KeySet::FromJwks(JwksOf({TokenSigner::Make(algorithm, "").PublicJwk()}));
    ASSERT_THAT(set, IsOk());
    const VerificationKey* key = set->Find(std::nullopt, *ParseSigningAlgorithm(algorithm));
    ASSERT_NE(key, nullptr);
    for (const std::size_t size : {0, 1, 31, 32, 63, 64, 65, 256, 8'192}) {
      EXPECT_FALSE(key->IsSignatureOf("text", base::Bytes(size))) << algorithm << " " << size;
    }
  }
}

}  // namespace
}  // namespace wattmint::access
