// SPDX-License-Identifier: Apache-2.0
#include "bridge/bridge_tls.h"

#include "bridge/log.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/tcp_socket.h"

#include <algorithm>
#include <chrono>

namespace wattmint::bridge {
namespace {

void WarnBeyondLoopback(const std::string& address) {
  const auto resolved = base::Resolve(address);
  if (!resolved.ok()) return;  // listening says why
  if (std::ranges::all_of(*resolved, &base::TcpAddress::IsLoopback)) return;
  BridgeLog()->warn(
      "the bridge at {} is without TLS: whoever is on the way reads keys and events; see "
      "--bridge-certificate",
      address);
}

}  // namespace

absl::StatusOr<std::unique_ptr<BridgeTls>> BridgeTls::Open(const door::TlsFiles& files,
                                                           const std::string& address,
                                                           Counters& counters) {
  if (files.certificate.empty() != files.key.empty()) {
    return base::InvalidArgument(
        "TLS of the bridge needs both --bridge-certificate and --bridge-key");
  }
  if (files.certificate.empty()) {
    WarnBeyondLoopback(address);
    return nullptr;
  }
  std::unique_ptr<BridgeTls> tls(new BridgeTls(counters));
  WATTMINT_ASSIGN_OR_RETURN(
      tls->server_,
      door::TlsServer::Open({.files = files,
                             .protocol = "http/1.1",
                             .resumption = door::TlsServer::Resumption::kByTicket,
                             .on_renewed = [own = tls.get()](const absl::Status& status) {
                               own->OnRenewed(status);
                             }}));
  tls->CountEnd();
  return tls;
}

void BridgeTls::OnRenewed(const absl::Status& status) {
  if (status.ok()) {
    CountEnd();
    BridgeLog()->info(
        "the bridge's certificate files were renewed; new connections get the new ones");
  } else {
    BridgeLog()->error("renewed certificate files of the bridge are not taken yet: {}",
                       base::Message(status));
  }
}

void BridgeTls::CountEnd() {
  counters_.certificate_end_s =
      std::chrono::floor<std::chrono::seconds>(server_->expire_time().time_since_epoch()).count();
}

}  // namespace wattmint::bridge
