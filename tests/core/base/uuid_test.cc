// SPDX-License-Identifier: Apache-2.0
#include "core/base/uuid.h"

#include "tests/support/status_matchers.h"

namespace wattmint::base {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;

constexpr Uuid kExample{{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02,
                         0x09, 0x9a, 0x80, 0x57}};

TEST(UuidTest, ReadsAndWritesItsText) {
  EXPECT_EQ(kExample.ToString(), "01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_THAT(Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057"), IsOkAndHolds(kExample));
  EXPECT_THAT(Uuid::Parse("01890A5D-AC96-774B-BCCE-B302099A8057"), IsOkAndHolds(kExample));
  EXPECT_EQ(Uuid().ToString(), "00000000-0000-0000-0000-000000000000");
}

TEST(UuidTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "01890a5dac96774bbcceb302099a8057", "{01890a5d-ac96-774b-bcce-b302099a8057}",
        "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80577",
        "01890a5g-ac96-774b-bcce-b302099a8057", "01890a5-dac96-774b-bcce-b302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a-057", "01890a5d ac96 774b bcce b302099a8057"}) {
    EXPECT_THAT(Uuid::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(UuidTest, OrdersAsItsText) {
  Uuid later = kExample;
  later.bytes[15] = 0xff;
  EXPECT_LT(kExample, later);
  EXPECT_LT(kExample.ToString(), later.ToString());
  EXPECT_EQ(kExample, Uuid(kExample));
  EXPECT_NE(kExample, later);
}

}  // namespace
}  // namespace wattmint::base
