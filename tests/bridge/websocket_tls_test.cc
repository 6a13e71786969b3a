// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_text.h"
#include "bridge/websocket_server.h"
#include "tests/bridge/tls_bench.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

// What is different by TLS; websocket_server_tls_test has all that is the same.
namespace wattmint::bridge {
namespace {

using test::IsOk;
using test::StatusIs;
using test::WebSocketClient;
using testing::HasSubstr;

// Says back what it hears; "many N" says N numbers, each by a frame of its own, "big N" one frame
// of N bytes.
class Parrot final : public WebSocketListener {
 public:
  void OnOpen(WebSocketConnection& connection) override { connection_ = &connection; }
  void OnText(std::string_view text) override {
    const std::string command(text);
    if (command.starts_with("many ")) {
      std::vector<SharedFrame> frames;
      for (int i = 0; i < std::stoi(command.substr(5)); ++i) {
        frames.push_back(FrameText(std::to_string(i)));
      }
      connection_->SendAll(frames);
    } else if (command.starts_with("big ")) {
      connection_->Send(FrameText(std::string(std::stoul(command.substr(4)), 'b')));
    } else {
      connection_->Send(FrameText(text));
    }
  }
  void OnWritable() override {}
  void OnClose(int) override {}

 private:
  WebSocketConnection* connection_ = nullptr;
};

class ParrotHandler final : public WebSocketHandler {
 public:
  void OnHttpRequest(const HttpRequest& request, HttpReply reply) override {
    reply(HttpResponse{.body = std::string(request.target == "/page" ? 1'000'000 : 1, 'p')});
  }
  void OnUpgrade(const HttpRequest&, UpgradeReply reply) override {
    reply(std::make_unique<Parrot>());
  }
  void OnTick() override {}
};

class WebSocketTlsTest : public testing::Test {
 protected:
  ~WebSocketTlsTest() override {
    if (!thread_.joinable()) return;
    server_->Stop(std::chrono::milliseconds(500));
    thread_.join();
  }
  std::uint16_t Port() {
    if (server_ == nullptr) {
      auto server = WebSocketServer::Listen(options_, handler_);
      EXPECT_THAT(server, IsOk());
      server_ = *std::move(server);
      thread_ = std::thread([this] { server_->Run(); });
    }
    return server_->port();
  }
  WebSocketClient Open(int receive_buffer_bytes = 0) {
    WebSocketClient client(Port(), receive_buffer_bytes, tls_.authorities());
    EXPECT_EQ(client.Upgrade().status, 101);
    return client;
  }
  // How the connection of a client goes that trusts these.
  absl::Status Trusting(const std::string& authorities) {
    return BridgeClient::Connect("127.0.0.1:" + std::to_string(Port()),
                                 {.authorities = authorities})
        .status();
  }

  TlsBench tls_;
  WebSocketServer::Options options_{.tick = std::chrono::milliseconds(5), .tls = tls_.Begin()};
  ParrotHandler handler_;
  std::unique_ptr<WebSocketServer> server_;
  std::thread thread_;
};

TEST_F(WebSocketTlsTest, AnswersHttpOfManyRecords) {
  const auto answer = WebSocketClient(Port(), 0, tls_.authorities()).Request("GET", "/page");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), 1'000'000u);
}

TEST_F(WebSocketTlsTest, SendsAllToEverybodyInOrder) {
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(Open());
  for (WebSocketClient& client : clients) client.SendText("many 5000");
  for (WebSocketClient& client : clients) {
    for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.ReadText(), std::to_string(i));
  }
}

TEST_F(WebSocketTlsTest, TakesUpARecordThatWasBlockedWithMoreBehindIt) {
  WebSocketClient slow = Open(4096);
  slow.SendText("big 3000000");
  slow.SendText("many 1000");
  slow.SendText("last");
  WebSocketClient other = Open();
  other.SendText("hello");
  EXPECT_EQ(other.ReadText(), "hello") << "who does not read holds up nobody else";
  EXPECT_EQ(slow.ReadText(), std::string(3'000'000, 'b'));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(slow.ReadText(), std::to_string(i));
  EXPECT_EQ(slow.ReadText(), "last");
}

TEST_F(WebSocketTlsTest, ReadsManyMessagesOfOneRecord) {
  WebSocketClient client = Open();
  std::string record;
  for (int i = 0; i < 2000; ++i) record.append("\x81\x81\0\0\0\0x", 7);
  client.SendRaw(record);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.ReadText(), "x");
}

TEST_F(WebSocketTlsTest, WhoSpeaksInClearHearsNothing) {
  for (const char* text :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff with more than a record",
        "\x80\x2e\x01\x03\x01 an ancient hello ............................"}) {
    WebSocketClient client(Port());
    client.SendRaw(text);
    EXPECT_THAT(client.Request("GET", "/").head, testing::Not(HasSubstr("HTTP"))) << text;
  }
  Open();
}

TEST_F(WebSocketTlsTest, CutsWhoNeverFinishesTheHandshake) {
  options_.handshake_timeout = std::chrono::milliseconds(20);
  options_.ping_interval = std::chrono::milliseconds(20);
  WebSocketClient silent(Port());
  EXPECT_EQ(silent.ReadFrame(), std::nullopt);
  WebSocketClient half(Port());
  half.SendRaw(std::string("\x16\x03\x01\x02\0\1\0\1\xfc\3\3", 11));  // of a hello
  EXPECT_EQ(half.ReadFrame(), std::nullopt);
}

TEST_F(WebSocketTlsTest, NewConnectionsGetRenewedFilesAndOldOnesGoOn) {
  WebSocketClient before = Open();
  test::CertificateAuthority next;
  std::ofstream(tls_.Path("next")) << next.certificate();
  tls_.Renew(next.Issue("server"));
  EXPECT_THAT(Trusting(tls_.authorities()), IsOk()) << "not yet";
  tls_.server().Reload();
  EXPECT_THAT(Trusting(tls_.authorities()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Trusting(tls_.Path("next")), IsOk());
  before.SendText("still here");
  EXPECT_EQ(before.ReadText(), "still here");
}

TEST_F(WebSocketTlsTest, FilesThatAreBrokenLeaveTheFormerOnes) {
  Port();
  tls_.Renew({.certificate = "no PEM", .key = "none"});
  tls_.server().Reload();
  EXPECT_THAT(Trusting(tls_.authorities()), IsOk());
}

TEST_F(WebSocketTlsTest, RefusesWhatTlsCannotBePutOn) {
  options_.connections_per_ip_max = 1;
  options_.tls = [this, refused = 0](int fd) mutable {
    return ++refused <= 100 ? nullptr : tls_.server().Begin(fd);
  };
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(Trusting(tls_.authorities()), StatusIs(absl::StatusCode::kUnavailable));
  }
  Open();
}

}  // namespace
}  // namespace wattmint::bridge
