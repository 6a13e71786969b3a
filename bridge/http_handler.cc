// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_handler.h"

#include "bridge/assets.h"
#include "bridge/http_text.h"
#include "bridge/json_writer.h"
#include "bridge/request_credential.h"
#include "core/access/reason.h"
#include "core/base/time_format.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace wattmint::bridge {
namespace {

constexpr int kRetrySeconds = 1;
// For the dashboard's page and everything that it loads. 'self' covers WebSockets as well.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

HttpResponse Json(int status, JsonWriter json) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(json).Take();
  return response;
}

HttpResponse MethodNotAllowed(std::string_view allowed) {
  HttpResponse response =
      ErrorResponse(405, "METHOD_NOT_ALLOWED", "this path has another method, see Allow");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

const Asset* FindAsset(std::string_view path) {
  const auto assets = Assets();
  const auto asset = std::ranges::find_if(
      assets, [path](const Asset& candidate) { return candidate.path == path; });
  return asset == assets.end() ? nullptr : &*asset;
}

HttpResponse ServeAsset(const Asset& asset, const HttpRequest& request) {
  HttpResponse response;
  response.content_type = asset.content_type;
  response.headers = {{"Cache-Control", "no-cache"},  // ask each time whether the ETag still holds
                      {"ETag", std::string(asset.etag)},
                      {"Content-Security-Policy", kContentSecurityPolicy},
                      {"Referrer-Policy", "no-referrer"}};
  if (request.Header("If-None-Match") == asset.etag) {
    response.status = 304;
  } else {
    response.body = asset.body;
  }
  return response;
}

std::int64_t RetrySeconds(const absl::Status& status) {
  const auto retry_after = access::RetryAfterOf(status);
  if (!retry_after) return kRetrySeconds;
  return std::chrono::ceil<std::chrono::seconds>(*retry_after).count();
}

}  // namespace

HttpResponse ToResponse(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated: {
      const bool is_key = access::ReasonOf(status) == access::reason::kInvalidApiKey;
      HttpResponse response = ErrorResponse(
          401, is_key ? error_code::kInvalidApiKey : error_code::kAuthenticationFailed,
          "the credential is missing or was refused");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
    case absl::StatusCode::kPermissionDenied:
      return ErrorResponse(403, error_code::kAccessDenied, "the credential does not allow this");
    case absl::StatusCode::kResourceExhausted:
      return RetryResponse(429, error_code::kRateLimit, "too many requests",
                           static_cast<int>(RetrySeconds(status)));
    default:
      return RetryResponse(503, error_code::kUpstreamUnavailable, "the core cannot be asked now",
                           kRetrySeconds);
  }
}

HttpHandler::HttpHandler(CoreLink& core, const UpstreamState& upstream, base::Clock& clock,
                         std::function<std::size_t()> count_connections)
    : core_(core),
      upstream_(upstream),
      clock_(clock),
      count_connections_(std::move(count_connections)) {}

void HttpHandler::Handle(const HttpRequest& request, HttpReply reply) {
  const std::string_view path = PathOf(request.target);
  const bool is_get = request.method == "GET";
  if (path == "/ws/ticket") {
    if (request.method != "POST") return reply(MethodNotAllowed("POST"));
    return MakeTicket(request, std::move(reply));
  }
  const Asset* asset = FindAsset(path == "/" ? "/index.html" : path);
  if (asset == nullptr && path != "/healthz" && path != "/readyz" && path != "/ws") {
    return reply(ErrorResponse(404, "NOT_FOUND", "there is nothing at this path"));
  }
  if (!is_get) return reply(MethodNotAllowed("GET"));
  if (path == "/healthz") return reply(Health());
  if (path == "/readyz") return reply(Readiness());
  if (path == "/ws") {
    HttpResponse response = ErrorResponse(426, "UPGRADE_REQUIRED", "this path is for WebSockets");
    response.headers.emplace_back("Upgrade", "websocket");
    return reply(std::move(response));
  }
  reply(ServeAsset(*asset, request));
}

HttpResponse HttpHandler::Health() const {
  JsonWriter json;
  json.String("status", "healthy");
  json.Number("timestamp",
              std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count());
  json.Begin("websocket");
  json.Number("active_connections", static_cast<std::int64_t>(count_connections_()));
  json.End();
  return Json(200, std::move(json));
}

HttpResponse HttpHandler::Readiness() const {
  JsonWriter json;
  json.String("status", upstream_.is_connected ? "ready" : "not_ready");
  json.String("upstream", upstream_.Name());
  json.Number("head_sequence", upstream_.head_sequence);
  json.Number("lag_ms",
              std::chrono::duration_cast<std::chrono::milliseconds>(upstream_.lag).count());
  if (!upstream_.is_connected) {
    json.String("reason", upstream_.epoch.empty() ? "the core has not been reached yet"
                                                  : "the connection to the core is lost");
  }
  return Json(upstream_.is_connected ? 200 : 503, std::move(json));
}

void HttpHandler::MakeTicket(const HttpRequest& request, HttpReply reply) {
  client::Credential credential = HeaderCredential(request);
  if (credential.kind == client::Credential::Kind::kNone) {
    return reply(ToResponse(absl::UnauthenticatedError("no credential")));
  }
  core_.CreateTicket(std::move(credential), [reply](const absl::StatusOr<NewTicket>& ticket) {
    if (!ticket.ok()) return reply(ToResponse(ticket.status()));
    JsonWriter json;
    json.String("ticket", ticket->text);
    json.String("expires_at", base::FormatRfc3339(ticket->expires_at));
    reply(Json(201, std::move(json)));
  });
}

}  // namespace wattmint::bridge
