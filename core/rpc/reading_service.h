// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ingest/pipeline.h"
#include "core/ingest/reading_editor.h"
#include "core/rpc/calls.h"
#include "core/rpc/reading_stream.h"
#include "core/store/queries.h"
#include "wattmint/v1/reading.grpc.pb.h"

namespace wattmint::rpc {

// Takes readings in and tells what became of them: wattmint/v1/reading.proto.
// Lifetime: everything passed to the constructor must outlive it.
class ReadingService final : public v1::ReadingService::CallbackService {
 public:
  ReadingService(Calls& calls, store::Queries& queries, ingest::ReadingEditor& editor,
                 const ReadingStreamPlace& place)
      : calls_(calls), queries_(queries), editor_(editor), place_(place) {}

  grpc::ServerUnaryReactor* SubmitReading(grpc::CallbackServerContext* context,
                                          const v1::SubmitReadingRequest* request,
                                          v1::SubmitReadingResponse* response) override;
  grpc::ServerUnaryReactor* SubmitReadings(grpc::CallbackServerContext* context,
                                           const v1::SubmitReadingsRequest* request,
                                           v1::SubmitReadingsResponse* response) override;
  ReadingReactor* StreamReadings(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetReading(grpc::CallbackServerContext* context,
                                       const v1::GetReadingRequest* request,
                                       v1::GetReadingResponse* response) override;
  grpc::ServerUnaryReactor* ListReadings(grpc::CallbackServerContext* context,
                                         const v1::ListReadingsRequest* request,
                                         v1::ListReadingsResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawReading(grpc::CallbackServerContext* context,
                                            const v1::WithdrawReadingRequest* request,
                                            v1::WithdrawReadingResponse* response) override;
  grpc::ServerUnaryReactor* CorrectReading(grpc::CallbackServerContext* context,
                                           const v1::CorrectReadingRequest* request,
                                           v1::CorrectReadingResponse* response) override;
  grpc::ServerUnaryReactor* GetReadingStats(grpc::CallbackServerContext* context,
                                            const v1::GetReadingStatsRequest* request,
                                            v1::GetReadingStatsResponse* response) override;

 private:
  absl::StatusOr<v1::GetReadingResponse> Get(const access::Principal& principal,
                                             const v1::GetReadingRequest& asked);

  Calls& calls_;
  store::Queries& queries_;
  ingest::ReadingEditor& editor_;
  const ReadingStreamPlace& place_;
};

}  // namespace wattmint::rpc
