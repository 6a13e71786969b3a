// SPDX-License-Identifier: Apache-2.0

import { WattmintError } from "./wattmint-values.js";

const CURSOR_LOST = new Set(["INVALID_CURSOR", "CURSOR_COMPACTED", "CURSOR_EPOCH_MISMATCH",
  "CURSOR_FILTER_MISMATCH", "CURSOR_SCOPE_MISMATCH", "STREAM_LOST"]);
const JOB = "job:";
const OTHER_EVENTS = new Set(["CURSOR_FILTER_MISMATCH", "CURSOR_SCOPE_MISMATCH"]);

// What is subscribed, and where in the log it is: survives connections.
//
// A change of the subscription is sent once it is its turn, and again on the next connection if the
// last one ended before the answer. The cursor belongs to what was acknowledged, so that is resumed
// first. Answers are applied before the frames behind them are looked at.
export class Stream {
  #ask;
  #emit;
  #changes = [];  // not acknowledged yet, in order
  #run = 0;  // counts connections: a run of work() ends with its own
  #working = false;
  #attached = false;  // #subscription is established on this connection
  #subscription = null;  // {channels} or {filter}
  #untold = new Set();  // channels of jobs whose snapshot has not come whole; no cursor brings it
  #cursor = null;
  #cursorLost = false;
  #epoch = null;
  #sequence = 0;
  #duplicates = 0;

  // `ask(type, data, apply)` sends a message, hands its answer to `apply` and returns a promise.
  constructor({ ask, emit }) {
    this.#ask = ask;
    this.#emit = emit;
  }

  get position() {
    return { cursor: this.#cursor, epoch: this.#epoch, sequence: this.#sequence };
  }

  get duplicates() { return this.#duplicates; }

  change(change) {
    return new Promise((resolve, reject) => this.#changes.push({ ...change, resolve, reject }));
  }

  refuseChanges(error) {
    for (const change of this.#changes.splice(0)) change.reject(error);
  }

  // Whether the event `sequence` is news.
  advance(sequence) {
    if (sequence <= this.#sequence) {
      this.#duplicates += 1;
      return false;
    }
    this.#sequence = sequence;
    return true;
  }

  bookmark(cursor) { this.#cursor = cursor; }

  // The snapshot of this job has come whole.
  told(jobId) { this.#untold.delete(JOB + jobId); }

  loseCursor() { this.#cursorLost = true; }

  detach() {
    this.#run += 1;
    this.#working = this.#attached = false;
  }

  // Takes the stream up where it was, then works off the changes, one after the other. REQUIRES: an
  // open connection. Throws what makes going on impossible; CONNECTION_LOST is not such a thing.
  async work() {
    if (this.#working) return;
    const run = this.#run;
    this.#working = true;
    try {
      while (run === this.#run) {
        if (this.#subscription && !this.#attached) await this.#resume();
        else if (this.#changes.length > 0) await this.#apply(this.#changes[0]);
        else break;
      }
    } catch (error) {
      if (error.code !== "CONNECTION_LOST") throw error;
    } finally {
      if (run === this.#run) this.#working = false;
    }
  }

  async #resume() {
    const what = wireOf(this.#subscription);
    try {
      if (this.#cursorLost) throw new WattmintError("STREAM_LOST");
      await this.#ask("Subscribe", { ...what, resume: this.#cursor, last_seq: this.#sequence },
        (data) => this.#attach(data));
    } catch (error) {
      if (!CURSOR_LOST.has(error.code)) throw error;
      await this.#ask("Subscribe", { ...what, start: "beginning" },
        (data) => this.#startAnew(data, error));
      return;
    }
    for (const channel of [...this.#untold]) await this.#askAgain(channel);
  }

  // One job at a time: the server bounds the tasks that it tells for one message.
  async #askAgain(channel) {
    try {
      await this.#ask("Subscribe", { channels: [channel] }, (data) => this.#attach(data));
    } catch (error) {
      if (error.code === "CONNECTION_LOST" || error.code === "INTERNAL") throw error;
      this.#untold.delete(channel);
      this.#emit("error", error);
    }
  }

  async #apply(change) {
    const { type, target, start, resume } = change;
    const isNew = !this.#subscription || !target.channels || !this.#subscription.channels;
    try {
      if (type === "Unsubscribe") {
        await this.#ask(type, target, (data) => this.#remove(target.channels, data));
      } else if (isNew && resume && !change.isTaken) {
        change.isTaken = true;  // from here on it is resumed as any other
        this.#subscription = target;
        this.#untold.clear();
        ({ cursor: this.#cursor, epoch: this.#epoch, sequence: this.#sequence } = resume);
        await this.#resume();
      } else if (!change.isTaken) {
        await this.#ask(type, { ...wireOf(target), ...(isNew && { start }) },
          (data) => this.#add(target, isNew, data));
      }
      this.#changes.shift();
      change.resolve();
    } catch (error) {
      if (error.code === "CONNECTION_LOST") throw error;
      this.#changes.shift();
      if (change.isTaken) this.#subscription = null;
      change.reject(error);
    }
  }

  #attach({ cursor, epoch }) {
    this.#cursor = cursor;
    this.#epoch = epoch;
    this.#attached = true;
    this.#cursorLost = false;
  }

  #add(target, isNew, data) {
    this.#attach(data);
    if (isNew) {
      this.#subscription = target;
      this.#untold.clear();
      this.#reset("SUBSCRIBED");
    } else {
      const channels = new Set([...this.#subscription.channels, ...target.channels]);
      this.#subscription = { channels: [...channels] };
    }
    this.#expectSnapshots(target);
  }

  #expectSnapshots({ channels = [] }) {
    for (const channel of channels) if (channel.startsWith(JOB)) this.#untold.add(channel);
  }

  #remove(channels, { cursor = null }) {
    const rest = channels?.length > 0 && this.#subscription?.channels
      ? this.#subscription.channels.filter((channel) => !channels.includes(channel)) : [];
    this.#subscription = rest.length > 0 ? { channels: rest } : null;
    for (const channel of this.#untold) if (!rest.includes(channel)) this.#untold.delete(channel);
    this.#cursor = cursor;
  }

  // The log is read from its beginning; of the same log, what was seen already is left out.
  #startAnew(data, { code, data: about }) {
    const isSameLog = data.epoch === this.#epoch && !OTHER_EVENTS.has(code);
    const expected = this.#sequence + 1;
    this.#attach(data);
    this.#expectSnapshots(this.#subscription);
    if (!isSameLog) this.#reset(code);
    else if (about?.oldest_sequence > expected) {
      this.#emit("gap", { from: expected, to: about.oldest_sequence - 1 });
    }
  }

  #reset(reason) {
    this.#sequence = 0;
    this.#emit("reset", { reason, epoch: this.#epoch });
  }
}

function wireOf({ channels, filter }) {
  return channels ? { channels } : filter;
}
