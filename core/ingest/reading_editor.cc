// SPDX-License-Identifier: Apache-2.0
#include "core/ingest/reading_editor.h"

#include "core/access/reason.h"
#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/mint_task.h"
#include "core/ingest/validator.h"
#include "core/store/run_op.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace wattmint::ingest {
namespace {

using domain::AcceptedReading;
using domain::CorrectionKind;
using domain::MintState;
using domain::MintTask;
using domain::Reading;
using Result = ReadingEditor::Result;
using Order = ReadingEditor::Order;

// A reading with its mint task, if it has one.
struct Subject {
  AcceptedReading reading;
  std::optional<MintTask> task;

  bool IsRejected() const { return task && task->state == MintState::kRejected; }
};

absl::StatusOr<Subject> Find(store::WriteContext& context, const domain::ReadingId& reading_id) {
  WATTMINT_ASSIGN_OR_RETURN(const auto stored, context.transaction().FindStored(reading_id.row()));
  if (!stored || stored->accepted.reading_id != reading_id) {
    return base::NotFound("there is no reading {}", reading_id.ToString());
  }
  Subject subject{stored->accepted, std::nullopt};
  if (subject.reading.task_id == 0) return subject;
  WATTMINT_ASSIGN_OR_RETURN(subject.task, context.transaction().FindTask(subject.reading.task_id));
  WATTMINT_ASSERT(subject.task.has_value(), "task {} is not there", subject.reading.task_id);
  return subject;
}

absl::Status InWork(const MintTask& task) {
  return access::WithReason(
      base::FailedPrecondition(
          "the mint of reading {} is in work, task {} is {}: try again when it "
          "is decided",
          task.reading_id.ToString(), task.task_id, Name(task.state)),
      access::reason::kMintInWork);
}

absl::Status AlreadyMinted(const MintTask& task) {
  const std::string what = task.state == MintState::kConfirmed
                               ? fmt::format("{} GRX of reading {} are on the ledger",
                                             task.tokens.ToString(), task.reading_id.ToString())
                               : fmt::format("reading {} was carried over to the meter's next mint",
                                             task.reading_id.ToString());
  return access::WithDetail(
      access::WithReason(base::FailedPrecondition("{}, and cannot be taken back", what),
                         access::reason::kAlreadyMinted),
      "base_units", std::to_string(task.tokens.base_units()));
}

// Whether nothing of the reading was signed, or may have been.
absl::Status RequireUnsigned(const Subject& subject) {
  if (!subject.task) return absl::OkStatus();
  const MintTask& task = *subject.task;
  switch (task.state) {
    case MintState::kPending:
    case MintState::kClaimed:
      return absl::OkStatus();
    case MintState::kSigned:
    case MintState::kSubmitted:
      return InWork(task);
    case MintState::kParked:
      return task.signed_bytes.empty() ? absl::OkStatus() : InWork(task);
    case MintState::kConfirmed:
      return AlreadyMinted(task);
    case MintState::kNotApplicable:
      return domain::HasCode(task.reason, domain::mint_reason::kBelowOneUnit) ? AlreadyMinted(task)
                                                                              : absl::OkStatus();
    case MintState::kRejected:
      return base::FailedPrecondition("reading {} was rejected for good: {}",
                                      task.reading_id.ToString(), task.reason);
  }
  return base::Internal("task {} is in no state", task.task_id);
}

// Moves the task as if the reading were new; a claim on it is lost. A claim was never told, so what
// leaves CLAIMED is told as leaving PENDING.
absl::Status MoveAnew(store::WriteContext& context, MintTask task, MintState to,
                      std::string reason) {
  const MintState from = std::exchange(task.state, to);
  task.reason = std::move(reason);
  task.tokens = domain::TokenAmount();
  task.wallet_address.clear();
  // Who follows the batch hears that the task has left it; that it was claimed, nobody was told.
  const std::string left = from == MintState::kClaimed ? "" : task.batch_id;
  task.batch_id.clear();
  task.attempts = 0;
  task.sends = 0;
  task.next_attempt = context.now();
  task.update_time = context.now();
  WATTMINT_ASSIGN_OR_RETURN(const bool moved, context.transaction().UpdateTask(task, from));
  WATTMINT_ASSERT(moved, "task {} changed within its transaction", task.task_id);
  const MintState told = from == MintState::kClaimed ? MintState::kPending : from;
  if (told == to) return absl::OkStatus();
  return context.Append(domain::TaskStatusChanged{task.task_id, task.user_id, task.meter_id, left,
                                                  told, to, task.reason});
}

absl::StatusOr<Result> ResultOf(store::WriteContext& context, const domain::ReadingId& reading_id,
                                std::int64_t correction_id) {
  WATTMINT_ASSIGN_OR_RETURN(Subject subject, Find(context, reading_id));
  return Result{std::move(subject.reading), {}, correction_id};
}

// The answer to what was done before.
absl::StatusOr<Result> Repeated(store::WriteContext& context, const Subject& subject) {
  const domain::ReadingId& reading_id = subject.reading.reading_id;
  WATTMINT_ASSIGN_OR_RETURN(const auto last,
                            context.transaction().FindLastCorrection(reading_id.row()));
  return Result{subject.reading, {}, last ? last->correction_id : 0};
}

absl::StatusOr<Result> Withdraw(store::WriteContext& context, const Order& order) {
  WATTMINT_ASSIGN_OR_RETURN(const Subject subject, Find(context, order.reading_id));
  if (subject.IsRejected() &&
      domain::HasCode(subject.task->reason, domain::mint_reason::kWithdrawn)) {
    return Repeated(context, subject);
  }
  WATTMINT_RETURN_IF_ERROR(RequireUnsigned(subject));
  const AcceptedReading& accepted = subject.reading;
  const Reading& reading = accepted.reading;
  WATTMINT_ASSIGN_OR_RETURN(
      const std::int64_t correction_id,
      context.transaction().CorrectReading(
          accepted.row, {0, CorrectionKind::kWithdrawn, context.now(), order.user_id, order.reason,
                         reading.energy, reading.quality, reading.energy, reading.quality}));
  WATTMINT_RETURN_IF_ERROR(context.Append(domain::ReadingWithdrawn{
      accepted.user_id, accepted.wallet_address, reading.meter_id, reading.energy,
      accepted.reading_id, accepted.task_id, reading.start, order.reason, correction_id}));
  std::string why = fmt::format("{}: {}", domain::mint_reason::kWithdrawn, order.reason);
  if (subject.task) {
    WATTMINT_RETURN_IF_ERROR(
        MoveAnew(context, *subject.task, MintState::kRejected, std::move(why)));
  } else {
    WATTMINT_RETURN_IF_ERROR(context.transaction().InsertTask(
        accepted.row, {MintState::kRejected, std::move(why)}, context.now()));
  }
  return ResultOf(context, order.reading_id, correction_id);
}

// What becomes of the mint task of a corrected reading.
absl::Status Remint(store::WriteContext& context, const Subject& subject, const Reading& corrected,
                    MintState state, const std::string& reason) {
  if (subject.task) {
    return MoveAnew(context, *subject.task, state,
                    fmt::format("{}: {}", domain::mint_reason::kCorrected, reason));
  }
  if (state == MintState::kNotApplicable) return absl::OkStatus();
  const AcceptedReading& accepted = subject.reading;
  WATTMINT_RETURN_IF_ERROR(
      context.transaction().InsertTask(accepted.row, MintState::kPending, context.now()));
  return context.Append(domain::TaskCreated{accepted.row, accepted.user_id, corrected.meter_id,
                                            accepted.reading_id, corrected.energy});
}

absl::StatusOr<Result> Correct(store::WriteContext& context, const Order& order,
                               domain::Energy energy, std::optional<domain::Quality> quality,
                               const domain::ReadingLimits& limits) {
  WATTMINT_ASSIGN_OR_RETURN(const Subject subject, Find(context, order.reading_id));
  const AcceptedReading& accepted = subject.reading;
  const Reading& before = accepted.reading;
  Reading after = before;
  after.energy = energy;
  after.quality = quality.value_or(before.quality);
  if (after.HasSameContent(before) && !subject.IsRejected()) return Repeated(context, subject);
  WATTMINT_RETURN_IF_ERROR(RequireUnsigned(subject));
  domain::Refusal refusal = CheckEnergy(after, limits);
  if (refusal.rejection != domain::Rejection::kNone) return Result{accepted, std::move(refusal), 0};

  WATTMINT_ASSIGN_OR_RETURN(
      const std::int64_t correction_id,
      context.transaction().CorrectReading(
          accepted.row, {0, CorrectionKind::kCorrected, context.now(), order.user_id, order.reason,
                         before.energy, before.quality, after.energy, after.quality}));
  const MintState state = InitialMintState(after, limits);
  const bool has_task = subject.task || state == MintState::kPending;
  WATTMINT_RETURN_IF_ERROR(context.Append(domain::ReadingCorrected{
      accepted.user_id, accepted.wallet_address, before.meter_id, after.energy, accepted.reading_id,
      has_task ? accepted.row : 0, before.start, before.energy, after.quality, before.quality,
      order.reason, correction_id, state}));
  WATTMINT_RETURN_IF_ERROR(Remint(context, subject, after, state, order.reason));
  return ResultOf(context, order.reading_id, correction_id);
}

}  // namespace

ReadingEditor::ReadingEditor(store::CommitQueue& queue, const domain::ReadingLimits& limits,
                             std::function<void()> on_mintable)
    : queue_(queue), limits_(limits), on_mintable_(std::move(on_mintable)) {}

void ReadingEditor::Withdraw(Order order, Callback done) {
  Submit([order = std::move(order)](
             store::WriteContext& context) { return ingest::Withdraw(context, order); },
         std::move(done));
}

void ReadingEditor::Correct(Order order, domain::Energy energy,
                            std::optional<domain::Quality> quality, Callback done) {
  Submit(
      [this, order = std::move(order), energy, quality](store::WriteContext& context) {
        return ingest::Correct(context, order, energy, quality, limits_);
      },
      std::move(done));
}

void ReadingEditor::Submit(Change change, Callback done) {
  const auto result = std::make_shared<Result>();  // shared: by the two functions of the op
  queue_.Submit(std::make_unique<store::FunctionOp>(
      [result, change = std::move(change)](store::WriteContext& context) -> absl::Status {
        WATTMINT_ASSIGN_OR_RETURN(*result, change(context));
        return absl::OkStatus();
      },
      [this, result, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        if (result->reading.mint_state == MintState::kPending) on_mintable_();
        done(std::move(*result));
      }));
}

}  // namespace wattmint::ingest
