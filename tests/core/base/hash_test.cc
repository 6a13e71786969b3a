// SPDX-License-Identifier: Apache-2.0
#include "core/base/hex.h"
#include "core/base/hmac.h"
#include "core/base/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::base {
namespace {

// Source: FIPS 180-2, appendix B.
TEST(Sha256Test, KnowsThePublishedVectors) {
  EXPECT_EQ(EncodeHex(Sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(EncodeHex(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(EncodeHex(Sha256(AsBytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Source: RFC 4231, test cases 1, 2 and 6 (a key that is longer than a block).
TEST(HmacSha256Test, KnowsThePublishedVectors) {
  EXPECT_EQ(EncodeHex(HmacSha256(Bytes(20, 0x0b), AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(EncodeHex(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      EncodeHex(HmacSha256(Bytes(131, 0xaa),
                           AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(ConstantTimeEqualTest, ComparesContentAndLength) {
  EXPECT_TRUE(ConstantTimeEqual(AsBytes("secret"), AsBytes(std::string("secret"))));
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("secret"), AsBytes("secreT")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("secret"), AsBytes("secre")));
}

}  // namespace
}  // namespace wattmint::base
