// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/event_messages.h"

#include "core/access/reason.h"
#include "core/rpc/status_convert.h"
#include "core/wire/convert.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpc/slice.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace wattmint::rpc {
namespace {

using stream::Feed;

// A small message is copied: a slice of its own for each piece costs more (measured: up to 4 KiB).
constexpr std::size_t kCopiedMax = 4'096;
constexpr std::uint8_t kBatchTag = v1::SubscribeResponse::kBatchFieldNumber << 3 | 2;

// A slice that keeps the shared bytes for as long as gRPC needs them.
grpc::Slice SliceOf(stream::SharedBytes piece) {
  auto* owner = new std::shared_ptr<const char[]>(std::move(piece.owner));
  return grpc::Slice(
      const_cast<char*>(piece.bytes.data()), piece.bytes.size(),
      [](void* held) { delete static_cast<std::shared_ptr<const char[]>*>(held); }, owner);
}

// Tag and length of the field `batch`; what follows is the run of events.
grpc::Slice BatchHead(std::size_t size) {
  std::uint8_t head[11] = {kBatchTag};
  const std::uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(size, head + 1);
  return grpc::Slice(head, static_cast<std::size_t>(end - head));
}

grpc::ByteBuffer Joined(const grpc::Slice& head, const stream::SharedPieces& pieces,
                        std::size_t size) {
  grpc_slice bytes = grpc_slice_malloc(head.size() + size);
  std::uint8_t* end = std::copy(head.begin(), head.end(), GRPC_SLICE_START_PTR(bytes));
  for (const stream::SharedBytes& piece : pieces) end = std::ranges::copy(piece.bytes, end).out;
  const grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer EncodeEvents(const stream::EventList& events, const stream::FrameCache& frames) {
  stream::SharedPieces pieces = frames.Collect(events);
  std::size_t size = 0;
  for (const stream::SharedBytes& piece : pieces) size += piece.bytes.size();
  grpc::Slice head = BatchHead(size);
  if (size <= kCopiedMax) return Joined(head, pieces, size);
  std::vector<grpc::Slice> slices;
  slices.reserve(pieces.size() + 1);
  slices.push_back(std::move(head));
  for (stream::SharedBytes& piece : pieces) slices.push_back(SliceOf(std::move(piece)));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

void Fill(const Feed::Established& from, v1::SubscribeResponse& out) {
  v1::Established& established = *out.mutable_established();
  established.set_epoch(from.epoch);
  established.set_cursor(from.cursor);
  established.set_head_sequence(from.head);
}

void Fill(const Feed::Heartbeat& from, v1::SubscribeResponse& out) {
  v1::Heartbeat& heartbeat = *out.mutable_heartbeat();
  heartbeat.set_cursor(from.cursor);
  heartbeat.set_head_sequence(from.head);
  heartbeat.set_delivered_sequence(from.delivered);
}

void Fill(const Feed::CaughtUp& from, v1::SubscribeResponse& out) {
  out.mutable_caught_up()->set_cursor(from.cursor);
}

void Fill(const Feed::FellBehind& from, v1::SubscribeResponse& out) {
  out.mutable_fell_behind()->set_head_sequence(from.head);
  out.mutable_fell_behind()->set_delivered_sequence(from.delivered);
}

void Fill(const Feed::CredentialExpiring& from, v1::SubscribeResponse& out) {
  wire::ToProto(from.expire_time, *out.mutable_credential_expiring()->mutable_expire_time());
}

void Fill(const Feed::Draining& from, v1::SubscribeResponse& out) {
  const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(from.reconnect_after);
  out.mutable_draining()->set_reconnect_after_ms(static_cast<std::int32_t>(delay.count()));
  out.mutable_draining()->set_cursor(from.cursor);
}

void Fill(const Feed::FiltersChanged& from, v1::SubscribeResponse& out) {
  v1::FiltersChanged& changed = *out.mutable_filters_changed();
  changed.set_change_id(from.change_id);
  changed.set_holds_from_sequence(from.holds_from);
  changed.set_cursor(from.cursor);
}

void Fill(const Feed::CredentialRenewed& from, v1::SubscribeResponse& out) {
  v1::CredentialRenewed& renewed = *out.mutable_credential_renewed();
  renewed.set_change_id(from.change_id);
  if (from.expire_time) wire::ToProto(*from.expire_time, *renewed.mutable_expire_time());
}

void Fill(const Feed::ChangeRefused& from, v1::SubscribeResponse& out) {
  v1::ChangeRefused& refused = *out.mutable_change_refused();
  refused.set_change_id(from.change_id);
  const grpc::Status told = ToGrpc(from.why);  // without the inside of what is ours
  refused.set_code(told.error_code());
  refused.set_reason(access::ReasonOf(from.why).value_or(""));
  refused.set_message(told.error_message());
}

void Fill(const Feed::Events&, v1::SubscribeResponse&) {}

}  // namespace

grpc::ByteBuffer Encode(const Feed::Message& message, const v1::Established& terms,
                        const stream::FrameCache& frames) {
  if (const auto* events = std::get_if<Feed::Events>(&message)) {
    return EncodeEvents(events->events, frames);
  }
  v1::SubscribeResponse out;
  if (std::holds_alternative<Feed::Established>(message)) *out.mutable_established() = terms;
  std::visit([&out](const auto& from) { Fill(from, out); }, message);
  const grpc::Slice slice(out.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace wattmint::rpc
