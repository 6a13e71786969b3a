// SPDX-License-Identifier: Apache-2.0
#include "core/base/metrics_server.h"

#include "tests/support/status_matchers.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>

namespace wattmint::base {
namespace {

using test::HttpAnswer;
using test::IsOk;
using test::StatusIs;
using test::WebSocketClient;
using testing::HasSubstr;

class MetricsServerTest : public testing::Test {
 protected:
  MetricsServerTest() { Start({}); }

  void Start(const MetricsServer::Options& options) {
    auto started = MetricsServer::Start(options, [this] {
      ++pages_;
      return page_;
    });
    ASSERT_THAT(started, IsOk());
    server_ = *std::move(started);
  }
  WebSocketClient Connect(int receive_buffer_bytes = 0) {
    return WebSocketClient(static_cast<std::uint16_t>(server_->port()), receive_buffer_bytes);
  }
  // Ends only when the server has closed the connection.
  static void SendUntilClosed(WebSocketClient& client) {
    while (client.SendRaw("x")) std::this_thread::yield();
  }
  HttpAnswer Get(std::string_view target = "/metrics") { return Connect().Request("GET", target); }

  std::string page_ = "wattmint_answer 42\n";
  std::atomic<int> pages_{0};
  std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsServerTest, ServesItsPage) {
  for (const std::string target : {"/metrics", "/metrics?name=x"}) {
    const HttpAnswer answer = Get(target);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, page_);
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer.Header("Content-Length"), std::to_string(page_.size()));
  }
  EXPECT_EQ(pages_, 2);
}

TEST_F(MetricsServerTest, RefusesWhatItDoesNotServe) {
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_EQ(Get("/metricsx").status, 404);
  EXPECT_EQ(Connect().Request("POST", "/metrics").status, 405);
  EXPECT_EQ(Connect().Request("GET", "/metrics HTTP/1.1 or so").status, 400);
  EXPECT_EQ(pages_, 0);
}

TEST_F(MetricsServerTest, RefusesARequestWithoutAnEnd) {
  WebSocketClient client = Connect();
  SendUntilClosed(client);
  EXPECT_EQ(Get().status, 200);
  EXPECT_EQ(pages_, 1);
}

TEST_F(MetricsServerTest, ARequestMayComeByteByByte) {
  WebSocketClient client = Connect();
  for (const char byte : std::string("GET /metrics HTTP/1.1\r\n")) {
    ASSERT_TRUE(client.SendRaw({&byte, 1}));
  }
  EXPECT_EQ(client.Request("Host:", "x").status, 200);
}

TEST_F(MetricsServerTest, IdleConnectionsKeepNobodyOut) {
  std::deque<WebSocketClient> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(Connect());
  EXPECT_EQ(Get().status, 200);
}

TEST_F(MetricsServerTest, WhoDoesNotReadKeepsNobodyWaiting) {
  page_.assign(8 << 20, 'x');
  WebSocketClient slow = Connect(1'024);
  ASSERT_TRUE(slow.SendRaw("GET /metrics HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(Get().body.size(), page_.size());
  WebSocketClient gone = Connect();
  ASSERT_TRUE(gone.SendRaw("GET /metrics HTTP/1.1\r\n\r\n"));
  gone.Reset();
  EXPECT_EQ(Get("/").status, 404);
}

TEST_F(MetricsServerTest, WhoTakesTooLongIsCutOff) {
  Start({.connection_max = std::chrono::milliseconds(1)});
  WebSocketClient slow = Connect();
  SendUntilClosed(slow);
  EXPECT_EQ(pages_, 0);
}

TEST_F(MetricsServerTest, EndsWhileClientsAreConnected) {
  WebSocketClient idle = Connect();
  WebSocketClient half = Connect();
  ASSERT_TRUE(half.SendRaw("GET /met"));
  server_.reset();
  SendUntilClosed(idle);
}

TEST_F(MetricsServerTest, AnAddressThatCannotBeHadIsSaid) {
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  for (const std::string& address :
       {taken, std::string("192.0.2.1:0"), std::string("127.0.0.1:x")}) {
    const auto other = MetricsServer::Start({.address = address}, [] { return ""; });
    EXPECT_THAT(other, StatusIs(absl::StatusCode::kUnavailable, HasSubstr(address)));
  }
  EXPECT_THAT(MetricsServer::Start({.address = "x"}, [] { return ""; }),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(MetricsServer::Start({.address = "localhost:0"}, [] { return ""; }), IsOk());
}

}  // namespace
}  // namespace wattmint::base
