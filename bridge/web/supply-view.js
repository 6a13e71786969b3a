// SPDX-License-Identifier: Apache-2.0

import { Rows, setAmount } from "./rows.js";
import { exact, grouped, setExact, setText, utc } from "./text.js";

const MEANINGS = {
  PENDING: "waits for its turn",
  SIGNED: "signed, about to be sent",
  SUBMITTED: "sent, outcome open",
  CONFIRMED: "on the ledger, finally",
  PARKED: "waits for a person",
  REJECTED: "never minted",
  NOT_APPLICABLE: "nothing to mint",
};
const ALWAYS_SHOWN = new Set(["PENDING", "SIGNED", "SUBMITTED", "CONFIRMED", "PARKED"]);

// The tokens that exist beside the energy that they must come from.
export class SupplyView {
  #parts;

  constructor(parts) { this.#parts = parts; }

  draw(model) {
    const { balance, totals, isSameScale } = model;
    const parts = this.#parts;
    for (const name of ["accepted", "toMint", "minted", "difference", "waiting", "parked"]) {
      setExact(parts[name], balance[name]);
    }
    for (const name of ["nothing", "rejected", "mintedBefore"]) {
      parts[name].parentElement.hidden = balance[name] === 0n;
      setExact(parts[name], balance[name]);
    }
    setExact(parts.tokens, totals.baseUnits);
    parts.verdict.dataset.look = balance.off === 0n ? "good" : "bad";
    setText(parts.verdict, balance.off === 0n
      ? `Every kWh is accounted for${isSameScale ? ", 1 GRX for 1 kWh" : ""}.`
      : `${exact(balance.off)} kWh are not accounted for.`);
    this.#drawBar(balance);
  }

  // Minted, waiting and parked, beside each other.
  #drawBar({ minted, mintedBefore, waiting, parked, toMint }) {
    const { bar } = this.#parts;
    const shares = [minted - mintedBefore, waiting, parked].map((nano) => share(nano, toMint));
    let x = 0;
    shares.forEach((width, index) => {
      const part = bar.children[index];
      part.setAttribute("x", String(x));
      part.setAttribute("width", String(width));
      x += width;
    });
    const [done, open, set] = shares.map((width) => `${(width / 10).toFixed(1)} %`);
    bar.setAttribute("aria-label", `${done} minted, ${open} waiting, ${set} parked`);
  }
}

// Mint tasks by state, and why tasks are parked.
export class TaskView {
  #parts;
  #rows;

  constructor(parts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.table, ["mint-state", "tasks", "kwh"]);
  }

  draw({ tasks, since, mintingPaused }) {
    const states = [...tasks.states].filter(([name, sums]) =>
      ALWAYS_SHOWN.has(name) || sums.tasks !== 0);
    this.#rows.show(states, (cells, [name, sums], row) => {
      row.dataset.state = name;
      writeState(cells["mint-state"], name);
      setText(cells.tasks, grouped(sums.tasks));
      setAmount(cells.kwh, sums.nanoKwh);
    });
    const reasons = [...tasks.parkedFor].map(([code, count]) => `${code} ${grouped(count)}`);
    this.#parts.reasons.hidden = reasons.length === 0;
    setText(this.#parts.reasons, `Parked for ${reasons.join(", ")}.`);
    setText(this.#parts.paused, mintingPaused ? "Minting is paused." : "");
    setText(this.#parts.since, since === null ? "No event seen yet."
      : `Since event ${grouped(since.seq)} of ${utc(since.time)} UTC, the oldest that the log has `
        + `for you.${before(tasks.unseen)}`);
  }
}

// The name of the state, and below it what it means.
function writeState(cell, name) {
  if (cell.dataset.name === name) return;
  cell.dataset.name = name;
  const meaning = document.createElement("span");
  meaning.textContent = MEANINGS[name] ?? "";
  cell.replaceChildren(`${name} `, meaning);
}

function before(count) {
  if (count === 0) return "";
  return count === 1 ? " One task began before that and is counted without energy."
    : ` ${grouped(count)} tasks began before that and are counted without energy.`;
}

// In thousandths.
function share(part, whole) {
  return whole > 0n && part > 0n ? Number(part * 1_000_000n / whole) / 1000 : 0;
}
