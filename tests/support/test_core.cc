// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test_core.h"

#include "core/access/api_key.h"
#include "core/access/key_keeper.h"
#include "core/base/assert.h"
#include "core/base/base58.h"
#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/wire/convert.h"

#include <fmt/core.h>

#include <array>
#include <chrono>

namespace wattmint::test {
namespace {

constexpr base::Duration kPatience = std::chrono::seconds(30);

template <typename T>
T OrDie(absl::StatusOr<T> result, std::string_view what) {
  WATTMINT_ASSERT(result.ok(), "{}: {}", what, result.status().ToString());
  return *std::move(result);
}

// Asks again and again, with a pause that nobody can interrupt.
template <typename Predicate>
void WaitFor(std::string_view what, Predicate predicate) {
  base::Mutex mutex;
  base::CondVar never;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!predicate()) {
    WATTMINT_ASSERT(std::chrono::steady_clock::now() < deadline, "waited in vain: {}", what);
    base::MutexLock lock(mutex);
    never.WaitFor(mutex, std::chrono::milliseconds(2), [] { return false; });
  }
}

store::ApiKeyRecord LocalKey(std::string_view text, std::string_view user, access::Role role) {
  return OrDie(access::LocalKeyRecord(text, {.user_id = std::string(user),
                                             .roles = {role},
                                             .display_name = "local",
                                             .expire_time = std::nullopt,
                                             .requests_per_second = 0}),
               "a local key");
}

}  // namespace

rpc::CoreOptions TestCore::Defaults() {
  rpc::CoreOptions options;
  options.server.address = "127.0.0.1:0";
  options.server.reconnect_after = std::chrono::milliseconds(10);
  options.mints.automatic = true;
  options.mints.poll_interval = std::chrono::milliseconds(100);
  options.cursor_key.fill(7);
  return options;
}

TestCore::TestCore(const rpc::CoreOptions& options, access::JwtVerifier* jwt)
    : given_(options),
      jwt_(jwt),
      admin_key_(access::MakeApiKey(random_).text),
      relay_key_(access::MakeApiKey(random_).text) {
  Open();
}

TestCore::~TestCore() { Stop(); }

void TestCore::Open() {
  rpc::CoreOptions options = given_;
  if (port_ != 0) options.server.address = address();
  options.local_keys = {LocalKey(admin_key_, "admin", access::Role::kAdmin),
                        LocalKey(relay_key_, "relay", access::Role::kRelay)};
  storage::Database::Options files;
  files.connection.path = directory_ / "wattmint.db";
  database_ = OrDie(storage::Database::Open(files), "the database");
  storage::ConnectionOptions ledger_file;
  ledger_file.path = directory_ / "ledger.db";
  book_ = OrDie(storage::SqliteLedgerBook::Open(ledger_file), "the ledger's book");
  ledger_ = std::make_unique<ledger::EmbeddedLedger>(*book_, clock_, signer_);
  app_ = OrDie(rpc::CoreApp::Start({.journal = database_->journal(),
                                    .log = database_->event_log(),
                                    .queries = database_->queries(),
                                    .ledger = *ledger_,
                                    .clock = clock_,
                                    .random = random_,
                                    .jwt = jwt_},
                                   options),
               "the core");
  port_ = app_->port();
  Connect();
}

void TestCore::Connect() {
  channel_ = NewChannel();
  access_ = v1::AccessService::NewStub(channel_);
  alerts_ = v1::AlertService::NewStub(channel_);
  events_ = v1::EventService::NewStub(channel_);
  meters_ = v1::MeterService::NewStub(channel_);
  mints_ = v1::MintService::NewStub(channel_);
  readings_ = v1::ReadingService::NewStub(channel_);
}

void TestCore::Stop() {
  if (app_ != nullptr) app_->Stop();
  app_.reset();
  ledger_.reset();
  book_.reset();
  database_.reset();
}

void TestCore::Restart() {
  Stop();
  Open();
}

std::string TestCore::address() const { return fmt::format("127.0.0.1:{}", port_); }

std::shared_ptr<grpc::Channel> TestCore::NewChannel() const {
  return client::OpenChannel({.target = address(), .tls = {}});
}

TestCore::MadeKey TestCore::CreateKey(std::string_view user_id,
                                      std::initializer_list<v1::Role> roles,
                                      std::optional<base::Duration> lifetime) {
  v1::CreateApiKeyRequest request;
  request.set_user_id(std::string(user_id));
  for (const v1::Role role : roles) request.add_roles(role);
  if (lifetime) wire::ToProto(clock_.Now() + *lifetime, *request.mutable_expire_time());
  const auto made =
      OrDie(Call(access(), &v1::AccessService::Stub::CreateApiKey, admin(), request), "a key");
  return {made.api_key().key_id(), client::Credential::ApiKey(made.secret())};
}

void TestCore::RegisterMeter(std::string_view meter_id, std::string_view user_id,
                             std::string_view wallet_address) {
  v1::RegisterMeterRequest request;
  request.set_meter_id(std::string(meter_id));
  request.set_user_id(std::string(user_id));
  request.set_wallet_address(std::string(wallet_address));
  OrDie(Call(meters(), &v1::MeterService::Stub::RegisterMeter, admin(), request), "a meter");
}

v1::SubmitResult TestCore::Submit(const v1::ReadingInput& reading) {
  return SubmitAll({reading}).front();
}

std::vector<v1::SubmitResult> TestCore::SubmitAll(const std::vector<v1::ReadingInput>& readings) {
  v1::SubmitReadingsRequest request;
  request.set_age_policy(v1::AGE_POLICY_ANY_AGE);
  for (const v1::ReadingInput& reading : readings) *request.add_readings() = reading;
  const auto answer =
      OrDie(Call(this->readings(), &v1::ReadingService::Stub::SubmitReadings, admin(), request),
            "readings");
  return {answer.results().begin(), answer.results().end()};
}

std::int64_t TestCore::SendAlert(std::string_view request_id, std::string_view message) {
  v1::SendAlertRequest request;
  request.set_request_id(std::string(request_id));
  request.set_kind("maintenance");
  request.set_severity(v1::SEVERITY_WARNING);
  request.set_message(std::string(message));
  return OrDie(Call(alerts(), &v1::AlertService::Stub::SendAlert, admin(), request), "an alert")
      .sequence();
}

std::int64_t TestCore::SendNotification(std::string_view request_id, std::string_view user_id,
                                        std::string_view message) {
  v1::SendNotificationRequest request;
  request.set_request_id(std::string(request_id));
  request.set_user_id(std::string(user_id));
  request.set_level(v1::SEVERITY_INFO);
  request.set_message(std::string(message));
  return OrDie(Call(alerts(), &v1::AlertService::Stub::SendNotification, admin(), request),
               "a notification")
      .sequence();
}

void TestCore::WaitForHead(std::int64_t sequence) {
  WaitFor(fmt::format("event {}", sequence), [&] { return app_->head_sequence() >= sequence; });
}

void TestCore::WaitForStreams(std::size_t count) {
  WaitFor(fmt::format("{} streams", count), [&] { return app_->streams_count() == count; });
}

void TestCore::WaitUntilMinted() {
  WaitFor("everything is minted", [this] {
    const auto supply =
        OrDie(Call(mints(), &v1::MintService::Stub::GetSupply, admin(), {}), "the supply");
    return supply.open_tasks() == 0;
  });
}

std::vector<v1::Event> TestCore::ReadEvents(const client::Credential& credential, std::int64_t from,
                                            std::string_view as_user) {
  std::vector<v1::Event> events;
  for (;;) {
    v1::ReadEventsRequest request;
    request.set_from_sequence(from);
    request.set_as_user(std::string(as_user));
    const auto page =
        OrDie(Call(this->events(), &v1::EventService::Stub::ReadEvents, credential, request),
              "a page of events");
    events.insert(events.end(), page.events().begin(), page.events().end());
    if (page.next_sequence() > page.head_sequence()) return events;
    from = page.next_sequence();
  }
}

v1::ReadingInput QuarterHour(std::string_view meter_id, int number, std::string_view energy_kwh) {
  const auto now = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  v1::ReadingInput reading;
  reading.set_meter_id(std::string(meter_id));
  reading.set_energy_kwh(std::string(energy_kwh));
  wire::ToProto(now - std::chrono::days(2) + std::chrono::minutes(15) * number,
                *reading.mutable_interval_start());
  reading.mutable_interval()->set_seconds(15 * 60);
  return reading;
}

std::string WalletAddress(int number) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(9);
  bytes[0] = static_cast<std::uint8_t>(number);
  return base::EncodeBase58(bytes);
}

}  // namespace wattmint::test
