// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/channelz_service.h"

#include "core/base/status.h"

#include <google/protobuf/util/json_util.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <memory>

namespace wattmint::rpc {
namespace {

using namespace grpc::channelz::v1;

// The JSON in which gRPC describes itself, as a message. It is ours to free.
template <typename Response>
absl::StatusOr<Response> FromJson(char* json) {
  const std::unique_ptr<char, decltype(&gpr_free)> owner(json, gpr_free);
  if (json == nullptr) return base::NotFound("gRPC has nothing of that number");
  Response response;
  if (google::protobuf::util::JsonStringToMessage(json, &response).ok()) return response;
  return base::Internal("gRPC describes itself in JSON that cannot be read");
}

}  // namespace

// `ask` answers JSON, or nullptr for what is not there.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* ChannelzService::Serve(grpc::CallbackServerContext* context,
                                                 std::string_view method, const Request* request,
                                                 Response* response, char* (*ask)(const Request&)) {
  return calls_.Serve(context, method, request, response,
                      [ask](const access::Principal&, const Request& asked) {
                        return FromJson<Response>(ask(asked));
                      });
}

grpc::ServerUnaryReactor* ChannelzService::GetTopChannels(grpc::CallbackServerContext* context,
                                                          const GetTopChannelsRequest* request,
                                                          GetTopChannelsResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetTopChannels", request, response,
      +[](const GetTopChannelsRequest& asked) {
        return grpc_channelz_get_top_channels(asked.start_channel_id());
      });
}

grpc::ServerUnaryReactor* ChannelzService::GetServers(grpc::CallbackServerContext* context,
                                                      const GetServersRequest* request,
                                                      GetServersResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetServers", request, response,
      +[](const GetServersRequest& asked) {
        return grpc_channelz_get_servers(asked.start_server_id());
      });
}

grpc::ServerUnaryReactor* ChannelzService::GetServer(grpc::CallbackServerContext* context,
                                                     const GetServerRequest* request,
                                                     GetServerResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetServer", request, response,
      +[](const GetServerRequest& asked) { return grpc_channelz_get_server(asked.server_id()); });
}

grpc::ServerUnaryReactor* ChannelzService::GetServerSockets(grpc::CallbackServerContext* context,
                                                            const GetServerSocketsRequest* request,
                                                            GetServerSocketsResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetServerSockets", request, response,
      +[](const GetServerSocketsRequest& asked) {
        return grpc_channelz_get_server_sockets(asked.server_id(), asked.start_socket_id(),
                                                asked.max_results());
      });
}

grpc::ServerUnaryReactor* ChannelzService::GetChannel(grpc::CallbackServerContext* context,
                                                      const GetChannelRequest* request,
                                                      GetChannelResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetChannel", request, response,
      +[](const GetChannelRequest& asked) {
        return grpc_channelz_get_channel(asked.channel_id());
      });
}

grpc::ServerUnaryReactor* ChannelzService::GetSubchannel(grpc::CallbackServerContext* context,
                                                         const GetSubchannelRequest* request,
                                                         GetSubchannelResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetSubchannel", request, response,
      +[](const GetSubchannelRequest& asked) {
        return grpc_channelz_get_subchannel(asked.subchannel_id());
      });
}

grpc::ServerUnaryReactor* ChannelzService::GetSocket(grpc::CallbackServerContext* context,
                                                     const GetSocketRequest* request,
                                                     GetSocketResponse* response) {
  return Serve(
      context, "grpc.channelz.v1.Channelz.GetSocket", request, response,
      +[](const GetSocketRequest& asked) { return grpc_channelz_get_socket(asked.socket_id()); });
}

}  // namespace wattmint::rpc
