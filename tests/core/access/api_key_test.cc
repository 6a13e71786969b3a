// SPDX-License-Identifier: Apache-2.0
#include "core/access/api_key.h"

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "tests/support/seeded_random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wattmint::access {
namespace {

class NoRandom final : public base::RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0}); }
};

TEST(ApiKeyTest, TextHasTheDocumentedForm) {
  base::SystemRandom random;
  for (int i = 0; i < 200; ++i) {
    const NewApiKey key = MakeApiKey(random);
    EXPECT_EQ(key.key_id.size(), 8u);
    EXPECT_EQ(key.text.substr(0, 12), "wm_" + key.key_id + "_");
    EXPECT_EQ(KeyIdOf(key.text), key.key_id) << key.text;
    EXPECT_EQ(key.sha256, base::Sha256(base::AsBytes(key.text)));
  }
}

TEST(ApiKeyTest, KeysDiffer) {
  base::SystemRandom random;
  std::set<std::string> key_ids;
  std::set<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    const NewApiKey key = MakeApiKey(random);
    key_ids.insert(key.key_id);
    texts.insert(key.text);
  }
  EXPECT_EQ(key_ids.size(), 500u);
  EXPECT_EQ(texts.size(), 500u);
}

TEST(ApiKeyTest, EvenAKeyOfZeroBytesIsWellFormed) {
  NoRandom random;
  const NewApiKey key = MakeApiKey(random);
  EXPECT_EQ(KeyIdOf(key.text), key.key_id);
}

TEST(ApiKeyTest, MarkTellsAnApiKeyFromAToken) {
  EXPECT_TRUE(LooksLikeApiKey("wm_"));
  EXPECT_FALSE(LooksLikeApiKey("eyJhbGciOiJIUzI1NiJ9.e30.x"));
  EXPECT_FALSE(LooksLikeApiKey(""));
}

TEST(ApiKeyTest, MalformedTextHasNoKeyId) {
  const std::string secret(43, 'a');
  const std::string malformed[] = {
      "",
      "wm_",
      "wm_abcdefgh",
      "wm_abcdefgh_",
      "wm_abcdefgh_" + std::string(31, 'a'),
      "wm_abcdefgh_" + std::string(45, 'a'),
      "wm_abcdefg_a" + secret,
      "wm_abcdefghi" + secret,
      "xm_abcdefgh_" + secret,
      "wm_abc efgh_" + secret,
      "wm_abcdefgh_" + std::string(42, 'a') + "\n",
      "wm_abcdefgh_" + std::string(42, 'a') + std::string(1, '\0'),
      "wm_abcdefgh_" + std::string(1'048'576, 'a'),
  };
  for (const std::string& text : malformed) {
    EXPECT_EQ(KeyIdOf(text), std::nullopt) << text.substr(0, 64);
  }
}

}  // namespace
}  // namespace wattmint::access
