// SPDX-License-Identifier: Apache-2.0

import { setExact, setText } from "./text.js";

// Table rows that are made once and written over: a redraw touches only text that changed.
export class Rows {
  #body;
  #names;
  #rows = [];

  constructor(table, names) {
    this.#body = table.tBodies[0];
    this.#names = names;
  }

  // `write(cells, item, row)` writes one row; `cells` by the names given.
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

// Nano-kWh or base units; null for none.
export function setAmount(cell, units) {
  if (units === null) setText(cell, "");
  else setExact(cell, units);
}
