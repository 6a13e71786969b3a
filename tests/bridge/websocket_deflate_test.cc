// SPDX-License-Identifier: Apache-2.0
#include "bridge/websocket_server.h"
#include "tests/bridge/deflate_peer.h"
#include "tests/support/websocket_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace wattmint::bridge {
namespace {

using test::DeflateAlone;
using test::FrameShape;
using test::HttpAnswer;
using test::WebSocketClient;

constexpr int kCompressed = 4;  // RSV1

// Says what was agreed on, and sends back what comes.
class EchoListener final : public WebSocketListener {
 public:
  void OnOpen(WebSocketConnection& connection) override {
    connection_ = &connection;
    connection.Send(FrameText(std::to_string(static_cast<int>(connection.compression()))));
  }
  void OnText(std::string_view text) override { connection_->Send(FrameText(text)); }
  void OnWritable() override {}
  void OnClose(int) override {}

 private:
  WebSocketConnection* connection_ = nullptr;
};

class EchoHandler final : public WebSocketHandler {
 public:
  void OnHttpRequest(const HttpRequest&, HttpReply reply) override { reply({}); }
  void OnUpgrade(const HttpRequest&, UpgradeReply reply) override {
    reply(std::make_unique<EchoListener>());
  }
  void OnTick() override {}
};

class WebSocketDeflateTest : public testing::Test {
 protected:
  ~WebSocketDeflateTest() override {
    if (server_ == nullptr) return;
    server_->Stop(std::chrono::milliseconds(500));
    thread_.join();
  }

  // An open client, and the answer to its handshake.
  std::pair<WebSocketClient, HttpAnswer> Open(const std::string& offers) {
    if (server_ == nullptr) {
      server_ = *WebSocketServer::Listen(options_, handler_);
      thread_ = std::thread([this] { server_->Run(); });
    }
    WebSocketClient client(server_->port());
    HttpAnswer answer = client.Upgrade("/ws", {{"Sec-WebSocket-Extensions", offers}});
    EXPECT_EQ(answer.status, 101);
    return {std::move(client), std::move(answer)};
  }
  static std::string Agreed(Compression compression) {
    return std::to_string(static_cast<int>(compression));
  }
  static void SendCompressed(WebSocketClient& client, const std::string& payload) {
    client.SendFrame(WebSocketClient::kText, payload, {.reserved_bits = kCompressed});
  }

  WebSocketServer::Options options_{.tick = std::chrono::milliseconds(5)};
  EchoHandler handler_;
  std::unique_ptr<WebSocketServer> server_;
  std::thread thread_;
};

TEST_F(WebSocketDeflateTest, TellsTheListenerWhatWasAgreedOn) {
  auto [stream, stream_answer] = Open("permessage-deflate; client_max_window_bits");
  EXPECT_EQ(stream_answer.Header("Sec-WebSocket-Extensions"),
            "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(stream.ReadText(), Agreed(Compression::kStream));
  auto [alone, alone_answer] = Open("permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(alone.ReadText(), Agreed(Compression::kAlone));
  auto [none, none_answer] = Open("x-other");
  EXPECT_EQ(none_answer.Header("Sec-WebSocket-Extensions"), "");
  EXPECT_EQ(none.ReadText(), Agreed(Compression::kNone));
}

TEST_F(WebSocketDeflateTest, AgreesOnNothingWhenItIsSwitchedOff) {
  options_.compresses = false;
  auto [client, answer] = Open("permessage-deflate");
  EXPECT_EQ(answer.Header("Sec-WebSocket-Extensions"), "");
  EXPECT_EQ(client.ReadText(), Agreed(Compression::kNone));
  SendCompressed(client, DeflateAlone("x"));
  EXPECT_EQ(client.ReadClose(), 1002);
}

TEST_F(WebSocketDeflateTest, TakesCompressedAndPlainMessagesByTurns) {
  auto [client, answer] = Open("permessage-deflate");
  client.ReadText();
  for (const std::size_t size : {1u, 125u, 4'096u, 16u * 1024u}) {
    const std::string text(size, 'e');
    SendCompressed(client, DeflateAlone(text));
    EXPECT_TRUE(client.ReadText() == text) << size;
    client.SendText(text);
    EXPECT_TRUE(client.ReadText() == text) << size;
  }
}

TEST_F(WebSocketDeflateTest, TakesACompressedMessageInPartsWithAPingBetween) {
  auto [client, answer] = Open("permessage-deflate");
  client.ReadText();
  const std::string payload = DeflateAlone("in three parts, in three parts");
  client.SendFrame(WebSocketClient::kText, payload.substr(0, 3),
                   {.is_final = false, .reserved_bits = kCompressed});
  client.SendFrame(WebSocketClient::kPing, "between");
  client.SendFrame(0, payload.substr(3, 4), {.is_final = false});
  client.SendFrame(0, payload.substr(7), {});
  EXPECT_EQ(client.ReadFrame()->opcode, WebSocketClient::kPong);
  EXPECT_EQ(client.ReadText(), "in three parts, in three parts");
}

TEST_F(WebSocketDeflateTest, ClosesForEveryViolation) {
  struct Row {
    std::string payload;
    int code;
    const char* why;
  };
  const Row rows[] = {
      {DeflateAlone(std::string(16 * 1024 + 1, 'x')), 1009, "a byte too long when inflated"},
      {DeflateAlone(std::string(16'000'000, 'x')), 1009, "a bomb"},
      {std::string(16 * 1024 + 1, '\0'), 1009, "too long before it is inflated"},
      {"\xff\xff\xff", 1007, "no DEFLATE data"},
      {DeflateAlone("\xc3\x28"), 1007, "not UTF-8 when inflated"},
      {DeflateAlone("caf\xc3"), 1007, "ends within a character"},
  };
  for (const Row& row : rows) {
    auto [client, answer] = Open("permessage-deflate");
    SendCompressed(client, row.payload);
    EXPECT_EQ(client.ReadClose(), row.code) << row.why;
  }
}

TEST_F(WebSocketDeflateTest, LetsOnlyTheFirstPartSayThatItIsCompressed) {
  auto [client, answer] = Open("permessage-deflate");
  const std::string payload = DeflateAlone("in two parts");
  client.SendFrame(WebSocketClient::kText, payload.substr(0, 3),
                   {.is_final = false, .reserved_bits = kCompressed});
  client.SendFrame(0, payload.substr(3), {.reserved_bits = kCompressed});
  EXPECT_EQ(client.ReadClose(), 1002);
  auto [other, other_answer] = Open("permessage-deflate");
  other.SendFrame(WebSocketClient::kPing, "", {.reserved_bits = kCompressed});
  EXPECT_EQ(other.ReadClose(), 1002);
}

}  // namespace
}  // namespace wattmint::bridge
