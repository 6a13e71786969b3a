// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/session_registry.h"
#include "core/base/thread_pool.h"
#include "core/client/core_api.h"
#include "core/client/credential.h"

#include <atomic>
#include <memory>

namespace wattmint::bridge {

// The core by gRPC: blocking calls on a few threads, answers on the sessions' thread.
//
// Threads: any. Lifetime: `post` must work until Stop() has returned.
class GrpcCoreLink final : public CoreLink {
 public:
  // `relay`: the bridge's own credential, of role relay. `post` runs work on the sessions' thread.
  GrpcCoreLink(std::shared_ptr<grpc::Channel> channel, client::Credential relay,
               SessionRegistry::Post post, int threads_count);

  void Authenticate(client::Credential credential, Done<access::Principal> done) override;
  void CreateTicket(client::Credential credential, Done<NewTicket> done) override;
  void ReadHistory(HistoryRequest request, Done<HistoryPage> done) override;

  // What has not been asked yet is dropped without an answer; waits for what is under way.
  void Stop();

 private:
  // Runs `call` on the pool and hands its result to `done` on the sessions' thread.
  template <typename T, typename Call>
  void Ask(Done<T> done, Call call);

  const client::Credential relay_;
  const SessionRegistry::Post post_;
  std::atomic<bool> is_stopping_ = false;
  client::CoreApi api_;
  base::ThreadPool pool_;
};

}  // namespace wattmint::bridge
