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
  Counters counters_;
  ChannelCounts channels_;
  std::vector<json> audit_lines_;
  access::AuditLog audit_{"bridge", {}, clock_, [this](std::string_view line) {
                            audit_lines_.push_back(json::parse(line));
                          }};
  HttpHandler handler_{{core_, clock_, upstream_, counters_, channels_, audit_,
                        [] { return std::string("metric 1\n"); }, R"({"asyncapi":"3.0.0"})"}};
};

TEST_F(HttpHandlerTest, TellsStatisticsToAdminsAlone) {
  core_.Know("admin-key", SessionBench::Principal("admin"));
  core_.Know("user-key", SessionBench::Principal("u"));
  counters_.sessions_open = 3;
  channels_.Change({}, {"system", "user:u"});
  channels_.Change({}, {"system"});
  for (const char* path : {"/api/ws/stats", "/metrics"}) {
    EXPECT_EQ(Ask("GET", path).status, 401) << path;
    EXPECT_EQ(Ask("GET", path, {{"X-Api-Key", "unknown"}}).status, 401) << path;
    EXPECT_EQ(Ask("GET", path, {{"X-Api-Key", "user-key"}}).status, 403) << path;
    EXPECT_EQ(Ask("POST", path, {{"X-Api-Key", "admin-key"}}).status, 405) << path;
  }
  ASSERT_EQ(audit_lines_.size(), 4u) << "who had a credential";
  EXPECT_EQ(audit_lines_[0]["method"], "GET /api/ws/stats");
  EXPECT_EQ(audit_lines_[1]["result"], "PERMISSION_DENIED");
  const HttpResponse stats = Ask("GET", "/api/ws/stats", {{"X-Api-Key", "admin-key"}});
  EXPECT_EQ(stats.status, 200);
  EXPECT_EQ(json::parse(stats.body), json::parse(R"({"status":"success","data":{"total_clients":3,
            "total_rooms":2,"rooms":{"system":2,"user:u":1}}})"));
  const HttpResponse metrics = Ask("GET", "/metrics", {{"X-Api-Key", "admin-key"}});
  EXPECT_EQ(metrics.body, "metric 1\n");
  EXPECT_THAT(metrics.content_type, HasSubstr("text/plain; version=0.0.4"));
}

TEST_F(HttpHandlerTest, TellsHealthToEverybody) {
  counters_.sessions_open = 3;
  channels_.Change({}, {"system", "user:u"});
  for (const char* path : {"/healthz", "/api/ws/health"}) {
    const json health = json::parse(Ask("GET", path).body);
    EXPECT_EQ(health["status"], "healthy");
    EXPECT_EQ(health["timestamp"], 1'780'315'200);
    EXPECT_EQ(health["websocket"], json::parse(R"({"active_connections":3,"active_rooms":2})"));
  }
}

TEST_F(HttpHandlerTest, ServesTheDashboardAndItsFiles) {
  const HttpResponse page = Ask("GET", "/?ticket=x");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.lasting_body, HasSubstr("dashboard.js"));
  EXPECT_THAT(Header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(Header(page, "Referrer-Policy"), "no-referrer");
  EXPECT_THAT(Ask("GET", "/client.js").lasting_body, HasSubstr("export class WattmintClient"));
  EXPECT_EQ(Ask("GET", "/client.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Ask("GET", "/base.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(Ask("GET", "/icon.svg").content_type, "image/svg+xml; charset=utf-8");
  EXPECT_GT(Ask("GET", "/dygraph.min.js").lasting_body.size(), 100'000u);
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
  EXPECT_EQ(again.lasting_body, "");
  EXPECT_EQ(Ask("GET", "/client.js", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(HttpHandlerTest, ServesTheAsyncApiDocumentAsAStaticFile) {
  const HttpResponse answer = Ask("GET", "/asyncapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.lasting_body, R"({"asyncapi":"3.0.0"})");
  EXPECT_EQ(Header(answer, "Cache-Control"), "no-cache");
  EXPECT_EQ(Header(answer, "Access-Control-Allow-Origin"), "");
  const std::string etag = Header(answer, "ETag");
  EXPECT_EQ(etag.size(), 34u);
  EXPECT_EQ(Ask("GET", "/asyncapi.json", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(Ask("POST", "/asyncapi.json").status, 405);
}

TEST_F(HttpHandlerTest, IsHonestAboutReadiness) {
  HttpResponse answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("not been reached"));
  upstream_ = {.is_connected = true, .epoch = "e", .head_sequence = 12, .lag = {}};
  EXPECT_EQ(Ask("GET", "/readyz").status, 503) << "other threads have not heard of it";
  counters_.is_upstream_connected = true;
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
