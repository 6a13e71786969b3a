// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/server_messages.h"
#include "bridge/websocket_server.h"
#include "core/base/clock.h"

#include <absl/status/status.h>

#include <cstddef>
#include <functional>

namespace wattmint::bridge {

// How a credential, or the core, was refused, as an answer of HTTP.
HttpResponse ToResponse(const absl::Status& status);

// Answers what is no upgrade: the dashboard, its files, health, and tickets (bridge/README.md,
// "HTTP").
//
// Threads: the owner's. Lifetime: everything passed to the constructor must outlive it.
class HttpHandler {
 public:
  HttpHandler(CoreLink& core, const UpstreamState& upstream, base::Clock& clock,
              std::function<std::size_t()> count_connections);

  void Handle(const HttpRequest& request, HttpReply reply);

 private:
  HttpResponse Health() const;
  HttpResponse Readiness() const;
  void MakeTicket(const HttpRequest& request, HttpReply reply);

  CoreLink& core_;
  const UpstreamState& upstream_;
  base::Clock& clock_;
  const std::function<std::size_t()> count_connections_;
};

}  // namespace wattmint::bridge
