// SPDX-License-Identifier: Apache-2.0
#include "core/access/ticket_table.h"

#include "core/access/reason.h"
#include "tests/core/access/status_reason.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HasReason;
using test::IsOk;
using test::StatusIs;

class TicketTableTest : public testing::Test {
 protected:
  static Principal User(std::string user_id) {
    Principal principal;
    principal.user_id = std::move(user_id);
    principal.roles = {Role::kUser};
    principal.credential = CredentialKind::kApiKey;
    principal.key_id = "abcdefgh";
    return principal;
  }

  std::string IssueTo(const std::string& user_id) {
    const auto ticket = table_.Issue(User(user_id));
    EXPECT_THAT(ticket, IsOk());
    return ticket.ok() ? ticket->text : "";
  }

  base::SystemRandom random_;
  test::FakeClock clock_;
  TicketTable table_{{.tickets_max = 8, .tickets_per_user_max = 3}, clock_, random_};
};

TEST_F(TicketTableTest, TicketStandsForItsPrincipalOnce) {
  const std::string ticket = IssueTo("alice");
  const absl::StatusOr<Principal> principal = table_.Redeem(ticket);
  ASSERT_THAT(principal, IsOk());
  EXPECT_EQ(*principal, User("alice"));
  const absl::StatusOr<Principal> again = table_.Redeem(ticket);
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(again, HasReason("INVALID_TICKET"));
}

TEST_F(TicketTableTest, TextIsSafeInAddressesAndNeverTheSame) {
  std::set<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    const std::string text = IssueTo("alice");
    EXPECT_EQ(text.size(), 43u);
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
              std::string::npos)
        << text;
    texts.insert(text);
    ASSERT_THAT(table_.Redeem(text), IsOk());
  }
  EXPECT_EQ(texts.size(), 100u);
}

TEST_F(TicketTableTest, UnknownTicketIsRefused) {
  IssueTo("alice");
  const std::string unknown[] = {"", "x", std::string(43, 'A'), std::string(1'048'576, 'A')};
  for (const std::string& text : unknown) {
    EXPECT_THAT(table_.Redeem(text), HasReason("INVALID_TICKET"));
  }
}

TEST_F(TicketTableTest, TicketLastsItsLifetimeAndNoLonger) {
  const std::string first = IssueTo("alice");
  const std::string second = IssueTo("alice");
  clock_.Advance(60s - 1us);
  EXPECT_THAT(table_.Redeem(first), IsOk());
  clock_.Advance(1us);
  EXPECT_THAT(table_.Redeem(second), HasReason("INVALID_TICKET"));
}

TEST_F(TicketTableTest, SettingTheWallClockBackDoesNotProlongATicket) {
  const std::string ticket = IssueTo("alice");
  clock_.Advance(60s);
  clock_.SetNow(clock_.Now() - 1h);
  EXPECT_THAT(table_.Redeem(ticket), HasReason("INVALID_TICKET"));
}

TEST_F(TicketTableTest, TicketSaysWhenItEnds) {
  EXPECT_EQ(table_.Issue(User("alice"))->expires_at, clock_.Now() + 60s);
  Principal principal = User("alice");
  principal.expires_at = clock_.Now() + 10s;
  EXPECT_EQ(table_.Issue(principal)->expires_at, principal.expires_at);
}

TEST_F(TicketTableTest, TicketDoesNotOutliveItsPrincipal) {
  Principal principal = User("alice");
  principal.expires_at = clock_.Now() + 10s;
  const auto ticket = table_.Issue(principal);
  ASSERT_THAT(ticket, IsOk());
  clock_.Advance(10s);
  EXPECT_THAT(table_.Redeem(ticket->text), HasReason("INVALID_TICKET"));
}

TEST_F(TicketTableTest, OneUserCannotTakeAllTickets) {
  for (int i = 0; i < 3; ++i) IssueTo("alice");
  clock_.Advance(20s);
  const absl::Status refused = table_.Issue(User("alice")).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(refused, HasReason("TOO_MANY_TICKETS"));
  EXPECT_EQ(RetryAfterOf(refused), base::Duration(40s));
  IssueTo("bob");
}

TEST_F(TicketTableTest, RedeemedTicketMakesRoomForAnother) {
  const std::string ticket = IssueTo("alice");
  IssueTo("alice");
  IssueTo("alice");
  ASSERT_THAT(table_.Redeem(ticket), IsOk());
  IssueTo("alice");
}

TEST_F(TicketTableTest, NumberOfTicketsIsBounded) {
  for (int i = 0; i < 8; ++i) IssueTo("user" + std::to_string(i));
  EXPECT_THAT(table_.Issue(User("alice")), HasReason("TOO_MANY_TICKETS"));
}

TEST_F(TicketTableTest, OldTicketsMakeRoom) {
  for (int i = 0; i < 8; ++i) IssueTo("user" + std::to_string(i % 3));
  clock_.Advance(60s);
  for (int i = 0; i < 3; ++i) IssueTo("user0");
}

TEST_F(TicketTableTest, RaceForOneTicketHasOneWinner) {
  for (int round = 0; round < 50; ++round) {
    const std::string ticket = IssueTo("alice");
    std::atomic<int> winners = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] { winners += table_.Redeem(ticket).ok() ? 1 : 0; });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(winners, 1);
  }
}

}  // namespace
}  // namespace wattmint::access
