// SPDX-License-Identifier: Apache-2.0
#pragma once

// Valid C++17: websocket_server.cc is compiled so.

#include <spdlog/spdlog.h>

#include <memory>

namespace wattmint::bridge {

// shared: as spdlog holds loggers. Threads: any.
using LoggerPtr = std::shared_ptr<spdlog::logger>;

// Who logs as that component: spdlog's default logger unless one of that name is registered.
inline LoggerPtr LoggerOf(const char* component) {
  LoggerPtr logger = spdlog::get(component);
  return logger != nullptr ? logger : spdlog::default_logger();
}

// About sessions, and the core as they see it.
inline LoggerPtr BridgeLog() { return LoggerOf("bridge"); }
// About connections, and the messages on them. Never what a message says: it may be a secret.
inline LoggerPtr WebsocketLog() { return LoggerOf("websocket"); }

}  // namespace wattmint::bridge
