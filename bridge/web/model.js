// SPDX-License-Identifier: Apache-2.0

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EVENTS_KEPT = 2000;
const REASONS_MAX = 100;  // a sentence with a value in it must not grow the page
const OTHER_REASONS = "other reasons";

// What the page shows, built from events one by one: sums are exact, the cost of an event does not
// grow with the history, and only the newest events are kept whole.
export class Model {
  constructor() { this.reset(); }

  reset() {
    this.totals = newSums();
    this.meters = new Map();
    this.wallets = new Map();
    this.refusals = new Map();
    this.hours = new Map();
    this.days = new Map();
    this.isSameScale = true;  // 1 kWh is 1 GRX, so far
    this.oldestTime = Infinity;  // of the intervals in the plot
    this.newestTime = 0;
    this.changes = 0;
    this.#events = [];
    this.#head = 0;
  }

  apply(frame) {
    this.changes += 1;
    this.#keep(frame);
    switch (frame.type) {
      case "MeterReadingReceived": return this.#read(frame.data);
      case "TokensMinted": return this.#mint(frame.data);
      case "MeterReadingValidationFailed": return this.#refuse(frame.data);
      default: return undefined;
    }
  }

  // The newest `count` events that `wants` lets through, newest first.
  newest(count, wants) {
    const found = [];
    for (let back = 1; back <= this.#events.length && found.length < count; back += 1) {
      const index = (this.#head - back + this.#events.length) % this.#events.length;
      if (wants(this.#events[index])) found.push(this.#events[index]);
    }
    return found;
  }

  get eventsKept() { return this.#events.length; }

  #events;
  #head;  // where the next event goes, once EVENTS_KEPT are there

  #keep(frame) {
    if (this.#events.length < EVENTS_KEPT) {
      this.#events.push(frame);
    } else {
      this.#events[this.#head] = frame;
      this.#head = (this.#head + 1) % EVENTS_KEPT;
    }
  }

  #read({ meter_id, user_id, wallet_address, kwh_amount, timestamp, channel }) {
    const nano = Math.round(kwh_amount * 1e9);
    const time = Date.parse(timestamp);
    const meter = this.#meter(meter_id);
    const isConsumed = channel === "consumption";  // stored, never minted
    for (const sums of [this.totals, meter]) {
      sums.readings += 1;
      if (isConsumed) sums.consumedNanoKwh += BigInt(nano);
      else sums.nanoKwh += BigInt(nano);
    }
    meter.user = user_id;
    meter.wallet = wallet_address;
    if (time >= meter.lastTime) {
      meter.lastTime = time;
      meter.lastKwh = kwh_amount;
    }
    if (!isConsumed) this.#bucket(time, nano, 0);
  }

  #mint({ meter_id, wallet_address, kwh_amount, tokens_minted, timestamp, interval_start }) {
    const wallet = entry(this.wallets, wallet_address, newSums);
    for (const sums of [this.totals, this.#meter(meter_id), wallet]) {
      sums.mints += 1;
      sums.baseUnits += BigInt(tokens_minted);
    }
    this.#bucket(Date.parse(interval_start ?? timestamp), 0, tokens_minted);
    if (tokens_minted !== Math.round(kwh_amount * 1e9)) this.isSameScale = false;
  }

  #refuse({ meter_id, error_reason }) {
    this.totals.refused += 1;
    this.#meter(meter_id).refused += 1;
    const isKnown = this.refusals.has(error_reason) || this.refusals.size < REASONS_MAX;
    const reason = isKnown ? error_reason : OTHER_REASONS;
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  #meter(id) { return entry(this.meters, id, newSums); }

  // Numbers, not BigInt: exact below nine million kWh in one day.
  #bucket(time, nanoKwh, baseUnits) {
    if (!(time > 0)) return;
    this.oldestTime = Math.min(this.oldestTime, time);
    this.newestTime = Math.max(this.newestTime, time);
    for (const [buckets, stepMs] of [[this.hours, HOUR_MS], [this.days, DAY_MS]]) {
      const bucket = entry(buckets, time - (time % stepMs), newBucket);
      bucket.nanoKwh += nanoKwh;
      bucket.baseUnits += baseUnits;
    }
  }
}

function newSums() {
  return { readings: 0, mints: 0, refused: 0, nanoKwh: 0n, consumedNanoKwh: 0n, baseUnits: 0n,
    lastTime: 0, lastKwh: null };
}

function newBucket() {
  return { nanoKwh: 0, baseUnits: 0 };
}

function entry(map, key, make) {
  let value = map.get(key);
  if (!value) map.set(key, value = make());
  return value;
}
