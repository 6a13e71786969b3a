// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <string>

namespace wattmint::cli {

// The least that a gRPC server can do for the calls that benchmarks make to a core: what is left is
// the cost of the library, the sockets and the client. Nothing is checked, kept or parsed.
//
//   Subscribe         says CaughtUp, then writes all that was published since the start
//   SubscribeDynamic  answers each change that filters have changed
//   StreamReadings    publishes for each batch, and acknowledges it
//   SubmitReading     answers that it was accepted
//   Health.Check      answers that it serves
//
// What is published is ready made: shared slices that each stream hands to gRPC by raw methods, one
// write outstanding for each.
// Threads: any. The destructor ends all calls.
class BareServer {
 public:
  struct Options {
    std::string address = "127.0.0.1:0";
    std::size_t event_bytes = 230;  // measured: the mean of what a core tells of a reading
    int events_per_batch = 2'000;
    int events_per_message = 2'000;
  };
  // Errors: kUnavailable when nothing can listen at the address.
  static absl::StatusOr<std::unique_ptr<BareServer>> Start(const Options& options);
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  int port() const;

 private:
  struct Parts;
  explicit BareServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace wattmint::cli
