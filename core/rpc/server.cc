// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/server.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/rpc/entrance.h"

#include "grpc/health/v1/health.pb.h"
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace wattmint::rpc {
namespace {

// A token of the largest size that is accepted, and what else comes with a call.
constexpr int kMetadataBytesMax = 12 << 10;
constexpr base::Duration kShutdownTimeout = std::chrono::seconds(2);

int Milliseconds(base::Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("wattmint");
  quota.Resize(options.memory_bytes_max);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(options.request_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.calls_per_connection_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(options.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             Milliseconds(options.idle_connection_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.ping_every));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.pong_within));
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 1);
  // However long a stream is quiet.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(options.ping_interval_min));
  // Else a second server would share the port without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

// gRPC's own log is for whoever debugs gRPC; what matters of it comes back as a status.
void LogLikeTheRest(gpr_log_func_args* line) {
  const auto logger = spdlog::get("grpc");
  (logger ? logger : spdlog::default_logger())
      ->debug("{} ({}:{})", line->message, line->file, line->line);
}

// Reflection describes only what is in the pool of descriptors; naming the message links it.
void DescribeHealth() { grpc::health::v1::HealthCheckRequest::descriptor(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      std::vector<grpc::Service*> services,
                                                      LiveStreams& streams,
                                                      base::RandomSource& random) {
  gpr_set_log_function(LogLikeTheRest);
  DescribeHealth();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<Server> server(new Server(options, streams, random));
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  WATTMINT_ASSIGN_OR_RETURN(server->entrance_, Entrance::Prepare(options, builder));
  for (grpc::Service* service : services) builder.RegisterService(service);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return base::Unavailable(
        "cannot listen for gRPC at {}: the address is not ours, or another server has it",
        options.address);
  }
  WATTMINT_RETURN_IF_ERROR(server->entrance_->Open());
  return server;
}

Server::Server(const ServerOptions& options, LiveStreams& streams, base::RandomSource& random)
    : options_(options), streams_(streams), random_(random) {}

Server::~Server() { Drain(); }

int Server::port() const { return entrance_->port(); }

void Server::Drain() {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->SetServingStatus(false);
  const auto spread = static_cast<std::uint64_t>(options_.reconnect_after.count()) + 1;
  streams_.Drain([this, spread] {
    return options_.reconnect_after +
           base::Duration(static_cast<std::int64_t>(random_.NextBelow(spread)));
  });
  if (!streams_.WaitUntilEmpty(options_.drain_timeout)) streams_.CancelAll();
  entrance_->StopAccepting();
  // Calls that are at work still finish; what does not is cancelled at the deadline.
  server_->Shutdown(std::chrono::system_clock::now() + kShutdownTimeout);
  server_->Wait();
  streams_.WaitUntilEmpty(options_.drain_timeout);
  server_.reset();
  entrance_->Close();
}

}  // namespace wattmint::rpc
