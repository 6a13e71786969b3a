// SPDX-License-Identifier: Apache-2.0
#include "core/access/jwt_verifier.h"

#include "core/access/reason.h"
#include "core/base/base64.h"
#include "tests/core/access/status_reason.h"
#include "tests/core/access/token_signer.h"
#include "tests/support/fake_clock.h"
#include "tests/support/http_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using test::ForgeToken;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::JwksOf;
using test::StatusIs;
using test::TokenSigner;

constexpr char kWallet[] = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM";
constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

// RSA keys take long to make; all tests share these.
const TokenSigner& Signer(const std::string& algorithm) {
  static const TokenSigner hs = TokenSigner::Make("HS256", "hs");
  static const TokenSigner rs = TokenSigner::Make("RS256", "rs");
  static const TokenSigner es = TokenSigner::Make("ES256", "es");
  static const TokenSigner ed = TokenSigner::Make("EdDSA", "ed");
  if (algorithm == "HS256") return hs;
  if (algorithm == "RS256") return rs;
  return algorithm == "ES256" ? es : ed;
}

class JwtVerifierTest : public testing::Test {
 protected:
  JwtVerifierTest() {
    options_.key_file = directory_ / "keys.json";
    WriteKeys({Signer("HS256").PublicJwk(), Signer("RS256").PublicJwk(),
               Signer("ES256").PublicJwk(), Signer("EdDSA").PublicJwk()});
  }

  void WriteKeys(const std::vector<Json>& keys) { Write(JwksOf(keys)); }

  void Write(const std::string& content) {
    std::ofstream(options_.key_file, std::ios::binary | std::ios::trunc) << content;
    std::filesystem::permissions(options_.key_file, std::filesystem::perms::owner_read |
                                                        std::filesystem::perms::owner_write);
  }

  JwtVerifier& Verifier() {
    if (verifier_ == nullptr) {
      auto verifier = JwtVerifier::Open(options_, clock_);
      EXPECT_THAT(verifier, IsOk());
      verifier_ = *std::move(verifier);
    }
    return *verifier_;
  }

  absl::StatusOr<Principal> Verify(const std::string& token) { return Verifier().Verify(token); }

  std::int64_t In(std::chrono::seconds seconds) {
    return std::chrono::floor<std::chrono::seconds>(clock_.Now() + seconds)
        .time_since_epoch()
        .count();
  }

  // Claims that are good for an hour.
  Json Claims() { return {{"sub", "alice"}, {"exp", In(1h)}}; }
  Json ClaimsWith(const char* name, const Json& value) {
    Json claims = Claims();
    claims[name] = value;
    return claims;
  }

  // What became of claims that are signed well.
  absl::StatusOr<Principal> VerifyClaims(const Json& claims) {
    return Verify(Signer("EdDSA").Sign(claims));
  }

  test::TempDir directory_;
  test::FakeClock clock_;
  JwtOptions options_;
  std::unique_ptr<JwtVerifier> verifier_;
};

TEST_F(JwtVerifierTest, TokenOfEachAlgorithmIsAccepted) {
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    const auto principal = Verify(Signer(algorithm).Sign(Claims()));
    ASSERT_THAT(principal, IsOk()) << algorithm;
    EXPECT_EQ(principal->user_id, "alice");
    EXPECT_EQ(principal->roles, RoleSet{Role::kUser});
    EXPECT_EQ(principal->credential, CredentialKind::kJwt);
    EXPECT_TRUE(principal->key_id.empty());
    EXPECT_TRUE(principal->wallets.empty());
    EXPECT_EQ(principal->expires_at, clock_.Now() + 1h + 30s);
  }
}

TEST_F(JwtVerifierTest, ManySignaturesOfEcdsaVerify) {
  // r and s of fewer than 32 bytes come along once in about 128 signatures.
  for (int i = 0; i < 400; ++i) {
    ASSERT_THAT(Verify(Signer("ES256").Sign(ClaimsWith("jti", i))), IsOk()) << i;
  }
}

TEST_F(JwtVerifierTest, TokenWithoutKeyIdIsAcceptedWhereTheKeyIsPlain) {
  WriteKeys({TokenSigner::OfSecret(kSecret).PublicJwk()});
  EXPECT_THAT(Verify(TokenSigner::OfSecret(kSecret).Sign(Claims())), IsOk());
}

TEST_F(JwtVerifierTest, SecretFileServesAsKey) {
  options_.key_format = JwtOptions::KeyFormat::kSecret;
  for (const char* line_break : {"", "\n", "\r\n"}) {
    Write(std::string(kSecret) + line_break);
    verifier_.reset();
    EXPECT_THAT(Verify(TokenSigner::OfSecret(kSecret).Sign(Claims())), IsOk());
  }
}

TEST_F(JwtVerifierTest, SecretFileThatOthersMayReadIsRefused) {
  options_.key_format = JwtOptions::KeyFormat::kSecret;
  Write(kSecret);
  std::filesystem::permissions(options_.key_file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(JwtVerifier::Open(options_, clock_),
              StatusIs(absl::StatusCode::kPermissionDenied, testing::HasSubstr("keys.json")));
}

TEST_F(JwtVerifierTest, MissingOrUselessKeyFileStopsTheStart) {
  Write("no keys");
  EXPECT_THAT(JwtVerifier::Open(options_, clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("keys.json")));
  Write("");
  EXPECT_THAT(JwtVerifier::Open(options_, clock_), StatusIs(absl::StatusCode::kInvalidArgument));
  Write(std::string(1'048'577, ' '));
  EXPECT_THAT(JwtVerifier::Open(options_, clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("1 MiB")));
  options_.key_file = directory_ / "missing.json";
  EXPECT_THAT(JwtVerifier::Open(options_, clock_), StatusIs(absl::StatusCode::kNotFound));
  options_.key_file = directory_.path();
  EXPECT_THAT(JwtVerifier::Open(options_, clock_), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JwtVerifierTest, RolesComeAsTextOrArrayUnderEitherName) {
  const RoleSet both = {Role::kUser, Role::kAdmin};
  EXPECT_EQ(VerifyClaims(ClaimsWith("role", "admin"))->roles, RoleSet{Role::kAdmin});
  EXPECT_EQ(VerifyClaims(ClaimsWith("roles", "viewer"))->roles, RoleSet{Role::kViewer});
  EXPECT_EQ(VerifyClaims(ClaimsWith("roles", {"user", "admin"}))->roles, both);
  EXPECT_EQ(VerifyClaims(ClaimsWith("role", {"user", "admin"}))->roles, both);
  Json claims = ClaimsWith("role", "user");
  claims["roles"] = {"admin"};
  EXPECT_EQ(VerifyClaims(claims)->roles, both);
}

TEST_F(JwtVerifierTest, UnknownRolesArePassedOverAndAreNoUser) {
  EXPECT_EQ(VerifyClaims(ClaimsWith("roles", {"editor", "relay"}))->roles, RoleSet{Role::kRelay});
  EXPECT_TRUE(VerifyClaims(ClaimsWith("role", "superuser"))->roles.IsEmpty());
  EXPECT_TRUE(VerifyClaims(ClaimsWith("roles", Json::array()))->roles.IsEmpty());
}

TEST_F(JwtVerifierTest, WalletsComeAsTextOrArray) {
  EXPECT_EQ(VerifyClaims(ClaimsWith("wallet", kWallet))->wallets,
            std::vector<std::string>{kWallet});
  EXPECT_EQ(VerifyClaims(ClaimsWith("wallet", {kWallet}))->wallets,
            std::vector<std::string>{kWallet});
}

TEST_F(JwtVerifierTest, ClaimsThatAreNoneAreRefused) {
  const Json bad[] = {
      ClaimsWith("sub", nullptr),
      ClaimsWith("sub", 7),
      ClaimsWith("sub", ""),
      ClaimsWith("sub", "not a user id"),
      ClaimsWith("sub", std::string(65, 'a')),
      ClaimsWith("role", 3),
      ClaimsWith("roles", {"user", 3}),
      ClaimsWith("roles", {{"user", true}}),
      ClaimsWith("wallet", "no address"),
      ClaimsWith("wallet", 5),
      ClaimsWith("wallet", std::vector<std::string>(101, kWallet)),
      ClaimsWith("exp", nullptr),
      ClaimsWith("exp", "soon"),
      ClaimsWith("exp", -1),
      ClaimsWith("exp", 1e300),
      ClaimsWith("exp", std::numeric_limits<std::uint64_t>::max()),
      ClaimsWith("nbf", "now"),
      ClaimsWith("nbf", nullptr),
      {{"sub", "alice"}},
      {{"exp", In(1h)}},
      Json::array({"sub", "alice"}),
      "alice",
      nullptr,
  };
  for (const Json& claims : bad) {
    EXPECT_THAT(VerifyClaims(claims), HasReason("INVALID_TOKEN")) << claims;
  }
}

TEST_F(JwtVerifierTest, TokenExpiresAfterTheLeeway) {
  const std::string token = Signer("EdDSA").Sign(ClaimsWith("exp", In(0s)));
  EXPECT_THAT(Verify(token), IsOk());
  clock_.Advance(30s - 1us);
  EXPECT_THAT(Verify(token), IsOk());
  clock_.Advance(1us);
  const auto remembered = Verify(token);
  EXPECT_THAT(remembered, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(remembered, HasReason("EXPIRED_TOKEN"));
  EXPECT_THAT(Verify(token), HasReason("EXPIRED_TOKEN")) << "no longer remembered";
}

TEST_F(JwtVerifierTest, FractionsOfASecondAreAllowed) {
  const auto principal = VerifyClaims(ClaimsWith("exp", static_cast<double>(In(10s)) + 0.75));
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(principal->expires_at, clock_.Now() + 10s + 30s);
}

TEST_F(JwtVerifierTest, TokenIsNotAcceptedBeforeItsTimeMinusTheLeeway) {
  EXPECT_THAT(VerifyClaims(ClaimsWith("nbf", In(-1s))), IsOk());
  EXPECT_THAT(VerifyClaims(ClaimsWith("nbf", In(30s))), IsOk());
  EXPECT_THAT(VerifyClaims(ClaimsWith("nbf", In(31s))), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, IssuerMustBeTheConfiguredOne) {
  options_.issuer = "https://issuer.example";
  EXPECT_THAT(VerifyClaims(ClaimsWith("iss", "https://issuer.example")), IsOk());
  EXPECT_THAT(VerifyClaims(ClaimsWith("iss", "https://issuer.example/")),
              HasReason("INVALID_TOKEN"));
  EXPECT_THAT(VerifyClaims(ClaimsWith("iss", Json::array({"https://issuer.example"}))),
              HasReason("INVALID_TOKEN"));
  EXPECT_THAT(VerifyClaims(Claims()), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, AudienceMustHoldTheConfiguredOne) {
  options_.audience = "wattmint";
  EXPECT_THAT(VerifyClaims(ClaimsWith("aud", "wattmint")), IsOk());
  EXPECT_THAT(VerifyClaims(ClaimsWith("aud", {"other", "wattmint"})), IsOk());
  for (const Json& audience : {Json("other"), Json::array(), Json({"other"}), Json(7)}) {
    EXPECT_THAT(VerifyClaims(ClaimsWith("aud", audience)), HasReason("INVALID_TOKEN")) << audience;
  }
  EXPECT_THAT(VerifyClaims(Claims()), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, UnsignedTokensAreRefused) {
  for (const char* algorithm : {"none", "None", "NONE", ""}) {
    for (const char* signature : {"", "x"}) {
      EXPECT_THAT(Verify(ForgeToken({{"alg", algorithm}}, Claims(), signature)),
                  HasReason("INVALID_TOKEN"));
      EXPECT_THAT(Verify(ForgeToken({{"alg", algorithm}, {"kid", "hs"}}, Claims(), signature)),
                  HasReason("INVALID_TOKEN"));
    }
  }
}

TEST_F(JwtVerifierTest, PublicKeyIsNoHmacSecret) {
  const TokenSigner& rsa = Signer("RS256");
  const std::string secrets[] = {rsa.PublicPem(), rsa.PublicJwk().dump(),
                                 rsa.PublicJwk()["n"].get<std::string>()};
  for (const std::string& secret : secrets) {
    const TokenSigner attacker = TokenSigner::OfSecret(secret);
    EXPECT_THAT(Verify(attacker.Sign(Claims(), {{"kid", "rs"}})), HasReason("INVALID_TOKEN"));
    EXPECT_THAT(Verify(attacker.Sign(Claims())), HasReason("INVALID_TOKEN"));
  }
}

TEST_F(JwtVerifierTest, KeyIdOfAnotherKeyIsRefused) {
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    const std::string own = Signer(algorithm).PublicJwk()["kid"];
    for (const char* key_id : {"hs", "rs", "es", "ed", "unknown", ""}) {
      if (key_id == own) continue;
      EXPECT_THAT(Verify(Signer(algorithm).Sign(Claims(), {{"kid", key_id}})),
                  HasReason("INVALID_TOKEN"))
          << algorithm << " as " << key_id;
    }
  }
}

TEST_F(JwtVerifierTest, OtherAlgorithmsOfTheSameKeyAreRefused) {
  EXPECT_THAT(Verify(Signer("HS256").SignAs("HS512", Claims())), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Verify(Signer("RS256").SignAs("RS512", Claims())), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Verify(Signer("RS256").SignAs("PS256", Claims())), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, StrangersKeysAreRefused) {
  for (const char* algorithm : {"ES256", "EdDSA"}) {
    const std::string key_id = Signer(algorithm).PublicJwk()["kid"];
    const TokenSigner stranger = TokenSigner::Make(algorithm, key_id);
    EXPECT_THAT(Verify(stranger.Sign(Claims())), HasReason("INVALID_TOKEN")) << algorithm;
    const Json own_key = {{"jwk", stranger.PublicJwk()}};
    EXPECT_THAT(Verify(stranger.Sign(Claims(), own_key)), HasReason("INVALID_TOKEN")) << algorithm;
  }
  const TokenSigner stranger = TokenSigner::OfSecret(kSecret);
  EXPECT_THAT(Verify(stranger.Sign(Claims(), {{"kid", "hs"}})), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, ExtensionsAreRefused) {
  const Json extensions[] = {{{"crit", {"exp"}}}, {{"zip", "DEF"}}, {{"b64", false}}};
  for (const Json& extension : extensions) {
    EXPECT_THAT(Verify(Signer("EdDSA").Sign(Claims(), extension)), HasReason("INVALID_TOKEN"))
        << extension;
  }
}

TEST_F(JwtVerifierTest, HeadersThatAreNoneAreRefused) {
  const Json headers[] = {{{"typ", "JWT"}}, {{"alg", 7}}, {{"alg", {"HS256"}}},
                          Json::array(),    "HS256",      nullptr};
  for (const Json& header : headers) {
    EXPECT_THAT(Verify(ForgeToken(header, Claims(), "x")), HasReason("INVALID_TOKEN")) << header;
  }
  EXPECT_THAT(Verify(Signer("EdDSA").Sign(Claims(), {{"kid", 7}})), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, EveryChangedCharacterIsRefused) {
  for (const char* algorithm : {"HS256", "ES256", "EdDSA"}) {
    const std::string token = Signer(algorithm).Sign(Claims());
    ASSERT_THAT(Verify(token), IsOk());
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      ASSERT_THAT(Verify(changed), HasReason("INVALID_TOKEN")) << algorithm << " " << i;
    }
  }
}

TEST_F(JwtVerifierTest, TruncatedTokensAreRefused) {
  const std::string token = Signer("HS256").Sign(Claims());
  for (std::size_t size = 0; size < token.size(); ++size) {
    ASSERT_THAT(Verify(token.substr(0, size)), HasReason("INVALID_TOKEN")) << size;
  }
}

TEST_F(JwtVerifierTest, PromotedPayloadIsRefused) {
  const std::string token = Signer("RS256").Sign(Claims());
  const std::string promoted = ForgeToken({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "rs"}},
                                          ClaimsWith("role", "admin"), "");
  EXPECT_THAT(Verify(promoted + token.substr(token.rfind('.') + 1)), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, SecondSpellingOfATokenIsRefused) {
  const std::string token = Signer("EdDSA").Sign(Claims());
  for (const std::string& other : {token + "=", token + ".", "." + token, token + "\n", " " + token,
                                   token + token, token + ".x"}) {
    EXPECT_THAT(Verify(other), HasReason("INVALID_TOKEN")) << other;
  }
}

TEST_F(JwtVerifierTest, JunkIsRefused) {
  const std::string junk[] = {"",
                              ".",
                              "..",
                              "...",
                              "a.b.c",
                              "e30.e30.e30",
                              std::string(3, '\0'),
                              "eyJhbGciOiJub25lIn0..",
                              std::string(2'000, '.')};
  for (const std::string& token : junk) EXPECT_THAT(Verify(token), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, LargeTokensAreRefusedUnread) {
  EXPECT_THAT(Verify(std::string(1'048'576, 'a')), HasReason("INVALID_TOKEN"));
  const std::string fits = Signer("HS256").Sign(ClaimsWith("note", std::string(5'900, 'a')));
  ASSERT_LE(fits.size(), kTokenBytesMax);
  EXPECT_THAT(Verify(fits), IsOk());
  const std::string large = Signer("HS256").Sign(ClaimsWith("note", std::string(6'100, 'a')));
  ASSERT_GT(large.size(), kTokenBytesMax);
  EXPECT_THAT(Verify(large), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, DeepNestingIsHarmless) {
  Json deep = 1;
  for (int i = 0; i < 2'500; ++i) deep = Json::array({std::move(deep)});
  EXPECT_THAT(Verify(ForgeToken(deep, Claims(), "x")), HasReason("INVALID_TOKEN"));
}

TEST_F(JwtVerifierTest, RefusalsTellNothingOfTheToken) {
  const std::string token = Signer("EdDSA").Sign(ClaimsWith("sub", "not a user id"));
  const absl::Status refusal = Verify(token).status();
  EXPECT_EQ(refusal, Verify("junk").status());
}

TEST_F(JwtVerifierTest, ReloadReplacesTheKeys) {
  const std::string old_token = Signer("EdDSA").Sign(Claims());
  const TokenSigner successor = TokenSigner::Make("EdDSA", "ed");
  const std::string new_token = successor.Sign(Claims());
  ASSERT_THAT(Verify(old_token), IsOk());
  ASSERT_THAT(Verify(new_token), HasReason("INVALID_TOKEN"));
  WriteKeys({successor.PublicJwk()});
  EXPECT_THAT(Verify(old_token), IsOk()) << "not before a reload";
  ASSERT_THAT(Verifier().Reload(), IsOk());
  EXPECT_THAT(Verify(old_token), HasReason("INVALID_TOKEN")) << "not remembered either";
  EXPECT_THAT(Verify(new_token), IsOk());
}

TEST_F(JwtVerifierTest, ReloadTellsWhetherTheKeysAreOthers) {
  EXPECT_THAT(Verifier().Reload(), IsOkAndHolds(false));
  WriteKeys({Signer("EdDSA").PublicJwk()});
  EXPECT_THAT(Verifier().Reload(), IsOkAndHolds(true));
  EXPECT_THAT(Verifier().Reload(), IsOkAndHolds(false));
}

TEST_F(JwtVerifierTest, AKeyIsCurrentAsLongAsTheSetHoldsIt) {
  const TokenSigner successor = TokenSigner::Make("EdDSA", "ed");
  const auto before = Verify(Signer("EdDSA").Sign(Claims()));
  ASSERT_THAT(before, IsOk());
  EXPECT_TRUE(Verifier().IsKeyCurrent(before->token_key));
  WriteKeys({Signer("RS256").PublicJwk(), Signer("EdDSA").PublicJwk()});
  ASSERT_THAT(Verifier().Reload(), IsOk());
  EXPECT_TRUE(Verifier().IsKeyCurrent(before->token_key)) << "the same key in another set";
  WriteKeys({Signer("RS256").PublicJwk(), successor.PublicJwk()});
  ASSERT_THAT(Verifier().Reload(), IsOk());
  EXPECT_FALSE(Verifier().IsKeyCurrent(before->token_key)) << "another key of the same ID";
}

TEST_F(JwtVerifierTest, EachAlgorithmHasAFingerprintOfItsOwn) {
  std::set<std::uint64_t> prints;
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    prints.insert(Verify(Signer(algorithm).Sign(Claims()))->token_key);
  }
  EXPECT_EQ(prints.size(), 4u);
  EXPECT_FALSE(prints.contains(0));
}

TEST_F(JwtVerifierTest, AnUnknownKeyIsLookedForOnlyIfTheTokenNamesOne) {
  int looks = 0;
  bool is_promising = true;
  Verifier().OnUnknownKey([&] {
    ++looks;
    return is_promising;
  });
  const auto refusal = Verify(Signer("EdDSA").Sign(Claims(), {{"kid", "new"}}));
  EXPECT_THAT(refusal, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(refusal, HasReason("KEY_NOT_YET_KNOWN"));
  EXPECT_EQ(RetryAfterOf(refusal.status()), 1s);
  is_promising = false;
  EXPECT_THAT(Verify(Signer("EdDSA").Sign(Claims(), {{"kid", "new"}})), HasReason("INVALID_TOKEN"));
  EXPECT_EQ(looks, 2);
  EXPECT_THAT(Verify(Signer("EdDSA").Sign(Claims(), {{"kid", "rs"}})), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Verify(ForgeToken({{"alg", "EdDSA"}}, Claims(), "x")), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(Verify("junk"), HasReason("INVALID_TOKEN"));
  EXPECT_EQ(looks, 2);
}

TEST_F(JwtVerifierTest, KeysComeByHttp) {
  test::HttpServer server;
  server.Serve({.body = test::JwksOf({Signer("EdDSA").PublicJwk()})});
  options_.key_address = server.address() + "/keys.json";
  EXPECT_THAT(Verify(Signer("EdDSA").Sign(Claims())), IsOk());
  EXPECT_THAT(Verify(Signer("RS256").Sign(Claims())), HasReason("INVALID_TOKEN"));
  EXPECT_THAT(server.requests().at(0), testing::StartsWith("GET /keys.json HTTP/1.1\r\n"));
}

TEST_F(JwtVerifierTest, KeysThatCannotBeFetchedStopTheStart) {
  test::HttpServer server;
  options_.key_address = server.address() + "/keys.json?secret";
  const auto refusal = [&](const test::HttpServer::Answer& answer) {
    server.Serve(answer);
    return std::string(JwtVerifier::Open(options_, clock_).status().message());
  };
  const std::string place = "keys for tokens in " + server.address() + "/keys.json: ";
  EXPECT_EQ(refusal({.status = "404 Not Found"}), place + "the server answered 404");
  EXPECT_EQ(refusal({.body = std::string(1'048'577, ' ')}),
            place + "the answer is larger than 1048576 bytes");
  EXPECT_THAT(refusal({.body = "no keys"}), testing::HasSubstr("no JSON Web Key Set"));
  options_.key_address = "https://user:secret@127.0.0.1/";
  EXPECT_EQ(refusal({}), "the address must hold no user and no password");
}

TEST_F(JwtVerifierTest, FailedReloadKeepsTheKeys) {
  const std::string token = Signer("EdDSA").Sign(Claims());
  ASSERT_THAT(Verify(token), IsOk());
  Write("{\"keys\": [");
  EXPECT_THAT(Verifier().Reload(), StatusIs(absl::StatusCode::kInvalidArgument));
  std::filesystem::remove(options_.key_file);
  EXPECT_THAT(Verifier().Reload(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Verify(token), IsOk());
  EXPECT_THAT(Verify(Signer("HS256").Sign(Claims())), IsOk());
}

TEST_F(JwtVerifierTest, ManyThreadsMayVerifyWhileKeysAreReloaded) {
  JwtVerifier& verifier = Verifier();
  std::vector<std::string> tokens;
  for (const char* algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
    for (int i = 0; i < 4; ++i) tokens.push_back(Signer(algorithm).Sign(ClaimsWith("jti", i)));
  }
  std::string bad = tokens.back();
  bad[bad.size() / 2] = bad[bad.size() / 2] == 'A' ? 'B' : 'A';
  std::atomic<int> mistakes = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        for (const std::string& token : tokens) mistakes += verifier.Verify(token).ok() ? 0 : 1;
        mistakes += verifier.Verify(bad).ok() ? 1 : 0;
      }
    });
  }
  const std::string keys = test::JwksOf({Signer("HS256").PublicJwk(), Signer("RS256").PublicJwk(),
                                         Signer("ES256").PublicJwk(), Signer("EdDSA").PublicJwk()});
  for (int i = 1; i <= 20; ++i) {
    Write(keys + std::string(static_cast<std::size_t>(i), ' '));
    EXPECT_THAT(verifier.Reload(), IsOkAndHolds(true));
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(mistakes, 0);
}

}  // namespace
}  // namespace wattmint::access
