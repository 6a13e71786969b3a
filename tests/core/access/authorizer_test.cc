// SPDX-License-Identifier: Apache-2.0
#include "core/access/authorizer.h"

#include "tests/core/access/status_reason.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace wattmint::access {
namespace {

using test::HasReason;
using test::IsOk;
using test::StatusIs;

constexpr char kAliceWallet[] = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM";
constexpr char kBobWallet[] = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU";

Principal PrincipalIn(RoleSet roles, std::string user_id) {
  Principal principal;
  principal.user_id = std::move(user_id);
  principal.roles = roles;
  return principal;
}

domain::Meter MeterOf(std::string meter_id, std::string user_id, std::string wallet_address) {
  domain::Meter meter;
  meter.meter_id = std::move(meter_id);
  meter.user_id = std::move(user_id);
  meter.wallet_address = std::move(wallet_address);
  return meter;
}

class AuthorizerTest : public testing::Test {
 protected:
  AuthorizerTest() {
    meters_.Put(MeterOf("meter-a", "alice", kAliceWallet));
    meters_.Put(MeterOf("meter-b", "bob", kBobWallet));
  }

  store::MeterRegistry meters_;
  const Principal alice_ = PrincipalIn({Role::kUser}, "alice");
  const Principal importer_ = PrincipalIn({Role::kIngest}, "importer");
  const Principal admin_ = PrincipalIn({Role::kAdmin}, "root");
  const Principal relay_ = PrincipalIn({Role::kRelay}, "bridge");
  const Principal viewer_ = PrincipalIn({Role::kViewer}, "guest");
};

TEST_F(AuthorizerTest, PermissionOfARoleIsGranted) {
  EXPECT_THAT(CheckPermission(alice_, Permission::kSubmitReadings), IsOk());
  EXPECT_THAT(CheckPermission(admin_, Permission::kManageKeys), IsOk());
  EXPECT_THAT(CheckPermission(relay_, Permission::kReadEventsAsUser), IsOk());
}

TEST_F(AuthorizerTest, MissingPermissionIsNamed) {
  const absl::Status status = CheckPermission(alice_, Permission::kManageKeys);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kPermissionDenied, testing::HasSubstr("keys.manage")));
  EXPECT_THAT(status, HasReason("PERMISSION_MISSING"));
}

TEST_F(AuthorizerTest, PrincipalWithoutRoleMayNotEvenAskWhoItIs) {
  EXPECT_THAT(CheckPermission(PrincipalIn({}, "alice"), Permission::kIdentify),
              HasReason("PERMISSION_MISSING"));
}

TEST_F(AuthorizerTest, UserTouchesTheirOwn) {
  EXPECT_THAT(CheckOwner(alice_, Permission::kReadReadings, "alice"), IsOk());
  EXPECT_TRUE(MayTouch(alice_, Permission::kReadReadings, "alice"));
}

TEST_F(AuthorizerTest, ForeignAndUnknownGetTheSameRefusal) {
  const absl::Status foreign = CheckOwner(alice_, Permission::kReadReadings, "bob");
  const absl::Status unknown = CheckOwner(alice_, Permission::kReadReadings, std::nullopt);
  EXPECT_THAT(foreign, HasReason("NOT_OWNER"));
  EXPECT_EQ(foreign, unknown);
  EXPECT_FALSE(MayTouch(alice_, Permission::kReadReadings, "bob"));
}

TEST_F(AuthorizerTest, PermissionIsAskedBeforeOwnership) {
  EXPECT_THAT(CheckOwner(alice_, Permission::kManageMeters, "alice"),
              HasReason("PERMISSION_MISSING"));
  EXPECT_THAT(CheckOwner(viewer_, Permission::kReadReadings, "bob"),
              HasReason("PERMISSION_MISSING"));
}

TEST_F(AuthorizerTest, FleetIsSubmittedForButNotRead) {
  EXPECT_THAT(CheckOwner(importer_, Permission::kSubmitReadings, "alice"), IsOk());
  EXPECT_THAT(CheckOwner(importer_, Permission::kReadReadings, "alice"), HasReason("NOT_OWNER"));
}

TEST_F(AuthorizerTest, AdminLearnsThatThereIsNoSuchThing) {
  EXPECT_THAT(CheckOwner(admin_, Permission::kReadReadings, std::nullopt), IsOk());
  EXPECT_THAT(CheckOwner(admin_, Permission::kReadReadings, "bob"), IsOk());
}

TEST_F(AuthorizerTest, EmptyOwnerAsksForAnybodys) {
  EXPECT_TRUE(MayTouch(admin_, Permission::kReadReadings, ""));
  EXPECT_FALSE(MayTouch(alice_, Permission::kReadReadings, ""));
}

TEST_F(AuthorizerTest, NamelessPrincipalOwnsNothing) {
  const Principal nameless = PrincipalIn({Role::kUser}, "");
  EXPECT_THAT(CheckOwner(nameless, Permission::kReadReadings, ""), HasReason("NOT_OWNER"));
  EXPECT_EQ(ScopeOf(nameless).reach, EventScope::Reach::kPublic);
}

TEST_F(AuthorizerTest, ScopeFollowsTheWidestRole) {
  using Reach = EventScope::Reach;
  EXPECT_EQ(ScopeOf(admin_), (EventScope{Reach::kEverything, ""}));
  EXPECT_EQ(ScopeOf(relay_), (EventScope{Reach::kEverything, ""}));
  EXPECT_EQ(ScopeOf(alice_), (EventScope{Reach::kOwn, "alice"}));
  EXPECT_EQ(ScopeOf(importer_), (EventScope{Reach::kOwn, "importer"}));
  EXPECT_EQ(ScopeOf(viewer_), (EventScope{Reach::kPublic, ""}));
  EXPECT_EQ(ScopeOf(PrincipalIn({Role::kViewer, Role::kUser}, "alice")), ScopeOf(alice_));
  EXPECT_EQ(ScopeOf(PrincipalIn({Role::kUser, Role::kAdmin}, "alice")), ScopeOf(admin_));
  EXPECT_EQ(ScopeOf(PrincipalIn({}, "alice")), EventScope());
}

TEST_F(AuthorizerTest, FilterMayNameNothing) {
  for (const Principal& principal : {alice_, importer_, admin_, relay_, viewer_}) {
    EXPECT_THAT(CheckFilter(principal, {}, meters_), IsOk()) << principal.user_id;
  }
}

TEST_F(AuthorizerTest, FilterMayNameWhatIsOnesOwn) {
  domain::EventFilter filter;
  filter.user_ids = {"alice"};
  filter.meter_ids = {"meter-a"};
  filter.wallet_addresses = {kAliceWallet};
  EXPECT_THAT(CheckFilter(alice_, filter, meters_), IsOk());
}

TEST_F(AuthorizerTest, FilterMayNameAWalletOfTheCredential) {
  Principal alice = alice_;
  alice.wallets = {kBobWallet};
  domain::EventFilter filter;
  filter.wallet_addresses = {kAliceWallet, kBobWallet};
  EXPECT_THAT(CheckFilter(alice, filter, meters_), IsOk());
}

TEST_F(AuthorizerTest, FilterThatNamesAForeignThingIsRefusedWhateverElseItNames) {
  domain::EventFilter users;
  users.user_ids = {"alice", "bob"};
  domain::EventFilter meters;
  meters.meter_ids = {"meter-a", "meter-b"};
  domain::EventFilter wallets;
  wallets.wallet_addresses = {kAliceWallet, kBobWallet};
  for (const domain::EventFilter& filter : {users, meters, wallets}) {
    const absl::Status status = CheckFilter(alice_, filter, meters_);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_THAT(status, HasReason("FILTER_NOT_ALLOWED"));
  }
}

TEST_F(AuthorizerTest, ForeignAndUnknownMeterInAFilterLookTheSame) {
  domain::EventFilter foreign;
  foreign.meter_ids = {"meter-b"};
  domain::EventFilter unknown;
  unknown.meter_ids = {"meter-z"};
  EXPECT_EQ(CheckFilter(alice_, foreign, meters_), CheckFilter(alice_, unknown, meters_));
}

TEST_F(AuthorizerTest, ViewerMayNameNobodyNotEvenThemselves) {
  domain::EventFilter self;
  self.user_ids = {"guest"};
  domain::EventFilter meter;
  meter.meter_ids = {"meter-a"};
  domain::EventFilter wallet;
  wallet.wallet_addresses = {kAliceWallet};
  for (const domain::EventFilter& filter : {self, meter, wallet}) {
    EXPECT_THAT(CheckFilter(viewer_, filter, meters_), HasReason("FILTER_NOT_ALLOWED"));
  }
}

TEST_F(AuthorizerTest, WhoSeesEverythingMayNameEverything) {
  domain::EventFilter filter;
  filter.user_ids = {"bob", "nobody"};
  filter.meter_ids = {"meter-z"};
  filter.wallet_addresses = {kBobWallet};
  EXPECT_THAT(CheckFilter(admin_, filter, meters_), IsOk());
  EXPECT_THAT(CheckFilter(relay_, filter, meters_), IsOk());
}

TEST_F(AuthorizerTest, ActingOnBehalfNarrowsToTheUserAndKeepsTheCredential) {
  Principal admin = admin_;
  admin.credential = CredentialKind::kApiKey;
  admin.key_id = "abcdefgh";
  admin.expires_at = base::Time(std::chrono::seconds(1'800'000'000));
  admin.wallets = {kBobWallet};
  const Principal alice = OnBehalfOf(admin, "alice");
  EXPECT_EQ(alice.user_id, "alice");
  EXPECT_EQ(alice.roles, RoleSet{Role::kUser});
  EXPECT_TRUE(alice.wallets.empty());
  EXPECT_EQ(alice.key_id, "abcdefgh");
  EXPECT_EQ(alice.expires_at, admin.expires_at);
  EXPECT_THAT(CheckPermission(alice, Permission::kManageKeys), HasReason("PERMISSION_MISSING"));
}

}  // namespace
}  // namespace wattmint::access
