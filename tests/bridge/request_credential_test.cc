// SPDX-License-Identifier: Apache-2.0
#include "bridge/request_credential.h"

#include <gtest/gtest.h>

namespace wattmint::bridge {
namespace {

using Kind = client::Credential::Kind;
using Headers = std::vector<std::pair<std::string, std::string>>;

TEST(RequestCredentialTest, FindsThePathOfATarget) {
  EXPECT_EQ(PathOf("/ws"), "/ws");
  EXPECT_EQ(PathOf("/ws?a=/b"), "/ws");
  EXPECT_EQ(PathOf("http://host:80/ws?a"), "/ws");
  EXPECT_EQ(PathOf("http://host?a=/ws"), "/");
  EXPECT_EQ(PathOf("/x?a=http://host/ws"), "/x");
  EXPECT_EQ(PathOf("/http://host/ws"), "/http://host/ws");
  EXPECT_EQ(PathOf("ws"), "ws");
  EXPECT_EQ(PathOf(""), "");
}

TEST(RequestCredentialTest, TakesTheFirstThatIsThere) {
  struct Row {
    Headers headers;
    std::string target;
    Kind kind;
    std::string text;
    const char* why;
  };
  const Headers all = {{"Authorization", "Bearer a.b.c"},
                       {"X-Api-Key", "key"},
                       {"Sec-WebSocket-Protocol", "wattmint.v1.json, wattmint.bearer.sub"}};
  const std::vector<Row> rows = {
      {all, "/ws?ticket=t", Kind::kBearer, "a.b.c", "the header is best"},
      {{{"authorization", "bearer x"}}, "/ws", Kind::kBearer, "x", "without case"},
      {{all[1], all[2]}, "/ws?ticket=t", Kind::kApiKey, "key", "then the key"},
      {{all[2]}, "/ws?ticket=t%2Bu", Kind::kTicket, "t+u", "then the ticket"},
      {{all[2]}, "/ws?token=q", Kind::kBearer, "sub", "then the subprotocol"},
      {{}, "/ws?token=q&api_key=k", Kind::kNone, "", "the query is not looked at"},
      {{{"Authorization", "Basic eA=="}}, "/ws", Kind::kBearer, "Basic eA==", "refused later"},
      {{}, "/ws?ticket=%zz", Kind::kTicket, "%zz", "not well-formed: for the core to refuse"},
      {{}, "/ws?ticket", Kind::kNone, "", "no value"},
      {{}, "/ws", Kind::kNone, "", "nothing"},
  };
  for (const Row& row : rows) {
    HttpRequest request;
    request.headers = row.headers;
    request.target = row.target;
    const client::Credential credential = UpgradeCredential(request, QuerySecrets::kIgnore);
    EXPECT_EQ(credential.kind, row.kind) << row.why;
    EXPECT_EQ(credential.text, row.text) << row.why;
  }
}

TEST(RequestCredentialTest, LooksAtTheQueryIfToldTo) {
  HttpRequest request;
  request.target = "/ws?api_key=k&token=q";
  EXPECT_EQ(UpgradeCredential(request, QuerySecrets::kAccept).kind, Kind::kBearer);
  request.target = "/ws?api_key=k";
  EXPECT_EQ(UpgradeCredential(request, QuerySecrets::kAccept).kind, Kind::kApiKey);
  request.target = "/ws?ticket=t&token=q";
  EXPECT_EQ(UpgradeCredential(request, QuerySecrets::kAccept).kind, Kind::kTicket);
  request.target = "/ws?x=y";
  EXPECT_EQ(UpgradeCredential(request, QuerySecrets::kAccept).kind, Kind::kNone);
}

TEST(RequestCredentialTest, ReadsTargets) {
  EXPECT_EQ(PathOf("/ws?a=b?c"), "/ws");
  EXPECT_EQ(PathOf("/"), "/");
  EXPECT_EQ(QueryValue("/ws?a=1&b=%41%6a%6A", "b"), "Ajj");
  EXPECT_EQ(QueryValue("/ws?a=1", "b"), std::nullopt);
  EXPECT_EQ(QueryValue("/ws?b=%4", "b"), "%4");
  EXPECT_EQ(QueryValue("/ws?b=%zz%41%", "b"), "%zzA%");
  EXPECT_EQ(QueryValue("/ws?b=", "b"), "");
}

}  // namespace
}  // namespace wattmint::bridge
