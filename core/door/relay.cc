// SPDX-License-Identifier: Apache-2.0
#include "core/door/relay.h"

#include "core/base/assert.h"

#include <sys/epoll.h>
#include <utility>

namespace wattmint::door {
namespace {

// Pieces that one side may send before it is another connection's turn.
constexpr int kTurnPieces = 4;

// Takes off `bytes` what could be written; false if the other side has ended.
bool WriteWhatFits(Transport& transport, std::span<const std::uint8_t>& bytes) {
  while (!bytes.empty()) {
    const Moved moved = transport.Write(bytes);
    if (moved.state != Moved::State::kDone) return moved.state == Moved::State::kBlocked;
    bytes = bytes.subspan(moved.bytes);
  }
  return true;
}

}  // namespace

bool Relay::End::Send(std::span<const std::uint8_t> bytes) {
  if (transport != nullptr && !WriteWhatFits(*transport, bytes)) return false;
  pending.insert(pending.end(), bytes.begin(), bytes.end());
  return true;
}

bool Relay::End::Flush() {
  std::span<const std::uint8_t> left(pending);
  if (!WriteWhatFits(*transport, left)) return false;
  // A new vector, so that a side that has caught up costs no memory.
  pending = std::vector<std::uint8_t>(left.begin(), left.end());
  return true;
}

Relay::Relay(std::unique_ptr<Transport> client, const PoliceLimits& limits,
             std::span<std::uint8_t> scratch)
    : police_(limits), scratch_(scratch) {
  WATTMINT_ASSERT(scratch.size() >= Transport::kReadBytesMin, "{} bytes", scratch.size());
  client_.transport = std::move(client);
}

void Relay::Open(std::unique_ptr<Transport> server) {
  WATTMINT_ASSERT(state_ == State::kGreeted, "in state {}", static_cast<int>(state_));
  server_.transport = std::move(server);
  state_ = server_.Flush() ? State::kOpen : State::kLeaving;
  if (state_ == State::kLeaving) ReadServer();
}

void Relay::ServeClient(std::uint32_t events, Police::Instant now) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 || !client_.Flush()) {
    state_ = State::kOver;
    return;
  }
  ReadClient(now);
  if (state_ == State::kLeaving || (state_ == State::kOpen && (events & EPOLLOUT) != 0)) {
    ReadServer();
  }
}

void Relay::ServeServer(std::uint32_t events, Police::Instant now) {
  if ((events & EPOLLOUT) != 0) {
    if (!server_.Flush()) state_ = State::kLeaving;
    ReadClient(now);
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && state_ == State::kOpen) state_ = State::kLeaving;
  if (state_ != State::kOver) ReadServer();
}

bool Relay::CanReadClient() const {
  return state_ == State::kWaiting || (state_ == State::kOpen && server_.pending.empty());
}

void Relay::ReadClient(Police::Instant now) {
  for (int piece = 0; piece < kTurnPieces && CanReadClient(); ++piece) {
    const Moved moved = client_.transport->Read(scratch_);
    if (moved.state == Moved::State::kBlocked) return;
    if (moved.state == Moved::State::kEnded) {
      if (client_.transport->HasFailed()) refusal_ = Refusal::kTls;
      state_ = State::kOver;
      return;
    }
    const auto bytes = scratch_.first(moved.bytes);
    refusal_ = police_.Inspect(bytes, now);
    if (refusal_) {
      state_ = State::kOver;
      return;
    }
    if (!server_.Send(bytes)) state_ = State::kLeaving;
    if (state_ == State::kWaiting && police_.HasGreeted()) state_ = State::kGreeted;
  }
}

void Relay::ReadServer() {
  // Of a server that has ended, nothing will say again that there is more.
  for (int piece = 0; client_.pending.empty() && (piece < kTurnPieces || state_ == State::kLeaving);
       ++piece) {
    const Moved moved = server_.transport->Read(scratch_);
    if (moved.state == Moved::State::kBlocked) return;
    if (moved.state == Moved::State::kEnded) {
      state_ = State::kOver;
      return;
    }
    const auto bytes = scratch_.first(moved.bytes);
    police_.NoteAnswer(bytes);
    if (!client_.Send(bytes)) {
      state_ = State::kOver;
      return;
    }
  }
}

std::uint32_t Relay::ClientInterest() const {
  const bool wants_to_write = !client_.pending.empty() || client_.transport->WantsToWrite();
  return (CanReadClient() ? EPOLLIN : 0U) | (wants_to_write ? EPOLLOUT : 0U);
}

std::optional<std::uint32_t> Relay::ServerInterest() const {
  if (state_ != State::kOpen) return std::nullopt;
  return (client_.pending.empty() ? EPOLLIN : 0U) | (server_.pending.empty() ? 0U : EPOLLOUT);
}

}  // namespace wattmint::door
