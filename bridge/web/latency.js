// SPDX-License-Identifier: Apache-2.0

export const SAMPLES_KEPT = 5000;
const CLOCKS_KEPT = 8;

// The newest durations in milliseconds, and their percentiles.
export class Latency {
  count = 0;  // of all that came
  #samples = new Float64Array(SAMPLES_KEPT);
  #sorted = null;

  // What is no number, as of a beginning that was not seen, is left out.
  add(ms) {
    if (!Number.isFinite(ms)) return;
    this.#samples[this.count % SAMPLES_KEPT] = ms;
    this.count += 1;
    this.#sorted = null;
  }

  get kept() { return Math.min(this.count, SAMPLES_KEPT); }

  // The least duration that so many percent of the kept ones do not exceed; null without any.
  percentile(percent) {
    if (this.count === 0) return null;
    const sorted = this.#inOrder();
    return sorted[Math.max(Math.ceil(sorted.length * percent / 100), 1) - 1];
  }

  // [{upToMs, count}]: how many of the kept ones lie above the step before and up to this one, in
  // steps of 1, 2 and 5 times a power of ten; from the first step with any to the last.
  histogram() {
    const bars = [];
    for (const ms of this.#inOrder()) {
      const step = stepOf(ms);
      while (bars.length > 0 && bars.at(-1).step < step) {
        bars.push({ step: bars.at(-1).step + 1, count: 0 });
      }
      if (bars.length === 0) bars.push({ step, count: 0 });
      bars.at(-1).count += 1;
    }
    return bars.map(({ step, count }) => ({ upToMs: upTo(step), count }));
  }

  #inOrder() {
    this.#sorted ??= this.#samples.slice(0, this.kept).sort();
    return this.#sorted;
  }
}

// The clock of the bridge beside this browser's, from the newest round trips: the shortest of them
// tells best.
export class ClockDifference {
  #clocks = [];  // {aheadMs, errorMs}

  // Sent and answered by this browser's clock, `serverAt` by the bridge's.
  add(sentAt, serverAt, answeredAt) {
    this.#clocks.push({ aheadMs: (sentAt + answeredAt) / 2 - serverAt,
      errorMs: (answeredAt - sentAt) / 2 + 1 });
    if (this.#clocks.length > CLOCKS_KEPT) this.#clocks.shift();
  }

  // How far this browser's clock is ahead, by how much that may be wrong, and what of it is to be
  // taken off: nothing as long as the clocks may agree. Null before any.
  get best() {
    const best = this.#clocks.reduce((one, other) =>
      (one === null || other.errorMs < one.errorMs ? other : one), null);
    const isSame = best === null || Math.abs(best.aheadMs) <= best.errorMs;
    return best && { ...best, correctionMs: isSame ? 0 : best.aheadMs };
  }
}

function upTo(step) {
  return [1, 2, 5][((step % 3) + 3) % 3] * 10 ** Math.floor(step / 3);
}

function stepOf(ms) {
  let step = 0;  // up to 1 ms
  while (upTo(step) < ms) step += 1;
  return step;
}
