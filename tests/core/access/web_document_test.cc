// SPDX-License-Identifier: Apache-2.0
#include "core/access/web_document.h"

#include "tests/support/http_server.h"
#include "tests/support/status_matchers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace wattmint::access {
namespace {

using namespace std::chrono_literals;
using test::HttpServer;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::HasSubstr;

class WebDocumentTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Fetch() { return Fetch(server_.address() + "/a"); }
  absl::StatusOr<std::string> Fetch(const std::string& address) {
    return FetchDocument(address, options_, [this] { return is_cancelled_.load(); });
  }
  absl::StatusOr<std::string> FetchOf(const HttpServer::Answer& answer) {
    server_.Serve(answer);
    return Fetch();
  }

  HttpServer server_;
  FetchOptions options_{.timeout = 20s};
  std::atomic<bool> is_cancelled_ = false;
};

TEST_F(WebDocumentTest, AnAnswer200IsTheDocument) {
  EXPECT_THAT(FetchOf({.body = "text"}), IsOkAndHolds("text"));
  EXPECT_THAT(server_.requests().at(0), HasSubstr("Accept: application/json\r\n"));
}

TEST_F(WebDocumentTest, OtherAnswersAreNone) {
  for (const char* status : {"404 Not Found", "500 Oops", "204 No Content", "401 Unauthorized"}) {
    EXPECT_THAT(FetchOf({.status = status, .body = "text"}),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr(std::string(status, 3))));
  }
}

TEST_F(WebDocumentTest, ARedirectIsNotFollowed) {
  HttpServer elsewhere;
  elsewhere.Serve({.body = "text"});
  EXPECT_THAT(
      FetchOf({.status = "302 Found", .headers = "Location: " + elsewhere.address() + "/a\r\n"}),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("302")));
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(WebDocumentTest, SizeIsBounded) {
  options_.bytes_max = 1'000;
  EXPECT_THAT(FetchOf({.body = std::string(1'000, 'x')}), test::IsOk());
  EXPECT_THAT(FetchOf({.body = std::string(1'001, 'x')}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("larger than 1000 bytes")));
  EXPECT_THAT(FetchOf({.body = std::string(10'000'000, 'x')}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("larger than 1000 bytes")));
}

TEST_F(WebDocumentTest, TimeIsBounded) {
  options_.timeout = 50ms;
  EXPECT_THAT(FetchOf({.is_silent = true}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Timeout")));
}

TEST_F(WebDocumentTest, AFetchCanBeCancelled) {
  server_.Serve({.is_silent = true});
  std::thread canceller([this] {
    server_.WaitForRequests(1);
    is_cancelled_ = true;
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  canceller.join();
}

TEST_F(WebDocumentTest, PlainHttpIsForLoopbackAlone) {
  // An address of documentation (RFC 5737): refused before anything is sent.
  EXPECT_THAT(Fetch("http://192.0.2.1/a"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("use https://")));
}

TEST_F(WebDocumentTest, NobodyListensIsSaid) {
  std::string address;
  {
    const HttpServer gone;
    address = gone.address();
  }
  EXPECT_THAT(Fetch(address), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("connect")));
}

TEST_F(WebDocumentTest, ATextThatIsNoAddressIsRefusedWithoutRepeatingIt) {
  for (const char* text : {"", "secret", "ftp://host/secret", "file:///etc/secret", "https://",
                           "https://user:secret@host/", "https://secret@host/"}) {
    const absl::Status status = CheckWebAddress(text);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("secret")));
    EXPECT_EQ(Fetch(text).status(), status);
  }
  EXPECT_THAT(CheckWebAddress("https://issuer.example/.well-known/jwks.json"), test::IsOk());
}

TEST_F(WebDocumentTest, AnAddressIsToldFromAPath) {
  EXPECT_TRUE(IsWebAddress("https://host/keys"));
  EXPECT_TRUE(IsWebAddress("http://127.0.0.1/keys"));
  EXPECT_FALSE(IsWebAddress("/etc/keys.json"));
  EXPECT_FALSE(IsWebAddress("https.json"));
}

}  // namespace
}  // namespace wattmint::access
