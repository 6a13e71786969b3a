// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/servers.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace wattmint::bench {

inline constexpr int kEventsPerReading = 2;  // MeterReadingReceived and TaskCreated

// The meters `prefix`-0, `prefix`-1, ... of one owner. Registers them; a bare server needs none.
void RegisterMeters(const Server& server, const std::string& prefix, int count);
// The name of one of them.
std::string MeterName(const std::string& prefix, int number);

// Sends readings over one stream, in batches, as fast as they are taken. Meters take turns, each
// minute after minute; nothing is sent twice. What goes wrong ends the program with a sentence.
class Feeder {
 public:
  struct Options {
    std::string prefix;  // of the meters
    int meters = 1;
    int batch = 1'000;       // readings
    std::int64_t first = 0;  // readings that were sent for these meters before
  };
  Feeder(const Server& server, const Options& options);
  // Finishes.
  ~Feeder();
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  void SendBatch();
  // Waits until every batch is acknowledged, all of it accepted.
  void Finish();

 private:
  const Options options_;
  const bool is_answered_;  // a bare server counts nothing
  std::int64_t next_;
  std::unique_ptr<v1::ReadingService::Stub> stub_;
  grpc::ClientContext context_;
  v1::StreamReadingsRequest request_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamReadingsRequest, v1::StreamReadingsResponse>>
      stream_;
  std::thread reader_;
  std::int64_t accepted_ = 0;  // the reader's
  std::int64_t batches_ = 0;   // the reader's
};

}  // namespace wattmint::bench
