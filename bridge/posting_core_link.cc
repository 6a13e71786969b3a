// SPDX-License-Identifier: Apache-2.0
#include "bridge/posting_core_link.h"

#include <utility>

namespace wattmint::bridge {

PostingCoreLink::PostingCoreLink(CoreLink& core, SessionRegistry::Post post)
    : core_(core), post_(std::move(post)) {}

template <typename T>
CoreLink::Done<T> PostingCoreLink::Posted(Done<T> done) const {
  return [this, done = std::move(done)](absl::StatusOr<T> answer) {
    post_([done, answer = std::move(answer)]() mutable { done(std::move(answer)); });
  };
}

void PostingCoreLink::Authenticate(client::Credential credential, Done<access::Principal> done) {
  core_.Authenticate(std::move(credential), Posted(std::move(done)));
}

void PostingCoreLink::CreateTicket(client::Credential credential, Done<NewTicket> done) {
  core_.CreateTicket(std::move(credential), Posted(std::move(done)));
}

void PostingCoreLink::ReadHistory(HistoryRequest request, Done<HistoryPage> done) {
  core_.ReadHistory(std::move(request), Posted(std::move(done)));
}

void PostingCoreLink::ReadBatch(BatchRequest request, Done<store::BatchState> done) {
  core_.ReadBatch(std::move(request), Posted(std::move(done)));
}

void PostingCoreLink::SubmitReading(client::Credential credential, domain::Reading reading,
                                    Done<SubmitAnswer> done) {
  core_.SubmitReading(std::move(credential), std::move(reading), Posted(std::move(done)));
}

}  // namespace wattmint::bridge
