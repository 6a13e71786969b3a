// SPDX-License-Identifier: Apache-2.0

import { nanoOf, typedNano } from "./amounts.js";
import { aboutOf, lookOf, nameOf } from "./event-text.js";
import { KEPT_EACH, wanted } from "./feed.js";
import { Rows, setAmount } from "./rows.js";
import { grouped, setText, utc } from "./text.js";

const ROWS_SHOWN = 100;

// The newest events, newest first. While it is paused the rows stay; the page goes on counting.
//
// Keys, as long as the focus is within the panel and not in a field: P pauses, F goes to the filter
// for meters, C clears all filters; Escape in a field clears it.
export class FeedView {
  #model;
  #parts;
  #rows;
  #kinds;  // the checkboxes
  #pausedAt = null;  // while it is paused: events that the page had seen
  #feed = null;  // what is shown; a reset makes another
  #meters = null;
  #names = 0;  // of them, offered for the filter

  constructor(model, parts) {
    this.#model = model;
    this.#parts = parts;
    this.#rows = new Rows(parts.table, ["seq", "time", "kind", "meter", "kwh", "grx", "about"]);
    this.#kinds = [...parts.kinds.querySelectorAll("input")];
    parts.kinds.addEventListener("change", () => this.#show());
    parts.meter.addEventListener("input", () => this.#show());
    parts.least.addEventListener("input", () => this.#show());
    parts.pause.addEventListener("click", () => this.#pause(this.#pausedAt === null));
    parts.clear.addEventListener("click", () => this.#clear());
    parts.panel.addEventListener("keydown", (event) => this.#press(event));
  }

  draw() {
    if (this.#pausedAt === null || this.#feed !== this.#model.feed) this.#show();
    else this.#tellPaused();
    this.#nameMeters();
    for (const box of this.#kinds) {
      setText(box.nextElementSibling.nextElementSibling,
        grouped(this.#model.feed.counts.get(box.value)));
    }
  }

  #pause(isPaused) {
    this.#pausedAt = isPaused ? this.#model.feed.total : null;
    this.#parts.pause.setAttribute("aria-pressed", String(isPaused));
    setText(this.#parts.pause, isPaused ? "Resume" : "Pause");
    this.draw();
  }

  #clear() {
    for (const box of this.#kinds) box.checked = box.defaultChecked;
    this.#parts.meter.value = this.#parts.least.value = "";
    this.#show();
  }

  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input:not([type=checkbox])")) {
      if (event.key !== "Escape") return;
      event.target.value = "";
      this.#show();
      return;
    }
    const act = { p: () => this.#parts.pause.click(), f: () => this.#parts.meter.focus(),
      c: () => this.#clear() }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // A changed filter shows at once, also while paused: from then on it is paused again.
  #show() {
    this.#feed = this.#model.feed;
    if (this.#pausedAt !== null) this.#pausedAt = this.#feed.total;
    const { kinds, minNano, meter } = this.#filter();
    const frames = this.#model.feed.newest(ROWS_SHOWN, kinds, wanted({ meter, minNano }));
    this.#rows.show(frames, writeEvent);
    this.#parts.none.hidden = frames.length > 0;
    if (this.#pausedAt === null) this.#tellCount(frames.length);
    else this.#tellPaused();
  }

  #filter() {
    const minNano = typedNano(this.#parts.least.value);
    this.#parts.least.setAttribute("aria-invalid", String(minNano === undefined));
    return { kinds: this.#kinds.filter((box) => box.checked).map((box) => box.value),
      meter: this.#parts.meter.value, minNano: minNano ?? null };
  }

  #tellCount(shown) {
    const { total } = this.#model.feed;
    setText(this.#parts.count, `${shown} shown, newest first, of ${grouped(total)} events; the `
      + `last ${KEPT_EACH} of each kind are kept`);
  }

  #tellPaused() {
    const newer = this.#model.feed.total - this.#pausedAt;
    setText(this.#parts.count, `Paused: ${grouped(newer)} newer event${newer === 1 ? "" : "s"}`);
  }

  #nameMeters() {
    const { meters } = this.#model;
    if (meters === this.#meters && meters.size === this.#names) return;
    this.#meters = meters;
    this.#names = meters.size;
    const names = [...meters.keys()].slice(0, 1000).sort();
    this.#parts.names.replaceChildren(...names.map((name) => new Option(name, name)));
  }
}

function writeEvent(cells, frame, row) {
  const { type, seq, timestamp, data } = frame;
  const kwh = data.kwh_amount ?? data.changes?.kwh_amount;
  row.dataset.look = lookOf(frame);
  setText(cells.seq, grouped(seq));
  setText(cells.time, utc(timestamp));
  setText(cells.kind, nameOf(type));
  setText(cells.meter, data.meter_id ?? "");
  setAmount(cells.kwh, kwh === undefined ? null : nanoOf(kwh));
  setAmount(cells.grx, data.tokens_minted ?? null);
  setText(cells.about, aboutOf(frame));
}
