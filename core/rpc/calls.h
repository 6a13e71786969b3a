// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/audit_log.h"
#include "core/base/thread_pool.h"
#include "core/rpc/guard.h"
#include "core/rpc/live_streams.h"
#include "core/rpc/status_convert.h"

#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace wattmint::rpc {

// How an answer that comes later is given: once, on any thread.
template <typename Response>
using Answer = std::function<void(absl::StatusOr<Response>)>;

// What an audited call is about, by the fields that the message has.
template <typename Message>
access::AuditTarget AuditTargetOf(const Message& message) {
  using Kind = access::AuditTarget::Kind;
  if constexpr (requires { message.api_key().key_id(); }) {
    return {Kind::kKey, message.api_key().key_id()};
  } else if constexpr (requires { message.key_id(); }) {
    return {Kind::kKey, message.key_id()};
  } else if constexpr (requires { message.task_id(); }) {
    return {Kind::kTask, std::to_string(message.task_id())};
  } else if constexpr (requires { message.reading_id(); }) {
    return {Kind::kReading, message.reading_id()};
  } else if constexpr (requires { message.meter_id(); }) {
    return {Kind::kMeter, message.meter_id()};
  } else if constexpr (requires { message.sequence(); }) {
    return {Kind::kEvent, std::to_string(message.sequence())};
  } else {
    return {};
  }
}

// Where a handler runs. Threads of gRPC are only two, so that nothing there may wait or take long;
// for what is done sooner than handed over, they save a change of threads.
enum class Place { kOnWorker, kOnThreadOfGrpc };

// The one shape of every unary call: guard, worker pool, handler, audit, finish.
//
// Threads: any. Lifetime: everything passed to the constructor must outlive every call.
class Calls {
 public:
  Calls(const Guard& guard, access::AuditLog& audit, const LiveStreams& streams,
        base::ThreadPool& workers)
      : guard_(guard), audit_(audit), streams_(streams), workers_(workers) {}

  // `handler(principal, request)` answers StatusOr<Response>.
  template <typename Request, typename Response, typename Handler>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, std::string_view method,
                                  const Request* request, Response* response, Handler handler) {
    return ServeLater(context, method, request, response,
                      [handler = std::move(handler)](
                          const access::Principal& principal, const Request& asked,
                          const Answer<Response>& answer) { answer(handler(principal, asked)); });
  }

  // `handler(principal, request, answer)` sees to it that `answer` is called once, and runs at
  // `place`.
  template <typename Request, typename Response, typename Handler>
  grpc::ServerUnaryReactor* ServeLater(grpc::CallbackServerContext* context,
                                       std::string_view method, const Request* request,
                                       Response* response, Handler handler,
                                       Place place = Place::kOnWorker) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const MethodRule& rule = guard_.RuleOf(method);
    absl::StatusOr<access::Principal> principal = Admit(*context, rule);
    if (!principal.ok()) {
      reactor->Finish(ToGrpc(principal.status()));
      return reactor;
    }
    Answer<Response> answer = [reactor, response](absl::StatusOr<Response> given) {
      if (given.ok()) *response = *std::move(given);
      reactor->Finish(ToGrpc(given.status()));
    };
    if (rule.audit == Audit::kYes) {
      answer = Audited(rule, *principal, AuditTargetOf(*request), std::move(answer));
    }
    if (place == Place::kOnThreadOfGrpc) {
      handler(*principal, *request, std::move(answer));
      return reactor;
    }
    auto work = [handler = std::move(handler), principal = *std::move(principal), request,
                 answer]() mutable { handler(principal, *request, std::move(answer)); };
    if (absl::Status status = Post(std::move(work)); !status.ok()) answer(std::move(status));
    return reactor;
  }

  // Errors: of Guard::Admit(); DRAINING.
  absl::StatusOr<access::Principal> Admit(const grpc::CallbackServerContext& context,
                                          std::string_view method) const {
    return Admit(context, guard_.RuleOf(method));
  }

  // Runs `work` on a worker. Errors: OVERLOADED, DRAINING.
  template <typename Work>
  absl::Status Post(Work work) {
    if (waiting_.fetch_add(1) >= kWaitingMax) {
      waiting_.fetch_sub(1);
      return Overloaded("too many calls are waiting");
    }
    const bool is_posted = workers_.Post([this, work = std::move(work)]() mutable {
      work();
      waiting_.fetch_sub(1);
    });
    return is_posted ? absl::OkStatus() : IsDraining();
  }

 private:
  absl::StatusOr<access::Principal> Admit(const grpc::CallbackServerContext& context,
                                          const MethodRule& rule) const;

  // The answer, but written to the audit log before anybody knows it. What a call has made is named
  // by its response alone.
  template <typename Response>
  Answer<Response> Audited(const MethodRule& rule, access::Principal who,
                           access::AuditTarget target, Answer<Response> answer) {
    return [this, method = rule.method, who = std::move(who), target = std::move(target),
            answer = std::move(answer)](absl::StatusOr<Response> given) {
      const bool is_made = given.ok() && target.kind == access::AuditTarget::Kind::kNone;
      audit_.Called(method, who, is_made ? AuditTargetOf(*given) : target, given.status());
      answer(std::move(given));
    };
  }

  static constexpr int kWaitingMax = 10'000;  // chosen: a second of work, some 10 MB

  const Guard& guard_;
  access::AuditLog& audit_;
  const LiveStreams& streams_;
  base::ThreadPool& workers_;
  std::atomic<int> waiting_{0};
};

}  // namespace wattmint::rpc
