// SPDX-License-Identifier: Apache-2.0
#include "bridge/websocket_server.h"

#include "bridge/http_text.h"
#include "core/base/mutex.h"
#include "tests/bridge/tls_bench.h"
#include "tests/support/status_matchers.h"
#include "tests/support/websocket_client.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <thread>

namespace wattmint::bridge {
namespace {

using test::HttpAnswer;
using test::StatusIs;
using testing::HasSubstr;

#ifdef WATTMINT_TEST_BY_TLS
// All of these tests hold by TLS as well.
TlsBench& Tls() {
  static TlsBench bench;
  return bench;
}
const WebSocketServer::Options kDefaults{.tls = Tls().Begin()};

struct WebSocketClient : test::WebSocketClient {
  explicit WebSocketClient(std::uint16_t port, int receive_buffer_bytes = 0)
      : test::WebSocketClient(port, receive_buffer_bytes, Tls().authorities()) {}
};
#else
const WebSocketServer::Options kDefaults;
using test::WebSocketClient;
#endif

constexpr std::chrono::seconds kPatience = WebSocketClient::kPatience;

// Remembers what happened; any thread.
class Journal {
 public:
  void Add(std::string line) {
    base::MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.NotifyAll();
  }
  bool WaitFor(const std::string& line, std::ptrdiff_t times = 1) {
    base::MutexLock lock(mutex_);
    return changed_.WaitFor(mutex_, kPatience, [&]() WATTMINT_REQUIRES(mutex_) {
      return std::count(lines_.begin(), lines_.end(), line) >= times;
    });
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> lines_ WATTMINT_GUARDED_BY(mutex_);
};

// Echoes; "close N" closes with N, and with "go on" sends more behind it; "throw" throws; "burst"
// sends 1,000 frames at once; "flood N" sends frames of 1 KiB until N bytes wait.
class Echo final : public WebSocketListener {
 public:
  explicit Echo(Journal& journal) : journal_(journal) {}
  ~Echo() override { journal_.Add("ended"); }
  void OnOpen(WebSocketConnection& connection) override {
    connection_ = &connection;
    connection.Send(FrameText("welcome"));
  }
  void OnText(std::string_view text) override {
    const std::string command(text);
    if (command.starts_with("close ")) {
      connection_->Close(std::stoi(command.substr(6)), "as you wish");
      if (command.ends_with("go on")) connection_->SendAll({FrameText("behind"), FrameText("it")});
    } else if (command == "throw") {
      throw std::runtime_error("thrown by the listener");
    } else if (command == "burst") {
      std::vector<SharedFrame> frames;
      for (int i = 0; i < 1000; ++i) frames.push_back(FrameText(std::to_string(i)));
      connection_->SendAll(frames);
      connection_->Send(FrameText("end"));
    } else if (command.starts_with("flood ")) {
      Flood(std::stoul(command.substr(6)));
    } else {
      connection_->Send(FrameText(text));
    }
  }
  void OnWritable() override { journal_.Add("writable"); }
  void OnClose(int code) override { journal_.Add("closed " + std::to_string(code)); }

 private:
  void Flood(std::size_t bytes) {
    const SharedFrame frame = FrameText(std::string(1024, 'x'));
    std::size_t pending = 0;
    while (pending < bytes) {
      const std::size_t before = pending;
      pending = connection_->Send(frame);
      EXPECT_EQ(pending, connection_->PendingBytes());
      EXPECT_TRUE(before == 0 || pending == before + frame->size()) << before << " " << pending;
    }
    journal_.Add("flooded");
  }

  Journal& journal_;
  WebSocketConnection* connection_ = nullptr;
};

class Handler final : public WebSocketHandler {
 public:
  void OnHttpRequest(const HttpRequest& request, HttpReply reply) override {
    if (request.target == "/file") {
      static const std::string file(1024 * 1024, 'f');
      reply(HttpResponse{.body = "head", .lasting_body = file});
    } else if (request.target == "/late") {
      base::MutexLock lock(mutex_);
      late_.push_back([reply] { reply(HttpResponse{.body = "late"}); });
      changed_.NotifyAll();
    } else if (request.target == "/throw") {
      throw std::runtime_error("thrown by the handler");
    } else {
      reply(HttpResponse{.content_type = "text/plain",
                         .body = request.method + " " + request.target + " " + request.body +
                                 std::string(request.Header("x-NOTE")) + request.remote_ip});
      reply(HttpResponse{.body = "twice"});
    }
  }
  void OnUpgrade(const HttpRequest& request, UpgradeReply reply) override {
    if (request.target == "/refused") {
      reply(ErrorResponse(401, "AUTHENTICATION_FAILED", "no"));
    } else if (request.target == "/late") {
      base::MutexLock lock(mutex_);
      late_.push_back([this, reply] { reply(std::make_unique<Echo>(journal)); });
      changed_.NotifyAll();
    } else {
      reply(std::make_unique<Echo>(journal));
    }
  }
  void OnTick() override { journal.Add("tick"); }

  // Waits for a request for /late; what is returned answers it.
  std::function<void()> TakeLate() {
    base::MutexLock lock(mutex_);
    EXPECT_TRUE(changed_.WaitFor(mutex_, kPatience,
                                 [this]() WATTMINT_REQUIRES(mutex_) { return !late_.empty(); }));
    std::function<void()> answer = std::move(late_.front());
    late_.pop_front();
    return answer;
  }

  Journal journal;

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<std::function<void()>> late_ WATTMINT_GUARDED_BY(mutex_);
};

class WebSocketServerTest : public testing::Test {
 protected:
  ~WebSocketServerTest() override { StopServer(); }

  std::uint16_t Port() {
    if (server_ == nullptr) {
      auto server = WebSocketServer::Listen(options_, handler_);
      EXPECT_TRUE(server.ok()) << server.status().ToString();
      server_ = *std::move(server);
      thread_ = std::thread([this] { server_->Run(); });
    }
    return server_->port();
  }
  void StopServer() {
    if (!thread_.joinable()) return;
    server_->Stop(std::chrono::milliseconds(500));
    thread_.join();
  }
  // A client that has been welcomed.
  WebSocketClient Open(int receive_buffer_bytes = 0) {
    WebSocketClient client(Port(), receive_buffer_bytes);
    EXPECT_EQ(client.Upgrade().status, 101);
    EXPECT_EQ(client.ReadText(), "welcome");
    return client;
  }
  HttpAnswer Upgrade(const std::string& target, const WebSocketClient::Headers& headers = {}) {
    return WebSocketClient(Port()).Upgrade(target, headers);
  }

  WebSocketServer::Options options_{.tick = std::chrono::milliseconds(5),
                                    .subprotocols = {"wattmint.v1.json", "other"},
                                    .tls = kDefaults.tls};
  Handler handler_;
  std::unique_ptr<WebSocketServer> server_;
  std::thread thread_;
};

TEST_F(WebSocketServerTest, OpensAndCarriesTextBothWays) {
  WebSocketClient client = Open();
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 4000u, 16u * 1024u}) {
    const std::string text(size, 'e');
    ASSERT_TRUE(client.SendText(text));
    EXPECT_EQ(client.ReadText(), text) << size;
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(WebSocketServerTest, SendsManyFramesAtOnceInOrder) {
  WebSocketClient client = Open();
  client.SendText("burst");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.ReadText(), std::to_string(i));
  EXPECT_EQ(client.ReadText(), "end");
}

TEST_F(WebSocketServerTest, AnswersTheHandshakeByTheBook) {
  WebSocketClient client(Port());
  const HttpAnswer answer =
      client.Upgrade("/ws", {{"Sec-WebSocket-Protocol", "wattmint.bearer.abc, wattmint.v1.json"}});
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.Header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.Header("Sec-WebSocket-Protocol"), "wattmint.v1.json");
}

TEST_F(WebSocketServerTest, PicksFromAListWithEmptyElements) {
  const HttpAnswer answer = Upgrade("/ws", {{"Sec-WebSocket-Protocol", ",other,"}});
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.Header("Sec-WebSocket-Protocol"), "other");
}

TEST_F(WebSocketServerTest, RefusesBadHandshakes) {
  struct Row {
    WebSocketClient::Headers headers;
    int status;
    const char* why;
  };
  const std::vector<Row> rows = {
      {{{"Sec-WebSocket-Version", "8"}}, 426, "an old draft"},
      {{{"Sec-WebSocket-Version", "7"}}, 426, "an older draft"},
      {{{"Sec-WebSocket-Version", "99"}}, 426, "a version that nobody knows"},
      {{{"Sec-WebSocket-Version", "x"}}, 426, "a version that is no number"},
      {{{"Sec-WebSocket-Version", ""}}, 426, "no version, which a draft of 2010 has"},
      {{{"Upgrade", "no-websocket"}}, 426, "what only holds the word"},
      {{{"Connection", "upgraded"}}, 426, "what only holds the other word"},
      {{{"Sec-WebSocket-Key", "k"}}, 400, "a key of one character"},
      {{{"Sec-WebSocket-Key", ""}}, 400, "no key"},
      {{{"Sec-WebSocket-Key", std::string(24, '!')}}, 400, "a key that is no base64"},
      {{{"Host", ""}}, 400, "no host"},
      {{{"Sec-WebSocket-Protocol", "wattmint.bearer.abc"}}, 400, "no spoken subprotocol"},
      {{{"X-Long", std::string(20'000, 'x')}}, 431, "20 kB of headers"},
  };
  for (const Row& row : rows) {
    const HttpAnswer answer = Upgrade("/ws", row.headers);
    EXPECT_EQ(answer.status, row.status) << row.why;
    EXPECT_EQ(answer.Header("Connection"), "close") << row.why;
    EXPECT_THAT(answer.body, HasSubstr(R"({"code":")")) << row.why;
  }
  EXPECT_EQ(server_->connections(), 0u);
  Open();
}

TEST_F(WebSocketServerTest, RefusesWithTheHandlersAnswer) {
  const HttpAnswer answer = Upgrade("/refused");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, R"({"code":"AUTHENTICATION_FAILED","error":"no"})");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_EQ(answer.Header("Content-Length"), std::to_string(answer.body.size()));
}

TEST_F(WebSocketServerTest, AnswersAnUpgradeLater) {
  Port();
  std::thread later([this] { handler_.TakeLate()(); });
  WebSocketClient client(Port());
  EXPECT_EQ(client.Upgrade("/late").status, 101);
  EXPECT_EQ(client.ReadText(), "welcome");
  later.join();
}

TEST_F(WebSocketServerTest, SurvivesAClientThatLeavesBeforeTheAnswer) {
  for (const std::string upgrade : {"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                    "Sec-WebSocket-Version: 13\r\n",
                                    ""}) {
    WebSocketClient client(Port());
    client.SendRaw("GET /late HTTP/1.1\r\nHost: x\r\n" + upgrade + "\r\n");
    const std::function<void()> answer = handler_.TakeLate();
    client.Reset();
    answer();
  }
  Open();
}

TEST_F(WebSocketServerTest, AnswersPlainHttpOnceAndCloses) {
  const HttpAnswer answer =
      WebSocketClient(Port()).Request("POST", "/x?y", {{"X-Note", "note"}}, "body ");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "POST /x?y body note127.0.0.1");
  EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff");
}

TEST_F(WebSocketServerTest, AnswersPlainHttpLater) {
  Port();
  std::thread later([this] { handler_.TakeLate()(); });
  EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/late").body, "late");
  later.join();
}

TEST_F(WebSocketServerTest, SendsABodyThatLastsBehindTheOther) {
  WebSocketClient client(Port());
  const HttpAnswer answer = client.Request("GET", "/file");
  EXPECT_EQ(answer.Header("Content-Length"), std::to_string(4 + 1024 * 1024));
  EXPECT_EQ(answer.body, "head" + std::string(1024 * 1024, 'f'));
}

TEST_F(WebSocketServerTest, RefusesABodyThatIsTooLong) {
  EXPECT_EQ(WebSocketClient(Port()).Request("POST", "/x", {}, std::string(17'000, 'b')).status,
            413);
}

TEST_F(WebSocketServerTest, CutsWhoNeverFinishesTheRequest) {
  options_.handshake_timeout = std::chrono::milliseconds(20);
  options_.ping_interval = std::chrono::milliseconds(20);
  WebSocketClient client(Port());
  client.SendRaw("GET /ws HTTP/1.1\r\nHost: ");
  EXPECT_EQ(client.ReadFrame(), std::nullopt);
  EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/late").status, 0) << "never answered";
  EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/throw").status, 0);
}

std::ptrdiff_t CountDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST_F(WebSocketServerTest, LetsGoOfAnUpgradeThatIsNeverAnswered) {
  options_.handshake_timeout = std::chrono::milliseconds(20);
  options_.ping_interval = std::chrono::milliseconds(20);
  EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/").status, 200);
  const std::ptrdiff_t before = CountDescriptors();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Upgrade("/late").status, 0) << "cut";
  for (int i = 0; i < 200 && CountDescriptors() > before; ++i) {
    EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/").status, 200);
  }
  EXPECT_LE(CountDescriptors(), before);
}

TEST_F(WebSocketServerTest, ClosesOnBrokenFramesWithTheRightCode) {
  struct Row {
    int opcode;
    std::string payload;
    test::FrameShape shape;
    int code;
    const char* why;
  };
  const std::vector<Row> rows = {
      {1, "text", {.is_masked = false}, 1002, "not masked"},
      {1, "text", {.reserved_bits = 4}, 1002, "compressed, which was not agreed on"},
      {3, "text", {}, 1002, "an opcode that is reserved"},
      {0, "text", {}, 1002, "a continuation of nothing"},
      {9, std::string(126, 'p'), {}, 1002, "a ping of 126 bytes"},
      {9, "p", {.is_final = false}, 1002, "a ping in parts"},
      {8, "\x03", {}, 1002, "a close code of one byte"},
      {8, "\x03\xed", {}, 1002, "the close code 1005"},
      {1, "\xff\xfe", {}, 1007, "not UTF-8"},
      {1, "\xed\xa0\x80", {}, 1007, "a lone surrogate"},
      {2, "binary", {}, 1003, "binary"},
      {1, std::string(16 * 1024 + 1, 'x'), {}, 1009, "a byte too long"},
      {1, "", {.announced_size = 1ull << 40}, 1009, "a terabyte, announced"},
      {1, "", {.announced_size = ~0ull}, 1002, "a length with the highest bit"},
      {1, "close 4401", {}, 4401, "the listener's code"},
      {1, "throw", {}, 1011, "an exception of the listener"},
  };
  for (const Row& row : rows) {
    WebSocketClient client = Open();
    ASSERT_TRUE(client.SendFrame(row.opcode, row.payload, row.shape));
    EXPECT_EQ(client.ReadClose(), row.code) << row.why;
  }
  Open();
}

TEST_F(WebSocketServerTest, ClosesOnAMessageThatGrowsTooLongInParts) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kText, std::string(10'000, 'x'), {.is_final = false});
  client.SendFrame(0, std::string(10'000, 'x'), {.is_final = false});
  EXPECT_EQ(client.ReadClose(), 1009);
}

TEST_F(WebSocketServerTest, ClosesOnAPartWhoseLengthWrapsAround) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kText, "twelve bytes", {.is_final = false});
  client.SendFrame(0, "", {.announced_size = ~0ull});
  EXPECT_EQ(client.ReadClose(), 1002);
}

TEST_F(WebSocketServerTest, ClosesOnALengthThatIsNotInItsShortestForm) {
  WebSocketClient client = Open();
  client.SendRaw(std::string("\x81\xfe\0\1\0\0\0\0x", 9));
  EXPECT_EQ(client.ReadClose(), 1002);
}

TEST_F(WebSocketServerTest, ClosesOnALastPartThatEndsWithinACharacter) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kText, "gr", {.is_final = false});
  client.SendFrame(0, "\xc3");
  EXPECT_EQ(client.ReadClose(), 1007);
}

TEST_F(WebSocketServerTest, AnswersACloseWhateverComesBehindIt) {
  WebSocketClient client = Open();
  std::string bytes("\x88\x82\0\0\0\0\x03\xe8", 8);  // 1000
  client.SendRaw(bytes.append(500, '\x7f'));
  EXPECT_EQ(client.ReadClose(), 1000);
}

TEST_F(WebSocketServerTest, ClosesOnce) {
  options_.close_timeout = std::chrono::milliseconds(200);
  WebSocketClient client = Open();
  // A binary frame, and a close whose code is none.
  client.SendRaw(std::string("\x82\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xed", 14));
  EXPECT_EQ(client.ReadClose(), 1003);
  EXPECT_EQ(client.ReadFrame(), std::nullopt);
}

TEST_F(WebSocketServerTest, SendsNothingBehindAClose) {
  WebSocketClient client = Open();
  client.SendText("close 4401 and go on");
  EXPECT_EQ(client.ReadClose(), 4401);
  EXPECT_EQ(client.ReadFrame(std::chrono::milliseconds(50)), std::nullopt);
}

TEST_F(WebSocketServerTest, SurvivesATruncatedFrame) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kText, "half", {.announced_size = 8});
  client.Drop();
  EXPECT_TRUE(handler_.journal.WaitFor("closed 1006"));
}

TEST_F(WebSocketServerTest, TellsTheListenerTheClientsCloseCode) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kClose, "\x03\xe8");
  EXPECT_EQ(client.ReadClose(), 1000);
  EXPECT_TRUE(handler_.journal.WaitFor("closed 1000"));
}

TEST_F(WebSocketServerTest, AnswersPings) {
  WebSocketClient client = Open();
  client.SendFrame(WebSocketClient::kPing, "are you there");
  const auto frame = client.ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, WebSocketClient::kPong);
  EXPECT_EQ(frame->payload, "are you there");
}

TEST_F(WebSocketServerTest, AnswersPingsInOrderWithMessages) {
  WebSocketClient client = Open();
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes.append("\x89\x80\0\0\0\0\x81\x80\0\0\0\0", 12);
  client.SendRaw(bytes);
  for (int i = 0; i < 40; ++i) {
    const auto frame = client.ReadFrame();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->opcode, i % 2 == 0 ? WebSocketClient::kPong : WebSocketClient::kText) << i;
  }
}

TEST_F(WebSocketServerTest, PingsAndCutsWhoDoesNotAnswer) {
  options_.ping_interval = std::chrono::milliseconds(20);
  options_.pong_timeout = std::chrono::milliseconds(200);
  WebSocketClient silent = Open();
  WebSocketClient answering = Open();
  bool silent_pinged = false;
  for (int pongs = 0; pongs < 30; ++pongs) {
    const auto frame = answering.ReadFrame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_EQ(frame->opcode, WebSocketClient::kPing);
    answering.SendFrame(WebSocketClient::kPong, frame->payload);
  }
  while (const auto frame = silent.ReadFrame()) {
    silent_pinged = silent_pinged || frame->opcode == WebSocketClient::kPing;
  }
  EXPECT_TRUE(silent_pinged);
  EXPECT_TRUE(handler_.journal.WaitFor("closed 1006"));
  answering.SendText("still here");
  EXPECT_EQ(answering.ReadText(), "still here");
}

TEST_F(WebSocketServerTest, CountsWhatASlowReaderLeavesAndTellsWhenItDrained) {
  WebSocketClient client = Open(4096);
  constexpr std::size_t kBytes = 256 * 1024;
  client.SendText("flood " + std::to_string(kBytes));
  client.SendText("burst");  // behind what is queued
  ASSERT_TRUE(handler_.journal.WaitFor("flooded"));
  std::size_t received = 0;
  while (received < kBytes) {
    const std::string text = client.ReadText();
    ASSERT_EQ(text.size(), 1024u) << "after " << received;
    received += text.size();
  }
  EXPECT_TRUE(handler_.journal.WaitFor("writable"));
  std::string text;
  while ((text = client.ReadText()).size() == 1024) continue;
  EXPECT_EQ(text, "0");
}

TEST_F(WebSocketServerTest, KeepsPongsInOrderWithQueuedFrames) {
  WebSocketClient client = Open(4096);
  client.SendText("flood 200000");
  ASSERT_TRUE(handler_.journal.WaitFor("flooded"));
  for (int i = 0; i < 1000; ++i) client.SendFrame(WebSocketClient::kPing, "x");
  client.SendText("last");
  int pongs = 0;
  for (;;) {
    const auto frame = client.ReadFrame();
    ASSERT_TRUE(frame.has_value());
    if (frame->opcode == WebSocketClient::kPong) ++pongs;
    if (frame->payload == "last") break;
  }
  EXPECT_LT(pongs, 1000) << "pings of a client that does not read are not all worth an answer";
}

TEST_F(WebSocketServerTest, CountsClientsBehindATrustedProxyEach) {
  options_.connections_per_ip_max = 1;
  options_.trusted_proxies = {"127.0.0.1"};
  WebSocketClient first(Port());
  EXPECT_EQ(first.Upgrade("/ws", {{"X-Forwarded-For", "192.0.2.1"}}).status, 101);
  WebSocketClient second(Port());
  EXPECT_EQ(second.Upgrade("/ws", {{"X-Forwarded-For", "192.0.2.2"}}).status, 101);
  WebSocketClient again(Port());
  EXPECT_EQ(again.Upgrade("/ws", {{"X-Forwarded-For", "192.0.2.9, 192.0.2.1"}}).status, 429);
}

TEST_F(WebSocketServerTest, BelievesNobodyElseWhoTheyAre) {
  options_.connections_per_ip_max = 1;
  WebSocketClient first(Port());
  EXPECT_EQ(first.Upgrade("/ws", {{"X-Forwarded-For", "192.0.2.1"}}).status, 101);
  WebSocketClient second(Port());
  EXPECT_EQ(second.Upgrade("/ws", {{"X-Forwarded-For", "192.0.2.2"}}).status, 429);
}

TEST_F(WebSocketServerTest, LimitsConnectionsOfOneAddress) {
  options_.connections_per_ip_max = 2;
  WebSocketClient first = Open();
  {
    WebSocketClient second = Open();
    const HttpAnswer third = Upgrade("/ws");
    EXPECT_EQ(third.status, 429);
    EXPECT_NE(third.Header("Retry-After"), "");
    EXPECT_THAT(third.body, HasSubstr("RATE_LIMIT_EXCEEDED"));
    EXPECT_EQ(WebSocketClient(Port()).Request("GET", "/x").status, 200) << "HTTP goes on";
  }
  EXPECT_TRUE(handler_.journal.WaitFor("closed 1006"));
  Open();
}

TEST_F(WebSocketServerTest, LimitsAllConnections) {
  options_.connections_max = 1;
  WebSocketClient first = Open();
  EXPECT_EQ(Upgrade("/ws").status, 503);
}

TEST_F(WebSocketServerTest, CutsTheOldestRequestForWhoeverComesWhenItIsFull) {
  options_.held_max = 3;
  WebSocketClient open = Open();
  WebSocketClient silent(Port());
  WebSocketClient waiting(Port());
  waiting.SendRaw("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::function<void()> answer = handler_.TakeLate();
  WebSocketClient newcomer = Open();
  EXPECT_EQ(silent.Request("GET", "/").status, 0) << "the oldest";
  WebSocketClient another = Open();
  answer();
  EXPECT_EQ(waiting.Request("GET", "/").status, 0);
  EXPECT_EQ(Upgrade("/ws").status, 0) << "there are only WebSockets";
  for (WebSocketClient* client : {&open, &newcomer, &another}) {
    client->SendText("still here");
    EXPECT_EQ(client->ReadText(), "still here");
  }
}

TEST_F(WebSocketServerTest, ClosesEverybodyWhenItStops) {
  WebSocketClient polite = Open();
  WebSocketClient rude = Open();
  WebSocketClient unfinished(Port());
  unfinished.SendRaw("GET /");
  server_->Stop(std::chrono::milliseconds(200));
  server_->Stop(std::chrono::milliseconds(200));
  EXPECT_EQ(polite.ReadClose(), 1001);
  polite.SendFrame(WebSocketClient::kClose, "\x03\xe9");
  EXPECT_EQ(rude.ReadClose(), 1001);
  thread_.join();
  EXPECT_EQ(rude.ReadFrame(), std::nullopt) << "cut after the deadline";
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(WebSocketServerTest, StopsWithoutConnections) {
  Port();
  EXPECT_TRUE(handler_.journal.WaitFor("tick"));
  StopServer();
}

TEST_F(WebSocketServerTest, RunsPostedWorkInOrder) {
  Port();
  for (int i = 0; i < 10; ++i) {
    server_->Post([this, i] { handler_.journal.Add("post " + std::to_string(i)); });
  }
  server_->Post([] { throw std::runtime_error("thrown by posted work"); });
  server_->Post([this] { handler_.journal.Add("after"); });
  EXPECT_TRUE(handler_.journal.WaitFor("post 9"));
  EXPECT_TRUE(handler_.journal.WaitFor("after"));
}

TEST_F(WebSocketServerTest, SaysWhyItCannotListen) {
  options_.port = Port();
  EXPECT_THAT(WebSocketServer::Listen(options_, handler_).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(std::to_string(options_.port))));
  options_.host = "no such host";
  EXPECT_THAT(WebSocketServer::Listen(options_, handler_).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no such host")));
}

// Three servers on one port.
class SharedPortTest : public testing::Test {
 protected:
  using Counts = std::vector<std::size_t>;

  ~SharedPortTest() override { StopServers(); }

  std::uint16_t Port() {
    if (servers_.empty()) {
      auto servers = WebSocketServer::ListenAll(options_, {&handler_, &handler_, &handler_});
      EXPECT_TRUE(servers.ok()) << servers.status().ToString();
      servers_ = *std::move(servers);
      for (const auto& server : servers_) {
        threads_.emplace_back([&server = *server] { server.Run(); });
      }
    }
    return servers_.front()->port();
  }
  void StopServers() {
    for (const auto& server : servers_) server->Stop(std::chrono::milliseconds(500));
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  WebSocketClient Open() {
    WebSocketClient client(Port());
    EXPECT_EQ(client.Upgrade().status, 101);
    EXPECT_EQ(client.ReadText(), "welcome");
    return client;
  }
  std::vector<WebSocketClient> OpenSome(int count) {
    std::vector<WebSocketClient> clients;
    for (int i = 0; i < count; ++i) clients.push_back(Open());
    return clients;
  }
  Counts OpenCounts() const {
    Counts counts;
    for (const auto& server : servers_) counts.push_back(server->connections());
    return counts;
  }

  WebSocketServer::Options options_{.tick = std::chrono::milliseconds(5),
                                    .subprotocols = {"wattmint.v1.json"},
                                    .tls = kDefaults.tls};
  Handler handler_;
  std::vector<std::unique_ptr<WebSocketServer>> servers_;
  std::vector<std::thread> threads_;
};

TEST_F(SharedPortTest, GivesEachConnectionToTheServerThatHasTheFewest) {
  std::vector<WebSocketClient> clients = OpenSome(6);
  EXPECT_EQ(OpenCounts(), (Counts{2, 2, 2}));
  clients[1].Drop();
  clients[4].Drop();
  ASSERT_TRUE(handler_.journal.WaitFor("ended", 2));
  EXPECT_EQ(OpenCounts(), (Counts{2, 0, 2}));
  for (WebSocketClient& client : OpenSome(2)) {
    client.SendText("still here");
    EXPECT_EQ(client.ReadText(), "still here");
    EXPECT_EQ(OpenCounts(), (Counts{2, 2, 2}));
    clients.push_back(std::move(client));
  }
}

TEST_F(SharedPortTest, LimitsTheConnectionsOfAnAddressOverAllServers) {
  options_.connections_per_ip_max = 4;
  std::vector<WebSocketClient> clients = OpenSome(4);
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 429);
  clients[2].Drop();
  ASSERT_TRUE(handler_.journal.WaitFor("ended"));
  Open();
}

TEST_F(SharedPortTest, LimitsAllConnectionsOverAllServers) {
  options_.connections_max = 4;
  const std::vector<WebSocketClient> clients = OpenSome(4);
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 503);
}

TEST_F(SharedPortTest, AnswersLaterOnTheServerThatWasAsked) {
  const std::vector<WebSocketClient> clients = OpenSome(1);
  std::thread later([this] { handler_.TakeLate()(); });
  WebSocketClient client(Port());
  EXPECT_EQ(client.Upgrade("/late").status, 101);
  EXPECT_EQ(client.ReadText(), "welcome");
  EXPECT_EQ(OpenCounts(), (Counts{1, 1, 0}));
  later.join();
}

TEST_F(SharedPortTest, ClosesTheConnectionsOfAll) {
  std::vector<WebSocketClient> clients = OpenSome(6);
  std::thread stop([this] { StopServers(); });
  for (WebSocketClient& client : clients) EXPECT_EQ(client.ReadClose(), 1001);
  stop.join();
  EXPECT_EQ(OpenCounts(), (Counts{0, 0, 0}));
}

TEST_F(SharedPortTest, LeavesNobodyWaitingWhoIsGivenToAServerThatStops) {
  std::vector<WebSocketClient> clients = OpenSome(2);
  servers_[1]->Stop(std::chrono::milliseconds(0));
  ASSERT_TRUE(handler_.journal.WaitFor("ended"));
  EXPECT_EQ(WebSocketClient(Port()).Upgrade().status, 0) << "cut";
  EXPECT_EQ(OpenCounts(), (Counts{1, 0, 0}));
}

}  // namespace
}  // namespace wattmint::bridge
