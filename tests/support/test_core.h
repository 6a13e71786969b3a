// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/access/jwt_verifier.h"
#include "core/access/role.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/client/channel.h"
#include "core/ledger/embedded_ledger.h"
#include "core/ledger/key_signer.h"
#include "core/rpc/core_app.h"
#include "storage/database.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/support/temp_dir.h"
#include "wattmint/v1/access.grpc.pb.h"
#include "wattmint/v1/alert.grpc.pb.h"
#include "wattmint/v1/event.grpc.pb.h"
#include "wattmint/v1/meter.grpc.pb.h"
#include "wattmint/v1/mint.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <absl/status/statusor.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmint::test {

// Makes one unary call and waits for its answer.
// Example: Call(core.mints(), &v1::MintService::Stub::GetSupply, core.admin(), request).
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(
    Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    const client::Credential& credential, const std::type_identity_t<Request>& request) {
  grpc::ClientContext context;
  client::Attach(credential, context);
  client::SetTimeout(std::chrono::seconds(20), context);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return client::FromGrpc(status);
  return response;
}

// The whole core on a free port, on files in a directory of its own: the real server, storage and
// ledger. What goes wrong in a verb ends the test program with a sentence.
class TestCore {
 public:
  // Minting is automatic and looks often; the rest is as in production.
  static rpc::CoreOptions Defaults();

  // With `jwt`, which must outlive it, tokens are accepted as well.
  explicit TestCore(const rpc::CoreOptions& options = Defaults(),
                    access::JwtVerifier* jwt = nullptr);
  ~TestCore();
  TestCore(const TestCore&) = delete;
  TestCore& operator=(const TestCore&) = delete;

  // Ends the core as a signal would.
  void Stop();
  // A new core on the same files and the same port.
  void Restart();

  rpc::CoreApp& app() { return *app_; }
  storage::Database& database() { return *database_; }
  const std::filesystem::path& path() const { return directory_.path(); }
  std::string address() const;
  std::shared_ptr<grpc::Channel> NewChannel() const;
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  v1::AccessService::Stub& access() { return *access_; }
  v1::AlertService::Stub& alerts() { return *alerts_; }
  v1::EventService::Stub& events() { return *events_; }
  v1::MeterService::Stub& meters() { return *meters_; }
  v1::MintService::Stub& mints() { return *mints_; }
  v1::ReadingService::Stub& readings() { return *readings_; }

  // The local keys.
  client::Credential admin() const { return client::Credential::ApiKey(admin_key_); }
  client::Credential relay() const { return client::Credential::ApiKey(relay_key_); }

  struct MadeKey {
    std::string key_id;
    client::Credential credential;
  };
  MadeKey CreateKey(std::string_view user_id, std::initializer_list<v1::Role> roles,
                    std::optional<base::Duration> lifetime = std::nullopt);
  void RegisterMeter(std::string_view meter_id, std::string_view user_id,
                     std::string_view wallet_address = "");
  // By the admin, of any age.
  v1::SubmitResult Submit(const v1::ReadingInput& reading);
  std::vector<v1::SubmitResult> SubmitAll(const std::vector<v1::ReadingInput>& readings);
  // By the admin. Answers the sequence.
  std::int64_t SendAlert(std::string_view request_id, std::string_view message);
  std::int64_t SendNotification(std::string_view request_id, std::string_view user_id,
                                std::string_view message);
  // Waits until so many events are in the log.
  void WaitForHead(std::int64_t sequence);
  // Waits until so many streams are open.
  void WaitForStreams(std::size_t count);
  // Waits until nothing is left to mint.
  void WaitUntilMinted();
  // Every event from `from` on that the holder may see.
  std::vector<v1::Event> ReadEvents(const client::Credential& credential, std::int64_t from = 1,
                                    std::string_view as_user = "");

 private:
  void Open();
  void Connect();

  const rpc::CoreOptions given_;
  access::JwtVerifier* const jwt_;
  TempDir directory_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  std::string admin_key_;
  std::string relay_key_;
  int port_ = 0;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::SqliteLedgerBook> book_;
  ledger::KeySigner signer_{ledger::Ed25519Seed{}};
  std::unique_ptr<ledger::EmbeddedLedger> ledger_;
  std::unique_ptr<rpc::CoreApp> app_;
  std::shared_ptr<grpc::Channel> channel_;  // shared: gRPC's own
  std::unique_ptr<v1::AccessService::Stub> access_;
  std::unique_ptr<v1::AlertService::Stub> alerts_;
  std::unique_ptr<v1::EventService::Stub> events_;
  std::unique_ptr<v1::MeterService::Stub> meters_;
  std::unique_ptr<v1::MintService::Stub> mints_;
  std::unique_ptr<v1::ReadingService::Stub> readings_;
};

// A reading of one quarter of an hour: number 0 began two days ago, number 1 follows it, ...
v1::ReadingInput QuarterHour(std::string_view meter_id, int number, std::string_view energy_kwh);

// A wallet; another one for each number.
std::string WalletAddress(int number);

}  // namespace wattmint::test
