// SPDX-License-Identifier: Apache-2.0

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

// Energy and tokens by the hour and by the day (UTC) in which the reading's interval begins.
export class TimeBuckets {
  hours = new Map();  // start in ms -> {nanoKwh, baseUnits}
  days = new Map();
  oldest = Infinity;  // of the times that were added
  newest = 0;

  // A time that is none (NaN) is left out.
  add(time, nanoKwh, baseUnits) {
    if (!(time > 0)) return;
    this.oldest = Math.min(this.oldest, time);
    this.newest = Math.max(this.newest, time);
    for (const [buckets, stepMs] of [[this.hours, HOUR_MS], [this.days, DAY_MS]]) {
      const start = time - (time % stepMs);
      let bucket = buckets.get(start);
      if (!bucket) buckets.set(start, bucket = { nanoKwh: 0n, baseUnits: 0n });
      bucket.nanoKwh += nanoKwh;
      bucket.baseUnits += baseUnits;
    }
  }
}
