// SPDX-License-Identifier: Apache-2.0
#include "cli/check/traffic.h"

#include "core/base/backoff.h"
#include "core/base/base58.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/access.grpc.pb.h"
#include "wattmint/v1/event.grpc.pb.h"
#include "wattmint/v1/meter.grpc.pb.h"
#include "wattmint/v1/reading.grpc.pb.h"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace wattmint::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kFirstMinute = 978'307'200;  // 2001-01-01T00:00:00Z, in seconds
constexpr int kBatchReadingsMax = 500;
constexpr milliseconds kBatchPeriod{20};
constexpr char kEnergyKwh[] = "0.001";
constexpr base::BackoffOptions kBackoff{.initial = milliseconds(100), .cap = milliseconds(2'000)};

std::string RandomWallet() {
  std::array<std::uint8_t, 32> key{};
  base::SystemRandom().Fill(key);
  return base::EncodeBase58(key);
}

}  // namespace

Traffic::Traffic(const cli::CoreLink& link, const Cast& cast, const CheckOptions& options)
    : link_(link), cast_(cast), options_(options), next_minute_(cast.meters().size()) {}

Traffic::~Traffic() { Stop(); }

absl::Status Traffic::RegisterMeters() {
  for (const Cast::Meter& meter : cast_.meters()) {
    v1::RegisterMeterRequest request;
    request.set_meter_id(meter.id);
    request.set_user_id(cast_.users()[static_cast<std::size_t>(meter.user)]);
    if (options_.mints) request.set_wallet_address(RandomWallet());
    WATTMINT_RETURN_IF_ERROR(Insist(
        [&] { return link_.Call(&v1::MeterService::Stub::RegisterMeter, request).status(); }));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<client::Credential>> Traffic::MakeKeys() {
  std::vector<client::Credential> credentials;
  for (const std::string& user : cast_.users()) {
    v1::CreateApiKeyRequest request;
    request.set_user_id(user);
    request.add_roles(v1::ROLE_USER);
    request.set_display_name("wattmint check " + cast_.run());
    WATTMINT_RETURN_IF_ERROR(Insist([&] {
      const auto made = link_.Call(&v1::AccessService::Stub::CreateApiKey, request);
      if (made.ok()) credentials.push_back(client::Credential::ApiKey(made->secret()));
      return made.status();
    }));
  }
  return credentials;
}

absl::Status Traffic::RevokeKeys() {
  for (const std::string& user : cast_.users()) {
    // A key whose answer was lost is among those that are listed, and not among those we have.
    v1::ListApiKeysRequest list;
    list.set_user_id(user);
    v1::ListApiKeysResponse keys;
    WATTMINT_RETURN_IF_ERROR(Insist([&] {
      auto listed = link_.Call(&v1::AccessService::Stub::ListApiKeys, list);
      if (listed.ok()) keys = *std::move(listed);
      return listed.status();
    }));
    for (const v1::ApiKey& key : keys.api_keys()) {
      v1::RevokeApiKeyRequest request;
      request.set_key_id(key.key_id());
      WATTMINT_RETURN_IF_ERROR(Insist(
          [&] { return link_.Call(&v1::AccessService::Stub::RevokeApiKey, request).status(); }));
    }
  }
  return absl::OkStatus();
}

void Traffic::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Traffic::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    if (sender_ != nullptr) sender_->Cancel();
    stopped_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

absl::Status Traffic::status() const {
  base::MutexLock lock(mutex_);
  return status_;
}

void Traffic::Run() {
  const absl::Status status = SubmitAll();
  base::MutexLock lock(mutex_);
  status_ = status;
  is_done_ = true;
}

absl::Status Traffic::SubmitAll() {
  client::ReadingSender::Options options;
  options.credential = link_.credential();
  options.backoff = kBackoff;
  options.give_up_after = options_.patience;
  client::ReadingSender sender(
      link_.channel(), options,
      [this](const v1::StreamReadingsRequest& batch, const v1::StreamReadingsResponse& answer) {
        acknowledged_ += batch.readings_size();
        accepted_ += answer.counts().accepted() + answer.counts().existed();
      },
      [](const absl::Status&, base::Duration) {});
  {
    base::MutexLock lock(mutex_);
    if (stopping_) return base::Cancelled("stopped");
    sender_ = &sender;
  }
  const auto forget = absl::MakeCleanup([this] {
    base::MutexLock lock(mutex_);
    sender_ = nullptr;
  });
  const std::vector<std::int16_t> meters = cast_.Busy();
  const auto start = steady_clock::now();
  bool is_transferred = false;
  for (std::int64_t sent = 0; sent < options_.readings;) {
    std::int64_t allowed = options_.readings;
    if (options_.rate > 0) {
      const auto passed = std::chrono::duration<double>(steady_clock::now() - start).count();
      allowed = 1 + static_cast<std::int64_t>(passed * options_.rate);
    }
    const std::int64_t end =
        std::min({allowed, options_.readings, sent + std::int64_t{kBatchReadingsMax}});
    v1::StreamReadingsRequest batch;
    batch.set_age_policy(v1::AGE_POLICY_ANY_AGE);
    for (; sent < end; ++sent) {
      const std::int16_t meter = meters[static_cast<std::size_t>(sent) % meters.size()];
      *batch.add_readings() = NextReading(meter, options_.mints || sent % kTaskEvery == 0);
    }
    if (batch.readings_size() > 0) WATTMINT_RETURN_IF_ERROR(sender.Send(std::move(batch)));
    if (!is_transferred && sent >= options_.readings / 2) {
      is_transferred = true;
      WATTMINT_RETURN_IF_ERROR(TransferOnce());
    }
    if (options_.rate == 0) continue;
    base::MutexLock lock(mutex_);
    stopped_.WaitFor(mutex_, kBatchPeriod,
                     [this]() WATTMINT_REQUIRES(mutex_) { return stopping_; });
    if (stopping_) return base::Cancelled("stopped");
  }
  return sender.Finish();
}

// From then on its events concern the next user. No subscriber of its owner names this meter in a
// filter by gRPC: whoever does so is refused once it is somebody else's.
absl::Status Traffic::TransferOnce() {
  if (cast_.users().size() < 2) return absl::OkStatus();
  v1::TransferMeterRequest request;
  const std::int16_t meter = cast_.BusyOf(0).back();
  request.set_meter_id(cast_.meters()[static_cast<std::size_t>(meter)].id);
  request.set_user_id(cast_.users()[1]);
  if (options_.mints) request.set_wallet_address(RandomWallet());
  return Insist(
      [&] { return link_.Call(&v1::MeterService::Stub::TransferMeter, request).status(); });
}

v1::ReadingInput Traffic::NextReading(std::int16_t meter, bool is_generation) {
  const auto index = static_cast<std::size_t>(meter);
  v1::ReadingInput reading;
  reading.set_meter_id(cast_.meters()[index].id);
  reading.mutable_interval_start()->set_seconds(kFirstMinute + 60 * next_minute_[index]++);
  reading.mutable_interval()->set_seconds(60);
  reading.set_energy_kwh(kEnergyKwh);
  reading.set_channel(is_generation ? v1::ENERGY_CHANNEL_GENERATION
                                    : v1::ENERGY_CHANNEL_CONSUMPTION);
  return reading;
}

absl::Status Traffic::SubmitOneOfEach(const std::vector<std::int16_t>& meters) {
  v1::SubmitReadingsRequest request;
  request.set_age_policy(v1::AGE_POLICY_ANY_AGE);
  for (const std::int16_t meter : meters) *request.add_readings() = NextReading(meter, false);
  return Insist([&]() -> absl::Status {
    WATTMINT_ASSIGN_OR_RETURN(const auto answer,
                              link_.Call(&v1::ReadingService::Stub::SubmitReadings, request));
    accepted_ += answer.counts().accepted() + answer.counts().existed();
    return absl::OkStatus();
  });
}

absl::Status Traffic::Withdraw(const std::vector<std::string>& reading_ids) {
  for (const std::string& id : reading_ids) {
    v1::WithdrawReadingRequest request;
    request.set_reading_id(id);
    request.set_reason("wattmint check " + cast_.run());
    WATTMINT_RETURN_IF_ERROR(Insist(
        [&] { return link_.Call(&v1::ReadingService::Stub::WithdrawReading, request).status(); }));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> Traffic::LogEnd() const {
  std::int64_t end = 0;
  WATTMINT_RETURN_IF_ERROR(Insist([&]() -> absl::Status {
    WATTMINT_ASSIGN_OR_RETURN(const auto bounds, link_.Call(&v1::EventService::Stub::GetLogBounds,
                                                            v1::GetLogBoundsRequest()));
    end = bounds.last_sequence();
    return absl::OkStatus();
  }));
  return end;
}

absl::Status Traffic::Insist(const std::function<absl::Status()>& call) const {
  base::SystemRandom random;
  const auto deadline = steady_clock::now() + options_.patience;
  for (int attempt = 1;; ++attempt) {
    absl::Status status = call();
    if (status.ok() || !client::IsTransient(status) || steady_clock::now() > deadline) {
      return status;
    }
    base::MutexLock lock(mutex_);
    stopped_.WaitFor(mutex_, base::BackoffDelay(kBackoff, attempt, random), [] { return false; });
  }
}

}  // namespace wattmint::check
