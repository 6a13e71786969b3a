// SPDX-License-Identifier: Apache-2.0
/* global Dygraph */

import { exact, setText, utc } from "./text.js";
import { DAY_MS, HOUR_MS } from "./time-buckets.js";

const HOURLY_DAYS_MAX = 14;  // Auto: up to here a bar is an hour, beyond a day
const HEADROOM = 1.06;
const INNER_BAR = 0.5;  // tokens stand within energy, so that what is not minted yet shows
const INNER_BAR_FROM_PX = 5;
const PAUSE_MS = 250;
const LONG_PAUSE_MS = 1000;
const LONG_ROWS = 1000;
const TABLE_ROWS_MAX = 400;
const AXES = {
  x: { axisLabelWidth: 74, pixelsPerLabel: 84 },
  y: { axisLabelWidth: 48, pixelsPerLabel: 34, axisLabelFormatter: (value) => String(value) },
  y2: { axisLabelWidth: 48, drawGrid: false, independentTicks: true },
};

// Its legend sets a style attribute, which our content security policy refuses; ours is in the
// page.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

// Bars of energy with bars of tokens within, for each hour or day.
export class Plot {
  #parts;
  #model;
  #graph = null;
  #range = "all";
  #step = "auto";
  #shown = null;  // what the graph was last given
  #rows = [];
  #told = null;
  #drawnAt = 0;
  #due = 0;
  #colors;
  #probe;  // an element that has one colour after the other

  constructor(model, parts) {
    this.#model = model;
    this.#parts = parts;
    this.#probe = document.createElement("span");
    this.#probe.hidden = true;
    document.body.append(this.#probe);
    this.#readColors();
    parts.table.addEventListener("toggle", () => this.#fillTable());
  }

  // Takes the colours of the page, which have changed.
  recolor() {
    this.#readColors();
    this.#graph?.updateOptions({ gridLineColor: this.#colors.grid });
  }

  choose({ range = this.#range, step = this.#step }) {
    this.#range = range;
    this.#step = step;
    this.#shown = null;
    this.#drawNow();
  }

  // Draws now, or soon if it was just drawn: a long history takes its time.
  draw() {
    if (this.#due) return;
    const waitMs = this.#drawnAt - performance.now()
      + (this.#rows.length > LONG_ROWS ? LONG_PAUSE_MS : PAUSE_MS);
    if (waitMs <= 0) this.#drawNow();
    else this.#due = setTimeout(() => this.#drawNow(), waitMs);
  }

  #drawNow() {
    clearTimeout(this.#due);
    this.#due = 0;
    this.#drawnAt = performance.now();
    const { from, to, stepMs } = this.#window();
    const shown = `${from} ${to} ${stepMs} ${this.#model.changes}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const buckets = stepMs === HOUR_MS ? this.#model.time.hours : this.#model.time.days;
    this.#rows = [...buckets].filter(([start]) => start >= from && start < to)
      .sort(([one], [other]) => one - other);
    this.#rows.stepMs = stepMs;
    this.#plot(from, to, stepMs);
    this.#tell();
    this.#fillTable();
  }

  #window() {
    const { time } = this.#model;
    const newest = time.newest || Date.now();
    const to = newest - (newest % HOUR_MS) + HOUR_MS;
    const oldest = this.#range === "all" ? Math.min(time.oldest, newest)
      : to - this.#range * DAY_MS;
    const isHourly = this.#step === "hour"
      || (this.#step === "auto" && to - oldest <= HOURLY_DAYS_MAX * DAY_MS);
    if (isHourly) return { from: oldest - (oldest % HOUR_MS), to, stepMs: HOUR_MS };
    return { from: oldest - (oldest % DAY_MS), to: newest - (newest % DAY_MS) + DAY_MS,
      stepMs: DAY_MS };
  }

  // A row stands in the middle of its interval.
  #plot(from, to, stepMs) {
    const data = this.#rows.map(([start, { nanoKwh, baseUnits }]) =>
      [new Date(start + stepMs / 2), Number(nanoKwh) / 1e9, Number(baseUnits) / 1e9]);
    const energyMax = Math.max(...data.map((row) => row[1]), 0);
    const tokensMax = Math.max(...data.map((row) => row[2]), 0);
    const { isSameScale } = this.#model;
    const top = isSameScale ? Math.max(energyMax, tokensMax) : energyMax;
    const right = isSameScale ? top : tokensMax;
    if (data.length === 0) data.push([new Date((from + to) / 2), null, null]);
    const options = {
      file: data,
      dateWindow: [from, to],
      axes: { ...AXES,
        y: { ...AXES.y, valueRange: [0, (top || 1) * HEADROOM] },
        y2: { ...AXES.y2, valueRange: [0, (right || 1) * HEADROOM], drawAxis: !isSameScale } },
    };
    if (this.#graph) this.#graph.updateOptions(options);
    else this.#graph = this.#create(options);
  }

  #create({ file, ...options }) {
    const mouse = { ...Dygraph.defaultInteractionModel };
    for (const name of Object.keys(mouse)) if (name.startsWith("touch")) delete mouse[name];
    return new Dygraph(this.#parts.canvas, file, {
      ...options,
      labels: ["Time", "Energy", "Tokens"],
      series: { Energy: { axis: "y" }, Tokens: { axis: "y2" } },
      labelsUTC: true,
      interactionModel: mouse,  // a finger scrolls the page
      plotter: (drawing) => this.#drawBars(drawing),
      highlightCircleSize: 0,
      gridLineColor: this.#colors.grid,
      gridLineWidth: 1,
      axisLineColor: "transparent",
      xRangePad: 0,
      highlightCallback: (event, time, points, row) => this.#tell(this.#rows[row]?.[0]),
      unhighlightCallback: () => this.#tell(null),
      underlayCallback: (context, area) => this.#mark(context, area),
    });
  }

  #drawBars({ drawingContext: context, dygraph, points, setName, plotArea }) {
    const [from, to] = dygraph.xAxisRange();
    const slot = plotArea.w * this.#rows.stepMs / (to - from);
    const gap = slot > 4 ? Math.max(1, slot * 0.16) : 0;
    let width = Math.max(slot - gap, 1);
    const isInner = setName === "Tokens" && width >= INNER_BAR_FROM_PX;
    if (isInner) width *= INNER_BAR;
    const axis = setName === "Tokens" ? 1 : 0;
    const bottom = dygraph.toDomYCoord(0, axis);
    context.fillStyle = setName === "Tokens" ? this.#colors.tokens : this.#colors.energy;
    for (const { canvasx, canvasy } of points) {
      if (Number.isFinite(canvasy)) {
        context.fillRect(canvasx - width / 2, canvasy, width, bottom - canvasy);
      }
    }
  }

  #mark(context, { x, y, w, h }) {
    context.strokeStyle = this.#colors.axis;
    context.beginPath();
    context.moveTo(x, y + h - 0.5);
    context.lineTo(x + w, y + h - 0.5);
    context.stroke();
  }

  // Tells the numbers of the bar that starts at `start`, or of all that are in view.
  #tell(start = this.#told) {
    this.#told = start;
    const { energy, tokens, at } = this.#parts;
    const bar = start === null ? undefined : this.#rows.find(([time]) => time === start);
    const rows = bar ? [bar] : this.#rows;
    const sum = (name) => rows.reduce((total, [, bucket]) => total + bucket[name], 0n);
    setText(energy, `${exact(sum("nanoKwh"))} kWh`);
    setText(tokens, `${exact(sum("baseUnits"))} GRX`);
    setText(at, this.#span(rows));
  }

  #span(rows) {
    if (rows.length === 0) return "nothing in this period";
    const length = this.#rows.stepMs === HOUR_MS ? 16 : 10;
    const [first, last] = [utc(rows[0][0], length), utc(rows.at(-1)[0], length)];
    const step = this.#rows.stepMs === HOUR_MS ? "hour" : "day";
    return rows.length === 1 ? `${step} of ${first} UTC` : `each ${step}, ${first} to ${last} UTC`;
  }

  #fillTable() {
    const { table } = this.#parts;
    if (!table.open) return;
    const length = this.#rows.stepMs === HOUR_MS ? 16 : 10;
    const rows = this.#rows.slice(-TABLE_ROWS_MAX).reverse();
    table.querySelector("tbody").replaceChildren(...rows.map(([start, bucket]) => {
      const row = document.createElement("tr");
      row.insertCell().textContent = utc(start, length);
      for (const name of ["nanoKwh", "baseUnits"]) {
        const cell = row.insertCell();
        cell.className = "n";
        cell.textContent = exact(bucket[name]);
      }
      return row;
    }));
  }

  // A custom property is not resolved when it is read, a colour that something has is.
  #readColors() {
    const { style } = this.#probe;
    const color = (name) => {
      style.color = `var(${name})`;
      return getComputedStyle(this.#probe).color;
    };
    this.#colors = { energy: color("--energy-bar"), tokens: color("--tokens-bar"),
      grid: color("--hairline"), axis: color("--line") };
  }
}
