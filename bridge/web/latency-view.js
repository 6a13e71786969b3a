// SPDX-License-Identifier: Apache-2.0

import { duration, grouped, setText } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const PERCENTS = [50, 95, 99];
const BAR_PX = 100;  // height of the highest, in units of the drawing

// How long readings wait for their tokens, and how long events travel to this page.
export class LatencyView {
  #parts;
  #delivery;
  #clock;
  #drawn = "";

  constructor(parts, { delivery, clock }) {
    this.#parts = parts;
    this.#delivery = delivery;
    this.#clock = clock;
  }

  draw({ minting }) {
    const drawn = `${minting.count} ${this.#delivery.count}`;
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#tell("mint", minting);
      this.#tell("delivery", this.#delivery);
      this.#drawBars(minting);
    }
    setText(this.#parts.clock, clockWords(this.#clock.best));
  }

  #tell(name, latency) {
    for (const percent of PERCENTS) {
      const ms = latency.percentile(percent);
      setText(this.#parts[`${name}${percent}`], ms === null ? "–" : duration(ms));
    }
    setText(this.#parts[`${name}Count`], grouped(latency.kept));
  }

  #drawBars(minting) {
    const bars = minting.histogram();
    const highest = Math.max(...bars.map(({ count }) => count), 1);
    const { bars: list, chart, title } = this.#parts;
    chart.hidden = bars.length === 0;
    const which = minting.count > minting.kept ? `the newest ${grouped(minting.kept)} ` : "";
    setText(title, `Reading to tokens: ${which}mints by their time, each bar up to`);
    list.replaceChildren(...bars.map(({ upToMs, count }) => bar(upToMs, count, count / highest)));
  }
}

function bar(upToMs, count, height) {
  const item = document.createElement("li");
  const drawing = document.createElementNS(SVG, "svg");
  const shape = document.createElementNS(SVG, "rect");
  const label = document.createElement("span");
  const px = count === 0 ? 0 : Math.max(height * BAR_PX, 2);
  drawing.setAttribute("viewBox", `0 0 10 ${BAR_PX}`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  shape.setAttribute("width", "10");
  shape.setAttribute("height", String(px));
  shape.setAttribute("y", String(BAR_PX - px));
  drawing.append(shape);
  label.textContent = duration(upToMs, "");
  item.title = `${grouped(count)} up to ${duration(upToMs)}`;
  item.setAttribute("aria-label", item.title);
  item.append(drawing, label);
  return item;
}

function clockWords(best) {
  if (best === null) return "The clocks have not been compared yet.";
  const { aheadMs, errorMs, correctionMs } = best;
  const isSame = correctionMs === 0;
  const side = isSame ? "agrees with the bridge's"
    : `is ${duration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} the bridge's`;
  return `Delivery compares two clocks: this device's ${side}, as far as can be told (± `
    + `${duration(errorMs)})${isSame ? "" : "; that is taken off"}. Events have the core's time.`;
}
