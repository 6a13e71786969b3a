// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/pipeline.h"

#include "core/base/status_macros.h"
#include "core/domain/mint_task.h"
#include "core/ingest/meter_signature.h"
#include "core/ingest/plausibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wattmint::ingest {
namespace {

using domain::MintState;
using domain::Reading;
using domain::Rejection;

// The accepted readings of one meter, from memory as far as that suffices.
class MeterHistory final : public ReadingHistory {
 public:
  MeterHistory(store::Transaction& transaction, std::int64_t meter_ref,
               RecentReadings::Meter& recent)
      : transaction_(transaction), meter_ref_(meter_ref), recent_(recent) {}

  // Whether the reading lies behind everything that is known, so that nothing can be in its way.
  bool IsBeyond(const Reading& reading) const {
    return !recent_.last_end || reading.start > *recent_.last_end ||
           (reading.start == *recent_.last_end && !reading.IsPoint() && !recent_.may_end_in_point);
  }

  absl::StatusOr<bool> HasOverlap(const Reading& reading) override {
    if (IsBeyond(reading)) return false;
    // An interval reading takes what starts before its end; a point reading what starts up to it.
    const domain::Time before =
        reading.IsPoint() ? reading.start + domain::Duration(1) : reading.end();
    WATTMINT_ASSIGN_OR_RETURN(const auto last,
                              transaction_.FindLastStartingBefore(meter_ref_, before));
    if (!last) return false;
    if (reading.IsPoint()) return last->start + last->length > reading.start;
    return last->start >= reading.start || last->start + last->length > reading.start;
  }

  absl::StatusOr<bool> HasPointNear(domain::Time time, domain::Duration window) override {
    if (!recent_.last_end || *recent_.last_end <= time - window) return false;
    return transaction_.HasPointBetween(meter_ref_, time - window, time + window);
  }

  std::optional<domain::Time> LastAccept() override { return recent_.last_accept; }

  absl::StatusOr<std::int64_t> LastCounter(const std::string& public_key) override {
    if (recent_.public_key != public_key) {
      WATTMINT_ASSIGN_OR_RETURN(recent_.counter, transaction_.FindCounter(meter_ref_, public_key));
      recent_.public_key = public_key;
    }
    return recent_.counter;
  }

 private:
  store::Transaction& transaction_;
  const std::int64_t meter_ref_;
  RecentReadings::Meter& recent_;
};

Answer Existing(const store::KnownReading& known) {
  return {Outcome::kExists, known.reading_id, {}, known.mint_state};
}

Answer Refused(domain::Refusal refusal) {
  return {Outcome::kRejected, std::nullopt, std::move(refusal), MintState::kPending};
}

// Whether the owner of the meter hears of a refusal: not of what strangers try, nor of floods.
bool IsTold(Rejection rejection) {
  return rejection != Rejection::kMeterIdInvalid && rejection != Rejection::kMeterNotPermitted &&
         rejection != Rejection::kMeterUnknown && rejection != Rejection::kSubmittedTooSoon;
}

}  // namespace

// One request on its way through the queue.
class Pipeline::SubmitOp final : public store::WriteOp {
 public:
  SubmitOp(Pipeline& pipeline, Submitter submitter, std::vector<Candidate> candidates,
           Callback done)
      : pipeline_(pipeline),
        submitter_(std::move(submitter)),
        candidates_(std::move(candidates)),
        done_(std::move(done)) {
    VerifySignatures();
  }

  absl::Status Apply(store::WriteContext& context) override {
    answers_.reserve(candidates_.size());
    while (answers_.size() < candidates_.size()) {
      WATTMINT_ASSIGN_OR_RETURN(Answer answer, Take(context, answers_.size()));
      answers_.push_back(std::move(answer));
    }
    return absl::OkStatus();
  }

  void Done(const absl::Status& status) override {
    if (!status.ok()) return done_(status);
    bool mintable = false;
    for (const Answer& answer : answers_) {
      pipeline_.Count(answer);
      mintable |= answer.outcome == Outcome::kAccepted && answer.mint_state == MintState::kPending;
    }
    if (mintable) pipeline_.on_mintable_();
    done_(std::move(answers_));
  }

  std::size_t weight() const override { return candidates_.size(); }

 private:
  // On the thread that submits, since the writer's has no time for it: of what has to be verified
  // by what the registry says now.
  void VerifySignatures() {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Reading& reading = candidates_[i].reading;
      const bool is_malformed = candidates_[i].malformed.rejection != Rejection::kNone;
      if (reading.meter_signature.empty() || is_malformed) continue;
      const auto meter = pipeline_.registry_.Find(reading.meter_id);
      if (!meter || CheckMeter(submitter_, reading, meter.get()).rejection != Rejection::kNone)
        continue;
      verdicts_.resize(candidates_.size());
      verdicts_[i] = SignatureVerdict{meter->public_key, meter->wallet_address,
                                      CheckSignature(reading, *meter, pipeline_.limits_)};
    }
  }

  // The meter's key or wallet may have changed since the verdict.
  domain::Refusal SignatureRefusal(std::size_t index, const domain::Meter& meter) const {
    if (index < verdicts_.size() && verdicts_[index] && verdicts_[index]->HoldsFor(meter)) {
      return verdicts_[index]->refusal;
    }
    return CheckSignature(candidates_[index].reading, meter, pipeline_.limits_);
  }

  absl::StatusOr<Answer> Take(store::WriteContext& context, std::size_t index) {
    const Candidate& candidate = candidates_[index];
    const Reading& reading = candidate.reading;
    const auto meter = candidate.malformed.rejection == Rejection::kMeterIdInvalid
                           ? nullptr
                           : pipeline_.registry_.Find(reading.meter_id);
    auto answer = Decide(context, index, meter.get());
    if (!answer.ok() || answer->outcome != Outcome::kRejected) return answer;
    const bool is_permitted =
        meter && CheckMeter(submitter_, reading, meter.get()).rejection == Rejection::kNone;
    if (is_permitted && IsTold(answer->refusal.rejection)) {
      WATTMINT_RETURN_IF_ERROR(context.Append(domain::MeterReadingValidationFailed{
          meter->user_id, meter->wallet_address, meter->meter_id, reading.energy, answer->refusal,
          candidate.start}));
    }
    return answer;
  }

  absl::StatusOr<Answer> Decide(store::WriteContext& context, std::size_t index,
                                const domain::Meter* meter) {
    const Candidate& candidate = candidates_[index];
    const Reading& reading = candidate.reading;
    if (candidate.malformed.rejection != Rejection::kNone) return Refused(candidate.malformed);
    domain::Refusal refusal = CheckMeter(submitter_, reading, meter);
    if (refusal.rejection != Rejection::kNone) return Refused(std::move(refusal));
    WATTMINT_ASSIGN_OR_RETURN(RecentReadings::Meter * recent,
                              pipeline_.Recall(context.transaction(), *meter));
    MeterHistory history(context.transaction(), meter->meter_ref, *recent);
    if (!history.IsBeyond(reading)) {
      WATTMINT_ASSIGN_OR_RETURN(const auto repeated, FindRepeated(context, reading, *meter));
      if (repeated) return *repeated;
    }
    if (!reading.request_id.empty()) {
      WATTMINT_ASSIGN_OR_RETURN(const auto used, context.transaction().FindRequestId(
                                                     meter->meter_ref, reading.request_id));
      if (used) return RequestIdReused(reading);
    }
    WATTMINT_ASSIGN_OR_RETURN(
        refusal, CheckReading(submitter_, reading, pipeline_.limits_, context.now(), history));
    if (refusal.rejection != Rejection::kNone) return Refused(std::move(refusal));
    refusal = SignatureRefusal(index, *meter);
    if (refusal.rejection != Rejection::kNone) return Refused(std::move(refusal));
    WATTMINT_ASSIGN_OR_RETURN(refusal, CheckCounter(reading, *meter, history));
    if (refusal.rejection != Rejection::kNone) return Refused(std::move(refusal));
    return Accept(context, reading, *meter, *recent);
  }

  static absl::StatusOr<std::optional<Answer>> FindRepeated(store::WriteContext& context,
                                                            const Reading& reading,
                                                            const domain::Meter& meter) {
    WATTMINT_ASSIGN_OR_RETURN(
        const auto known,
        context.transaction().FindReading(meter.meter_ref, reading.start, reading.length));
    if (!known) return std::optional<Answer>();
    if (known->energy == reading.energy && known->quality == reading.quality &&
        known->channel == reading.channel) {
      return std::optional(Existing(*known));
    }
    Answer answer = Refused(
        {Rejection::kExistsWithDifferentEnergy,
         fmt::format("the reading was accepted before with {} kWh, and now says {} kWh, or differs "
                     "in quality or channel; nothing changed, CorrectReading would",
                     known->energy.ToString(), reading.energy.ToString())});
    answer.reading_id = known->reading_id;
    answer.mint_state = known->mint_state;
    return std::optional(std::move(answer));
  }

  static Answer RequestIdReused(const Reading& reading) {
    return Refused({Rejection::kRequestIdReused,
                    fmt::format("request_id '{}' was used for another reading of meter {}",
                                reading.request_id, reading.meter_id)});
  }

  absl::StatusOr<Answer> Accept(store::WriteContext& context, const Reading& reading,
                                const domain::Meter& meter, RecentReadings::Meter& recent) {
    WATTMINT_ASSIGN_OR_RETURN(const store::MintStart mint,
                              Judge(context.transaction(), reading, meter, recent));
    WATTMINT_ASSIGN_OR_RETURN(
        const domain::ReadingId reading_id,
        context.transaction().InsertReading(meter, reading, mint, context.now()));
    WATTMINT_RETURN_IF_ERROR(TellAccepted(context, reading, meter, reading_id, mint));
    if (!recent.last_end || reading.end() > *recent.last_end) {
      recent.last_end = reading.end();
      recent.may_end_in_point = reading.IsPoint();
    } else if (reading.end() == *recent.last_end && reading.IsPoint()) {
      recent.may_end_in_point = true;
    }
    recent.last_accept = context.now();
    if (!meter.public_key.empty() && recent.public_key == meter.public_key) {
      recent.counter = std::max(recent.counter, reading.meter_counter);
    }
    return Answer{Outcome::kAccepted, reading_id, {Rejection::kNone, mint.reason}, mint.state};
  }

  // How minting begins: what would be minted and is not plausible goes to quarantine.
  absl::StatusOr<store::MintStart> Judge(store::Transaction& transaction, const Reading& reading,
                                         const domain::Meter& meter,
                                         RecentReadings::Meter& recent) const {
    const domain::ReadingLimits& limits = pipeline_.limits_;
    const MintState state = InitialMintState(reading, limits);
    if (state != MintState::kPending) return store::MintStart(state);
    std::string reason = FindImplausible(reading, limits, {recent.peak, recent.last_end});
    if (domain::HasCode(reason, domain::mint_reason::kQuarantineJump)) {
      // Whoever released a reading meanwhile has raised the peak.
      WATTMINT_ASSIGN_OR_RETURN(recent.peak, transaction.FindPeak(meter.meter_ref));
      reason = FindImplausible(reading, limits, {recent.peak, recent.last_end});
    }
    if (!reason.empty()) return store::MintStart(MintState::kParked, std::move(reason));
    if (const auto raised = RaisedPeak(recent.peak, reading)) {
      WATTMINT_RETURN_IF_ERROR(transaction.RaisePeak(meter.meter_ref, *raised));
      recent.peak = raised;
    }
    return store::MintStart(MintState::kPending);
  }

  static absl::Status TellAccepted(store::WriteContext& context, const Reading& reading,
                                   const domain::Meter& meter, const domain::ReadingId& reading_id,
                                   const store::MintStart& mint) {
    WATTMINT_RETURN_IF_ERROR(context.Append(domain::MeterReadingReceived{
        meter.user_id, meter.wallet_address, meter.meter_id, reading.energy, reading_id,
        reading.start, reading.length, reading.quality, reading.channel, mint.state}));
    if (mint.state == MintState::kNotApplicable) return absl::OkStatus();
    const std::int64_t task_id = reading_id.row();
    WATTMINT_RETURN_IF_ERROR(context.Append(
        domain::TaskCreated{task_id, meter.user_id, meter.meter_id, reading_id, reading.energy}));
    if (mint.state == MintState::kPending) return absl::OkStatus();
    return context.Append(domain::TaskStatusChanged{task_id, meter.user_id, meter.meter_id, "",
                                                    MintState::kPending, mint.state, mint.reason});
  }

  Pipeline& pipeline_;
  const Submitter submitter_;
  const std::vector<Candidate> candidates_;
  const Callback done_;
  std::vector<std::optional<SignatureVerdict>> verdicts_;  // by candidate; empty: none is signed
  std::vector<Answer> answers_;
};

Pipeline::Pipeline(store::CommitQueue& queue, const store::MeterRegistry& registry,
                   const domain::ReadingLimits& limits, std::function<void()> on_mintable)
    : queue_(queue), registry_(registry), limits_(limits), on_mintable_(std::move(on_mintable)) {
  queue_.OnReopen([this] {
    recent_.Clear();
    return absl::OkStatus();
  });
}

void Pipeline::Submit(Submitter submitter, std::vector<Candidate> candidates, Callback done) {
  queue_.Submit(std::make_unique<SubmitOp>(*this, std::move(submitter), std::move(candidates),
                                           std::move(done)));
}

absl::StatusOr<RecentReadings::Meter*> Pipeline::Recall(store::Transaction& transaction,
                                                        const domain::Meter& meter) {
  if (RecentReadings::Meter* known = recent_.Find(meter.meter_ref)) return known;
  WATTMINT_ASSIGN_OR_RETURN(const auto last_end, transaction.FindLastEnd(meter.meter_ref));
  RecentReadings::Meter recent;
  recent.last_end = last_end;
  WATTMINT_ASSIGN_OR_RETURN(recent.peak, transaction.FindPeak(meter.meter_ref));
  return &recent_.Put(meter.meter_ref, recent);
}

void Pipeline::Count(const Answer& answer) {
  switch (answer.outcome) {
    case Outcome::kAccepted:
      ++counters_.accepted;
      if (answer.mint_state == MintState::kParked) ++counters_.quarantined;
      break;
    case Outcome::kExists:
      ++counters_.existed;
      break;
    case Outcome::kRejected:
      ++counters_.rejected[static_cast<std::size_t>(answer.refusal.rejection)];
      break;
  }
}

}  // namespace wattmint::ingest
