// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_handler.h"

#include "bridge/assets.h"
#include "core/access/reason.h"
#include "core/base/status.h"
#include "tests/bridge/session_bench.h"

#include <gmock/gmock.h>

#include <set>

namespace wattmint::bridge {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class HttpHandlerTest : public testing::Test {
 protected:
  HttpResponse Ask(std::string method, std::string target,
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
    std::optional<HttpResponse> answer;
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    handler_.Handle(request, [&](HttpResponse response) { answer = std::move(response); });
    while (core_.RunOne()) continue;
    if (!answer) ADD_FAILURE() << "no answer";
    return answer.value_or(HttpResponse{});
  }
  static std::string Header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  test::FakeClock clock_;
  test::MemoryLog log_;
  FakeCore core_{log_};
  UpstreamState upstream_;
  HttpHandler handler_{core_, upstream_, clock_, [] { return std::size_t{7}; }};
};

TEST_F(HttpHandlerTest, ServesTheDashboardAndItsFiles) {
  const HttpResponse page = Ask("GET", "/?ticket=x");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("dashboard.js"));
  EXPECT_THAT(Header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(Header(page, "Referrer-Policy"), "no-referrer");
  EXPECT_THAT(Ask("GET", "/client.js").body, HasSubstr("export class WattmintClient"));
  EXPECT_EQ(Ask("GET", "/client.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Ask("GET", "/dashboard.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(Ask("GET", "/icon.svg").content_type, "image/svg+xml; charset=utf-8");
  EXPECT_GT(Ask("GET", "/dygraph.min.js").body.size(), 100'000u);
}

TEST_F(HttpHandlerTest, HasEveryFileThatAPageOrModuleNames) {
  std::set<std::string> known;
  for (const Asset& asset : Assets()) known.insert(std::string(asset.path));
  for (const Asset& asset : Assets()) {
    if (asset.path.find("dygraph") != std::string_view::npos) continue;
    for (const std::string_view opening : {"from \"./", "src=\"", "href=\""}) {
      std::size_t at = 0;
      while ((at = asset.body.find(opening, at)) != std::string_view::npos) {
        at += opening.size();
        const std::string name(asset.body.substr(at, asset.body.find('"', at) - at));
        if (name.starts_with("#") || name.empty()) continue;
        EXPECT_TRUE(known.contains("/" + name)) << asset.path << " names " << name;
      }
    }
  }
}

TEST_F(HttpHandlerTest, SparesTheBodyThatTheBrowserHas) {
  const std::string etag = Header(Ask("GET", "/client.js"), "ETag");
  const HttpResponse again = Ask("GET", "/client.js", {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(Ask("GET", "/client.js", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(HttpHandlerTest, IsHonestAboutHealth) {
  json health = json::parse(Ask("GET", "/healthz").body);
  EXPECT_EQ(health["status"], "healthy");
  EXPECT_EQ(health["timestamp"], 1'780'315'200);
  EXPECT_EQ(health["websocket"]["active_connections"], 7);

  HttpResponse answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("not been reached"));
  upstream_ = {.is_connected = true, .epoch = "e", .head_sequence = 12, .lag = {}};
  answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      json::parse(answer.body),
      json::parse(R"({"status":"ready","upstream":"connected","head_sequence":12,"lag_ms":0})"));
  upstream_.is_connected = false;
  upstream_.lag = std::chrono::milliseconds(1'500);
  answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body)["lag_ms"], 1'500);
  EXPECT_EQ(json::parse(answer.body)["upstream"], "lost");
}

TEST_F(HttpHandlerTest, MakesTicketsForWhoHasACredential) {
  const HttpResponse answer = Ask("POST", "/ws/ticket", {{"X-Api-Key", "k"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(Header(answer, "Cache-Control"), "no-store");
  EXPECT_EQ(json::parse(answer.body)["ticket"], "ticket");
  EXPECT_EQ(Ask("POST", "/ws/ticket").status, 401);
  EXPECT_EQ(Ask("POST", "/ws/ticket?token=t").status, 401) << "never by the address";
  core_.Fail(base::PermissionDenied("no"));
  EXPECT_EQ(Ask("POST", "/ws/ticket", {{"X-Api-Key", "k"}}).status, 403);
}

TEST_F(HttpHandlerTest, RefusesOtherPathsAndMethods) {
  EXPECT_EQ(Ask("GET", "/nothing").status, 404);
  EXPECT_EQ(Ask("GET", "/../etc/passwd").status, 404);
  EXPECT_EQ(Ask("GET", "").status, 404);
  EXPECT_EQ(Ask("POST", "/nothing").status, 404);
  EXPECT_EQ(Ask("GET", "/ws").status, 426);
  HttpResponse answer = Ask("POST", "/healthz");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(Header(answer, "Allow"), "GET");
  answer = Ask("GET", "/ws/ticket");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(Header(answer, "Allow"), "POST");
}

TEST(ToResponseTest, MapsEachRefusal) {
  struct Row {
    absl::Status status;
    int http;
    std::string code;
  };
  for (const Row& row : std::vector<Row>{
           {base::Unauthenticated("x"), 401, "AUTHENTICATION_FAILED"},
           {access::WithReason(base::Unauthenticated("x"), access::reason::kInvalidApiKey), 401,
            "INVALID_API_KEY"},
           {base::PermissionDenied("x"), 403, "ACCESS_DENIED"},
           {access::WithRetryAfter(base::ResourceExhausted("x"), std::chrono::milliseconds(1'200)),
            429, "RATE_LIMIT_EXCEEDED"},
           {base::Unavailable("x"), 503, "UPSTREAM_UNAVAILABLE"},
           {base::Internal("x"), 503, "UPSTREAM_UNAVAILABLE"}}) {
    const HttpResponse response = ToResponse(row.status);
    EXPECT_EQ(response.status, row.http);
    EXPECT_EQ(json::parse(response.body)["code"], row.code);
    if (row.http == 429) {
      EXPECT_EQ(response.headers.back(), (std::pair<std::string, std::string>("Retry-After", "2")));
    }
  }
}

}  // namespace
}  // namespace wattmint::bridge
