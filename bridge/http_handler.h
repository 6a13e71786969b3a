// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/assets.h"
#include "bridge/channel_counts.h"
#include "bridge/core_link.h"
#include "bridge/counters.h"
#include "bridge/server_messages.h"
#include "bridge/websocket_server.h"
#include "core/access/audit_log.h"
#include "core/base/clock.h"

#include <absl/status/status.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace wattmint::bridge {

// How a credential, or the core, was refused, as an answer of HTTP.
HttpResponse ToResponse(const absl::Status& status);

// Whether WebSockets are opened at this path.
bool IsUpgradePath(std::string_view path);

// Answers what is no upgrade: the dashboard, its files, health, statistics and tickets
// (bridge/README.md, "HTTP").
//
// Threads: the owner's. Lifetime: its sources must outlive it.
class HttpHandler {
 public:
  struct Sources {
    CoreLink& core;
    base::Clock& clock;
    const UpstreamState& upstream;
    const Counters& counters;
    const ChannelCounts& channels;
    access::AuditLog& audit;
    std::function<std::string()> metrics;  // the page
    std::string_view asyncapi;             // the document
  };
  explicit HttpHandler(Sources sources);
  HttpHandler(const HttpHandler&) = delete;
  HttpHandler& operator=(const HttpHandler&) = delete;

  void Handle(const HttpRequest& request, HttpReply reply);

 private:
  struct Page;
  // nullptr: there is none at this path.
  static const Page* FindPage(std::string_view path);

  HttpResponse Health() const;
  HttpResponse Readiness() const;
  HttpResponse Stats() const;
  HttpResponse Metrics() const;
  void MakeTicket(const HttpRequest& request, HttpReply reply);
  // Makes the page for admins, and tells everybody else that they are none.
  void ForAdmins(const HttpRequest& request, HttpReply reply, const Page& page);

  const Sources sources_;
  const std::string asyncapi_etag_;
  const Asset asyncapi_;
};

}  // namespace wattmint::bridge
