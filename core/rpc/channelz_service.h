// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/rpc/calls.h"

#include "grpc/channelz/v1/channelz.grpc.pb.h"

#include <string_view>

namespace wattmint::rpc {

// What gRPC knows of its own servers, channels and sockets, for admins: who is connected, how many
// calls began and failed, what waits in windows. gRPC's own service of this name asks nobody who
// they are. Behind the front door, clients are the door's connections on a local socket.
// Source: gRFC A14. Threads: any. Lifetime: `calls` must outlive it.
class ChannelzService final : public grpc::channelz::v1::Channelz::CallbackService {
 public:
  explicit ChannelzService(Calls& calls) : calls_(calls) {}

  grpc::ServerUnaryReactor* GetTopChannels(
      grpc::CallbackServerContext* context,
      const grpc::channelz::v1::GetTopChannelsRequest* request,
      grpc::channelz::v1::GetTopChannelsResponse* response) override;
  grpc::ServerUnaryReactor* GetServers(grpc::CallbackServerContext* context,
                                       const grpc::channelz::v1::GetServersRequest* request,
                                       grpc::channelz::v1::GetServersResponse* response) override;
  grpc::ServerUnaryReactor* GetServer(grpc::CallbackServerContext* context,
                                      const grpc::channelz::v1::GetServerRequest* request,
                                      grpc::channelz::v1::GetServerResponse* response) override;
  grpc::ServerUnaryReactor* GetServerSockets(
      grpc::CallbackServerContext* context,
      const grpc::channelz::v1::GetServerSocketsRequest* request,
      grpc::channelz::v1::GetServerSocketsResponse* response) override;
  grpc::ServerUnaryReactor* GetChannel(grpc::CallbackServerContext* context,
                                       const grpc::channelz::v1::GetChannelRequest* request,
                                       grpc::channelz::v1::GetChannelResponse* response) override;
  grpc::ServerUnaryReactor* GetSubchannel(
      grpc::CallbackServerContext* context, const grpc::channelz::v1::GetSubchannelRequest* request,
      grpc::channelz::v1::GetSubchannelResponse* response) override;
  grpc::ServerUnaryReactor* GetSocket(grpc::CallbackServerContext* context,
                                      const grpc::channelz::v1::GetSocketRequest* request,
                                      grpc::channelz::v1::GetSocketResponse* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, std::string_view method,
                                  const Request* request, Response* response,
                                  char* (*ask)(const Request&));

  Calls& calls_;
};

}  // namespace wattmint::rpc
