// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/entrance.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/tcp_socket.h"

#include <grpcpp/security/server_credentials.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sys/resource.h>
#include <utility>

namespace wattmint::rpc {
namespace {

constexpr rlim_t kDescriptorsPerConnection = 3;
constexpr base::Duration kLastBytesTimeout = std::chrono::seconds(1);

// Half of the descriptors stay for files, the bridge and our own clients.
std::size_t ConnectionsMax(std::size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>(wanted, limit.rlim_cur / 2 / kDescriptorsPerConnection);
}

door::FrontDoor::Options DoorOptions(const ServerOptions& options) {
  door::FrontDoor::Options door;
  door.address = options.address;
  door.connections_max = ConnectionsMax(options.connections_max);
  door.connections_per_address_max = options.connections_per_address_max;
  door.patience = options.handshake_timeout;
  door.police.streams_max = options.calls_per_connection_max;
  return door;
}

void LogRenewal(const absl::Status& renewed) {
  if (renewed.ok()) {
    spdlog::info("the certificate files were renewed; new connections get the new ones");
  } else {
    spdlog::error("renewed certificate files are not taken yet: {}", base::Message(renewed));
  }
}

absl::Status CheckFiles(const door::TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return base::InvalidArgument("TLS needs both a certificate file and a key file");
  }
  if (files.certificate.empty() && !files.client_ca.empty()) {
    return base::InvalidArgument("clients show certificates by TLS only, which needs one of ours");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Entrance>> Entrance::Prepare(const ServerOptions& options,
                                                            grpc::ServerBuilder& builder) {
  WATTMINT_RETURN_IF_ERROR(CheckFiles(options.tls));
  WATTMINT_ASSIGN_OR_RETURN(const auto addresses, base::Resolve(options.address));
  const bool is_loopback =
      std::all_of(addresses.begin(), addresses.end(),
                  [](const base::TcpAddress& address) { return address.IsLoopback(); });
  std::unique_ptr<Entrance> entrance(new Entrance(options));
  if (!options.tls.certificate.empty()) {
    WATTMINT_ASSIGN_OR_RETURN(
        entrance->tls_, door::TlsServer::Open({.files = options.tls, .on_renewed = LogRenewal}));
  } else if (is_loopback) {
    builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(),
                             &entrance->grpc_port_);
    return entrance;
  } else {
    spdlog::warn(
        "gRPC at {} is without TLS: whoever is on the way reads keys and readings; see "
        "--grpc-certificate",
        options.address);
  }
  entrance->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  return entrance;
}

absl::Status Entrance::Open() {
  if (acceptor_ == nullptr) return absl::OkStatus();
  door::FrontDoor::Wrap wrap = door::FrontDoor::WrapPlain;
  if (tls_ != nullptr) {
    wrap = [this](base::UniqueFd socket) { return tls_->Accept(std::move(socket)); };
  }
  WATTMINT_ASSIGN_OR_RETURN(
      door_, door::FrontDoor::Open(
                 DoorOptions(options_),
                 [this](base::UniqueFd socket) { HandOn(std::move(socket)); }, std::move(wrap)));
  return absl::OkStatus();
}

void Entrance::HandOn(base::UniqueFd socket) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = socket.Release();
  acceptor_->HandleNewConnection(&connection);
}

int Entrance::port() const { return door_ == nullptr ? grpc_port_ : door_->port(); }

void Entrance::StopAccepting() {
  if (door_ != nullptr) door_->StopAccepting();
}

void Entrance::Close() {
  if (door_ != nullptr) door_->WaitUntilEmpty(kLastBytesTimeout);
  door_.reset();
}

const door::DoorCounters* Entrance::counters() const {
  return door_ == nullptr ? nullptr : &door_->counters();
}

std::optional<base::Time> Entrance::certificate_expire_time() const {
  if (tls_ == nullptr) return std::nullopt;
  return tls_->expire_time();
}

}  // namespace wattmint::rpc
