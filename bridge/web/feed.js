// SPDX-License-Identifier: Apache-2.0

export const KEPT_EACH = 500;  // events of a kind; a frame has about 500 bytes: 2 MB for all kinds

const KIND_OF = {
  MeterReadingReceived: "reading",
  MeterReadingValidationFailed: "refused",
  ReadingCorrected: "correction",
  ReadingWithdrawn: "correction",
  TokensMinted: "mint",
  BatchMintingCompleted: "batch",
};

export const KINDS = ["reading", "refused", "correction", "mint", "task", "batch", "other"];

export function kindOf(type) {
  return KIND_OF[type] ?? (type.startsWith("Task") ? "task" : "other");
}

// The newest events of each kind, so that a frequent kind never drives out a rare one.
export class Feed {
  counts = new Map(KINDS.map((kind) => [kind, 0]));  // of all that came, kept or not
  total = 0;
  #rings = new Map(KINDS.map((kind) => [kind, []]));

  add(frame) {
    const kind = kindOf(frame.type);
    const ring = this.#rings.get(kind);
    const count = this.counts.get(kind);
    ring[count % KEPT_EACH] = frame;
    this.counts.set(kind, count + 1);
    this.total += 1;
  }

  // The newest `count` events of these kinds that `wants` lets through, newest first.
  newest(count, kinds, wants = () => true) {
    const found = kinds.flatMap((kind) => this.#newestOf(kind, count, wants));
    return found.sort((one, other) => other.seq - one.seq).slice(0, count);
  }

  #newestOf(kind, count, wants) {
    const ring = this.#rings.get(kind);
    const head = this.counts.get(kind);
    const found = [];
    for (let back = 1; back <= ring.length && found.length < count; back += 1) {
      const frame = ring[(head - back) % KEPT_EACH];
      if (wants(frame)) found.push(frame);
    }
    return found;
  }
}

// What the feed is narrowed to: `meter` is part of a name, in any case of letters; `minNano` is the
// least energy in nano-kWh, or null. As on the server, an event without an amount (or a meter) does
// not match where one is asked for.
export function wanted({ meter = "", minNano = null }) {
  const part = meter.trim().toLowerCase();
  const leastKwh = minNano === null ? null : Number(minNano) / 1e9;
  return ({ data }) => (part === "" || String(data.meter_id ?? "").toLowerCase().includes(part))
    && (leastKwh === null || (data.changes?.kwh_amount ?? data.kwh_amount) >= leastKwh);
}
