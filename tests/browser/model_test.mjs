// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Model } from "../../bridge/web/model.js";

const HOUR_MS = 3_600_000;
const NOON = Date.parse("2026-01-05T12:00:00Z");

let model;
let seq;

beforeEach(() => {
  model = new Model();
  seq = 0;
});

function apply(type, data) {
  seq += 1;
  model.apply({ type, seq, timestamp: "2026-02-01T00:00:00Z", data });
}

function read(kwh, more = {}) {
  apply("MeterReadingReceived", { user_id: "ana", wallet_address: "W", meter_id: "M",
    kwh_amount: kwh, timestamp: "2026-01-05T12:15:00Z", channel: "generation", ...more });
}

function mint(kwh, baseUnits, more = {}) {
  apply("TokensMinted", { user_id: "ana", wallet_address: "W", meter_id: "M", kwh_amount: kwh,
    tokens_minted: baseUnits, timestamp: "2026-02-01T00:00:00Z",
    interval_start: "2026-01-05T12:15:00Z", ...more });
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
  assert.deepEqual([...model.hours], [[NOON, { nanoKwh: 1.5e9, baseUnits: 1.5e9 }]]);
  assert.deepEqual([...model.days.keys()], [NOON - 12 * HOUR_MS]);
});

test("consumed energy is told apart and is not in the plot", () => {
  read(3, { channel: "consumption" });
  assert.equal(model.totals.nanoKwh, 0n);
  assert.equal(model.totals.consumedNanoKwh, 3_000_000_000n);
  assert.equal(model.hours.size, 0);
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
  for (let index = 0; index < 2500; index += 1) read(1);
  assert.deepEqual(model.newest(3, () => true).map((frame) => frame.seq), [2500, 2499, 2498]);
  assert.equal(model.newest(9999, () => true).at(-1).seq, 501);
  assert.deepEqual(model.newest(2, (frame) => frame.seq % 2 === 1).map((frame) => frame.seq),
    [2499, 2497]);
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
  assert.deepEqual(model.newest(1, () => true), []);
  assert.equal(model.hours.size, 0);
});
