// SPDX-License-Identifier: Apache-2.0

import { grouped, setExact, setText, short, utc } from "./text.js";

const EVENTS_SHOWN = 100;
const ROWS_MAX = 200;
const KINDS = {
  MeterReadingReceived: ["Reading", "reading"],
  TokensMinted: ["Minted", "minted"],
  MeterReadingValidationFailed: ["Refused", "refused"],
  BatchMintingCompleted: ["Batch", "batch"],
};
const NAMES = new Intl.Collator("en", { numeric: true });
const MINT_STATES = { NOT_APPLICABLE: "nothing to mint" };

const sortedBefore = new WeakMap();

// Table rows that are made once and written over: a redraw touches only text that changed.
class Rows {
  #body;
  #names;
  #rows = [];

  constructor(table, names) {
    this.#body = table.tBodies[0];
    this.#names = names;
  }

  // `write(cells, item)` writes one row; `cells` by the names given.
  show(items, write) {
    while (this.#rows.length < items.length) this.#rows.push(this.#make());
    this.#rows.forEach(({ row, cells }, index) => {
      const isShown = index < items.length;
      if (isShown) write(cells, items[index], row);
      if (isShown !== row.isConnected) isShown ? this.#body.append(row) : row.remove();
    });
  }

  #make() {
    const row = document.createElement("tr");
    row.setAttribute("role", "row");  // said explicitly, since on a phone it is laid out as a grid
    const cells = {};
    for (const name of this.#names) {
      cells[name] = row.insertCell();
      cells[name].className = name;
      cells[name].setAttribute("role", "cell");
    }
    return { row, cells };
  }
}

// The newest events, newest first, of those that the page keeps.
export class EventTable {
  #model;
  #parts;
  #rows;
  #isHeld = false;
  #names = 0;

  constructor(model, parts) {
    this.#model = model;
    this.#parts = parts;
    this.#rows = new Rows(parts.table, ["seq", "time", "kind", "meter", "kwh", "grx", "about"]);
    parts.type.addEventListener("change", () => this.draw());
    parts.meter.addEventListener("input", () => this.draw());
    parts.hold.addEventListener("click", () => this.#hold(!this.#isHeld));
  }

  draw() {
    if (!this.#isHeld) this.#show();
    this.#nameMeters();
  }

  #hold(isHeld) {
    this.#isHeld = isHeld;
    this.#parts.hold.setAttribute("aria-pressed", String(isHeld));
    setText(this.#parts.hold, isHeld ? "Go on" : "Hold");
    this.draw();
  }

  #show() {
    const type = this.#parts.type.value;
    const meter = this.#parts.meter.value.trim().toLowerCase();
    const wants = (frame) => frame.type.startsWith(type)
      && (!meter || String(frame.data.meter_id ?? "").toLowerCase().includes(meter));
    const frames = this.#model.newest(EVENTS_SHOWN, wants);
    this.#rows.show(frames, writeEvent);
    const kept = grouped(this.#model.eventsKept);
    setText(this.#parts.count, frames.length === 0 ? `None among the last ${kept} events.`
      : `${frames.length} shown, of the last ${kept} events.`);
  }

  #nameMeters() {
    const { meters } = this.#model;
    if (meters.size === this.#names) return;
    this.#names = meters.size;
    this.#parts.names.replaceChildren(...sorted(meters).map(([name]) => new Option(name, name)));
  }
}

function writeEvent(cells, { type, seq, timestamp, data }, row) {
  const [kind, look] = KINDS[type] ?? [type.replace(/^Task(?=.)/, "Task "), "task"];
  row.dataset.kind = look;
  setText(cells.seq, grouped(seq));
  setText(cells.time, utc(timestamp));
  setText(cells.kind, kind);
  setText(cells.meter, data.meter_id ?? "");
  setAmount(cells.kwh, data.kwh_amount === undefined ? null : Math.round(data.kwh_amount * 1e9));
  setAmount(cells.grx, data.tokens_minted ?? null);
  setText(cells.about, about(type, data));
}

function about(type, data) {
  switch (type) {
    case "MeterReadingReceived":
      return [`for ${utc(data.timestamp, 16)}`, data.quality,
        data.channel === "consumption" ? "consumed" : "", MINT_STATES[data.mint_state] ?? ""]
        .filter(Boolean).join(", ");
    case "TokensMinted":
      return short(String(data.transaction_signature ?? ""));
    case "MeterReadingValidationFailed":
      return String(data.error_reason ?? "");
    case "BatchMintingCompleted":
      return `${data.successful_mints} of ${data.total_readings} minted, ${data.failed_mints} `
        + `failed, ${data.deferred_mints} put off, ${data.duplicate_mints} there already`;
    default:
      return data.task_id ? [`task ${data.task_id}`, statusChange(data.changes ?? {})]
        .filter(Boolean).join(": ") : "";
  }
}

function statusChange({ old_status, new_status, reason }) {
  return new_status ? `${old_status} to ${new_status}${reason ? `, ${reason}` : ""}` : "";
}

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
        : `${utc(sums.lastTime, 16)}, ${sums.lastKwh} kWh`);
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

function setAmount(cell, units) {
  if (units === null) setText(cell, "");
  else setExact(cell, units);
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
