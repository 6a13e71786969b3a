#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes copies of production files in which known bugs lie dormant, for the simulation to find.

    plant_bugs.py REPOSITORY OUT      writes OUT/<file> for every file below that has a bug
    plant_bugs.py --files             prints those files

Each bug is an exact piece of a production file and what a mistake would have made of it; the copy
asks IS("name") at run time, so that one program holds them all. A piece that is not found exactly
once is an error: whoever changes production there moves the bug along, or plants another.
"""

import sys
from pathlib import Path

IS = 'wattmint::simulation::IsPlanted("{}")'

# (name, file, the piece, what becomes of it; PLANTED stands for "this bug is in force")
BUGS = [
    # The classic: no answer in time is taken for "not minted".
    ("signs_anew_on_timeout", "core/mint/settlement.cc",
     'return LeaveOpen(context, task, fmt::format("OUTCOME_UNKNOWN:',
     "if (PLANTED) {\n    --batch.deferred_mints;\n"
     "    return WriteVoid(context, task, attempts_max + 100, batch);\n  }\n"
     '  return LeaveOpen(context, task, fmt::format("OUTCOME_UNKNOWN:'),
    ("signs_anew_on_timeout", "core/mint/settlement.cc",
     "absl::Status WriteRefusal(",
     "absl::Status WriteVoid(store::WriteContext& context, MintTask& task, int attempts_max,\n"
     "                       BatchMintingCompleted& batch);\n\nabsl::Status WriteRefusal("),
    # What was taken is told as minted.
    ("accepted_is_minted", "core/mint/settlement.cc",
     "if (receipt.verdict == Verdict::kAccepted ||",
     "if ((receipt.verdict == Verdict::kAccepted && !PLANTED) ||"),
    # An unknown outcome uses attempts up, and is given up.
    ("unknown_is_a_failure", "core/mint/settlement.cc",
     "if (absl::IsAborted(why)) {",
     "if (absl::IsAborted(why) || (PLANTED && !absl::IsResourceExhausted(why))) {"),
    # Attempts are not counted, so that what is always refused is tried for ever.
    ("attempts_are_forgotten", "core/mint/settlement.cc",
     "task.attempts += 1;\n  if (task.attempts >= attempts_max) {",
     "if (!PLANTED) task.attempts += 1;\n  if (task.attempts >= attempts_max) {"),
    # What is refused for good is tried for ever.
    ("permanent_is_transient", "core/mint/settlement.cc",
     "if (absl::IsInvalidArgument(why)) {",
     "if (absl::IsInvalidArgument(why) && !PLANTED) {"),
    # Bytes are given up before they are void.
    ("void_too_soon", "core/mint/settlement.cc",
     "return mint.has_value() || final_height > task.expiry_height;",
     "return mint.has_value() || final_height > task.expiry_height - (PLANTED ? 16 : 0);"),
    # What was found on the ledger after a crash is confirmed, but nobody hears of it.
    ("found_is_not_told", "core/mint/settlement.cc",
     "return Confirm(context, task, mint.signature, mint.height, 0);",
     "if (PLANTED) {\n    task.transaction_signature = mint.signature;\n"
     "    return MoveTask(context, task, MintState::kConfirmed);\n  }\n"
     "  return Confirm(context, task, mint.signature, mint.height, 0);"),
    # Whatever is on the ledger will be right.
    ("amount_is_not_compared", "core/mint/settlement.cc",
     "if (mint.tokens != task.tokens) {",
     "if (mint.tokens != task.tokens && !PLANTED) {"),
    # Without funds everything goes on as if each task were at fault.
    ("no_funds_is_a_refusal", "core/mint/settlement.cc",
     "if (absl::IsResourceExhausted(why)) {",
     "if (PLANTED && absl::IsResourceExhausted(why)) {\n"
     '    return ParkTask(context, task, "LEDGER_REFUSED: no funds");\n  }\n'
     "  if (absl::IsResourceExhausted(why)) {"),
    # The bytes are sent before they are durable.
    ("sent_before_durable", "core/mint/minter.cc",
     "const absl::Status trouble = SignPlan(ledger_, RetryTime(1), plan);",
     "const absl::Status trouble = SignPlan(ledger_, RetryTime(1), plan);\n"
     "  if (PLANTED) static_cast<void>(ledger_.Submit(MintsOf(plan.to_sign)));"),
    # After a crash SIGNED is taken for "not sent yet".
    ("signed_is_released", "core/mint/minter.cc",
     "return task.state == MintState::kClaimed; };",
     "return task.state == MintState::kClaimed ||\n"
     "           (PLANTED && task.state == MintState::kSigned); };"),
    ("signed_is_released", "core/mint/transitions.cc",
     "if (task.state != MintState::kClaimed || task.batch_id != seen.batch_id) continue;",
     "const bool wrong = PLANTED && task.state == MintState::kSigned;\n"
     "    if ((task.state != MintState::kClaimed && !wrong) || task.batch_id != seen.batch_id)"
     " continue;\n"
     "    if (PLANTED && task.state == MintState::kSigned) {\n"
     "      WATTMINT_RETURN_IF_ERROR(MoveTask(context, task, MintState::kPending));\n"
     "      continue;\n    }"),
    # What is open is sent again without looking for it first, and signed anew to be sure.
    ("nothing_is_looked_up", "core/mint/minter.cc",
     "if (!IsSettled(tasks[i], findings.mints[i], findings.final_height)) {",
     "if (PLANTED) findings.mints[i].reset();\n"
     "    if (!IsSettled(tasks[i], findings.mints[i], findings.final_height)) {"),
    # A retry of what is set aside forgets the bytes that may still be minted.
    ("retry_forgets_the_bytes", "core/mint/transitions.cc",
     "task.signed_bytes.empty() ? MintState::kPending : MintState::kSubmitted",
     "task.signed_bytes.empty() || PLANTED ? MintState::kPending : MintState::kSubmitted"),
    # Nobody asks whether the lease is still held when the signed bytes are written down.
    ("lease_is_not_compared", "core/mint/transitions.cc",
     "WATTMINT_RETURN_IF_ERROR(RequireUnchanged(context, *tasks));",
     "if (!PLANTED) WATTMINT_RETURN_IF_ERROR(RequireUnchanged(context, *tasks));"),
    ("lease_is_not_compared", "core/mint/task_record.cc",
     'WATTMINT_ASSERT(stored, "task {} changed within its transaction", task.task_id);',
     'WATTMINT_ASSERT(stored || PLANTED, "task {} changed", task.task_id);'),
    # Two mints of one meter carry the same remainder.
    ("remainder_is_not_compared", "core/mint/transitions.cc",
     "if (stored != change.before) {",
     "if (stored != change.before && !PLANTED) {"),
    # The remainder is not carried.
    ("remainder_is_dropped", "core/mint/transitions.cc",
     "WATTMINT_RETURN_IF_ERROR(context.transaction().SetRemainder(meter_id, change.after));",
     "if (PLANTED) continue;\n"
     "    WATTMINT_RETURN_IF_ERROR(context.transaction().SetRemainder(meter_id, change.after));"),
    # When the bytes are void is not kept.
    ("expiry_is_forgotten", "core/mint/sign_plan.cc",
     "task.expiry_height = mints[i]->expiry_height;",
     "task.expiry_height = PLANTED ? 0 : mints[i]->expiry_height;"),
    # The key comes from a counter that begins anew with the process.
    ("key_is_a_counter", "core/mint/sign_plan.cc",
     "return {domain::IdempotencyKey(task.reading_id), task.wallet_address, task.tokens};",
     "if (PLANTED) {\n"
     "    return {fmt::format(\"{}#{}\", domain::IdempotencyKey(task.reading_id), task.attempts),\n"
     "            task.wallet_address, task.tokens};\n  }\n"
     "  return {domain::IdempotencyKey(task.reading_id), task.wallet_address, task.tokens};"),
    # Money in floating point.
    ("amount_is_a_double", "core/mint/planner.cc",
     "task.tokens = conversion->tokens;",
     "task.tokens = conversion->tokens;\n  if (PLANTED) {\n"
     "    task.tokens = domain::TokenAmount::FromBaseUnits(static_cast<std::int64_t>(\n"
     "        static_cast<double>(task.energy.nano_kwh()) / 1e9 *\n"
     "            (static_cast<double>(limits_.ratio.numerator) /\n"
     "             static_cast<double>(limits_.ratio.denominator)) * 1e9 + 0.5));\n  }"),
    # Whoever has the meter now has the tokens of what it produced before.
    ("pays_the_new_owner", "core/mint/planner.cc",
     "if (meter && meter->user_id == task.user_id) return",
     "if (meter && (meter->user_id == task.user_id || PLANTED)) return"),
    # The cap of a day is asked for each reading by itself.
    ("day_cap_forgets_the_batch", "core/mint/planner.cc",
     "day_energy_ = *day_energy;",
     "if (!PLANTED) day_energy_ = *day_energy;"),
    # The cap of a reading is left to the request path.
    ("cap_is_not_checked_again", "core/mint/planner.cc",
     "if (task.energy > limits_.energy_max) {",
     "if (task.energy > limits_.energy_max && !PLANTED) {"),
    # Answered as done although the commit failed.
    ("acknowledged_before_durable", "core/store/commit_queue.cc",
     "WATTMINT_RETURN_IF_ERROR(transaction->Commit());",
     "if (PLANTED) {\n    static_cast<void>(transaction->Commit());\n  } else {\n"
     "    WATTMINT_RETURN_IF_ERROR(transaction->Commit());\n  }"),
    # Events have a transaction of their own.
    ("events_are_written_apart", "core/store/commit_queue.cc",
     "WATTMINT_ASSIGN_OR_RETURN(const std::int64_t sequence,"
     " transaction_.AppendEvent(body->payload));",
     "if (PLANTED) {\n    events_.push_back({0, std::move(body)});\n"
     "    return absl::OkStatus();\n  }\n"
     "  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t sequence,"
     " transaction_.AppendEvent(body->payload));"),
    ("events_are_written_apart", "core/store/commit_queue.cc",
     "settled.events = context.TakeEvents();",
     "settled.events = context.TakeEvents();\n  if (PLANTED && !settled.events.empty()) {\n"
     "    WATTMINT_ASSIGN_OR_RETURN(const auto second, journal_.Begin());\n"
     "    for (EventRecord& event : settled.events) {\n"
     "      WATTMINT_ASSIGN_OR_RETURN(event.sequence,"
     " second->AppendEvent(event.body->payload));\n    }\n"
     "    WATTMINT_RETURN_IF_ERROR(second->Commit());\n  }"),
    # What is published need not be in the log.
    ("published_although_broken", "core/store/commit_queue.cc",
     "settled.events.clear();\n  Recover(settled);",
     "Recover(settled);"),
    ("published_although_broken", "core/store/commit_queue.cc",
     "  WATTMINT_RETURN_IF_ERROR(transaction->Commit());",
     "  if (PLANTED) settled.events = context.TakeEvents();\n"
     "  WATTMINT_RETURN_IF_ERROR(transaction->Commit());"),
    # The disk's cache is good enough.
    ("nothing_is_synced", "storage/connection.cc",
     'database_.exec("PRAGMA synchronous = FULL");',
     'database_.exec(PLANTED ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL");'),
    # A repeated reading with other energy is answered as the first.
    ("repeat_is_not_compared", "core/ingest/pipeline.cc",
     "if (known->energy == reading.energy &&",
     "if ((known->energy == reading.energy || PLANTED) &&"),
]


def plant(root, path):
    text = (root / path).read_text()
    for name, file, piece, mistake in BUGS:
        if file != path:
            continue
        if text.count(piece) != 1:
            sys.exit(f"{path}: the place of the planted bug {name} is there {text.count(piece)} "
                     f"times, not once:\n{piece}\nSee tests/simulation/plant_bugs.py.")
        text = text.replace(piece, mistake.replace("PLANTED", IS.format(name)))
    return f'#include "tests/simulation/planted.h"\n{text}'


def require_tests(root):
    test = root / "tests/simulation/planted_bugs_test.cc"
    for name in sorted({bug[0] for bug in BUGS}):
        if f'{{"{name}",' not in test.read_text():
            sys.exit(f"{test}: does not ask whether {name} is caught")


def main(arguments):
    files = sorted({bug[1] for bug in BUGS})
    if arguments == ["--files"]:
        print(";".join(files), end="")
        return
    root, out = Path(arguments[0]), Path(arguments[1])
    require_tests(root)
    for path in files:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(plant(root, path))


if __name__ == "__main__":
    main(sys.argv[1:])
