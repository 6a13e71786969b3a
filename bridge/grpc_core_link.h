// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "core/base/thread_pool.h"
#include "core/client/core_api.h"
#include "core/client/credential.h"

#include <atomic>
#include <memory>

namespace wattmint::bridge {

// The core by gRPC: blocking calls on a few threads, for all sessions of a bridge together.
// Credentials, history and readings have threads of their own: who comes shall not wait for those
// who read the log from its beginning, nor anybody for the disk of the core.
//
// Answers arrive on these threads, or within the call: PostingCoreLink takes them to the sessions.
// Threads: any. Lifetime: who asks must live until Stop() has returned.
class GrpcCoreLink final : public CoreLink {
 public:
  // `relay`: the bridge's own credential, of role relay. `threads_count`: for credentials, and as
  // many for history.
  GrpcCoreLink(std::shared_ptr<grpc::Channel> channel, client::Credential relay, int threads_count);

  void Authenticate(client::Credential credential, Done<access::Principal> done) override;
  void CreateTicket(client::Credential credential, Done<NewTicket> done) override;
  void ReadHistory(HistoryRequest request, Done<HistoryPage> done) override;
  void ReadBatch(BatchRequest request, Done<store::BatchState> done) override;
  void SubmitReading(client::Credential credential, domain::Reading reading,
                     Done<SubmitAnswer> done) override;

  // What has not been asked yet is dropped without an answer; waits for what is under way.
  void Stop();

 private:
  // Runs `call` on the pool and hands its result to `done`.
  template <typename T, typename Call>
  void Ask(base::ThreadPool& pool, Done<T> done, Call call);
  // The same about credentials, unless too many wait, or it has waited too long.
  template <typename T, typename Call>
  void AskAccess(Done<T> done, Call call);

  const client::Credential relay_;
  std::atomic<bool> is_stopping_ = false;
  client::CoreApi api_;
  std::atomic<int> access_waiting_ = 0;
  std::atomic<int> readings_waiting_ = 0;
  base::ThreadPool access_pool_;
  base::ThreadPool history_pool_;
  base::ThreadPool readings_pool_;
};

}  // namespace wattmint::bridge
