// SPDX-License-Identifier: Apache-2.0

import { openTasks } from "./batches.js";
import { Rows, setAmount } from "./rows.js";
import { grouped, plainKwh, setText, short, utc } from "./text.js";

const ROWS_MAX = 200;
const BATCHES_SHOWN = 50;
const NAMES = new Intl.Collator("en", { numeric: true });

const sortedBefore = new WeakMap();

export class MeterTable {
  #rows;
  #count;

  constructor({ table, count }) {
    this.#rows = new Rows(table, ["meter", "kwh", "grx", "readings", "refused", "last"]);
    this.#count = count;
  }

  draw({ meters }) {
    this.#rows.show(sorted(meters), (cells, [name, sums]) => {
      setText(cells.meter, name);
      setAmount(cells.kwh, sums.nanoKwh);
      setAmount(cells.grx, sums.baseUnits);
      setText(cells.readings, grouped(sums.readings));
      setText(cells.refused, grouped(sums.refused));
      setText(cells.last, sums.lastTime === 0 ? "none"
        : `${utc(sums.lastTime, 16)}, ${plainKwh(sums.lastKwh)} kWh`);
    });
    setText(this.#count, counted(meters.size, "meter"));
  }
}

export class WalletTable {
  #rows;

  constructor({ table }) {
    this.#rows = new Rows(table, ["wallet", "mints", "grx"]);
  }

  draw({ wallets }) {
    this.#rows.show(sorted(wallets), (cells, [name, sums]) => {
      setText(cells.wallet, short(name));
      cells.wallet.title = name;
      setText(cells.mints, grouped(sums.mints));
      setAmount(cells.grx, sums.baseUnits);
    });
  }
}

// The newest batches, below them the totals of all.
export class BatchTable {
  #parts;
  #rows;
  #total;

  constructor(parts) {
    this.#parts = parts;
    this.#rows = new Rows(parts.table, ["time", "batch", "tasks", "minted", "failed", "duplicates",
      "open"]);
    this.#total = parts.table.tFoot.rows[0].cells;
  }

  draw({ batches }) {
    const newest = batches.newest(BATCHES_SHOWN);
    this.#rows.show(newest, (cells, batch, row) => {
      setText(cells.time, utc(batch.sentAt));
      setText(cells.batch, short(batch.id));
      cells.batch.title = batch.id;
      setText(cells.tasks, grouped(batch.tasks));
      setText(cells.minted, grouped(batch.minted));
      setText(cells.failed, grouped(batch.failed));
      setText(cells.duplicates, grouped(batch.duplicates));
      setText(cells.open, grouped(openTasks(batch)));
      row.dataset.look = batch.failed > 0 ? "bad" : "";
    });
    const { totals } = batches;
    [totals.tasks, totals.minted, totals.failed, totals.duplicates, openTasks(totals)]
      .forEach((count, index) => setText(this.#total[index + 1], grouped(count)));
    setText(this.#parts.count, batches.count > newest.length
      ? `${grouped(batches.count)} batches, the newest ${newest.length} shown`
      : `${grouped(batches.count)} batch${batches.count === 1 ? "" : "es"}`);
  }
}

// Reasons with their counts, the most frequent first.
export class RefusalList {
  #list;
  #none;

  constructor({ list, none }) {
    this.#list = list;
    this.#none = none;
  }

  draw({ refusals }) {
    const reasons = [...refusals].sort(([, one], [, other]) => other - one).slice(0, ROWS_MAX);
    this.#none.hidden = reasons.length > 0;
    while (this.#list.children.length > reasons.length) this.#list.lastChild.remove();
    reasons.forEach(([reason, count], index) => {
      const item = this.#list.children[index] ?? this.#make();
      setText(item.children[0], reason);
      setText(item.children[1], grouped(count));
      item.children[2].value = count / reasons[0][1];
    });
  }

  #make() {
    const item = document.createElement("li");
    item.append(document.createElement("code"), document.createElement("b"),
      document.createElement("meter"));
    item.lastChild.setAttribute("aria-hidden", "true");
    return this.#list.appendChild(item);
  }
}

function counted(count, noun) {
  const text = `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
  return count > ROWS_MAX ? `${text}, the first ${ROWS_MAX} shown` : text;
}

// The first entries by name. A map only gains entries, and their values stay the same objects.
function sorted(map) {
  const known = sortedBefore.get(map);
  if (known?.size === map.size) return known.rows;
  const rows = [...map].sort(([one], [other]) => NAMES.compare(one, other)).slice(0, ROWS_MAX);
  sortedBefore.set(map, { size: map.size, rows });
  return rows;
}
