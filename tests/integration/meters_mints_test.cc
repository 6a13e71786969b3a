// SPDX-License-Identifier: Apache-2.0
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wattmint::test {
namespace {

using v1::MeterService;
using v1::MintService;
using v1::ReadingService;

class MetersTest : public testing::Test {
 protected:
  absl::StatusOr<v1::RegisterMeterResponse> Register(const std::string& meter,
                                                     const std::string& user,
                                                     const std::string& wallet) {
    v1::RegisterMeterRequest request;
    request.set_meter_id(meter);
    request.set_user_id(user);
    request.set_wallet_address(wallet);
    return Call(core_.meters(), &MeterService::Stub::RegisterMeter, core_.admin(), request);
  }
  absl::StatusOr<v1::SetMeterWalletResponse> SetWallet(const client::Credential& credential,
                                                       const std::string& meter,
                                                       const std::string& wallet) {
    v1::SetMeterWalletRequest request;
    request.set_meter_id(meter);
    request.set_wallet_address(wallet);
    return Call(core_.meters(), &MeterService::Stub::SetMeterWallet, credential, request);
  }
  absl::StatusOr<v1::SetMeterKeyResponse> SetKey(const client::Credential& credential,
                                                 const std::string& meter, const std::string& key) {
    v1::SetMeterKeyRequest request;
    request.set_meter_id(meter);
    request.set_public_key(key);
    return Call(core_.meters(), &MeterService::Stub::SetMeterKey, credential, request);
  }

  TestCore core_;
};

TEST_F(MetersTest, OnlyAdminsSetTheKeyOfAMeter) {
  const std::string key = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9";
  ASSERT_THAT(Register("m-1", "ada", ""), IsOk());
  EXPECT_THAT(SetKey(core_.CreateKey("ada", {v1::ROLE_USER}).credential, "m-1", key),
              StatusIs(absl::StatusCode::kPermissionDenied));
  const auto set = SetKey(core_.admin(), "m-1", key);
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->meter().public_key(), key);
  EXPECT_THAT(SetKey(core_.admin(), "m-1", std::string(32, '1')),
              StatusIs(absl::StatusCode::kInvalidArgument))
      << "a point of small order";
  EXPECT_THAT(SetKey(core_.admin(), "m-2", key), StatusIs(absl::StatusCode::kNotFound));
  const auto taken = SetKey(core_.admin(), "m-1", "");
  ASSERT_THAT(taken, IsOk());
  EXPECT_EQ(taken->meter().public_key(), "");
}

TEST_F(MetersTest, RegisteringTwiceIsTheSameAndOtherContentIsRefused) {
  const auto first = Register("m-1", "ada", WalletAddress(1));
  const auto again = Register("m-1", "ada", WalletAddress(1));
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(first->meter().SerializeAsString(), again->meter().SerializeAsString());
  EXPECT_THAT(Register("m-1", "bob", WalletAddress(1)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(core_.app().head_sequence(), 1);
}

TEST_F(MetersTest, WhatIsNoMeterUserOrWalletIsRefused) {
  EXPECT_THAT(Register("m 1", "ada", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Register("m-1", "", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Register("m-1", "ada", "0x1234"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MetersTest, MetersAreListedPageByPage) {
  for (int i = 0; i < 7; ++i) core_.RegisterMeter("m-" + std::to_string(i), "ada");
  std::vector<std::string> all;
  v1::ListMetersRequest request;
  request.set_page_size(3);
  do {
    const auto page = Call(core_.meters(), &MeterService::Stub::ListMeters, core_.admin(), request);
    ASSERT_THAT(page, IsOk());
    for (const auto& meter : page->meters()) all.push_back(meter.meter_id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(all.size(), 7u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  request.set_page_token("rubbish");
  EXPECT_THAT(Call(core_.meters(), &MeterService::Stub::ListMeters, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MetersTest, AnOwnerSetsTheirWalletAndItIsToldThere) {
  core_.RegisterMeter("m-1", "ada");
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  const auto set = SetWallet(ada, "m-1", WalletAddress(3));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->meter().wallet_address(), WalletAddress(3));
  EXPECT_THAT(SetWallet(ada, "m-1", "rubbish"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(SetWallet(core_.admin(), "m-none", WalletAddress(3)),
              StatusIs(absl::StatusCode::kNotFound));
  v1::GetMeterRequest get;
  get.set_meter_id("m-1");
  const auto meter = Call(core_.meters(), &MeterService::Stub::GetMeter, ada, get);
  ASSERT_THAT(meter, IsOk());
  EXPECT_EQ(meter->meter().wallet_address(), WalletAddress(3));
}

TEST_F(MetersTest, ATransferOfNothingIsRefused) {
  v1::TransferMeterRequest request;
  request.set_meter_id("m-none");
  request.set_user_id("bob");
  EXPECT_THAT(Call(core_.meters(), &MeterService::Stub::TransferMeter, core_.admin(), request),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MetersTest, MetersSurviveARestart) {
  core_.RegisterMeter("m-1", "ada", WalletAddress(1));
  core_.Restart();
  EXPECT_EQ(core_.Submit(QuarterHour("m-1", 0, "1")).outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
}

TEST_F(MetersTest, ReadingsAreListedPageByPageAndByTime) {
  core_.RegisterMeter("m-1", "ada");
  std::vector<v1::ReadingInput> readings;
  for (int i = 0; i < 25; ++i) readings.push_back(QuarterHour("m-1", i, "1"));
  core_.SubmitAll(readings);
  v1::ListReadingsRequest request;
  request.set_page_size(10);
  std::set<std::string> all;
  do {
    const auto page =
        Call(core_.readings(), &ReadingService::Stub::ListReadings, core_.admin(), request);
    ASSERT_THAT(page, IsOk());
    for (const auto& reading : page->readings()) all.insert(reading.reading_id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(all.size(), 25u);
  *request.mutable_start_time() = readings[5].interval_start();
  *request.mutable_end_time() = readings[8].interval_start();
  const auto some =
      Call(core_.readings(), &ReadingService::Stub::ListReadings, core_.admin(), request);
  ASSERT_THAT(some, IsOk());
  EXPECT_EQ(some->readings_size(), 3);
  request.mutable_start_time()->set_nanos(1);
  EXPECT_THAT(Call(core_.readings(), &ReadingService::Stub::ListReadings, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

class MintsTest : public testing::Test {
 protected:
  static rpc::CoreOptions ByHand() {
    rpc::CoreOptions options = TestCore::Defaults();
    options.mints.automatic = false;
    return options;
  }
  void SetUp() override { core_.RegisterMeter("m-1", "ada", WalletAddress(1)); }

  absl::StatusOr<v1::MintReadingResponse> Mint(const std::string& reading_id) {
    v1::MintReadingRequest request;
    request.set_reading_id(reading_id);
    return Call(core_.mints(), &MintService::Stub::MintReading, core_.admin(), request);
  }
  absl::StatusOr<v1::GetMintResponse> Get(const std::string& reading_id) {
    v1::GetMintRequest request;
    request.set_reading_id(reading_id);
    return Call(core_.mints(), &MintService::Stub::GetMint, core_.admin(), request);
  }
  v1::GetSupplyResponse Supply() {
    return *Call(core_.mints(), &MintService::Stub::GetSupply, core_.admin(), {});
  }

  TestCore core_{ByHand()};
};

TEST_F(MintsTest, AReadingIsMintedByHandOnce) {
  const auto reading = core_.Submit(QuarterHour("m-1", 0, "1.5"));
  const auto other = core_.Submit(QuarterHour("m-1", 1, "2"));
  EXPECT_EQ(Supply().open_tasks(), 2);
  ASSERT_THAT(Mint(reading.reading_id()), IsOk());
  ASSERT_THAT(Mint(reading.reading_id()), IsOk());
  ASSERT_THAT(Mint(other.reading_id()), IsOk());
  core_.WaitUntilMinted();
  const auto task = Get(reading.reading_id());
  ASSERT_THAT(task, IsOk());
  EXPECT_EQ(task->task().state(), v1::MINT_STATE_CONFIRMED);
  EXPECT_EQ(task->task().base_units(), 1'500'000'000);
  EXPECT_EQ(task->task().wallet_address(), WalletAddress(1));
  EXPECT_FALSE(task->task().transaction_signature().empty());
  const auto supply = Supply();
  EXPECT_EQ(supply.supply_base_units(), 3'500'000'000);
  EXPECT_EQ(supply.ledger_mints(), 2);
  EXPECT_EQ(supply.confirmed_kwh(), "3.5");
  EXPECT_EQ(supply.ratio(), "1");
  EXPECT_TRUE(supply.balanced());
  EXPECT_EQ(supply.in_work_base_units(), 0);
  EXPECT_EQ(supply.ledger_name(), "embedded");
  EXPECT_FALSE(supply.automatic());
}

TEST_F(MintsTest, WhatCannotBeMintedIsRefused) {
  const auto zero = core_.Submit(QuarterHour("m-1", 0, "0"));
  EXPECT_THAT(Mint(zero.reading_id()), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Mint(domain::ReadingId(domain::Time(), 1, 99).ToString()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Mint("rubbish"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintsTest, RetryIsForParkedTasks) {
  const auto reading = core_.Submit(QuarterHour("m-1", 0, "1"));
  v1::RetryMintRequest request;
  request.set_task_id(Get(reading.reading_id())->task().task_id());
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::RetryMint, core_.admin(), request),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  request.set_task_id(999);
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::RetryMint, core_.admin(), request),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MintsTest, AReadingInQuarantineIsReleasedOrDiscarded) {
  const auto submitted =
      core_.SubmitAll({QuarterHour("m-1", 0, "65.535"), QuarterHour("m-1", 1, "99.99")});
  for (const v1::SubmitResult& result : submitted) {
    EXPECT_EQ(result.outcome(), v1::SUBMIT_OUTCOME_ACCEPTED);
    EXPECT_EQ(result.mint_state(), v1::MINT_STATE_PARKED);
    EXPECT_TRUE(result.message().starts_with("QUARANTINE_SENTINEL: ")) << result.message();
  }
  v1::ListMintsRequest list;
  list.set_state(v1::MINT_STATE_PARKED);
  const auto parked = Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), list);
  ASSERT_THAT(parked, IsOk());
  ASSERT_EQ(parked->tasks_size(), 2);
  EXPECT_EQ(parked->tasks(0).reason(), submitted[0].message());
  EXPECT_EQ(Supply().parked_tasks(), 2);

  v1::DiscardMintRequest discard;
  discard.set_task_id(parked->tasks(1).task_id());
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::DiscardMint, core_.admin(), discard),
              StatusIs(absl::StatusCode::kInvalidArgument))
      << "nobody may leave out why";
  discard.set_reason("a broken display");
  const auto ada = core_.CreateKey("ada", {v1::ROLE_USER}).credential;
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::DiscardMint, ada, discard),
              StatusIs(absl::StatusCode::kPermissionDenied));
  const auto discarded =
      Call(core_.mints(), &MintService::Stub::DiscardMint, core_.admin(), discard);
  ASSERT_THAT(discarded, IsOk());
  EXPECT_EQ(discarded->task().state(), v1::MINT_STATE_REJECTED);

  v1::RetryMintRequest release;
  release.set_task_id(parked->tasks(0).task_id());
  ASSERT_THAT(Call(core_.mints(), &MintService::Stub::RetryMint, core_.admin(), release), IsOk());
  core_.WaitUntilMinted();
  EXPECT_EQ(Get(submitted[0].reading_id())->task().state(), v1::MINT_STATE_CONFIRMED);
  EXPECT_EQ(Supply().supply_base_units(), 65'535'000'000);
  EXPECT_EQ(Supply().parked_tasks(), 0);
}

TEST_F(MintsTest, MintingPausesAndResumes) {
  v1::PauseMintingRequest request;
  request.set_reason("maintenance");
  ASSERT_THAT(Call(core_.mints(), &MintService::Stub::PauseMinting, core_.admin(), request),
              IsOk());
  EXPECT_TRUE(Supply().paused());
  const auto reading = core_.Submit(QuarterHour("m-1", 0, "1"));
  ASSERT_THAT(Mint(reading.reading_id()), IsOk());
  EXPECT_EQ(Get(reading.reading_id())->task().state(), v1::MINT_STATE_PENDING);
  core_.Restart();
  EXPECT_TRUE(Supply().paused());
  ASSERT_THAT(Call(core_.mints(), &MintService::Stub::ResumeMinting, core_.admin(), {}), IsOk());
  core_.WaitUntilMinted();
  EXPECT_EQ(Get(reading.reading_id())->task().state(), v1::MINT_STATE_CONFIRMED);
  request.set_reason(std::string(201, 'x'));
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::PauseMinting, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintsTest, AReconciliationTellsWhatItCompared) {
  const auto reading = core_.Submit(QuarterHour("m-1", 0, "1.5"));
  ASSERT_THAT(Mint(reading.reading_id()), IsOk());
  core_.WaitUntilMinted();
  const auto found = Call(core_.mints(), &MintService::Stub::Reconcile, core_.admin(), {});
  ASSERT_THAT(found, IsOk());
  EXPECT_TRUE(found->healthy());
  EXPECT_EQ(found->tasks_checked(), 1);
  EXPECT_EQ(found->mints_checked(), 1);
  EXPECT_EQ(found->ledger_base_units(), 1'500'000'000);
  EXPECT_GT(found->start_time().seconds(), 0);
  EXPECT_GE(found->end_time().seconds(), found->start_time().seconds());
  const auto user = core_.CreateKey("ann", {v1::ROLE_USER});
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::Reconcile, user.credential, {}),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(MintsTest, WhatSomebodyElseMintedIsUnexplained) {
  const auto book =
      storage::SqliteLedgerBook::Open({.path = (core_.path() / "ledger.db").string()});
  ASSERT_THAT(book, IsOk());
  base::SystemClock clock;
  ledger::KeySigner signer(ledger::Ed25519Seed{});
  ledger::EmbeddedLedger ledger(**book, clock, signer);
  const std::vector<ledger::MintOrder> orders = {
      {"whatever", WalletAddress(9), domain::TokenAmount::FromBaseUnits(7)}};
  const auto mint = ledger.Sign(orders).front();
  ASSERT_THAT(mint, IsOk());
  ASSERT_THAT(ledger.Submit(std::vector{*mint}).front(), IsOk());
  const auto supply = Supply();
  EXPECT_EQ(supply.unexplained_base_units(), 7);
  EXPECT_FALSE(supply.balanced());
  const auto found = Call(core_.mints(), &MintService::Stub::Reconcile, core_.admin(), {});
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->healthy());
  ASSERT_EQ(found->discrepancies_size(), 1);
  EXPECT_EQ(found->discrepancies(0).kind(), v1::DISCREPANCY_KIND_UNKNOWN_TO_LOG);
  EXPECT_EQ(found->discrepancies(0).idempotency_key(), "whatever");
  EXPECT_EQ(found->discrepancies(0).ledger_height(), 1);
  EXPECT_EQ(found->discrepancies(0).ledger_base_units(), 7);
}

TEST_F(MintsTest, MintsAreListedByStateAndPageByPage) {
  for (int i = 0; i < 5; ++i) core_.Submit(QuarterHour("m-1", i, "1"));
  v1::ListMintsRequest request;
  request.set_page_size(2);
  request.set_state(v1::MINT_STATE_PENDING);
  int tasks = 0;
  do {
    const auto page = Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), request);
    ASSERT_THAT(page, IsOk());
    tasks += page->tasks_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(tasks, 5);
  request.set_state(v1::MINT_STATE_PARKED);
  EXPECT_EQ(
      Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), request)->tasks_size(), 0);
  request.set_state(static_cast<v1::MintState>(77));
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::ListMints, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintsTest, ATaskIsNamedInOneWay) {
  v1::GetMintRequest request;
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetMint, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_task_id(1);
  request.set_reading_id("x");
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetMint, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MintsTest, BalancesOfRubbishAreRefused) {
  v1::GetBalancesRequest request;
  request.add_wallet_addresses("rubbish");
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetBalances, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.clear_wallet_addresses();
  for (int i = 0; i < 101; ++i) request.add_wallet_addresses(WalletAddress(i));
  EXPECT_THAT(Call(core_.mints(), &MintService::Stub::GetBalances, core_.admin(), request),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wattmint::test
