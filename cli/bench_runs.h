// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/client/channel.h"

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>

namespace wattmint::cli {

// A server that is measured.
struct BenchServer {
  std::string name;  // "core", "bare"
  client::ChannelOptions address;
  client::Credential credential;
  std::optional<pid_t> process;  // if it is on this machine
  bool is_core = true;

  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const { return client::OpenChannel(address); }
};

struct BenchSizes {
  int messages = 10'000;
  int subscribers = 100;
  int connections = 100;
  int subscriptions = 10;  // on each connection
  int checks = 100;        // on each connection
};

// Source: S1, BenchmarkResults.
struct BenchResult {
  std::string test_name;
  double duration_seconds = 0;
  std::int64_t operations = 0;
  std::int64_t succeeded = 0;
  std::int64_t errors = 0;
  std::optional<double> memory_mebibytes;  // of the server at the end, if it is on this machine

  double OperationsPerSecond() const;
  double SuccessRate() const;
};

inline constexpr int kBenchBatch = 100;  // readings in one message of a run of broadcast

// Each makes its own traffic over real sockets and waits for every answer, for a minute at most.
// What fails is counted. Errors: what keeps a run from beginning.

// Every message reaches every subscriber. An operation is a delivery. For a core a message is a
// reading of a meter that this registers: of consumption, so that nothing is minted.
absl::StatusOr<BenchResult> BenchBroadcast(const BenchServer& server, const BenchSizes& sizes);
// Opens connections, each with a stream that has caught up, and closes them; both are operations.
absl::StatusOr<BenchResult> BenchConnections(const BenchServer& server, const BenchSizes& sizes);
// Adds and removes filters on one live stream of each connection; each change is an operation.
absl::StatusOr<BenchResult> BenchSubscriptions(const BenchServer& server, const BenchSizes& sizes);
// Asks for the health of the server over each connection, one check after the other.
absl::StatusOr<BenchResult> BenchHealth(const BenchServer& server, const BenchSizes& sizes);

}  // namespace wattmint::cli
