// SPDX-License-Identifier: Apache-2.0
#include "core/base/ed25519.h"

#include "core/base/hex.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace wattmint::base {
namespace {

template <typename Array>
Array FromHex(std::string_view hex) {
  const auto bytes = DecodeHex(hex);
  EXPECT_THAT(bytes, test::IsOk());
  Array array{};
  EXPECT_EQ(bytes->size(), array.size());
  std::copy_n(bytes->begin(), array.size(), array.begin());
  return array;
}

// RFC 8032, section 7.1, test 2.
TEST(Ed25519Test, SignsAsTheStandardSays) {
  const Ed25519Key key(
      FromHex<Ed25519Seed>("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  EXPECT_EQ(EncodeHex(key.public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(EncodeHex(key.Sign("\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519Test, ASignatureIsOfOneKeyAndOneText) {
  const Ed25519Key key(Ed25519Seed{7});
  Ed25519Signature signature = key.Sign("1 kWh");
  EXPECT_TRUE(VerifyEd25519(key.public_key(), "1 kWh", signature));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "2 kWh", signature));
  EXPECT_FALSE(VerifyEd25519(Ed25519Key(Ed25519Seed{8}).public_key(), "1 kWh", signature));
  signature[40] ^= 1;
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "1 kWh", signature));
}

struct BadKey {
  const char* why;
  const char* hex;
};
constexpr BadKey kBadKeys[] = {
    {"order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
    {"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order 4, negative", "0000000000000000000000000000000000000000000000000000000000000080"},
    {"order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
    {"order 8, negative", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
    {"order 8, another", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
    {"not reduced, 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"not reduced, 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"on no curve", "0200000000000000000000000000000000000000000000000000000000000000"},
    {"outside of the main subgroup",
     "9599999999999999999999999999999999999999999999999999999999999999"},
};

TEST(Ed25519Test, KeysUnderWhichOthersCouldSignAreNone) {
  EXPECT_TRUE(IsEd25519PublicKey(Ed25519Key(Ed25519Seed{7}).public_key()));
  for (const BadKey& bad : kBadKeys) {
    EXPECT_FALSE(IsEd25519PublicKey(FromHex<Ed25519PublicKey>(bad.hex))) << bad.why;
  }
}

// With R and S of zero the equation holds for any text under the key of order 1.
TEST(Ed25519Test, AForgeryUnderAKeyOfSmallOrderIsRefused) {
  const auto identity = FromHex<Ed25519PublicKey>(kBadKeys[0].hex);
  Ed25519Signature forged{};
  forged[0] = 1;
  EXPECT_FALSE(VerifyEd25519(identity, "1000 kWh", forged));
}

}  // namespace
}  // namespace wattmint::base
