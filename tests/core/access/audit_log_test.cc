// SPDX-License-Identifier: Apache-2.0
#include "core/access/audit_log.h"

#include "core/access/reason.h"
#include "core/base/mutex.h"
#include "core/base/status.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr AuditLog::Key kKey = {7};

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    who_.user_id = "ada@example.org";
    who_.credential = CredentialKind::kApiKey;
    who_.key_id = "1a2b3c4d";
  }

  std::vector<std::string> Lines() {
    base::MutexLock lock(mutex_);
    return lines_;
  }
  static absl::Status Refusal(std::string_view reason) {
    return WithReason(base::Unauthenticated("no"), reason);
  }

  test::FakeClock clock_;
  Principal who_;
  const std::string ada_ = AuditLog::HashOf(kKey, "ada@example.org");
  base::Mutex mutex_;  // guards the lines
  std::vector<std::string> lines_ WATTMINT_GUARDED_BY(mutex_);
  AuditLog log_{"core", kKey, clock_, [this](std::string_view line) {
                  base::MutexLock lock(mutex_);
                  lines_.emplace_back(line);
                }};
};

TEST_F(AuditLogTest, ACallSaysWhoDidWhatToWhatAndHowItEnded) {
  log_.Called("pkg.Mints.Retry", who_, {AuditTarget::Kind::kTask, "12"}, absl::OkStatus());
  log_.Called("pkg.Mints.Retry", who_, {}, base::NotFound("there is no task of ada"));
  log_.Called("pkg.Keys.Revoke", {}, {AuditTarget::Kind::kKey, "5e6f7g8h"},
              WithReason(base::FailedPrecondition("no"), "LOCAL_KEY"));
  const std::string who = R"("key":"1a2b3c4d","user":")" + ada_ + "\"";
  EXPECT_EQ(Lines()[0], R"({"time":"2026-06-01T12:00:00Z","program":"core","event":"call",)"
                        R"("method":"pkg.Mints.Retry",)" +
                            who + R"(,"target_kind":"task","target":"12","result":"OK"})");
  EXPECT_EQ(Lines()[1], R"({"time":"2026-06-01T12:00:00Z","program":"core","event":"call",)"
                        R"("method":"pkg.Mints.Retry",)" +
                            who + R"(,"result":"NOT_FOUND"})");
  EXPECT_THAT(Lines()[2], HasSubstr(R"("method":"pkg.Keys.Revoke","target_kind":"key")"));
  EXPECT_THAT(Lines()[2], HasSubstr(R"("target":"5e6f7g8h","result":"LOCAL_KEY"})"));
}

TEST_F(AuditLogTest, WhatIsNoIdIsNotWritten) {
  const std::string secret = "wm_3WwNxnYo_DpYgfKifjCWLqyVUmdmp9q1JhN8xmDT7H3qWXAMasnKE";
  for (const std::string& target : {secret, std::string("ada@example.org"), std::string(99, 'a')}) {
    log_.Called("pkg.Keys.Revoke", who_, {AuditTarget::Kind::kKey, target}, absl::OkStatus());
    EXPECT_THAT(Lines().back(), HasSubstr(R"("target":"malformed")"));
    EXPECT_THAT(Lines().back(), Not(HasSubstr(target)));
  }
}

TEST_F(AuditLogTest, MetersAreNamedByTheirHash) {
  log_.Called("pkg.Meters.Transfer", who_, {AuditTarget::Kind::kMeter, "roof-1"}, absl::OkStatus());
  EXPECT_THAT(Lines()[0], Not(HasSubstr("roof-1")));
  EXPECT_THAT(Lines()[0], HasSubstr(R"("target":")" + AuditLog::HashOf(kKey, "roof-1")));
}

TEST_F(AuditLogTest, AStreamHasANumberFromItsBeginningToItsEnd) {
  log_.StreamOpened(2, "pkg.Events.Subscribe", who_);
  domain::EventFilter filter;
  filter.meter_ids = {"roof-1", "roof-2"};
  filter.user_ids = {"ada@example.org"};
  filter.energy_min = domain::Energy();
  log_.Subscribed(2, std::vector{filter, domain::EventFilter()});
  log_.Subscribed(2, {});
  Principal renewed = who_;
  renewed.key_id = "renewed1";
  log_.Renewed(2, renewed);
  log_.StreamEnded(2, 61s + 7us, Refusal(reason::kExpiredApiKey));
  const auto lines = Lines();
  EXPECT_THAT(lines[0],
              HasSubstr(R"("stream":2,"method":"pkg.Events.Subscribe","key":"1a2b3c4d")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("event":"subscribed","stream":2,)"
                                  R"("filters":[{"meters":2,"users":1,"energy":true},{}]})"));
  EXPECT_THAT(lines[2], HasSubstr(R"("stream":2,"filters":[]})"));
  EXPECT_THAT(lines[3], HasSubstr(R"("event":"credential_renewed","stream":2,"key":"renewed1")"));
  EXPECT_THAT(lines[4], HasSubstr(R"("event":"stream_ended","stream":2,"milliseconds":61000,)"
                                  R"("result":"EXPIRED_API_KEY"})"));
  for (const std::string& line : lines) {
    EXPECT_THAT(line, Not(HasSubstr("ada"))) << "no name of a person";
    EXPECT_THAT(line, Not(HasSubstr("roof")));
  }
}

TEST_F(AuditLogTest, OfChannelsTheKindsAreWritten) {
  log_.SubscribedTo(3,
                    std::vector<std::string>{"system", "user:ada@example.org", "meter:roof-1:x"});
  EXPECT_THAT(Lines()[0], HasSubstr(R"("stream":3,"channels":["system","user","meter"]})"));
}

TEST_F(AuditLogTest, RefusalsAreCountedByReason) {
  const auto count = [this](std::string_view name) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < AuditLog::Reasons().size(); ++i) {
      if (AuditLog::Reasons()[i] == name) sum += log_.refused(i);
    }
    return sum;
  };
  for (const std::string_view name : AuditLog::Reasons()) {
    EXPECT_EQ(count(name), 0);
    log_.Refused("pkg.Some.Method", &who_, Refusal(name));
    EXPECT_EQ(count(name), 1) << name;
  }
  log_.Refused("pkg.Some.Method", nullptr, base::Unavailable("no reason"));
  EXPECT_EQ(count("OTHER"), 2);
  EXPECT_THAT(Lines().front(), HasSubstr("1a2b3c4d"));
  EXPECT_THAT(Lines().back(), HasSubstr(R"("event":"refused","method":"pkg.Some.Method",)"
                                        R"("result":"UNAVAILABLE"})"));
}

TEST_F(AuditLogTest, AFloodOfRefusalsIsWrittenInPartAndCountedWhole) {
  for (int i = 0; i < 5'000; ++i) {
    log_.Refused("pkg.Some.Method", nullptr, Refusal(reason::kInvalidToken));
  }
  EXPECT_EQ(Lines().size(), 1'000u);
  EXPECT_EQ(log_.refused(1), 5'000);
  log_.Called("pkg.Mints.Retry", who_, {}, absl::OkStatus());
  EXPECT_EQ(Lines().size(), 1'001u) << "calls are always written";
  clock_.Advance(100ms);
  log_.Refused("pkg.Some.Method", nullptr, Refusal(reason::kInvalidToken));
  EXPECT_THAT(Lines().back(), HasSubstr(R"("unwritten_before":4000})"));
  clock_.Advance(100ms);
  log_.Refused("pkg.Some.Method", nullptr, Refusal(reason::kInvalidToken));
  EXPECT_THAT(Lines().back(), Not(HasSubstr("unwritten_before")));
}

TEST_F(AuditLogTest, HashesDependOnTheKeyAndStayTheSame) {
  EXPECT_EQ(ada_.size(), 16u);
  EXPECT_EQ(AuditLog::HashOf(kKey, "ada@example.org"), ada_);
  EXPECT_NE(AuditLog::HashOf(kKey, "bob@example.org"), ada_);
  EXPECT_NE(AuditLog::HashOf({8}, "ada@example.org"), ada_);
  EXPECT_NE(AuditLog::KeyOf({1}), AuditLog::KeyOf({2}));
  EXPECT_EQ(AuditLog::KeyOf({1}), AuditLog::KeyOf({1}));
  // A change would cut every log in two.
  EXPECT_EQ(AuditLog::HashOf(AuditLog::KeyOf({1}), "ada"), "f80d68bbcc125967");
}

TEST_F(AuditLogTest, EveryLineIsJsonWhateverComesIn) {
  who_.key_id = "\"\n\xff";
  log_.Called("pkg.Mints.Retry", who_, {AuditTarget::Kind::kReading, "\"},\n{\x80"},
              WithReason(base::NotFound("no"), "\"\n"));
  EXPECT_THAT(Lines()[0], Not(HasSubstr("\n")));
  EXPECT_TRUE(nlohmann::json::accept(Lines()[0]));
}

TEST_F(AuditLogTest, ManyThreadsMayWrite) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this] {
      for (int line = 0; line < 100; ++line) {
        log_.StreamOpened(line, "pkg.Events.Subscribe", who_);
        log_.Refused("pkg.Some.Method", &who_, Refusal(reason::kRateLimited));
        log_.StreamEnded(line, 1s, absl::OkStatus());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Lines().size(), 1'200u);
}

}  // namespace
}  // namespace wattmint::access
