// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/protocol.h"
#include "bridge/session_context.h"
#include "core/client/credential.h"

#include <functional>
#include <memory>
#include <string>

namespace wattmint::bridge {

// The readings that one session submits: the core takes them by the client's own credential, since
// the bridge may only read.
//
// Threads: the owner's. Lifetime: ends before the context; answers that come later are dropped.
class Submissions {
 public:
  // `send` and `refuse` tell the client.
  Submissions(const SessionContext& context, const ServerMessages& messages,
              std::function<void(const SharedFrame&)> send,
              std::function<void(ProtocolError)> refuse);
  Submissions(const Submissions&) = delete;
  Submissions& operator=(const Submissions&) = delete;

  // What the session was authenticated by last. A ticket was used up by that: it leaves the one
  // before.
  void Use(client::Credential credential);
  void Submit(const std::string& id, const domain::Reading& reading);

 private:
  void OnAnswer(const std::string& id, const absl::StatusOr<SubmitAnswer>& answer);

  const SessionContext& context_;
  const ServerMessages& messages_;
  const std::function<void(const SharedFrame&)> send_;
  const std::function<void(ProtocolError)> refuse_;
  client::Credential credential_;
  int in_flight_ = 0;
  // shared: answers of the core hold it weakly, to know whether this still lives.
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace wattmint::bridge
