// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <string>
#include <sys/socket.h>
#include <vector>

namespace wattmint::base {

// Listening TCP sockets. No descriptor blocks; all close on exec.

// An address of IPv4 or IPv6, with its port.
struct TcpAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  bool IsLoopback() const;
  int port() const;
  void set_port(int port);
};

// What HOST:PORT stands for, at least one; IPv6 addresses stand in brackets.
// Errors: kInvalidArgument for no HOST:PORT; kUnavailable if no such host is known.
absl::StatusOr<std::vector<TcpAddress>> Resolve(const std::string& address);

// Errors: kUnavailable with the system's reason alone.
absl::StatusOr<UniqueFd> ListenTcp(const TcpAddress& address);

// Where a socket is bound.
TcpAddress LocalAddress(const UniqueFd& socket);

}  // namespace wattmint::base
