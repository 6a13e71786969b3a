// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/base/unique_fd.h"
#include "core/ledger/signer.h"
#include "core/ledger/signer_protocol.h"
#include "core/ledger/signer_stream.h"
#include "core/ledger/signing_policy.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace wattmint::cli {

// The signer's side of core/ledger/signer_protocol.h: answers cores at a Unix socket, with what
// `policy` admits, and logs what it refuses. At most 16 cores at a time; one that does not read its
// answers is not read from.
//
// Threads: one. Lifetime: what it is given must outlive it.
class SignerServer {
 public:
  struct Options {
    std::filesystem::path socket;
    uid_t client_uid = 0;  // whose processes may connect
  };

  // Listens, for that user alone. Errors: kFailedPrecondition if somebody listens there already;
  // those of base::ListenUnix().
  static absl::StatusOr<std::unique_ptr<SignerServer>> Open(Options options, ledger::Signer& signer,
                                                            ledger::SigningPolicy& policy,
                                                            base::Clock& clock);
  // Removes the socket.
  ~SignerServer();
  SignerServer(const SignerServer&) = delete;
  SignerServer& operator=(const SignerServer&) = delete;

  // Answers until `stop` can be read from. Errors: kUnavailable, the system's.
  absl::Status Run(const base::UniqueFd& stop);

 private:
  struct Client {
    explicit Client(base::UniqueFd fd) : stream(std::move(fd)) {}
    ledger::SignerStream stream;
    bool is_greeted = false;
    std::uint64_t requests = 0;
    std::optional<ledger::SignRequest> request;  // whose text is not there yet
  };

  SignerServer(Options options, ledger::Signer& signer, ledger::SigningPolicy& policy,
               base::Clock& clock, base::UniqueFd listener);
  void Accept();
  void Welcome(base::UniqueFd fd);
  // What came is answered. Errors: the connection is over.
  absl::Status Serve(Client& client);
  absl::Status Answer(Client& client);
  absl::Status TakeHead(Client& client, std::string_view line);
  ledger::SignAnswer Sign(std::uint64_t id, const std::string& text);

  const Options options_;
  ledger::Signer& signer_;
  ledger::SigningPolicy& policy_;
  base::Clock& clock_;
  const base::UniqueFd listener_;
  bool can_accept_ = true;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace wattmint::cli
