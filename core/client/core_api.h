// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/client/channel.h"
#include "wattmint/v1/access.pb.h"
#include "wattmint/v1/event.pb.h"
#include "wattmint/v1/mint.pb.h"
#include "wattmint/v1/reading.pb.h"

#include <absl/status/statusor.h>

#include <chrono>
#include <memory>

namespace wattmint::client {

// The calls that a bridge makes, each with the credential of whoever it makes it for.
//
// Threads: any; every call blocks until its answer or the timeout, so call from a pool.
// Errors: the server's, with reason and time to retry after (core/access/reason.h); kUnavailable
// when there is no connection; kDeadlineExceeded.
class CoreApi {
 public:
  explicit CoreApi(std::shared_ptr<grpc::Channel> channel,
                   base::Duration timeout = std::chrono::seconds(5));
  ~CoreApi();

  absl::StatusOr<v1::WhoAmIResponse> WhoAmI(const Credential& credential);
  absl::StatusOr<v1::CreateTicketResponse> CreateTicket(const Credential& credential,
                                                        const v1::CreateTicketRequest& request);
  absl::StatusOr<v1::ReadEventsResponse> ReadEvents(const Credential& credential,
                                                    const v1::ReadEventsRequest& request);
  absl::StatusOr<v1::ReadBatchResponse> ReadBatch(const Credential& credential,
                                                  const v1::ReadBatchRequest& request);
  absl::StatusOr<v1::GetLogBoundsResponse> GetLogBounds(const Credential& credential);
  absl::StatusOr<v1::SubmitReadingResponse> SubmitReading(const Credential& credential,
                                                          const v1::SubmitReadingRequest& request);

 private:
  struct Stubs;
  const std::unique_ptr<Stubs> stubs_;
  const base::Duration timeout_;
};

}  // namespace wattmint::client
