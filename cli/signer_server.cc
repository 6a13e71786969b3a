// SPDX-License-Identifier: Apache-2.0
#include "cli/signer_server.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/unix_socket.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <system_error>
#include <utility>

namespace wattmint::cli {
namespace {

using ledger::SignAnswer;
using ledger::SignRequest;

constexpr std::size_t kClientsMax = 16;
constexpr std::size_t kUnsentBytesMax = 64 * 1024;  // above it a client is not read from
constexpr int kRetryMs = 1'000;                     // after an accept that failed

}  // namespace

absl::StatusOr<std::unique_ptr<SignerServer>> SignerServer::Open(Options options,
                                                                 ledger::Signer& signer,
                                                                 ledger::SigningPolicy& policy,
                                                                 base::Clock& clock) {
  if (base::ConnectUnix(options.socket).ok()) {
    return base::FailedPrecondition("a process listens at {} already; stop it first",
                                    options.socket.native());
  }
  // Another user can't get past a mode of 0600; for one that is let in, Welcome() asks the kernel.
  const mode_t mode = options.client_uid == geteuid() ? 0600 : 0666;
  WATTMINT_ASSIGN_OR_RETURN(base::UniqueFd listener, base::ListenUnix(options.socket, mode));
  return std::unique_ptr<SignerServer>(
      new SignerServer(std::move(options), signer, policy, clock, std::move(listener)));
}

SignerServer::SignerServer(Options options, ledger::Signer& signer, ledger::SigningPolicy& policy,
                           base::Clock& clock, base::UniqueFd listener)
    : options_(std::move(options)),
      signer_(signer),
      policy_(policy),
      clock_(clock),
      listener_(std::move(listener)) {}

SignerServer::~SignerServer() {
  std::error_code ignored;
  std::filesystem::remove(options_.socket, ignored);
}

absl::Status SignerServer::Run(const base::UniqueFd& stop) {
  while (true) {
    const short accepting = can_accept_ ? POLLIN : 0;
    std::vector<pollfd> waiting = {{.fd = stop.get(), .events = POLLIN, .revents = 0},
                                   {.fd = listener_.get(), .events = accepting, .revents = 0}};
    for (const auto& client : clients_) {
      const bool is_full = client->stream.unsent() > kUnsentBytesMax;
      const short events = is_full ? short{POLLOUT} : client->stream.events();
      waiting.push_back({.fd = client->stream.fd().get(), .events = events, .revents = 0});
    }
    if (poll(waiting.data(), waiting.size(), can_accept_ ? -1 : kRetryMs) < 0 && errno != EINTR) {
      return base::Unavailable("poll: {}", std::strerror(errno));
    }
    if (waiting[0].revents != 0) return absl::OkStatus();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (waiting[i + 2].revents != 0 && !Serve(*clients_[i]).ok()) clients_[i].reset();
    }
    std::erase(clients_, nullptr);
    can_accept_ = true;
    if (waiting[1].revents != 0) Accept();
  }
}

void SignerServer::Accept() {
  auto accepted = base::AcceptUnix(listener_);
  if (!accepted.ok()) {
    spdlog::error("no connection could be taken: {}", base::Message(accepted.status()));
    can_accept_ = false;
    return;
  }
  if (accepted->has_value()) Welcome(**std::move(accepted));
}

void SignerServer::Welcome(base::UniqueFd fd) {
  const absl::StatusOr<uid_t> user = base::PeerUser(fd);
  auto client = std::make_unique<Client>(std::move(fd));
  std::string reason;
  if (!user.ok() || *user != options_.client_uid) {
    reason = fmt::format("user {} is not welcome", user.ok() ? std::to_string(*user) : "unknown");
  } else if (clients_.size() >= kClientsMax) {
    reason = fmt::format("there are {} connections already", kClientsMax);
  }
  if (reason.empty()) {
    clients_.push_back(std::move(client));
    return;
  }
  spdlog::warn("a connection was turned away: {}", reason);
  client->stream.Send(ledger::ErrorLine(reason));
  client->stream.Flush().IgnoreError();
}

absl::Status SignerServer::Serve(Client& client) {
  absl::Status status;
  if (client.stream.unsent() <= kUnsentBytesMax) {
    status = client.stream.Fill();
    if (const absl::Status answered = Answer(client); !answered.ok()) {
      spdlog::warn("a connection was ended: {}", base::Message(answered));
      client.stream.Send(ledger::ErrorLine(base::Message(answered)));
      status = answered;
    }
  }
  WATTMINT_RETURN_IF_ERROR(client.stream.Flush());
  return status;
}

absl::Status SignerServer::Answer(Client& client) {
  while (true) {
    if (!client.request) {
      WATTMINT_ASSIGN_OR_RETURN(const auto line, client.stream.TakeLine());
      if (!line) return absl::OkStatus();
      WATTMINT_RETURN_IF_ERROR(TakeHead(client, *line));
      continue;
    }
    const auto text = client.stream.TakeBytes(client.request->length);
    if (!text) return absl::OkStatus();
    client.stream.Send(ledger::AnswerLine(Sign(client.request->id, *text)));
    client.request.reset();
  }
}

absl::Status SignerServer::TakeHead(Client& client, std::string_view line) {
  if (!client.is_greeted) {
    if (line != ledger::kSignerHello) {
      return base::Unavailable("this signer begins with: {}", ledger::kSignerHello);
    }
    client.is_greeted = true;
    client.stream.Send(ledger::KeyLine(signer_.public_key()));
    return absl::OkStatus();
  }
  WATTMINT_ASSIGN_OR_RETURN(client.request, ledger::ParseSignLine(line));
  if (client.request->id == ++client.requests) return absl::OkStatus();
  return base::Unavailable("request {} came out of order", client.request->id);
}

SignAnswer SignerServer::Sign(std::uint64_t id, const std::string& text) {
  if (const absl::Status status = policy_.Admit(text, clock_.Now()); !status.ok()) {
    spdlog::log(absl::IsInvalidArgument(status) ? spdlog::level::warn : spdlog::level::debug,
                "not signed: {}", base::Message(status));
    return {id, status};
  }
  return {id, signer_.Sign(std::span(&text, 1)).front()};
}

}  // namespace wattmint::cli
