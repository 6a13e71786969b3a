// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/alert_service.h"

#include <utility>

namespace wattmint::rpc {
namespace {

// Nothing, which the announcer refuses, for a number that stands for none.
domain::Severity SeverityOf(v1::Severity severity) {
  return v1::Severity_IsValid(severity) ? static_cast<domain::Severity>(severity)
                                        : domain::Severity{};
}

template <typename Response>
ingest::Announcer::Callback SentAnswer(Answer<Response> answer) {
  return [answer = std::move(answer)](absl::StatusOr<ingest::Announcer::Sent> sent) {
    if (!sent.ok()) return answer(sent.status());
    Response given;
    given.set_sequence(sent->sequence);
    given.set_existed(sent->existed);
    answer(std::move(given));
  };
}

}  // namespace

grpc::ServerUnaryReactor* AlertService::SendAlert(grpc::CallbackServerContext* context,
                                                  const v1::SendAlertRequest* request,
                                                  v1::SendAlertResponse* response) {
  return calls_.ServeLater(context, "wattmint.v1.AlertService.SendAlert", request, response,
                           [this](const access::Principal&, const v1::SendAlertRequest& asked,
                                  Answer<v1::SendAlertResponse> answer) {
                             announcer_.Send(
                                 asked.request_id(),
                                 domain::SystemAlert{.kind = asked.kind(),
                                                     .severity = SeverityOf(asked.severity()),
                                                     .message = asked.message()},
                                 SentAnswer(std::move(answer)));
                           });
}

grpc::ServerUnaryReactor* AlertService::SendNotification(grpc::CallbackServerContext* context,
                                                         const v1::SendNotificationRequest* request,
                                                         v1::SendNotificationResponse* response) {
  return calls_.ServeLater(
      context, "wattmint.v1.AlertService.SendNotification", request, response,
      [this](const access::Principal&, const v1::SendNotificationRequest& asked,
             Answer<v1::SendNotificationResponse> answer) {
        announcer_.Send(asked.request_id(),
                        domain::Notification{.user_id = asked.user_id(),
                                             .level = SeverityOf(asked.level()),
                                             .message = asked.message()},
                        SentAnswer(std::move(answer)));
      });
}

}  // namespace wattmint::rpc
