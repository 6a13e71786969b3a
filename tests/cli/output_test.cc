// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "cli/event_text.h"
#include "cli/message_tables.h"
#include "tests/support/captured_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace wattmint::cli {
namespace {

using test::CapturedFile;
using ::testing::HasSubstr;

v1::Meter MakeMeter(const std::string& meter_id, const std::string& user_id) {
  v1::Meter meter;
  meter.set_meter_id(meter_id);
  meter.set_user_id(user_id);
  return meter;
}

TEST(OutputTest, AlignsTables) {
  CapturedFile file;
  Output output(OutputFormat::kTable, file.get());
  output.Table({"name", "count"}, {Align::kLeft, Align::kRight},
               {{"Zürich", "5"}, {"x", "12,345"}});
  EXPECT_EQ(file.Text(), "name     count\nZürich       5\nx       12,345\n");
}

TEST(OutputTest, SaysThatATableIsEmpty) {
  CapturedFile file;
  Output output(OutputFormat::kTable, file.get());
  output.PrintList(std::array<v1::Meter, 0>(), MeterColumns());
  EXPECT_EQ(file.Text(), "(none)\n");
}

TEST(OutputTest, PrintsOneObjectALineWithExactNumbers) {
  CapturedFile file;
  Output output(OutputFormat::kJson, file.get());
  v1::Balance balance;
  balance.set_wallet_address("w");
  balance.set_base_units(9'007'199'254'740'993);
  output.PrintList(std::array{balance, v1::Balance()}, BalanceColumns());
  output.Line("for people");
  output.Facts({{"a", "b"}});
  EXPECT_EQ(file.Text(),
            "{\"wallet_address\":\"w\",\"base_units\":\"9007199254740993\"}\n"
            "{\"wallet_address\":\"\",\"base_units\":\"0\"}\n");
}

TEST(OutputTest, PrintsMetersAsATable) {
  CapturedFile file;
  Output output(OutputFormat::kTable, file.get());
  output.PrintList(std::array{MakeMeter("M-1", "ann"), MakeMeter("M-22", "bob")}, MeterColumns());
  EXPECT_EQ(file.Text(),
            "meter  owner  wallet  registered  changed  key\n"
            "M-1    ann\n"
            "M-22   bob\n");
}

TEST(OutputTest, WritesNumbersForPeople) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1'000), "1,000");
  EXPECT_EQ(CountText(-148'920), "-148,920");
  EXPECT_EQ(CountText(1'234'567), "1,234,567");
  EXPECT_EQ(GrxText(103'425'401'753'681), "103425.401753681");
  EXPECT_EQ(GrxText(1), "0.000000001");
}

TEST(OutputTest, ShortensNames) {
  EXPECT_EQ(MintStateText(v1::MINT_STATE_CONFIRMED), "CONFIRMED");
  EXPECT_EQ(RolesText(std::vector<int>{v1::ROLE_ADMIN, v1::ROLE_USER}), "ADMIN, USER");
}

TEST(EventTextTest, TellsEachEventInALine) {
  v1::Event event;
  event.set_sequence(7);
  event.mutable_time()->set_seconds(1'767'225'600);
  auto& minted = *event.mutable_tokens_minted();
  minted.set_user_id("ann");
  minted.set_meter_id("M-1");
  minted.set_energy_nano_kwh(1'250'000'000);
  minted.set_base_units(1'250'000'000);
  minted.set_wallet_address("W");
  minted.set_task_id(3);
  EXPECT_EQ(EventText(event),
            "       7  2026-01-01T00:00:00Z  TokensMinted                  "
            "ann M-1  1.25 kWh = 1.25 GRX to W, task 3");
  for (int number = v1::Event::kMeterReadingReceived; number <= v1::Event::kReadingWithdrawn;
       ++number) {
    v1::Event other;
    const auto* field = v1::Event::descriptor()->FindFieldByNumber(number);
    other.GetReflection()->MutableMessage(&other, field);
    EXPECT_THAT(EventText(other), testing::Not(HasSubstr("unknown"))) << field->name();
  }
  EXPECT_THAT(EventText(v1::Event()), HasSubstr("(unknown)"));
}

}  // namespace
}  // namespace wattmint::cli
