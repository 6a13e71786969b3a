// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_handler.h"

#include "bridge/http_text.h"
#include "bridge/json_writer.h"
#include "bridge/request_credential.h"
#include "core/access/reason.h"
#include "core/base/hex.h"
#include "core/base/sha256.h"
#include "core/base/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
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
    response.lasting_body = asset.body;
  }
  return response;
}

std::string EtagOf(std::string_view body) {
  const base::Sha256Digest digest = base::Sha256(base::AsBytes(body));
  return fmt::format("\"{}\"", base::EncodeHex(digest).substr(0, 32));
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

bool IsUpgradePath(std::string_view path) {
  return path == "/ws" || path == "/ws/v3" || path == "/api/ws/tasks";
}

HttpHandler::HttpHandler(Sources sources)
    : sources_(std::move(sources)),
      asyncapi_etag_(EtagOf(sources_.asyncapi)),
      asyncapi_{"/asyncapi.json", "application/json", asyncapi_etag_, sources_.asyncapi} {}

struct HttpHandler::Page {
  std::string_view path;
  HttpResponse (HttpHandler::*make)() const;
  std::string_view method = "";  // in the audit log; "": it is for everybody
};

const HttpHandler::Page* HttpHandler::FindPage(std::string_view path) {
  static constexpr Page kPages[] = {
      {"/healthz", &HttpHandler::Health},
      {"/api/ws/health", &HttpHandler::Health},
      {"/readyz", &HttpHandler::Readiness},
      {"/api/ws/stats", &HttpHandler::Stats, "GET /api/ws/stats"},
      {"/metrics", &HttpHandler::Metrics, "GET /metrics"},
  };
  const auto* const page = std::ranges::find(kPages, path, &Page::path);
  return page == std::end(kPages) ? nullptr : page;
}

void HttpHandler::Handle(const HttpRequest& request, HttpReply reply) {
  const std::string_view path = PathOf(request.target);
  if (path == "/ws/ticket") {
    if (request.method != "POST") return reply(MethodNotAllowed("POST"));
    return MakeTicket(request, std::move(reply));
  }
  const bool is_upgrade_path = IsUpgradePath(path);
  const Asset* asset = FindAsset(path == "/" ? "/index.html" : path);
  if (path == asyncapi_.path) asset = &asyncapi_;
  const Page* const page = FindPage(path);
  if (asset == nullptr && page == nullptr && !is_upgrade_path) {
    return reply(ErrorResponse(404, "NOT_FOUND", "there is nothing at this path"));
  }
  if (request.method != "GET") return reply(MethodNotAllowed("GET"));
  if (is_upgrade_path) return reply(RefusalOf(426));
  if (asset != nullptr) return reply(ServeAsset(*asset, request));
  if (!page->method.empty()) return ForAdmins(request, std::move(reply), *page);
  reply((this->*page->make)());
}

HttpResponse HttpHandler::Health() const {
  JsonWriter json;
  json.String("status", "healthy");
  json.Number(
      "timestamp",
      std::chrono::floor<std::chrono::seconds>(sources_.clock.Now()).time_since_epoch().count());
  json.Begin("websocket");
  json.Number("active_connections", sources_.counters.sessions_open.load());
  json.Number("active_rooms", sources_.channels.total());
  json.End();
  return Json(200, std::move(json));
}

HttpResponse HttpHandler::Readiness() const {
  UpstreamState upstream = sources_.upstream;
  // Whoever is told so may come to another thread of sessions: all have heard of it by now.
  upstream.is_connected = upstream.is_connected && sources_.counters.is_upstream_connected;
  JsonWriter json;
  json.String("status", upstream.is_connected ? "ready" : "not_ready");
  json.String("upstream", upstream.Name());
  json.Number("head_sequence", upstream.head_sequence);
  json.Number("lag_ms",
              std::chrono::duration_cast<std::chrono::milliseconds>(upstream.lag).count());
  if (!upstream.is_connected) {
    json.String("reason", upstream.epoch.empty() ? "the core has not been reached yet"
                                                 : "the connection to the core is lost");
  }
  return Json(upstream.is_connected ? 200 : 503, std::move(json));
}

// Source: requirement S4-49, for the shape.
HttpResponse HttpHandler::Stats() const {
  JsonWriter json;
  json.String("status", "success");
  json.Begin("data");
  json.Number("total_clients", sources_.counters.sessions_open.load());
  const ChannelCounts::Counts rooms = sources_.channels.all();
  json.Number("total_rooms", std::ssize(rooms));
  json.Begin("rooms");
  for (const auto& [name, count] : rooms) json.Number(name, count);
  json.End();
  json.End();
  return Json(200, std::move(json));
}

HttpResponse HttpHandler::Metrics() const {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = sources_.metrics();
  return response;
}

void HttpHandler::ForAdmins(const HttpRequest& request, HttpReply reply, const Page& page) {
  client::Credential credential = HeaderCredential(request);
  if (credential.kind == client::Credential::Kind::kNone) {
    return reply(ToResponse(absl::UnauthenticatedError("no credential")));
  }
  sources_.core.Authenticate(
      std::move(credential),
      [this, reply, &page](const absl::StatusOr<access::Principal>& principal) {
        absl::Status refusal = principal.status();
        if (principal.ok() && !principal->roles.Has(access::Role::kAdmin)) {
          refusal = absl::PermissionDeniedError("no admin");
        }
        if (!refusal.ok()) {
          sources_.audit.Refused(page.method, principal.ok() ? &*principal : nullptr, refusal);
          return reply(ToResponse(refusal));
        }
        reply((this->*page.make)());
      });
}

void HttpHandler::MakeTicket(const HttpRequest& request, HttpReply reply) {
  client::Credential credential = HeaderCredential(request);
  if (credential.kind == client::Credential::Kind::kNone) {
    return reply(ToResponse(absl::UnauthenticatedError("no credential")));
  }
  sources_.core.CreateTicket(
      std::move(credential), [this, reply](const absl::StatusOr<NewTicket>& ticket) {
        if (!ticket.ok()) {
          sources_.audit.Refused("POST /ws/ticket", nullptr, ticket.status());
          return reply(ToResponse(ticket.status()));
        }
        JsonWriter json;
        json.String("ticket", ticket->text);
        json.String("expires_at", base::FormatRfc3339(ticket->expires_at));
        reply(Json(201, std::move(json)));
      });
}

}  // namespace wattmint::bridge
