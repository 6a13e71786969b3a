// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { typedNano } from "../../bridge/web/amounts.js";
import { BATCHES_KEPT, Batches, openTasks } from "../../bridge/web/batches.js";
import { KEPT_EACH, KINDS, wanted } from "../../bridge/web/feed.js";
import { ClockDifference, Latency, SAMPLES_KEPT } from "../../bridge/web/latency.js";
import { LinkLog } from "../../bridge/web/link-log.js";
import { Model } from "../../bridge/web/model.js";

const HOUR_MS = 3_600_000;
const NOON = Date.parse("2026-01-05T12:00:00Z");

const STARTED = Date.parse("2026-02-01T00:00:00Z");

let model;
let seq;
let nowMs;

beforeEach(() => {
  model = new Model();
  seq = 0;
  nowMs = STARTED;
});

function apply(type, data) {
  seq += 1;
  model.apply({ type, seq, timestamp: new Date(nowMs).toISOString(), data });
}

function read(kwh, more = {}) {
  apply("MeterReadingReceived", { user_id: "ana", wallet_address: "W", meter_id: "M",
    kwh_amount: kwh, timestamp: "2026-01-05T12:15:00Z", channel: "generation",
    reading_id: `${seq}`, mint_state: "NOT_APPLICABLE", ...more });
}

function mint(kwh, baseUnits, more = {}) {
  apply("TokensMinted", { user_id: "ana", wallet_address: "W", meter_id: "M", kwh_amount: kwh,
    tokens_minted: baseUnits, timestamp: "2026-02-01T00:00:00Z",
    interval_start: "2026-01-05T12:15:00Z", ...more });
}

// A reading with its task, as the core tells of them.
function task(id, kwh, more = {}) {
  const reading_id = `reading ${id}`;
  read(kwh, { reading_id, mint_state: "PENDING", ...more });
  apply("TaskCreated", { task_id: id, meter_id: "M", changes: { reading_id, kwh_amount: kwh } });
}

function move(id, old_status, new_status, reason) {
  apply("TaskStatusChanged", { task_id: id, meter_id: "M",
    changes: { old_status, new_status, reason } });
}

function confirm(id, kwh, from = "SIGNED") {
  move(id, from, "CONFIRMED");
  mint(kwh, Math.round(kwh * 1e9), { task_id: id, reading_id: `reading ${id}` });
}

function correct(id, old_kwh_amount, kwh_amount, more = {}) {
  apply("ReadingCorrected", { meter_id: "M", reading_id: `reading ${id}`, task_id: id, kwh_amount,
    old_kwh_amount, timestamp: "2026-01-05T12:15:00Z", ...more });
}

function withdraw(id, kwh_amount, more = {}) {
  apply("ReadingWithdrawn", { meter_id: "M", reading_id: `reading ${id}`, task_id: id, kwh_amount,
    timestamp: "2026-01-05T12:15:00Z", ...more });
}

// Asserts the lines of the account that are named, and that it is even.
function balances(expected) {
  const { off, ...lines } = model.balance;
  const named = Object.fromEntries(Object.keys(expected).map((name) => [name, lines[name]]));
  assert.deepEqual(named, expected);
  assert.equal(off, 0n);
}

test("sums stay exact beyond what a double holds", () => {
  const count = 100_001;
  for (let index = 0; index < count; index += 1) mint(99.999999999, 99_999_999_999);
  assert.equal(model.totals.baseUnits, 99_999_999_999n * BigInt(count));
  assert.ok(model.totals.baseUnits > BigInt(Number.MAX_SAFE_INTEGER));
});

test("sums are kept for each meter and each wallet", () => {
  read(1.5);
  read(2, { meter_id: "N" });
  mint(1.5, 1_500_000_000);
  mint(2, 2_000_000_000, { meter_id: "N", wallet_address: "V" });
  assert.equal(model.meters.get("M").nanoKwh, 1_500_000_000n);
  assert.equal(model.meters.get("N").baseUnits, 2_000_000_000n);
  assert.equal(model.wallets.get("V").mints, 1);
  assert.equal(model.totals.readings, 2);
});

test("a mint belongs to the interval of its reading, not to the time of minting", () => {
  read(1.5);
  mint(1.5, 1_500_000_000);
  assert.deepEqual([...model.time.hours],
    [[NOON, { nanoKwh: 1_500_000_000n, baseUnits: 1_500_000_000n }]]);
  assert.deepEqual([...model.time.days.keys()], [NOON - 12 * HOUR_MS]);
});

test("consumed energy is told apart and is not in the plot", () => {
  read(3, { channel: "consumption" });
  assert.equal(model.totals.nanoKwh, 0n);
  assert.equal(model.totals.consumedNanoKwh, 3_000_000_000n);
  assert.equal(model.time.hours.size, 0);
});

test("the last reading of a meter is the one of the latest interval", () => {
  read(2);
  read(1, { timestamp: "2026-01-04T00:00:00Z" });
  assert.equal(model.meters.get("M").lastKwh, 2);
});

test("refusals are counted by reason, and sentences do not pile up", () => {
  for (let index = 0; index < 150; index += 1) {
    apply("MeterReadingValidationFailed", { meter_id: "M", error_reason: `reason ${index}` });
  }
  assert.equal(model.totals.refused, 150);
  assert.equal(model.refusals.size, 101);
  assert.equal(model.refusals.get("other reasons"), 50);
});

test("the newest events come first, of those that are kept", () => {
  for (let index = 0; index < 3 * KEPT_EACH; index += 1) read(1);
  const newest = (count, wants) => model.feed.newest(count, KINDS, wants).map((frame) => frame.seq);
  assert.deepEqual(newest(3), [1500, 1499, 1498]);
  assert.equal(newest(9999).length, KEPT_EACH);
  assert.equal(newest(9999).at(-1), 1001);
  assert.deepEqual(newest(2, (frame) => frame.seq % 2 === 1), [1499, 1497]);
});

test("a frequent kind of event does not drive out a rare one", () => {
  apply("MeterReadingValidationFailed", { meter_id: "M", error_reason: "ENERGY_TOO_HIGH" });
  for (let index = 0; index < 2 * KEPT_EACH; index += 1) read(1);
  assert.deepEqual(model.feed.newest(5, ["refused"]).map((frame) => frame.seq), [1]);
  assert.deepEqual(model.feed.newest(1, ["mint"]), []);
  assert.equal(model.feed.counts.get("reading"), 2 * KEPT_EACH);
});

test("a type that is not known is kept among the others", () => {
  apply("SomethingNew", {});
  assert.deepEqual(model.feed.newest(1, ["other"]).map((frame) => frame.type), ["SomethingNew"]);
});

test("a filter takes parts of names in any case, and amounts from the least on", () => {
  const frame = (data) => ({ data });
  assert.ok(wanted({ meter: "font" })(frame({ meter_id: "FONT-01" })));
  assert.ok(!wanted({ meter: "font" })(frame({})));
  assert.ok(wanted({ minNano: typedNano("0.5") })(frame({ kwh_amount: 0.5 })));
  assert.ok(!wanted({ minNano: typedNano("0.500000001") })(frame({ kwh_amount: 0.5 })));
  assert.ok(!wanted({ minNano: 0n })(frame({ meter_id: "M" })));
  assert.ok(wanted({ minNano: 1n })(frame({ changes: { kwh_amount: 0.000000001 } })));
});

test("a typed amount is exact, empty, or none", () => {
  assert.equal(typedNano("12.000000001"), 12_000_000_001n);
  assert.equal(typedNano(" 0,5 "), 500_000_000n);
  assert.equal(typedNano(""), null);
  for (const text of ["-1", "1e3", "0.0000000001", "abc", "1.2.3"]) {
    assert.equal(typedNano(text), undefined, text);
  }
});

test("tokens of another scale than the energy are noticed", () => {
  mint(1, 1_000_000_000);
  assert.ok(model.isSameScale);
  mint(1, 2_000_000_000);
  assert.ok(!model.isSameScale);
});

test("a reset forgets everything", () => {
  read(1);
  model.reset();
  assert.equal(model.totals.readings, 0);
  assert.deepEqual(model.feed.newest(1, KINDS), []);
  assert.equal(model.time.hours.size, 0);
  assert.equal(model.since, null);
});

test("tasks are counted in the state in which they are, with their energy", () => {
  task(1, 1.5);
  task(2, 0.25);
  task(3, 2);
  move(1, "PENDING", "SIGNED");
  move(2, "PENDING", "PARKED", "QUARANTINE_JUMP: too much at once");
  confirm(1, 1.5);
  const { states, parkedFor } = model.tasks;
  assert.deepEqual(states.get("PENDING"), { tasks: 1, nanoKwh: 2_000_000_000n });
  assert.deepEqual(states.get("SIGNED"), { tasks: 0, nanoKwh: 0n });
  assert.deepEqual(states.get("CONFIRMED"), { tasks: 1, nanoKwh: 1_500_000_000n });
  assert.deepEqual(states.get("PARKED"), { tasks: 1, nanoKwh: 250_000_000n });
  assert.deepEqual([...parkedFor], [["QUARANTINE_JUMP", 1]]);
  move(2, "PARKED", "PENDING");
  assert.equal(parkedFor.size, 0);
});

test("what is to be minted is minted, waiting or parked, after every single event", () => {
  read(7);  // nothing to mint
  balances({ toMint: 0n, nothing: 7_000_000_000n });
  read(1.5, { reading_id: "reading 1", mint_state: "PENDING" });
  balances({ toMint: 1_500_000_000n, waiting: 1_500_000_000n });
  apply("TaskCreated", { task_id: 1, changes: { reading_id: "reading 1", kwh_amount: 1.5 } });
  balances({ waiting: 1_500_000_000n });
  move(1, "PENDING", "CONFIRMED");
  balances({ minted: 0n, waiting: 1_500_000_000n });
  mint(1.5, 1_500_000_000, { task_id: 1 });
  balances({ minted: 1_500_000_000n, waiting: 0n, difference: 0n });
  task(2, 99.9, { mint_state: "PARKED" });
  move(2, "PENDING", "PARKED", "QUARANTINE_SENTINEL: all nines");
  balances({ toMint: 101_400_000_000n, difference: 99_900_000_000n, parked: 99_900_000_000n });
  move(2, "PARKED", "REJECTED", "DISCARDED: by hand");
  balances({ toMint: 1_500_000_000n, rejected: 99_900_000_000n, difference: 0n });
});

test("an account that does not add up is told", () => {
  task(1, 1);
  confirm(1, 0.999999999);
  assert.equal(model.balance.off, 1n);
});

test("a corrected reading counts as it is now, whatever became of its task", () => {
  task(1, 1);
  correct(1, 1, 1.25);
  balances({ accepted: 1_250_000_000n, waiting: 1_250_000_000n });
  correct(1, 1.25, 0);
  move(1, "PENDING", "NOT_APPLICABLE", "CORRECTED: was zero");
  balances({ accepted: 0n, toMint: 0n });
  correct(1, 0, 2);
  move(1, "NOT_APPLICABLE", "PENDING", "CORRECTED: was two");
  balances({ accepted: 2_000_000_000n, waiting: 2_000_000_000n });
  assert.deepEqual([...model.time.hours.values()], [{ nanoKwh: 2_000_000_000n, baseUnits: 0n }]);
});

test("a correction may give a reading its first task, or leave it without one", () => {
  read(1, { reading_id: "reading 1", quality: "estimated" });
  correct(1, 1, 3, { task_id: undefined });
  balances({ accepted: 3_000_000_000n, nothing: 3_000_000_000n, toMint: 0n });
  correct(1, 3, 2);
  balances({ accepted: 3_000_000_000n, nothing: 3_000_000_000n });
  apply("TaskCreated", { task_id: 1, changes: { reading_id: "reading 1", kwh_amount: 2 } });
  balances({ accepted: 2_000_000_000n, nothing: 0n, waiting: 2_000_000_000n });
  assert.equal(model.totals.nanoKwh, 2_000_000_000n);
});

test("a withdrawn reading counts for nothing", () => {
  task(1, 1);
  withdraw(1, 1);
  move(1, "PENDING", "REJECTED", "WITHDRAWN: a mistake");
  balances({ accepted: 0n, rejected: 0n, toMint: 0n, waiting: 0n });
  read(4, { reading_id: "reading 2" });
  withdraw(2, 4, { task_id: undefined });
  balances({ accepted: 0n, nothing: 0n });
  assert.equal(model.meters.get("M").nanoKwh, 0n);
});

test("consumption stays apart when it is corrected or withdrawn", () => {
  read(3, { channel: "consumption", reading_id: "reading 1" });
  correct(1, 3, 2, { task_id: undefined });
  assert.equal(model.totals.consumedNanoKwh, 2_000_000_000n);
  withdraw(1, 2, { task_id: undefined });
  assert.equal(model.totals.consumedNanoKwh, 0n);
  balances({ accepted: 0n, nothing: 0n });
});

test("tasks that began before what is seen are told apart and upset no sum", () => {
  move(1, "SIGNED", "SUBMITTED");
  assert.equal(model.tasks.states.get("SUBMITTED").tasks, 1);
  confirm(1, 5, "SUBMITTED");
  assert.equal(model.tasks.unseen, 1);
  assert.equal(model.tasks.states.get("CONFIRMED").tasks, 1);
  balances({ minted: 5_000_000_000n, mintedBefore: 5_000_000_000n, toMint: 0n });
  assert.equal(model.minting.count, 0);
  assert.deepEqual(model.since, { seq: 1, time: "2026-02-01T00:00:00.000Z" });
});

test("a reading from before what is seen is in no sum, also when it is withdrawn", () => {
  withdraw(1, 0.25);
  move(1, "PENDING", "REJECTED", "WITHDRAWN: a mistake");
  move(2, "PARKED", "PENDING");
  withdraw(2, 0.5);
  move(2, "PENDING", "REJECTED", "WITHDRAWN: a mistake");
  balances({ accepted: 0n, nothing: 0n, rejected: 0n, toMint: 0n, waiting: 0n });
  assert.equal(model.totals.nanoKwh, 0n);
  assert.equal(model.time.hours.size, 0);
  assert.equal(model.totals.withdrawn, 2);
});

test("a reading from before what is seen may be corrected and minted: nothing stays behind", () => {
  for (const id of [1, 2]) {
    if (id === 2) move(id, "PARKED", "PENDING");  // as good as unseen: its energy is not known
    correct(id, 1, 2);
    balances({ accepted: 0n, nothing: 0n, waiting: 0n });
    correct(id, 2, 3);
    task(`${id} that has nothing to do with it`, 0);
    confirm(id, 3);
    balances({ accepted: 0n, nothing: 0n, waiting: 0n, difference: 0n });
  }
  balances({ minted: 6_000_000_000n, mintedBefore: 6_000_000_000n });
  assert.equal(model.totals.nanoKwh, 0n);
});

test("minting is timed from the arrival of the reading", () => {
  task(1, 1);
  nowMs += 1234;
  move(1, "PENDING", "SIGNED");
  nowMs += 6;
  confirm(1, 1);
  assert.equal(model.minting.percentile(50), 1240);
});

test("percentiles are those of the newest durations", () => {
  const latency = new Latency();
  assert.equal(latency.percentile(50), null);
  for (let ms = 100; ms >= 1; ms -= 1) latency.add(ms);
  latency.add(NaN);
  assert.deepEqual([50, 95, 99, 100].map((percent) => latency.percentile(percent)),
    [50, 95, 99, 100]);
  for (let index = 0; index < SAMPLES_KEPT; index += 1) latency.add(7);
  assert.equal(latency.percentile(100), 7);
  assert.equal(latency.count, SAMPLES_KEPT + 100);
  assert.equal(latency.kept, SAMPLES_KEPT);
});

test("a histogram counts in steps of 1, 2 and 5, with those between", () => {
  const latency = new Latency();
  for (const ms of [0, 1, 1.5, 10, 11]) latency.add(ms);
  assert.deepEqual(latency.histogram(), [{ upToMs: 1, count: 2 }, { upToMs: 2, count: 1 },
    { upToMs: 5, count: 0 }, { upToMs: 10, count: 1 }, { upToMs: 20, count: 1 }]);
});

test("a clock is corrected only by what the shortest round trip proves", () => {
  const clock = new ClockDifference();
  assert.equal(clock.best, null);
  clock.add(1000, 1020, 1100);
  assert.deepEqual(clock.best, { aheadMs: 30, errorMs: 51, correctionMs: 0 });
  clock.add(2000, 1505, 2010);
  assert.deepEqual(clock.best, { aheadMs: 500, errorMs: 6, correctionMs: 500 });
  for (let index = 0; index < 8; index += 1) clock.add(0, 50, 100);
  assert.equal(clock.best.errorMs, 51);
});

test("a batch is one, however often it is told, and its open tasks are what is not settled", () => {
  const batches = new Batches();
  const told = (id, total, minted, failed, deferred, duplicate) => batches.add({ batch_id: id,
    total_readings: total, successful_mints: minted, failed_mints: failed,
    deferred_mints: deferred, duplicate_mints: duplicate }, 1);
  told("a", 50, 45, 1, 4, 0);
  told("b", 2, 2, 0, 0, 0);
  told("a", 3, 1, 0, 0, 2);
  assert.equal(batches.count, 2);
  assert.deepEqual(batches.newest(9).map(({ id }) => id), ["b", "a"]);
  const [, { id, tasks, minted, failed, duplicates }] = batches.newest(9);
  assert.deepEqual([id, tasks, minted, failed, duplicates], ["a", 50, 46, 1, 2]);
  assert.equal(openTasks(batches.newest(9)[1]), 1);
  assert.deepEqual([batches.totals.tasks, batches.totals.minted], [52, 48]);
  for (let index = 0; index < BATCHES_KEPT; index += 1) told(`${index}`, 1, 1, 0, 0, 0);
  assert.equal(batches.newest(9999).length, BATCHES_KEPT);
  assert.equal(batches.totals.minted, 48 + BATCHES_KEPT);
});

test("a lost connection is told from its loss to its return", () => {
  const log = new LinkLog();
  const enter = (state, now, more = {}) => log.enter({ state, attempt: 0, ...more }, now);
  enter("connecting", 1);
  enter("open", 2);
  assert.deepEqual([log.lostAt, log.reconnects], [null, 0]);
  enter("waiting", 10, { closeCode: 1006, retryInMs: 500, attempt: 1 });
  assert.deepEqual([log.lostAt, log.retryAt, log.lastClose], [10, 510, { code: 1006, at: 10 }]);
  enter("connecting", 510, { attempt: 1 });
  enter("waiting", 520, { closeCode: 1001, retryInMs: 9, attempt: 2 });
  assert.deepEqual([log.lostAt, log.lastClose.code], [10, 1001]);
  enter("open", 530);
  assert.deepEqual([log.lostAt, log.retryAt, log.reconnects], [null, null, 1]);
});
