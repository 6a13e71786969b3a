// SPDX-License-Identifier: Apache-2.0

export const BATCHES_KEPT = 500;

// Batches of mints, and the totals of all. A batch is told when it was sent, and again whenever
// some of its open tasks are settled; its first event says how many tasks it has.
//
// A batch that is told again when BATCHES_KEPT others came after it counts as a new one.
export class Batches {
  totals = newBatch();
  count = 0;
  #batches = new Map();  // in the order in which they were first told

  add({ batch_id: id, total_readings: tasks, successful_mints: minted, failed_mints: failed,
    duplicate_mints: duplicates }, time) {
    let batch = this.#batches.get(id);
    const isNew = !batch;
    if (isNew) {
      this.#batches.set(id, batch = newBatch(id, time));
      this.count += 1;
      if (this.#batches.size > BATCHES_KEPT) {
        this.#batches.delete(this.#batches.keys().next().value);
      }
    }
    for (const sums of [batch, this.totals]) {
      if (isNew) sums.tasks += tasks;
      sums.minted += minted;
      sums.failed += failed;
      sums.duplicates += duplicates;
    }
    batch.toldAt = time;
  }

  newest(count) { return [...this.#batches.values()].slice(-count).reverse(); }
}

// Tasks that are not settled by what was told of their batch.
export function openTasks({ tasks, minted, failed, duplicates }) {
  return Math.max(tasks - minted - failed - duplicates, 0);
}

function newBatch(id = "", time = 0) {
  return { id, sentAt: time, toldAt: time, tasks: 0, minted: 0, failed: 0, duplicates: 0 };
}
