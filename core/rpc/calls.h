// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/thread_pool.h"
#include "core/rpc/guard.h"
#include "core/rpc/live_streams.h"
#include "core/rpc/status_convert.h"

#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <string_view>
#include <utility>

namespace wattmint::rpc {

// How an answer that comes later is given: once, on any thread.
template <typename Response>
using Answer = std::function<void(absl::StatusOr<Response>)>;

// The one shape of every unary call: guard, worker pool, handler, finish. No handler runs on a
// thread of gRPC, of which there are only two.
//
// Threads: any. Lifetime: everything passed to the constructor must outlive every call.
class Calls {
 public:
  Calls(const Guard& guard, const LiveStreams& streams, base::ThreadPool& workers)
      : guard_(guard), streams_(streams), workers_(workers) {}

  // `handler(principal, request)` answers StatusOr<Response>.
  template <typename Request, typename Response, typename Handler>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, std::string_view method,
                                  const Request* request, Response* response, Handler handler) {
    return ServeLater(context, method, request, response,
                      [handler = std::move(handler)](
                          const access::Principal& principal, const Request& asked,
                          const Answer<Response>& answer) { answer(handler(principal, asked)); });
  }

  // `handler(principal, request, answer)` sees to it that `answer` is called once.
  template <typename Request, typename Response, typename Handler>
  grpc::ServerUnaryReactor* ServeLater(grpc::CallbackServerContext* context,
                                       std::string_view method, const Request* request,
                                       Response* response, Handler handler) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::StatusOr<access::Principal> principal = Admit(*context, method);
    if (!principal.ok()) {
      reactor->Finish(ToGrpc(principal.status()));
      return reactor;
    }
    Answer<Response> answer = [reactor, response](absl::StatusOr<Response> given) {
      if (given.ok()) *response = *std::move(given);
      reactor->Finish(ToGrpc(given.status()));
    };
    auto work = [handler = std::move(handler), principal = *std::move(principal), request,
                 answer]() mutable { handler(principal, *request, std::move(answer)); };
    if (absl::Status status = Post(std::move(work)); !status.ok()) answer(std::move(status));
    return reactor;
  }

  // Errors: of Guard::Admit(); DRAINING.
  absl::StatusOr<access::Principal> Admit(const grpc::CallbackServerContext& context,
                                          std::string_view method) const;

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
  static constexpr int kWaitingMax = 10'000;  // chosen: a second of work, some 10 MB

  const Guard& guard_;
  const LiveStreams& streams_;
  base::ThreadPool& workers_;
  std::atomic<int> waiting_{0};
};

}  // namespace wattmint::rpc
