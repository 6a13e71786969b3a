// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/assert.h"
#include "core/base/base58.h"
#include "core/base/sha256.h"
#include "core/ingest/meter_registrar.h"
#include "core/ingest/pipeline.h"
#include "core/ingest/reading_editor.h"
#include "core/ledger/embedded_ledger.h"
#include "core/ledger/key_signer.h"
#include "core/mint/minter.h"
#include "core/store/run_op.h"
#include "core/stream/hub.h"
#include "core/wire/event_codec.h"
#include "storage/database.h"
#include "storage/sqlite_ledger_book.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temp_dir.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wattmint::test {

// A wallet that belongs to this name alone.
inline std::string WalletOf(std::string_view name) {
  return base::EncodeBase58(base::Sha256(base::AsBytes(name)));
}

// For MeterRegistrar::SetWallet(): whoever the meter belongs to.
inline absl::Status Anybody(const domain::Meter& /*meter*/) { return absl::OkStatus(); }

// The core without gRPC: real storage in a directory of its own, real ledger, real queue and hub;
// the clock stands still, and minting is worked step by step. Close() and Open() are a restart.
class Engine {
 public:
  explicit Engine(domain::MintLimits mint_limits = {.automatic = true},
                  domain::ReadingLimits reading_limits = {})
      : mint_limits_(mint_limits), reading_limits_(reading_limits) {
    Open();
  }
  ~Engine() { Close(); }

  void Open() {
    storage::Database::Options options;
    options.connection.path = (dir_ / "wattmint.db").string();
    database_ = Value(storage::Database::Open(options));
    book_ = Value(storage::SqliteLedgerBook::Open({.path = (dir_ / "ledger.db").string()}));
    ledger_ = std::make_unique<ledger::EmbeddedLedger>(*book_, clock_, signer_);
    registry_.Load(Value(database_->queries().LoadMeters()));
    hub_ = std::make_unique<stream::Hub>(database_->event_log(), wire::DecodeAttributes,
                                         Value(database_->event_log().GetBounds()).last,
                                         stream::Hub::Options{});
    queue_ = std::make_unique<store::CommitQueue>(database_->journal(), database_->event_log(),
                                                  *hub_, clock_, wire::EncodePayload,
                                                  store::CommitQueue::Options{});
    registrar_ = std::make_unique<ingest::MeterRegistrar>(*queue_, registry_);
    pipeline_ = std::make_unique<ingest::Pipeline>(*queue_, registry_, reading_limits_, [] {});
    editor_ = std::make_unique<ingest::ReadingEditor>(*queue_, reading_limits_, [] {});
    UseLedger(*ledger_);
  }

  void Close() {
    if (queue_) queue_->Stop();
    minter_.reset();
    editor_.reset();
    pipeline_.reset();
    registrar_.reset();
    queue_.reset();
    hub_.reset();
    ledger_.reset();
    book_.reset();
    database_.reset();
  }

  // A minter that works with another ledger in front.
  void UseLedger(ledger::Ledger& ledger) {
    minter_ = std::make_unique<mint::Minter>(*queue_, database_->queries(), registry_, ledger,
                                             clock_, random_, mint_limits_);
    Check(minter_->Load());
  }

  domain::Meter Register(const std::string& meter_id, const std::string& user_id,
                         const std::string& wallet) {
    std::promise<absl::StatusOr<domain::Meter>> promise;
    registrar_->Register({.meter_id = meter_id, .user_id = user_id, .wallet_address = wallet},
                         [&](auto meter) { promise.set_value(std::move(meter)); });
    return Value(promise.get_future().get());
  }
  domain::Meter Register(const std::string& meter_id, const std::string& user_id) {
    return Register(meter_id, user_id, WalletOf(user_id));
  }

  absl::StatusOr<std::vector<ingest::Answer>> TrySubmit(ingest::Submitter submitter,
                                                        std::vector<domain::Reading> readings) {
    std::vector<ingest::Candidate> candidates;
    for (domain::Reading& reading : readings) {
      const domain::Time start = reading.start;
      candidates.push_back({std::move(reading), {}, start});
    }
    std::promise<absl::StatusOr<std::vector<ingest::Answer>>> promise;
    pipeline_->Submit(std::move(submitter), std::move(candidates),
                      [&](auto answers) { promise.set_value(std::move(answers)); });
    return promise.get_future().get();
  }
  std::vector<ingest::Answer> Submit(std::vector<domain::Reading> readings) {
    return Value(TrySubmit({.user_id = "importer", .any_meter = true}, std::move(readings)));
  }

  // An hour of generation that ended `hours_ago` hours ago.
  domain::Reading Hour(std::string meter_id, int hours_ago, std::string_view kwh) {
    domain::Reading reading;
    reading.meter_id = std::move(meter_id);
    reading.start = clock_.Now() - std::chrono::hours(hours_ago + 1);
    reading.length = std::chrono::hours(1);
    reading.energy = Value(domain::Energy::Parse(kwh));
    return reading;
  }

  // Works until there is nothing left to do.
  void MintAll() {
    while (Value(minter_->WorkOnce())) {
    }
  }

  std::vector<domain::Event> Events() {
    std::vector<domain::Event> events;
    for (auto& stored : Value(database_->event_log().Read(1, 1'000'000, 1 << 30))) {
      events.push_back(Value(wire::DecodePayload(stored.sequence, stored.payload)));
    }
    return events;
  }
  template <typename F>
  std::vector<F> Facts() {
    std::vector<F> facts;
    for (domain::Event& event : Events()) {
      if (auto* fact = std::get_if<F>(&event.fact)) facts.push_back(std::move(*fact));
    }
    return facts;
  }

  store::Queries& queries() { return database_->queries(); }
  store::EventLog& log() { return database_->event_log(); }
  store::CommitQueue& queue() { return *queue_; }
  stream::Hub& hub() { return *hub_; }
  store::LedgerBook& book() { return *book_; }
  ledger::EmbeddedLedger& ledger() { return *ledger_; }
  mint::Minter& minter() { return *minter_; }
  ingest::MeterRegistrar& registrar() { return *registrar_; }
  ingest::Pipeline& pipeline() { return *pipeline_; }
  ingest::ReadingEditor& editor() { return *editor_; }
  store::MeterRegistry& registry() { return registry_; }
  FakeClock& clock() { return clock_; }
  domain::MintLimits& mint_limits() { return mint_limits_; }
  const TempDir& dir() const { return dir_; }

  template <typename T>
  static T Value(absl::StatusOr<T> result) {
    WATTMINT_ASSERT(result.ok(), "{}", result.status().ToString());
    return *std::move(result);
  }
  static void Check(const absl::Status& status) {
    WATTMINT_ASSERT(status.ok(), "{}", status.ToString());
  }

 private:
  TempDir dir_;
  FakeClock clock_;
  SeededRandom random_{17};
  domain::MintLimits mint_limits_;
  const domain::ReadingLimits reading_limits_;
  ledger::KeySigner signer_{ledger::Ed25519Seed{1, 2, 3}};

  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::SqliteLedgerBook> book_;
  std::unique_ptr<ledger::EmbeddedLedger> ledger_;
  store::MeterRegistry registry_;
  std::unique_ptr<stream::Hub> hub_;
  std::unique_ptr<store::CommitQueue> queue_;
  std::unique_ptr<ingest::MeterRegistrar> registrar_;
  std::unique_ptr<ingest::Pipeline> pipeline_;
  std::unique_ptr<ingest::ReadingEditor> editor_;
  std::unique_ptr<mint::Minter> minter_;
};

}  // namespace wattmint::test
