// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/core_link.h"
#include "bridge/session_registry.h"

namespace wattmint::bridge {

// A core link for one thread of sessions: asks another, which may answer on any thread and within
// the call, and takes its answers to the sessions' own.
//
// Threads: any. Lifetime: `core` must outlive it, and it all answers of `core`.
class PostingCoreLink final : public CoreLink {
 public:
  // `post` runs work on the sessions' thread.
  PostingCoreLink(CoreLink& core, SessionRegistry::Post post);

  void Authenticate(client::Credential credential, Done<access::Principal> done) override;
  void CreateTicket(client::Credential credential, Done<NewTicket> done) override;
  void ReadHistory(HistoryRequest request, Done<HistoryPage> done) override;
  void ReadBatch(BatchRequest request, Done<store::BatchState> done) override;
  void SubmitReading(client::Credential credential, domain::Reading reading,
                     Done<SubmitAnswer> done) override;

 private:
  template <typename T>
  Done<T> Posted(Done<T> done) const;

  CoreLink& core_;
  const SessionRegistry::Post post_;
};

}  // namespace wattmint::bridge
