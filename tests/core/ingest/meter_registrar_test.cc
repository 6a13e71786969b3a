// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/meter_registrar.h"

#include "core/base/ed25519.h"
#include "tests/support/engine.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <string>

namespace wattmint::ingest {
namespace {

using domain::Meter;
using test::Engine;
using test::IsOk;
using test::StatusIs;
using test::WalletOf;

std::string KeyOf(std::uint8_t number) {
  return base::EncodeBase58(base::Ed25519Key(base::Ed25519Seed{number}).public_key());
}

class MeterRegistrarTest : public testing::Test {
 protected:
  template <typename Call>
  absl::StatusOr<Meter> Await(Call call) {
    std::promise<absl::StatusOr<Meter>> promise;
    call([&](absl::StatusOr<Meter> meter) { promise.set_value(std::move(meter)); });
    return promise.get_future().get();
  }
  absl::StatusOr<Meter> Register(std::string meter, std::string user, std::string wallet,
                                 std::string key = "") {
    return Await([&](auto done) {
      engine_.registrar().Register({.meter_id = std::move(meter),
                                    .user_id = std::move(user),
                                    .wallet_address = std::move(wallet),
                                    .public_key = std::move(key)},
                                   done);
    });
  }
  absl::StatusOr<Meter> Transfer(std::string meter, std::string user, std::string wallet) {
    return Await([&](auto done) {
      engine_.registrar().Transfer(std::move(meter), std::move(user), std::move(wallet), done);
    });
  }
  absl::StatusOr<Meter> SetWallet(std::string meter, std::string wallet) {
    return Await([&](auto done) {
      engine_.registrar().SetWallet(std::move(meter), std::move(wallet), test::Anybody, done);
    });
  }
  absl::StatusOr<Meter> SetKey(std::string meter, std::string key) {
    return Await(
        [&](auto done) { engine_.registrar().SetKey(std::move(meter), std::move(key), done); });
  }

  Engine engine_;
};

TEST_F(MeterRegistrarTest, ARegisteredMeterIsThereAfterARestart) {
  const auto meter = Register("M1", "alice", WalletOf("alice"));
  ASSERT_THAT(meter, IsOk());
  EXPECT_EQ(meter->register_time, engine_.clock().Now());
  engine_.Close();
  engine_.Open();
  EXPECT_EQ(*engine_.registry().Find("M1"), *meter);
  EXPECT_EQ(engine_.registry().size(), 1U);
}

TEST_F(MeterRegistrarTest, TheSameAgainIsTheSameAndNoEvent) {
  const auto first = Register("M1", "alice", WalletOf("alice"));
  engine_.clock().Advance(std::chrono::seconds(9));
  EXPECT_EQ(*Register("M1", "alice", WalletOf("alice")), *first);
  EXPECT_EQ(engine_.Facts<domain::MeterChanged>().size(), 1U);
}

TEST_F(MeterRegistrarTest, AnotherOwnerOrWalletIsRefused) {
  ASSERT_THAT(Register("M1", "alice", ""), IsOk());
  EXPECT_THAT(Register("M1", "bob", ""), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Register("M1", "alice", WalletOf("x")), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(MeterRegistrarTest, IdsAndWalletsThatAreNoneAreRefused) {
  EXPECT_THAT(Register("", "alice", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Register("M1", "a b", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Register("M1", "alice", "0x52908400098527886E0F7030069857D2E4169EE7"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Transfer("M1", "", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(SetWallet("M1", "nope"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(engine_.Events().empty());
}

TEST_F(MeterRegistrarTest, TransferChangesOwnerAndWallet) {
  ASSERT_THAT(Register("M1", "alice", WalletOf("alice")), IsOk());
  const auto meter = Transfer("M1", "bob", "");
  ASSERT_THAT(meter, IsOk());
  EXPECT_EQ(meter->user_id, "bob");
  EXPECT_EQ(meter->wallet_address, "");
  EXPECT_EQ(engine_.Facts<domain::MeterChanged>().back().user_id, "bob");
  EXPECT_THAT(Transfer("M2", "bob", ""), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MeterRegistrarTest, TheWalletCanBeSetAndTakenAway) {
  ASSERT_THAT(Register("M1", "alice", ""), IsOk());
  EXPECT_EQ(SetWallet("M1", WalletOf("new"))->wallet_address, WalletOf("new"));
  EXPECT_EQ(engine_.registry().WalletsOf("alice"), std::vector{WalletOf("new")});
  EXPECT_EQ(SetWallet("M1", "")->wallet_address, "");
  EXPECT_TRUE(engine_.registry().WalletsOf("alice").empty());
  EXPECT_THAT(SetWallet("M2", ""), StatusIs(absl::StatusCode::kNotFound));
}

// Else an owner who sold a meter could turn the tokens of the next one to themselves.
TEST_F(MeterRegistrarTest, WhoMaySetTheWalletIsAskedOfTheMeterAsItIsThen) {
  ASSERT_THAT(Register("M1", "alice", WalletOf("alice")), IsOk());
  // The transfer waits before the wallet is set; the registry names alice still.
  std::promise<void> transferred;
  engine_.registrar().Transfer("M1", "bob", WalletOf("bob"),
                               [&](const auto&) { transferred.set_value(); });
  const auto set = Await([&](auto done) {
    engine_.registrar().SetWallet(
        "M1", WalletOf("alice"),
        [](const Meter& meter) {
          return meter.user_id == "alice" ? absl::OkStatus()
                                          : absl::PermissionDeniedError("none of yours");
        },
        done);
  });
  transferred.get_future().wait();
  EXPECT_THAT(set, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(engine_.registry().Find("M1")->wallet_address, WalletOf("bob"));
  EXPECT_EQ(engine_.Facts<domain::MeterChanged>().size(), 2U);
}

TEST_F(MeterRegistrarTest, AMeterKeepsItsKeyUntilItIsSetAnewOrTakenAway) {
  const std::string key = KeyOf(1);
  EXPECT_EQ(Register("M1", "alice", "", key)->public_key, key);
  EXPECT_THAT(Register("M1", "alice", "", key), IsOk()) << "the same again";
  EXPECT_THAT(Register("M1", "alice", "", KeyOf(2)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Register("M1", "alice", ""), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Transfer("M1", "bob", "")->public_key, key);
  EXPECT_EQ(SetWallet("M1", WalletOf("bob"))->public_key, key);
  engine_.Close();
  engine_.Open();
  EXPECT_EQ(engine_.registry().Find("M1")->public_key, key);
  EXPECT_EQ(SetKey("M1", KeyOf(2))->public_key, KeyOf(2));
  EXPECT_EQ(engine_.Facts<domain::MeterChanged>().back().public_key, KeyOf(2));
  EXPECT_EQ(SetKey("M1", "")->public_key, "");
  EXPECT_EQ(engine_.Facts<domain::MeterChanged>().back().public_key, "");
  EXPECT_THAT(SetKey("M2", key), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MeterRegistrarTest, KeysUnderWhichOthersCouldSignAreRefused) {
  ASSERT_THAT(Register("M1", "alice", ""), IsOk());
  std::array<std::uint8_t, 32> small_order{};
  small_order[0] = 1;
  for (const std::string& key :
       {base::EncodeBase58(small_order), std::string("nope"), KeyOf(1) + "1", KeyOf(1).substr(1)}) {
    EXPECT_THAT(SetKey("M1", key), StatusIs(absl::StatusCode::kInvalidArgument)) << key;
    EXPECT_THAT(Register("M2", "alice", "", key), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(engine_.registry().Find("M1")->public_key, "");
  EXPECT_EQ(engine_.registry().size(), 1U);
}

TEST_F(MeterRegistrarTest, TheRegistryListsByMeterPageByPage) {
  for (const char* id : {"M3", "M1", "M2"}) ASSERT_THAT(Register(id, "alice", ""), IsOk());
  ASSERT_THAT(Register("M0", "bob", ""), IsOk());
  const auto page = engine_.registry().List("alice", "M1", 1);
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0].meter_id, "M2");
  EXPECT_EQ(engine_.registry().List("", "", 10).size(), 4U);
}

}  // namespace
}  // namespace wattmint::ingest
