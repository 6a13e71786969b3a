// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/crowd.h"

#include "core/base/assert.h"
#include "core/base/time_format.h"
#include "tests/bench/bare_websocket.h"
#include "tests/bench/loopback.h"
#include "tests/bench/run.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

namespace wattmint::bench {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kReadyMax = 256;
constexpr int kPauseMs = 10;  // between two looks at what is to be done
constexpr int kText = 1;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;
constexpr int kCompressed = 0x40;
constexpr std::string_view kHeadersEnd = "\r\n\r\n";
constexpr const char* kOffer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

void SendBytes(const base::UniqueFd& socket, std::string_view bytes) {
  send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// Masked by zeros: as it is.
void SendFrame(const base::UniqueFd& socket, int opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xff);
  }
  frame.append(4, '\0');
  SendBytes(socket, frame.append(payload));
}

// What stands between `before` and the next quote.
std::string_view TextBehind(std::string_view text, std::string_view before) {
  const std::size_t found = text.find(before);
  if (found == std::string_view::npos) return {};
  text.remove_prefix(found + before.size());
  return text.substr(0, text.find('"'));
}

}  // namespace

Crowd::Crowd(Options options)
    : options_(std::move(options)),
      poll_(epoll_create1(EPOLL_CLOEXEC)),
      members_(static_cast<std::size_t>(options_.count)),
      buffer_(kReadBytes) {
  RaiseDescriptorLimit();
  for (int i = options_.count - 1; i >= 0; --i) {
    members_[static_cast<std::size_t>(i)].number = i;
    waiting_.push_back(i);
  }
  thread_ = std::thread([this] { Run(); });
}

Crowd::~Crowd() {
  stops_ = true;
  thread_.join();
}

void Crowd::AwaitLive(int count) {
  base::MutexLock lock(mutex_);
  const bool is_there =
      changed_.WaitFor(mutex_, kPatience, [&] { return count == 0 ? live_ == 0 : live_ >= count; });
  WATTMINT_ASSERT(is_there, "{} of {} browsers are live", live_.load(), count);
}

void Crowd::AwaitEvents(std::int64_t count) {
  base::MutexLock lock(mutex_);
  const bool is_there = changed_.WaitFor(mutex_, kPatience, [&] { return events_ >= count; });
  WATTMINT_ASSERT(is_there, "{} of {} events have come", events_.load(), count);
}

void Crowd::Publish() {
  base::MutexLock lock(mutex_);
  events_ = counted_;
  event_bytes_ = counted_bytes_;
  changed_.NotifyAll();
}

void Crowd::Run() {
  std::array<epoll_event, kReadyMax> ready;
  while (!stops_) {
    while (!stays_away_ && opening_ < options_.opening_max && !waiting_.empty()) {
      Begin(members_[static_cast<std::size_t>(waiting_.back())]);
      waiting_.pop_back();
    }
    const int live_before = live_;
    const int count = epoll_wait(poll_.get(), ready.data(), kReadyMax, kPauseMs);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = ready[static_cast<std::size_t>(i)];
      OnReady(*static_cast<Member*>(event.data.ptr), event.events);
    }
    if (count == 0) {
      for (const int number : std::exchange(refused_, {})) {
        Subscribe(members_[static_cast<std::size_t>(number)]);
      }
    }
    if (counted_ != events_ || live_ != live_before) Publish();
  }
}

void Crowd::Watch(Member& member, int operation, std::uint32_t readiness) {
  epoll_event event{.events = readiness, .data = {.ptr = &member}};
  epoll_ctl(poll_.get(), operation, member.socket.get(), &event);
}

void Crowd::Begin(Member& member) {
  ++opening_;
  member.state = State::kConnecting;
  member.socket = BeginToConnect(options_.port);
  Watch(member, EPOLL_CTL_ADD, EPOLLOUT);
}

void Crowd::OnReady(Member& member, std::uint32_t readiness) {
  if (member.state == State::kConnecting) {
    if ((readiness & (EPOLLERR | EPOLLHUP)) != 0) return Lose(member);
    return SendUpgrade(member);
  }
  const ssize_t count = recv(member.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return Lose(member);
  const std::string_view fresh(buffer_.data(), static_cast<std::size_t>(count));
  if (member.rest.empty()) {
    member.rest = fresh.substr(Take(member, fresh));
  } else {
    member.rest += fresh;
    const std::string all = std::exchange(member.rest, {});
    member.rest = all.substr(Take(member, all));
  }
}

void Crowd::SendUpgrade(Member& member) {
  member.state = State::kUpgrading;
  SetNoDelay(member.socket);
  const std::string key =
      options_.key.empty() ? "" : fmt::format("X-Api-Key: {}\r\n", options_.key);
  SendBytes(member.socket,
            fmt::format("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: {}\r\n{}{}\r\n",
                        kHandshakeKey, options_.compresses ? kOffer : "", key));
  Watch(member, EPOLL_CTL_MOD, EPOLLIN);
}

void Crowd::Subscribe(Member& member) {
  std::string data = options_.subscription(member.number);
  if (!member.cursor.empty()) {
    data += fmt::format(R"(,"resume":"{}","last_seq":{})", member.cursor, member.sequence);
  }
  SendFrame(member.socket, kText, fmt::format(R"({{"type":"Subscribe","data":{{{}}}}})", data));
}

void Crowd::BecomeLive(Member& member) {
  member.state = State::kLive;
  member.was_live = true;
  --opening_;
  ++live_;
  if (member.number >= options_.count - options_.stalled) Watch(member, EPOLL_CTL_DEL, 0);
}

void Crowd::Lose(Member& member) {
  WATTMINT_ASSERT(member.was_live, "browser {} was not let in", member.number);
  member.state == State::kLive ? --live_ : --opening_;
  member.state = State::kIdle;
  member.socket = base::UniqueFd();
  member.rest.clear();
  waiting_.push_back(member.number);
}

std::size_t Crowd::Take(Member& member, std::string_view bytes) {
  std::size_t used = 0;
  if (member.state == State::kUpgrading) {
    used = TakeAnswer(member, bytes);
    if (used == 0) return 0;
  }
  while (member.state != State::kIdle) {
    const std::size_t more = TakeFrame(member, bytes.substr(used));
    if (more == 0) return used;
    used += more;
  }
  return bytes.size();
}

std::size_t Crowd::TakeAnswer(Member& member, std::string_view bytes) {
  const std::size_t end = bytes.find(kHeadersEnd);
  if (end == std::string_view::npos) return 0;
  WATTMINT_ASSERT(bytes.starts_with("HTTP/1.1 101 "), "the upgrade is refused: {}", bytes);
  member.state = State::kOpen;
  options_.subscription ? Subscribe(member) : BecomeLive(member);
  return end + kHeadersEnd.size();
}

// Servers' frames that are ours are whole messages, and below 64 KiB.
std::size_t Crowd::TakeFrame(Member& member, std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  const auto byte = [bytes](std::size_t place) { return static_cast<unsigned char>(bytes[place]); };
  std::size_t header = 2;
  std::size_t size = byte(1);
  if (size == 126) {
    header = 4;
    if (bytes.size() < header) return 0;
    size = std::size_t{byte(2)} << 8 | byte(3);
  }
  if (bytes.size() < header + size) return 0;
  const std::string_view payload = bytes.substr(header, size);
  const int opcode = byte(0) & 0xf;
  if ((byte(0) & kCompressed) != 0) {
    ++counted_;
    counted_bytes_ += static_cast<std::int64_t>(size);
  } else if (opcode == kText) {
    OnText(member, payload);
  }
  if (opcode == kPing) SendFrame(member.socket, kPong, payload);
  if (opcode == kClose) Lose(member);
  return header + size;
}

void Crowd::OnText(Member& member, std::string_view text) {
  static constexpr std::string_view kBehindType = R"(,"seq":)";
  static constexpr std::size_t kTypeBegin = std::string_view(R"({"type":")").size();
  const std::size_t type_end = text.find('"', kTypeBegin) + 1;
  if (text.substr(type_end, kBehindType.size()) == kBehindType) {
    OnEvent(member, text, text.substr(type_end + kBehindType.size()));
  } else {
    OnMessage(member, text);
  }
}

void Crowd::OnEvent(Member& member, std::string_view text, std::string_view sequence) {
  ++counted_;
  counted_bytes_ += static_cast<std::int64_t>(text.size());
  std::int64_t number = 0;
  std::from_chars(sequence.data(), sequence.data() + sequence.size(), number);
  WATTMINT_ASSERT(!options_.has_to_match || number == 0 || member.sequence == 0 ||
                      number == member.sequence + 1,
                  "browser {} got event {} behind {}", member.number, number, member.sequence);
  member.sequence = number;
  if (!options_.takes_times) return;
  const auto then = base::ParseRfc3339(TextBehind(text, R"("timestamp":")"));
  WATTMINT_ASSERT(then.ok(), "an event without a time: {}", text);
  const auto now = std::chrono::system_clock::now();
  times_.push_back(std::chrono::duration<double, std::milli>(now - *then).count());
}

void Crowd::OnMessage(Member& member, std::string_view text) {
  if (text.starts_with(R"({"type":"Error")")) {
    WATTMINT_ASSERT(text.find("UPSTREAM_UNAVAILABLE") != std::string_view::npos, "{}", text);
    refused_.push_back(member.number);
    return;
  }
  if (const std::string_view cursor = TextBehind(text, R"("cursor":")"); !cursor.empty()) {
    member.cursor = cursor;
  }
  const bool is_caught_up = text.starts_with(R"({"type":"CaughtUp")");
  if (is_caught_up && member.state == State::kOpen) BecomeLive(member);
}

}  // namespace wattmint::bench
