// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_text.h"

#include <gmock/gmock.h>

namespace wattmint::bridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(HttpTextTest, RendersAResponseThatEndsTheConnection) {
  HttpResponse response{
      .status = 200, .content_type = "text/html", .headers = {{"A", "b"}}, .body = "hello"};
  EXPECT_EQ(RenderResponse(response),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n"
            "Connection: close\r\nX-Content-Type-Options: nosniff\r\nA: b\r\n\r\nhello");
}

TEST(HttpTextTest, NamesEveryStatusInUse) {
  for (const int status : {200, 201, 400, 401, 403, 404, 405, 413, 426, 429, 431, 503}) {
    EXPECT_THAT(RenderResponse({.status = status}),
                testing::Not(HasSubstr("Internal Server Error")));
  }
  EXPECT_THAT(RenderResponse({.status = 500}), StartsWith("HTTP/1.1 500 Internal Server Error"));
}

TEST(HttpTextTest, MakesErrors) {
  EXPECT_EQ(ErrorResponse(404, "NOT_FOUND", "no such path").body,
            R"({"code":"NOT_FOUND","error":"no such path"})");
  EXPECT_THAT(RenderResponse(RetryResponse(503, "X", "y", 7)), HasSubstr("Retry-After: 7\r\n"));
}

TEST(HttpTextTest, RefusesWhatIsNotUnderstood) {
  for (const int status : {400, 413, 426, 431, 500}) EXPECT_EQ(RefusalOf(status).status, status);
  EXPECT_EQ(RefusalOf(505).status, 500);
  EXPECT_THAT(RenderResponse(RefusalOf(426)), HasSubstr("Upgrade: websocket\r\n"));
  EXPECT_THAT(RenderResponse(RefusalOf(426)), HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

TEST(HttpTextTest, FindsTokensInLists) {
  for (const char* list : {"upgrade", "Upgrade", "keep-alive, UPGRADE ,x", ",upgrade,"}) {
    EXPECT_TRUE(HasToken(list, "upgrade")) << list;
  }
  for (const char* list : {"", "upgraded", "no-upgrade", "up grade", "up,grade"}) {
    EXPECT_FALSE(HasToken(list, "upgrade")) << list;
  }
}

TEST(HttpTextTest, KnowsKeys) {
  EXPECT_TRUE(IsWebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(IsWebSocketKey("+/+/+/+/+/+/+/+/+/+/+w=="));
  for (const char* key :
       {"", "==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQQ=", "dGhlIHNhbXBsZSBub25jZQQQ",
        "dGhlIHNhbXBsZSBub25j!Q==", "AdGhlIHNhbXBsZSBub25jZQ=="}) {
    EXPECT_FALSE(IsWebSocketKey(key)) << key;
  }
}

TEST(HttpTextTest, FindsHeadersWithoutCase) {
  const HttpRequest request{.headers = {{"X-Api-Key", "k"}}};
  EXPECT_EQ(request.Header("x-api-KEY"), "k");
  EXPECT_EQ(request.Header("x-api"), "");
}

TEST(HttpTextTest, PicksTheFirstSubprotocolOfTheClientThatIsSpoken) {
  EXPECT_EQ(PickSubprotocol("b, a", {"a", "b"}), "b");
  EXPECT_EQ(PickSubprotocol("c, a, b", {"a", "b"}), "a");
  EXPECT_EQ(PickSubprotocol(" b ,c", {"a", "b"}), "b");
  EXPECT_EQ(PickSubprotocol("", {"a", "b"}), "");
  EXPECT_EQ(PickSubprotocol("ab", {"a", "b"}), "");
}

TEST(HttpTextTest, SplitsAndTrims) {
  EXPECT_THAT(SplitTrimmed(" a,, b c ,\t,d", ','), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(SplitTrimmed(" , ", ','), IsEmpty());
}

TEST(HttpTextTest, FramesTextOfEverySize) {
  EXPECT_EQ(*FrameText("hi"), "\x81\x02hi");
  EXPECT_EQ(*FramePong("hi"), "\x8a\x02hi");
  EXPECT_EQ(FrameText(std::string(125, 'x'))->substr(0, 2), "\x81\x7d");
  EXPECT_EQ(FrameText(std::string(126, 'x'))->substr(0, 4), std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(FrameText(std::string(65'535, 'x'))->substr(0, 4), "\x81\x7e\xff\xff");
  EXPECT_EQ(FrameText(std::string(65'536, 'x'))->substr(0, 10),
            std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

}  // namespace
}  // namespace wattmint::bridge
