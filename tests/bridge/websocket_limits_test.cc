// SPDX-License-Identifier: Apache-2.0
#include "bridge/websocket_server.h"
#include "core/base/mutex.h"
#include "tests/support/websocket_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace wattmint::bridge {
namespace {

using test::WebSocketClient;

class SilentListener final : public WebSocketListener {
 public:
  void OnOpen(WebSocketConnection&) override {}
  void OnText(std::string_view) override {}
  void OnWritable() override {}
  void OnClose(int) override {}
};

class CountingHandler final : public WebSocketHandler {
 public:
  void OnHttpRequest(const HttpRequest&, HttpReply reply) override { reply({}); }
  void OnUpgrade(const HttpRequest&, UpgradeReply reply) override {
    reply(std::make_unique<SilentListener>());
  }
  void OnTick() override {}
  void OnLimit(ServerLimit limit) override {
    base::MutexLock lock(mutex_);
    limits_.push_back(limit);
    changed_.NotifyAll();
  }

  // What it has been told, once there are so many.
  std::vector<ServerLimit> Await(std::size_t count) {
    base::MutexLock lock(mutex_);
    changed_.WaitFor(mutex_, std::chrono::seconds(10),
                     [&]() WATTMINT_REQUIRES(mutex_) { return limits_.size() >= count; });
    return limits_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<ServerLimit> limits_ WATTMINT_GUARDED_BY(mutex_);
};

class WebSocketLimitsTest : public testing::Test {
 protected:
  ~WebSocketLimitsTest() override {
    if (server_ == nullptr) return;
    server_->Stop(std::chrono::milliseconds(500));
    thread_.join();
  }
  std::uint16_t Port() {
    if (server_ == nullptr) {
      server_ = *WebSocketServer::Listen(options_, handler_);
      thread_ = std::thread([this] { server_->Run(); });
    }
    return server_->port();
  }

  WebSocketServer::Options options_{.tick = std::chrono::milliseconds(5)};
  CountingHandler handler_;
  std::unique_ptr<WebSocketServer> server_;
  std::thread thread_;
};

TEST_F(WebSocketLimitsTest, TellsOfUpgradesThatTheAddressHasNoPlaceFor) {
  options_.connections_per_ip_max = 1;
  WebSocketClient first(Port());
  EXPECT_EQ(first.Upgrade().status, 101);
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 429);
  EXPECT_EQ(handler_.Await(1), std::vector{ServerLimit::kAddressFull});
}

TEST_F(WebSocketLimitsTest, TellsOfUpgradesThatItHasNoPlaceFor) {
  options_.connections_max = 1;
  WebSocketClient first(Port());
  EXPECT_EQ(first.Upgrade().status, 101);
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 503);
  EXPECT_EQ(handler_.Await(1), std::vector{ServerLimit::kServerFull});
}

TEST_F(WebSocketLimitsTest, TellsOfConnectionsThatTheAddressHasNoPlaceFor) {
  options_.connections_per_ip_max = 1;
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 70; ++i) clients.push_back(std::make_unique<WebSocketClient>(Port()));
  EXPECT_EQ(handler_.Await(5), std::vector(5, ServerLimit::kAddressFull));
}

TEST_F(WebSocketLimitsTest, TellsOfWhatIsMalformed) {
  EXPECT_EQ(WebSocketClient(Port()).Upgrade("/ws", {{"Sec-WebSocket-Key", "k"}}).status, 400);
  EXPECT_EQ(handler_.Await(1), std::vector{ServerLimit::kMalformed});
  EXPECT_EQ(WebSocketClient(Port()).Upgrade("/ws", {{"Sec-WebSocket-Version", "8"}}).status, 426);
  EXPECT_EQ(handler_.Await(2), std::vector(2, ServerLimit::kMalformed));
  EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/").status, 200);
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 101);
  WebSocketClient(Port()).Drop();
  EXPECT_EQ(WebSocketClient(Port()).Upgrade("/ws", {{"Host", ""}}).status, 400);
  EXPECT_EQ(handler_.Await(3), std::vector(3, ServerLimit::kMalformed));
}

TEST_F(WebSocketLimitsTest, TellsOfHandshakesThatNeverEnd) {
  options_.handshake_timeout = std::chrono::milliseconds(20);
  options_.ping_interval = std::chrono::milliseconds(20);
  WebSocketClient client(Port());
  client.SendRaw("GET /ws HTTP/1.1\r\n");
  EXPECT_EQ(handler_.Await(1), std::vector{ServerLimit::kHandshakeTimeout});
}

TEST_F(WebSocketLimitsTest, TellsOfClientsThatDoNotAnswerPings) {
  options_.ping_interval = std::chrono::milliseconds(20);
  options_.pong_timeout = std::chrono::milliseconds(50);
  WebSocketClient client(Port());
  EXPECT_EQ(client.Upgrade().status, 101);
  EXPECT_EQ(handler_.Await(1), std::vector{ServerLimit::kNoPong});
}

}  // namespace
}  // namespace wattmint::bridge
