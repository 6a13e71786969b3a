// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/servers.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <memory>
#include <string>

namespace wattmint::bench {

// Events of one size, one for each reading: readings of a meter that a core refuses. As JSON they
// have some 250 bytes. What goes wrong ends the program with a sentence.
class Refusals {
 public:
  static constexpr int kBatchMax = 1'000;

  // Registers the meter.
  explicit Refusals(const Server& core);

  // `data` of a Subscribe to them alone.
  static std::string Subscription(int number);

  // Commits so many events at once, and waits for that. REQUIRES: 0 < count <= kBatchMax.
  void Commit(int count);

 private:
  const client::Credential credential_;
  std::unique_ptr<v1::ReadingService::Stub> stub_;
  v1::SubmitReadingsRequest request_;
};

}  // namespace wattmint::bench
