// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/client/credential.h"

#include <absl/status/status.h>

#include <memory>
#include <string>

// Named only, so that who includes this header need not know gRPC.
namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace wattmint::client {

// Where the core is and how to reach it.
struct ChannelOptions {
  std::string target;  // "host:port", or whatever gRPC can resolve
  bool tls = false;
  std::string root_certificates;  // PEM; empty: the system's
  std::string tls_name;           // name that the certificate must have; empty: the target's host
};

// A channel with a connection and a back-off of its own: it connects when it is first used, again
// whenever it was lost, and pings every 30 s.
// shared: gRPC's stubs and calls hold it as well.
std::shared_ptr<grpc::Channel> OpenChannel(const ChannelOptions& options);

// Puts the credential into the metadata of a call that is about to start.
void Attach(const Credential& credential, grpc::ClientContext& context);

// Gives a call that is about to start so long.
void SetTimeout(base::Duration timeout, grpc::ClientContext& context);

// The status of a call, with the reason, the details and the time to retry after of the server
// (core/access/reason.h).
absl::Status FromGrpc(const grpc::Status& status);

// Whether the same call may go well later: the connection was lost, the server is busy, or stops.
bool IsTransient(const absl::Status& status);

// How long to wait before attempt number `attempt` + 1, counted from 1, after one that ended so:
// what the server asked for, and full jitter on top of it, so that those who were told the same do
// not return together, either.
base::Duration RetryDelay(const absl::Status& why, const base::BackoffOptions& backoff, int attempt,
                          base::RandomSource& random);

}  // namespace wattmint::client
