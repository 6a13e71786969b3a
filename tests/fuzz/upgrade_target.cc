// SPDX-License-Identifier: Apache-2.0

// The bytes of one connection, to the real server, over loopback: an HTTP request, or what follows
// a proper handshake. What comes back must be HTTP, and behind a 101 frames by the book. The
// request's parts are also given to what reads credentials and subprotocols.

#include "bridge/http_text.h"
#include "bridge/json_writer.h"
#include "bridge/protocol.h"
#include "bridge/request_credential.h"
#include "bridge/websocket_server.h"
#include "core/base/assert.h"
#include "core/base/unique_fd.h"
#include "tests/fuzz/target.h"

#include <arpa/inet.h>
#include <cerrno>
#include <functional>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>

namespace wattmint::fuzz {
namespace {

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr char kFrames = 'F';  // the first byte of an input that is led in by the handshake
constexpr std::size_t kFrameBytesMax = 300;  // so that short inputs come to the limit
const std::vector<std::string> kSpoken = {"wattmint.v1.json", "other"};

std::size_t ReplacementsIn(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(kReplacement, at)) != text.npos; ++at) ++count;
  return count;
}

// Told by our own writer, not by websocketpp.
bool IsUtf8(std::string_view text) {
  std::string quoted;
  bridge::AppendJsonString(text, quoted);
  return ReplacementsIn(quoted) == ReplacementsIn(text);
}

// Sends each text back.
class Echo final : public bridge::WebSocketListener {
 public:
  void OnOpen(bridge::WebSocketConnection& connection) override { connection_ = &connection; }
  void OnText(std::string_view text) override {
    WATTMINT_ASSERT(text.size() <= kFrameBytesMax, "{} bytes", text.size());
    WATTMINT_ASSERT(IsUtf8(text), "not UTF-8: {}", text);
    connection_->Send(bridge::FrameText(text));
    if (text == "close") connection_->Close(4401, "as you wish");
  }
  void OnWritable() override {}
  void OnClose(int) override {}

 private:
  bridge::WebSocketConnection* connection_ = nullptr;
};

class Handler final : public bridge::WebSocketHandler {
 public:
  void OnHttpRequest(const bridge::HttpRequest&, bridge::HttpReply reply) override {
    reply(bridge::HttpResponse{.body = "plain"});
  }
  void OnUpgrade(const bridge::HttpRequest& request, bridge::UpgradeReply reply) override {
    if (request.target == "/no") return reply(bridge::ErrorResponse(403, "NO", "no"));
    reply(std::make_unique<Echo>());
  }
  void OnTick() override {}
};

base::UniqueFd Connect(std::uint16_t port) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int connected = 0;
  do {  // libFuzzer has a timer that interrupts
    connected = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } while (connected != 0 && errno == EINTR);
  WATTMINT_ASSERT(connected == 0 || errno == EISCONN, "connect: {}", errno);
  return fd;
}

// All that a server answers to `parts`, behind which the client says that there is no more. On one
// thread, so that an input always takes the same way: the server's loop looks after the client.
std::string Exchange(std::initializer_list<std::string_view> parts) {
  static std::uint16_t port = 0;  // the same for all inputs, or there would be none left
  Handler handler;
  const auto server =
      *bridge::WebSocketServer::Listen({.port = port,
                                        .frame_bytes_max = kFrameBytesMax,
                                        .body_bytes_max = kFrameBytesMax,
                                        .close_timeout = std::chrono::milliseconds(1),
                                        .subprotocols = kSpoken},
                                       handler);
  port = server->port();
  const base::UniqueFd fd = Connect(port);
  for (const std::string_view part : parts) {
    ::send(fd.get(), part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::shutdown(fd.get(), SHUT_WR);
  std::string answer;
  const std::function<void()> read = [&] {
    char buffer[4096];
    const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
    const bool is_over = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (is_over) return server->Stop(std::chrono::milliseconds(0));
    server->Post(read);
  };
  server->Post(read);
  server->Run();
  return answer;
}

// Frames of a server: not masked, none reserved, not in parts, a close the last one. The connection
// may end within one, if it was reset.
void CheckFrames(std::string_view bytes) {
  bool is_closed = false;
  while (bytes.size() >= 2) {
    WATTMINT_ASSERT(!is_closed, "{} bytes behind a close", bytes.size());
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto code = static_cast<unsigned char>(bytes[1]);
    WATTMINT_ASSERT(first == 0x81 || first == 0x88 || first == 0x8a, "{:#x}", first);
    WATTMINT_ASSERT(code <= 126 && (first == 0x81 || code < 126), "{:#x} {}", first, code);
    if (code == 126 && bytes.size() < 4) return;
    const std::size_t size = code < 126 ? code
                                        : static_cast<unsigned char>(bytes[2]) * 256u +
                                              static_cast<unsigned char>(bytes[3]);
    bytes.remove_prefix(code < 126 ? 2 : 4);
    if (bytes.size() < size) return;
    WATTMINT_ASSERT(
        first == 0x8a || IsUtf8(bytes.substr(first == 0x88 ? 2 : 0, size)) || first == 0x88,
        "not UTF-8");
    WATTMINT_ASSERT(first != 0x88 || size == 0 || size >= 2, "a close of one byte");
    is_closed = first == 0x88;
    bytes.remove_prefix(size);
  }
}

void CheckAnswer(std::string_view answer) {
  if (answer.empty()) return;
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = answer.find(kEnd);
  WATTMINT_ASSERT(answer.starts_with("HTTP/1.1 ") && end != answer.npos, "{}", answer);
  const std::string_view rest = answer.substr(end + kEnd.size());
  if (answer.starts_with("HTTP/1.1 101 ")) return CheckFrames(rest);
  WATTMINT_ASSERT(answer.find("\r\nConnection: close\r\n") < end, "{}", answer);
  WATTMINT_ASSERT(!answer.starts_with("HTTP/1.1 5"), "{}", answer);
}

// The whole text in every place where a client may write.
void CheckReaders(std::string_view text) {
  WATTMINT_ASSERT(bridge::PathOf(text).find('?') == text.npos, "a query in a path");
  for (const char* name : {"ticket", "token", ""}) bridge::QueryValue(text, name);
  const auto channels = bridge::ParseChannelList(text);
  if (const auto* list = std::get_if<std::vector<bridge::Channel>>(&channels)) {
    WATTMINT_ASSERT(list->size() <= bridge::kChannelsPerMessageMax, "{} channels", list->size());
  }
  const std::string picked = bridge::PickSubprotocol(text, kSpoken);
  WATTMINT_ASSERT(picked.empty() || text.find(picked) != text.npos, "{}", picked);
  WATTMINT_ASSERT(!bridge::IsWebSocketKey(text) || text.size() == 24, "a key");
  WATTMINT_ASSERT(!bridge::HasToken(text, "upgrade") || text.size() >= 7, "a token");
  bridge::HttpRequest request;
  request.target = text;
  for (const char* name : {"Sec-WebSocket-Protocol", "X-Api-Key", "Authorization"}) {
    for (const auto secrets : {bridge::QuerySecrets::kIgnore, bridge::QuerySecrets::kAccept}) {
      bridge::UpgradeCredential(request, secrets);
    }
    request.headers.emplace_back(name, text);
    const client::Credential credential = bridge::HeaderCredential(request);
    WATTMINT_ASSERT(credential.text.size() <= text.size(), "more than there was");
  }
}

// A frame whose mask is zero, so that a fuzzer sees what it changes.
std::string Frame(unsigned first, std::string_view payload) {
  std::string frame = {static_cast<char>(first)};
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else {
    frame += {'\xfe', static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
  }
  return frame.append(4, '\0').append(payload);
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string shake(kHandshake);
  const std::string frames(1, kFrames);
  const std::string head = shake.substr(0, shake.size() - 2);
  return {
      frames + Frame(0x81, "text") + Frame(0x89, "ping") + Frame(0x8a, "pong"),
      frames + Frame(0x81, std::string(200, 't')) + Frame(0x88, "\x03\xe8goodbye"),
      frames + Frame(0x01, "gr\xc3") + Frame(0x89, "") + Frame(0x80, "\xbc\xc3\x9f"),
      frames + Frame(0x01, std::string(200, 'a')) + Frame(0x80, std::string(200, 'b')),
      frames + Frame(0x82, "binary") + Frame(0x88, "\x03\xed"),
      frames + Frame(0x81, "close") + Frame(0x81, "late") + Frame(0x88, "\x11\x31"),
      frames + std::string("\x01\x80\0\0\0\0\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16),
      frames + Frame(0x81, "close") + Frame(0x88, std::string("\0\0ff", 4)) + std::string(80, 'f'),
      frames + "\xc1\x01x" + Frame(0x83, "reserved"),
      shake + Frame(0x81, "early"),
      head + "Sec-WebSocket-Protocol: chat, wattmint.v1.json, wattmint.bearer.a\r\n\r\n",
      head +
          "Sec-WebSocket-Extensions: permessage-deflate; a=\"b\"\r\nContent-Length: 3\r\n\r\nabc",
      "GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\nAuthorization: Bearer a\r\n\r\n",
      "POST /ws/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
      "GET http://x/no?ticket=%41%zz&token=t HTTP/1.1\r\nHost: x\r\n" + head.substr(27) + "\r\n",
      "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nHost: a:b:c\r\n\r\n",
  };
}

}  // namespace wattmint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace wattmint::fuzz;
  std::string_view input(reinterpret_cast<const char*>(bytes), size);
  if (!input.empty() && input.front() == kFrames) {
    CheckAnswer(Exchange({kHandshake, input.substr(1)}));
  } else {
    CheckAnswer(Exchange({input}));
    CheckReaders(input);
  }
  return 0;
}
