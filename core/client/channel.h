// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/client/credential.h"

#include <absl/status/status.h>

#include <cstddef>
#include <memory>
#include <string>

// Named only, so that who includes this header need not know gRPC.
namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace wattmint::client {

// The files that a client's side of TLS is made of, all PEM. Renewed ones are taken for the next
// connection.
struct ChannelTls {
  std::string ca;           // that the core's certificate must be signed by; empty: no TLS
  std::string certificate;  // what the client shows, with its chain; empty: none
  std::string key;          // of it
};

// Where the core is and how to reach it.
struct ChannelOptions {
  std::string target;  // "host:port", or whatever gRPC can resolve; TLS asks for this host's name
  ChannelTls tls;
};

// Errors: kInvalidArgument for files that cannot be read, or of which one lacks another.
absl::Status CheckTls(const ChannelTls& tls);

// A channel with a connection and a back-off of its own: it connects when it is first used, again
// whenever it was lost, and pings every 30 s.
// shared: gRPC's stubs and calls hold it as well.
std::shared_ptr<grpc::Channel> OpenChannel(const ChannelOptions& options);

// Whether a call can carry the credential: printable ASCII of at most kCredentialBytesMax bytes,
// since gRPC ends the program for other bytes, and a connection for more of them than a server
// takes. kUnauthenticated with the reason of its kind: it is nobody's.
inline constexpr std::size_t kCredentialBytesMax = 8'192;
absl::Status CheckCredential(const Credential& credential);

// Puts the credential into the metadata of a call that is about to start; one that no call can
// carry is left out.
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
