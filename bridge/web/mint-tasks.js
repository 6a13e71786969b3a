// SPDX-License-Identifier: Apache-2.0

// In the order of a task's life. The server knows CLAIMED as well, but tells of no claim.
export const STATES = ["PENDING", "SIGNED", "SUBMITTED", "CONFIRMED", "PARKED", "REJECTED",
  "NOT_APPLICABLE"];

const NEVER_MINTED = new Set(["REJECTED", "NOT_APPLICABLE"]);
const WITHDRAWN = "WITHDRAWN";

// Mint tasks by state, with their energy: exact, of all tasks whose beginning was seen.
//
// What is kept of a single task (about 100 bytes) is kept while it is open. A task whose beginning
// was not seen, because the log no longer has it, counts from its first event on, without energy.
export class MintTasks {
  states = new Map(STATES.map((state) => [state, { tasks: 0, nanoKwh: 0n }]));
  parkedFor = new Map();  // code of the reason -> tasks that are PARKED for it now
  unseen = 0;  // tasks whose beginning was not seen
  expectedNano = 0n;  // of readings that are to be minted, and whose task is not told yet
  untoldNano = 0n;  // of CONFIRMED tasks whose TokensMinted is not told yet
  withdrawnNano = 0n;  // within REJECTED, of readings that count for nothing
  #expected = new Map();  // reading id -> {nanoKwh, receivedAt}
  #open = new Map();  // task id -> {state, nanoKwh, receivedAt, code}; nanoKwh is null if not seen

  // A reading that gets a task; its TaskCreated comes next.
  expect(readingId, nanoKwh, receivedAt) {
    this.#expected.set(readingId, { nanoKwh, receivedAt });
    this.expectedNano += nanoKwh;
  }

  create(taskId, readingId, nanoKwh, time) {
    const reading = this.#expected.get(readingId);
    if (reading) {
      this.#expected.delete(readingId);
      this.expectedNano -= reading.nanoKwh;
    }
    const task = { state: "PENDING", nanoKwh, receivedAt: reading?.receivedAt ?? time, code: "" };
    this.#open.set(taskId, task);
    this.#count(task, 1);
  }

  // Whether the task is open and its beginning was seen.
  knows(taskId) { return typeof this.#open.get(taskId)?.nanoKwh === "bigint"; }

  change(taskId, to, reason = "") {
    const task = this.#taskOf(taskId);
    this.#move(task, to, reason.split(":", 1)[0]);
    if (to === "CONFIRMED") this.untoldNano += task.nanoKwh ?? 0n;
    if (to === "REJECTED") {
      if (task.code === WITHDRAWN) this.withdrawnNano += task.nanoKwh ?? 0n;
      this.#open.delete(taskId);
    }
  }

  // Energy of a task whose reading was corrected. REQUIRES: knows(taskId).
  correct(taskId, nanoKwh) {
    const task = this.#open.get(taskId);
    this.#count(task, -1);
    task.nanoKwh = nanoKwh;
    this.#count(task, 1);
  }

  // Its tokens are on the ledger. Returns {isSeen, waitedMs}: whether its reading is among those
  // that were seen, and how long the reading waited for it.
  mint(taskId, time) {
    const task = this.#taskOf(taskId);
    if (task.state === "CONFIRMED") this.untoldNano -= task.nanoKwh ?? 0n;
    else this.#move(task, "CONFIRMED", "");
    this.#open.delete(taskId);
    return { isSeen: task.nanoKwh !== null, waitedMs: time - task.receivedAt };
  }

  // Energy of tasks in a state from which they are minted without a person.
  get waitingNano() {
    let sum = this.expectedNano + this.untoldNano;
    for (const [state, { nanoKwh }] of this.states) {
      if (state !== "CONFIRMED" && state !== "PARKED" && !NEVER_MINTED.has(state)) sum += nanoKwh;
    }
    return sum;
  }

  #taskOf(taskId) {
    let task = this.#open.get(taskId);
    if (!task) {
      this.unseen += 1;
      this.#open.set(taskId, task = { state: null, nanoKwh: null, receivedAt: NaN, code: "" });
    }
    return task;
  }

  #move(task, to, code) {
    this.#count(task, -1);
    task.state = to;
    task.code = code;
    this.#count(task, 1);
  }

  #count({ state, nanoKwh, code }, sign) {
    if (state === null) return;
    if (!this.states.has(state)) this.states.set(state, { tasks: 0, nanoKwh: 0n });
    const sums = this.states.get(state);
    sums.tasks += sign;
    sums.nanoKwh += BigInt(sign) * (nanoKwh ?? 0n);
    if (state !== "PARKED") return;
    const parked = (this.parkedFor.get(code) ?? 0) + sign;
    if (parked > 0) this.parkedFor.set(code, parked);
    else this.parkedFor.delete(code);
  }
}
