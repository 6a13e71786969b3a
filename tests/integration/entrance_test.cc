// SPDX-License-Identifier: Apache-2.0
// The whole core behind its front door: beyond loopback, and by TLS.
#include "core/access/reason.h"
#include "tests/support/certificates.h"
#include "tests/support/event_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_core.h"
#include "tests/support/websocket_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace wattmint::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Message = v1::SubscribeResponse;

rpc::CoreOptions BeyondLoopback() {
  rpc::CoreOptions options = TestCore::Defaults();
  options.server.address = "0.0.0.0:0";
  options.metrics_address = "127.0.0.1:0";
  return options;
}

std::string MetricsOf(TestCore& core) {
  return WebSocketClient(static_cast<std::uint16_t>(core.app().metrics_port()))
      .Request("GET", "/metrics")
      .body;
}

TEST(FrontDoorOfCoreTest, CarriesCallsAndStreams) {
  TestCore core(BeyondLoopback());
  core.RegisterMeter("m-1", "ada", WalletAddress(1));
  std::vector<v1::ReadingInput> readings;
  for (int i = 0; i < 100; ++i) readings.push_back(QuarterHour("m-1", i, "1.25"));
  EventReader reader(core.events(), core.admin(), FromSequence(1));
  core.SubmitAll(readings);
  core.WaitUntilMinted();
  const std::size_t events = core.ReadEvents(core.admin()).size();
  EXPECT_EQ(reader.ReadEvents(events).size(), events);
  const std::string metrics = MetricsOf(core);
  EXPECT_THAT(metrics, HasSubstr("\nwattmint_connections 1\n"));
  EXPECT_THAT(metrics, HasSubstr("\nwattmint_connections_accepted_total 1\n"));
  EXPECT_THAT(metrics,
              HasSubstr("\nwattmint_connections_refused_total{reason=\"many_resets\"} 0\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("wattmint_certificate")));
}

TEST(FrontDoorOfCoreTest, LoopbackHasNone) {
  rpc::CoreOptions options = TestCore::Defaults();
  options.metrics_address = "127.0.0.1:0";
  TestCore core(options);
  EXPECT_THAT(MetricsOf(core), Not(HasSubstr("wattmint_connections")));
}

TEST(FrontDoorOfCoreTest, WhoStopsSaysGoodbye) {
  TestCore core(BeyondLoopback());
  core.RegisterMeter("m-1", "ada");
  EventReader reader(core.events(), core.admin(), FromSequence(1));
  ASSERT_TRUE(reader.SkipTo(Message::kCaughtUp));
  core.Stop();
  EXPECT_TRUE(reader.SkipTo(Message::kDraining));
  EXPECT_EQ(access::ReasonOf(reader.Finish()), "DRAINING");
}

class TlsOfCoreTest : public testing::Test {
 protected:
  TlsOfCoreTest() {
    Write("server", authority_.Issue("core"));
    Write("client", authority_.Issue("bridge"));
    Write("ca.pem", authority_.certificate());
    options_.server.tls = {Path("server.pem"), Path("server.key"), ""};
    options_.metrics_address = "127.0.0.1:0";
  }

  std::string Path(const std::string& name) { return directory_ / name; }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }
  void Write(const std::string& name, const Identity& identity) {
    Write(name + ".key", identity.key);
    Write(name + ".pem", identity.certificate);
  }
  // One call on a connection of its own.
  static absl::Status Ask(TestCore& core, const client::ChannelTls& tls) {
    v1::MintService::Stub stub(client::OpenChannel({core.address(), tls}));
    return Call(stub, &v1::MintService::Stub::GetSupply, core.admin(), {}).status();
  }
  // Until it goes well, or the patience ends.
  static absl::Status AskUntilOk(TestCore& core, const client::ChannelTls& tls) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    absl::Status status = Ask(core, tls);
    while (!status.ok() && std::chrono::steady_clock::now() < deadline) status = Ask(core, tls);
    return status;
  }

  const TempDir directory_;
  CertificateAuthority authority_;
  rpc::CoreOptions options_ = TestCore::Defaults();
  const client::ChannelTls with_ca_{Path("ca.pem"), "", ""};
  const client::ChannelTls with_certificate_{Path("ca.pem"), Path("client.pem"),
                                             Path("client.key")};
};

TEST_F(TlsOfCoreTest, IsAskedByTlsOnly) {
  TestCore core(options_);
  EXPECT_THAT(Ask(core, with_ca_), IsOk());
  EXPECT_THAT(Ask(core, {}), StatusIs(absl::StatusCode::kUnavailable));
  const std::string metrics = MetricsOf(core);
  EXPECT_THAT(metrics, HasSubstr("wattmint_certificate_expire_time_seconds"));
  EXPECT_THAT(metrics, Not(HasSubstr("wattmint_connections_refused_total{reason=\"tls\"} 0\n")));
}

TEST_F(TlsOfCoreTest, AsksClientsForACertificateIfItShall) {
  options_.server.tls.client_ca = Path("ca.pem");
  TestCore core(options_);
  EXPECT_THAT(Ask(core, with_certificate_), IsOk());
  EXPECT_THAT(Ask(core, with_ca_), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsOfCoreTest, TakesARenewedCertificateWithoutARestart) {
  TestCore core(options_);
  EXPECT_THAT(Ask(core, with_ca_), IsOk());
  CertificateAuthority next;
  Write("next-ca.pem", next.certificate());
  Write("server", next.Issue("core"));
  EXPECT_THAT(AskUntilOk(core, {Path("next-ca.pem"), "", ""}), IsOk());
  EXPECT_THAT(Ask(core, with_ca_), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wattmint::test
