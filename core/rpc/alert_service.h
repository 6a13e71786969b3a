// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ingest/announcer.h"
#include "core/rpc/calls.h"
#include "wattmint/v1/alert.grpc.pb.h"

namespace wattmint::rpc {

// Alerts and notifications: wattmint/v1/alert.proto.
// Lifetime: everything passed to the constructor must outlive it.
class AlertService final : public v1::AlertService::CallbackService {
 public:
  AlertService(Calls& calls, ingest::Announcer& announcer) : calls_(calls), announcer_(announcer) {}

  grpc::ServerUnaryReactor* SendAlert(grpc::CallbackServerContext* context,
                                      const v1::SendAlertRequest* request,
                                      v1::SendAlertResponse* response) override;
  grpc::ServerUnaryReactor* SendNotification(grpc::CallbackServerContext* context,
                                             const v1::SendNotificationRequest* request,
                                             v1::SendNotificationResponse* response) override;

 private:
  Calls& calls_;
  ingest::Announcer& announcer_;
};

}  // namespace wattmint::rpc
