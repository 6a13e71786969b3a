// SPDX-License-Identifier: Apache-2.0

import { nanoOf } from "./amounts.js";
import { Batches } from "./batches.js";
import { Feed } from "./feed.js";
import { Latency } from "./latency.js";
import { MintTasks } from "./mint-tasks.js";
import { Supply } from "./supply.js";
import { TimeBuckets } from "./time-buckets.js";

const REASONS_MAX = 100;  // a sentence with a value in it must not grow the page
const OTHER_REASONS = "other reasons";
const CONSUMED_MAX = 100_000;  // readings whose later correction is known to be of consumption

// What the page shows, built from events one by one: sums are exact, the cost of an event does not
// grow with the history, and of single things only what is open or newest is kept.
export class Model {
  constructor() { this.reset(); }

  reset() {
    this.totals = newSums();
    this.meters = new Map();
    this.wallets = new Map();
    this.refusals = new Map();
    this.time = new TimeBuckets();
    this.feed = new Feed();
    this.tasks = new MintTasks();
    this.supply = new Supply();
    this.batches = new Batches();
    this.minting = new Latency();  // from a reading's arrival to its tokens
    this.mintingPaused = null;  // as far as was told
    this.isSameScale = true;  // 1 kWh is 1 GRX, so far
    this.since = null;  // {seq, time} of the first event
    this.changes = 0;
    this.#consumed = new Set();
    this.#awaited = null;
  }

  apply(frame) {
    this.changes += 1;
    this.since ??= { seq: frame.seq, time: frame.timestamp };
    this.feed.add(frame);
    this.#handlers[frame.type]?.(frame.data, frame.timestamp);
  }

  get balance() { return this.supply.balance(this.tasks); }

  #consumed;  // ids of readings of consumption
  #awaited;  // a ReadingCorrected whose task is not known: its TaskCreated comes next, if ever
  #handlers = {
    MeterReadingReceived: (data, time) => this.#read(data, time),
    MeterReadingValidationFailed: (data) => this.#refuse(data),
    ReadingCorrected: (data) => this.#correct(data),
    ReadingWithdrawn: (data) => this.#withdraw(data),
    TaskCreated: (data, time) => this.#createTask(data, time),
    TaskStatusChanged: ({ task_id: id, changes }) =>
      this.tasks.change(id, changes.new_status, changes.reason),
    TokensMinted: (data, time) => this.#mint(data, time),
    BatchMintingCompleted: (data, time) => this.batches.add(data, Date.parse(time)),
    MintingSwitched: ({ paused }) => { this.mintingPaused = paused; },
  };

  #read({ meter_id, user_id, wallet_address, kwh_amount, timestamp, channel, reading_id,
    mint_state }, receivedAt) {
    const nano = nanoOf(kwh_amount);
    const time = Date.parse(timestamp);
    const meter = this.#meter(meter_id);
    meter.user = user_id;
    meter.wallet = wallet_address;
    if (time >= meter.lastTime) {
      meter.lastTime = time;
      meter.lastKwh = kwh_amount;
    }
    for (const sums of [this.totals, meter]) sums.readings += 1;
    if (channel === "consumption") this.#remember(reading_id);
    this.#addEnergy(reading_id, meter_id, time, nano);
    if (mint_state !== "NOT_APPLICABLE") {
      this.tasks.expect(reading_id, nano, Date.parse(receivedAt));
    } else if (channel !== "consumption") {
      this.supply.withoutTaskNano += nano;
    }
  }

  // Nothing of the reading was minted. What becomes of its task is told by the task's own events.
  // A task that is not known is about to begin, or it began before what is seen, as its reading
  // did, which then is in no sum.
  #correct(correction) {
    const { reading_id, task_id, kwh_amount, old_kwh_amount } = correction;
    if (task_id !== undefined && !this.tasks.knows(task_id)) {
      this.#awaited = correction;
      return;
    }
    const nano = nanoOf(kwh_amount);
    this.#replaceEnergy(correction);
    if (task_id !== undefined) this.tasks.correct(task_id, nano);
    else if (!this.#consumed.has(reading_id)) {
      this.supply.withoutTaskNano += nano - nanoOf(old_kwh_amount);
    }
  }

  #createTask({ task_id, changes: { reading_id, kwh_amount } }, time) {
    if (this.#awaited?.reading_id === reading_id) {  // it had nothing to mint, and has now
      this.#replaceEnergy(this.#awaited);
      this.supply.withoutTaskNano -= nanoOf(this.#awaited.old_kwh_amount);
    }
    this.#awaited = null;
    this.tasks.create(task_id, reading_id, nanoOf(kwh_amount), Date.parse(time));
  }

  #replaceEnergy({ meter_id, reading_id, kwh_amount, old_kwh_amount, timestamp }) {
    this.#addEnergy(reading_id, meter_id, Date.parse(timestamp),
      nanoOf(kwh_amount) - nanoOf(old_kwh_amount));
  }

  #withdraw({ meter_id, reading_id, task_id, kwh_amount, timestamp }) {
    this.totals.withdrawn += 1;
    if (task_id !== undefined && !this.tasks.knows(task_id)) return;  // in no sum, as above
    const nano = nanoOf(kwh_amount);
    this.#addEnergy(reading_id, meter_id, Date.parse(timestamp), -nano);
    if (task_id === undefined && !this.#consumed.has(reading_id)) {
      this.supply.withoutTaskNano -= nano;
    }
  }

  #mint({ meter_id, wallet_address, kwh_amount, tokens_minted, timestamp, interval_start, task_id },
    time) {
    const nano = nanoOf(kwh_amount);
    const baseUnits = BigInt(tokens_minted);
    const wallet = entry(this.wallets, wallet_address);
    for (const sums of [this.totals, this.#meter(meter_id), wallet]) {
      sums.mints += 1;
      sums.baseUnits += baseUnits;
    }
    this.time.add(Date.parse(interval_start ?? timestamp), 0n, baseUnits);
    if (baseUnits !== nano) this.isSameScale = false;
    const { isSeen, waitedMs } = this.tasks.mint(task_id, Date.parse(time));
    this.supply.mintedNano += nano;
    if (!isSeen) this.supply.mintedBefore += nano;
    this.minting.add(waitedMs);
  }

  #refuse({ meter_id, error_reason }) {
    this.totals.refused += 1;
    this.#meter(meter_id).refused += 1;
    const isKnown = this.refusals.has(error_reason) || this.refusals.size < REASONS_MAX;
    const reason = isKnown ? error_reason : OTHER_REASONS;
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  // Consumption is told apart: it is stored, never minted.
  #addEnergy(readingId, meterId, time, nano) {
    const isConsumed = this.#consumed.has(readingId);
    for (const sums of [this.totals, this.#meter(meterId)]) {
      sums[isConsumed ? "consumedNanoKwh" : "nanoKwh"] += nano;
    }
    if (isConsumed) return;
    this.supply.acceptedNano += nano;
    this.time.add(time, nano, 0n);
  }

  #remember(readingId) {
    this.#consumed.add(readingId);
    if (this.#consumed.size > CONSUMED_MAX) {
      this.#consumed.delete(this.#consumed.values().next().value);
    }
  }

  #meter(id) { return entry(this.meters, id); }
}

function newSums() {
  return { readings: 0, mints: 0, refused: 0, withdrawn: 0, nanoKwh: 0n, consumedNanoKwh: 0n,
    baseUnits: 0n, lastTime: 0, lastKwh: null };
}

function entry(map, key) {
  let value = map.get(key);
  if (!value) map.set(key, value = newSums());
  return value;
}
