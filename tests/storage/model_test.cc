// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/storage_fixture.h"
#include "tests/support/seeded_random.h"
#include "tests/support/status_matchers.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

// Random histories, told to the database and to a plain vector; both must answer alike.
namespace wattmint::storage {
namespace {

using domain::MintState;

struct Stored {
  std::int64_t meter_ref = 0;
  std::string user_id;
  domain::Reading reading;
  domain::ReadingId id;
  MintState state = MintState::kPending;
  std::int64_t tokens = 0;
  bool has_task = true;
};

// What the database should hold.
struct Model {
  std::vector<Stored> readings;  // by row
  std::map<std::int64_t, domain::Meter> meters;
  std::int64_t events = 0;
  std::int64_t corrections = 0;

  std::vector<const Stored*> Of(std::int64_t meter_ref) const {
    std::vector<const Stored*> found;
    for (const Stored& stored : readings) {
      if (stored.meter_ref == meter_ref) found.push_back(&stored);
    }
    return found;
  }
  bool Overlaps(std::int64_t meter_ref, const domain::Reading& reading) const {
    return std::ranges::any_of(Of(meter_ref), [&](const Stored* stored) {
      const domain::Reading& other = stored->reading;
      return other.start == reading.start ||
             (reading.start < other.end() && other.start < reading.end());
    });
  }
};

class ModelTest : public StorageTest, public testing::WithParamInterface<int> {
 protected:
  std::int64_t Draw(std::uint64_t bound) {
    return static_cast<std::int64_t>(random_.NextBelow(bound));
  }
  domain::Reading DrawReading() {
    domain::Reading reading = Interval("", Draw(400), 5 * Draw(7), 1 + Draw(9));
    if (Draw(4) == 0) reading.request_id = fmt::format("request-{}", Draw(40));
    return reading;
  }
  MintState DrawState() { return static_cast<MintState>(1 + Draw(8)); }

  void StepReading(store::Transaction& transaction, Model& model) {
    const std::int64_t meter_ref = 1 + Draw(3);
    const domain::Meter& meter = model.meters.at(meter_ref);
    domain::Reading reading = DrawReading();
    reading.meter_id = meter.meter_id;
    CheckKnown(transaction, model, meter_ref, reading);
    if (model.Overlaps(meter_ref, reading)) return;
    if (FindRequest(model, meter_ref, reading.request_id) != nullptr) return;
    const store::MintStart starts[] = {MintState::kPending,
                                       MintState::kPending,
                                       MintState::kPending,
                                       MintState::kNotApplicable,
                                       {MintState::kParked, "why"}};
    const store::MintStart& mint = starts[Draw(5)];
    const bool has_task = mint.state != MintState::kNotApplicable;
    Stored stored{meter_ref, meter.user_id, reading, {}, mint.state, 0, has_task};
    stored.id = Value(transaction.InsertReading(meter, reading, mint, AtMinute(500 + Draw(9))));
    ASSERT_EQ(stored.id.row(), static_cast<std::int64_t>(model.readings.size()) + 1);
    model.readings.push_back(stored);
    ASSERT_EQ(Value(transaction.AppendEvent("e")), ++model.events);
  }
  void StepTask(store::Transaction& transaction, Model& model) {
    if (model.readings.empty()) return;
    Stored& stored = model.readings[random_.NextBelow(model.readings.size())];
    if (!stored.has_task) return;
    domain::MintTask task = Value(transaction.FindTask(stored.id.row())).value();
    ASSERT_EQ(task.state, stored.state);
    ASSERT_EQ(task.user_id, stored.user_id);
    const MintState expected = DrawState();
    task.state = DrawState();
    task.tokens = domain::TokenAmount::FromBaseUnits(Draw(1'000));
    ASSERT_EQ(Value(transaction.UpdateTask(task, expected)), expected == stored.state);
    if (expected != stored.state) return;
    stored.state = task.state;
    stored.tokens = task.tokens.base_units();
  }
  void StepCorrection(store::Transaction& transaction, Model& model) {
    if (model.readings.empty()) return;
    Stored& stored = model.readings[random_.NextBelow(model.readings.size())];
    if (stored.state == MintState::kConfirmed) return;
    const domain::Correction change{0,
                                    domain::CorrectionKind::kCorrected,
                                    AtMinute(600),
                                    "root",
                                    "why",
                                    stored.reading.energy,
                                    stored.reading.quality,
                                    Kwh(Draw(9)),
                                    static_cast<domain::Quality>(1 + Draw(4))};
    ASSERT_EQ(Value(transaction.CorrectReading(stored.id.row(), change)), ++model.corrections);
    stored.reading.energy = change.energy;
    stored.reading.quality = change.quality;
    if (stored.has_task || stored.state != MintState::kNotApplicable || Draw(2) == 0) return;
    const store::MintStart starts[] = {MintState::kPending, {MintState::kRejected, "why"}};
    const store::MintStart& mint = starts[Draw(2)];
    Value(transaction.InsertTask(stored.id.row(), mint, AtMinute(600)));
    stored.state = mint.state;
    stored.has_task = true;
  }
  void StepTransfer(store::Transaction& transaction, Model& model) {
    domain::Meter& meter = model.meters.at(1 + Draw(3));
    meter.user_id = fmt::format("user-{}", Draw(2));
    meter.wallet_address = fmt::format("wallet-{}", Draw(2));
    Value(transaction.UpdateMeter(meter));
  }

  static const Stored* FindRequest(const Model& model, std::int64_t meter_ref,
                                   const std::string& request_id) {
    for (const Stored* stored : model.Of(meter_ref)) {
      if (!request_id.empty() && stored->reading.request_id == request_id) return stored;
    }
    return nullptr;
  }
  void CheckKnown(store::Transaction& transaction, const Model& model, std::int64_t meter_ref,
                  const domain::Reading& reading) {
    const Stored* same = nullptr;
    const Stored* before = nullptr;
    bool has_point = false;
    std::optional<domain::Time> last_end;
    const domain::Duration window = std::chrono::minutes(15);
    for (const Stored* stored : model.Of(meter_ref)) {
      const domain::Reading& other = stored->reading;
      if (other.start == reading.start && other.length == reading.length) same = stored;
      if (other.start < reading.end() &&
          (before == nullptr || before->reading.start < other.start)) {
        before = stored;
      }
      has_point |= other.IsPoint() && other.start > reading.start - window &&
                   other.start < reading.start + window;
      last_end = std::max(last_end, std::optional(other.end()));
    }
    const auto known = Value(transaction.FindReading(meter_ref, reading.start, reading.length));
    ASSERT_EQ(known.has_value(), same != nullptr);
    if (known) {
      ASSERT_EQ(known->reading_id, same->id);
      ASSERT_EQ(known->mint_state, same->state);
    }
    const auto span = Value(transaction.FindLastStartingBefore(meter_ref, reading.end()));
    ASSERT_EQ(span.has_value(), before != nullptr);
    if (span) {
      ASSERT_EQ(span->start, before->reading.start);
      ASSERT_EQ(span->length, before->reading.length);
    }
    ASSERT_EQ(Value(transaction.HasPointBetween(meter_ref, reading.start - window,
                                                reading.start + window)),
              has_point);
    ASSERT_EQ(Value(transaction.FindLastEnd(meter_ref)), last_end);
    if (reading.request_id.empty()) return;
    const Stored* requested = FindRequest(model, meter_ref, reading.request_id);
    const auto found = Value(transaction.FindRequestId(meter_ref, reading.request_id));
    ASSERT_EQ(found.has_value(), requested != nullptr);
    if (found) {
      ASSERT_EQ(found->reading_id, requested->id);
    }
  }

  // What everybody may ask once it is committed.
  void CheckCommitted(const Model& model) {
    ASSERT_EQ(Value(log().GetBounds()).last, model.events);
    store::TaskSums sums;
    for (const Stored& stored : model.readings) {
      const bool confirmed = stored.state == MintState::kConfirmed;
      sums.confirmed += confirmed ? 1 : 0;
      sums.confirmed_base_units += confirmed ? stored.tokens : 0;
      sums.confirmed_nano_kwh += confirmed ? stored.reading.energy.nano_kwh() : 0;
      sums.parked += stored.state == MintState::kParked ? 1 : 0;
      sums.rejected += stored.state == MintState::kRejected ? 1 : 0;
      sums.not_applicable += stored.state == MintState::kNotApplicable ? 1 : 0;
      sums.open += stored.state < MintState::kConfirmed ? 1 : 0;
    }
    const store::TaskSums found = Value(queries().SumTasks());
    ASSERT_EQ(found.confirmed, sums.confirmed);
    ASSERT_EQ(found.confirmed_base_units, sums.confirmed_base_units);
    ASSERT_EQ(found.confirmed_nano_kwh, sums.confirmed_nano_kwh);
    ASSERT_EQ(found.open, sums.open);
    ASSERT_EQ(found.parked, sums.parked);
    ASSERT_EQ(found.rejected, sums.rejected);
    ASSERT_EQ(found.not_applicable, sums.not_applicable);
    for (const auto& [meter_ref, meter] : model.meters) {
      for (const std::string user_id : {"", "user-0", "user-1"}) CheckLists(model, meter, user_id);
    }
  }
  void CheckLists(const Model& model, const domain::Meter& meter, const std::string& user_id) {
    store::ReadingQuery query;
    query.meter_id = meter.meter_id;
    query.user_id = user_id;
    query.start_min = AtMinute(50);
    query.start_max = AtMinute(350);
    query.after_row = Draw(20);
    query.count_max = 10;
    std::vector<domain::ReadingId> expected;
    std::int64_t energy = 0;
    std::int64_t not_applicable = 0;
    for (const Stored* stored : model.Of(meter.meter_ref)) {
      if (!user_id.empty() && stored->user_id != user_id) continue;
      energy += stored->reading.energy.nano_kwh();
      not_applicable += stored->state == MintState::kNotApplicable ? 1 : 0;
      if (stored->reading.start >= *query.start_min && stored->reading.start < *query.start_max &&
          stored->id.row() > query.after_row && expected.size() < 10) {
        expected.push_back(stored->id);
      }
    }
    std::vector<domain::ReadingId> found;
    for (const auto& reading : Value(queries().ListReadings(query))) {
      found.push_back(reading.reading_id);
    }
    ASSERT_EQ(found, expected);
    const auto sums = Value(queries().SumReadings(meter.meter_id, user_id));
    ASSERT_EQ(sums.empty() ? 0 : sums.front().energy_nano_kwh, energy);
    ASSERT_EQ(sums.empty() ? 0 : sums.front().not_applicable, not_applicable);
  }

  test::SeededRandom random_{static_cast<std::uint64_t>(GetParam())};
};

TEST_P(ModelTest, DatabaseAndModelAnswerAlike) {
  Model committed;
  for (int i = 1; i <= 3; ++i) {
    const domain::Meter meter = Register(fmt::format("m{}", i), "user-0");
    committed.meters[meter.meter_ref] = meter;
  }
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(fmt::format("seed {}, round {}", GetParam(), round));
    Model model = committed;
    auto transaction = Begin();
    for (std::int64_t steps = Draw(30); steps > 0; --steps) {
      const std::int64_t kind = Draw(11);
      if (kind < 7) StepReading(*transaction, model);
      if (kind == 7 || kind == 8) StepTask(*transaction, model);
      if (kind == 9) StepTransfer(*transaction, model);
      if (kind == 10) StepCorrection(*transaction, model);
      if (HasFatalFailure()) return;
    }
    if (Draw(4) != 0) {
      Value(transaction->Commit());
      committed = model;
    }
    transaction.reset();
    if (Draw(10) == 0) Value(journal().Reopen());
    if (Draw(10) == 0) Open();
    CheckCommitted(committed);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(committed.readings.size(), 50u);
  EXPECT_GT(committed.corrections, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range(1, 9));

}  // namespace
}  // namespace wattmint::storage
