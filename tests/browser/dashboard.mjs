// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real Chromium, which CHROMIUM names; SCREENSHOTS names a folder.

import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 60_000;

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
}

// One open page, with everything that it received and everything that went wrong in it.
export class Dashboard {
  frames = [];  // events, as they came over all connections
  alertsBegan = 0;  // how often a session has subscribed to the alerts
  violations = [];
  errors = [];
  #page;

  static async open(browser, address, options = {}) {
    const dashboard = new Dashboard();
    const viewport = { width: 1440, height: 1000 };
    const context = await browser.newContext({ viewport, ...options });
    const page = dashboard.#page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => dashboard.errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") dashboard.errors.push(message.text());
    });
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
      const frame = JSON.parse(payload);
      if (frame.seq !== undefined) dashboard.frames.push(frame);
      if (frame.data?.added?.includes("system_alerts")) dashboard.alertsBegan += 1;
    }));
    await page.exposeFunction("violated", (text) => dashboard.violations.push(text));
    await page.addInitScript(() => addEventListener("securitypolicyviolation",
      (event) => window.violated(`${event.violatedDirective} ${event.sourceFile}`)));
    await page.goto(address);
    return dashboard;
  }

  get address() { return this.#page.url(); }
  get sequences() { return this.frames.map((frame) => frame.seq); }

  text(id) { return this.#page.locator(`#${id}`).textContent(); }

  // Returns when the element `id` reads `text`, or something that matches it.
  async reads(id, text) {
    const read = ([name, wanted]) => {
      const { textContent } = document.getElementById(name);
      return wanted.test?.(textContent) ?? textContent.trim() === wanted;
    };
    await this.#page.waitForFunction(read, [id, text])
      .catch(async () => {
        throw new Error(`#${id} reads "${await this.text(id)}", not "${text}"`);
      });
  }

  // Returns when the page has subscribed to the alerts so often: only then come the bridge's own.
  async hearsAlerts(times) {
    const end = Date.now() + PATIENCE_MS;
    while (this.alertsBegan < times) {
      if (Date.now() > end) throw new Error(`alerts began ${this.alertsBegan} times, not ${times}`);
      await setTimeout(50);
    }
  }

  async readAll(texts) {
    for (const [id, text] of Object.entries(texts)) await this.reads(id, text);
  }

  rows(table) {
    return this.#page.locator(`#${table} tbody tr`).evaluateAll((rows) =>
      rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  }

  async signIn(key) {
    await this.#page.locator("#key").fill(key);
    await this.#page.locator("#key").press("Enter");
  }

  // Narrows the feed to these kinds, a meter and a least amount.
  async filter({ kinds, meter = "", least = "" }) {
    for (const box of await this.#page.locator("#feed-kinds input").all()) {
      await box.setChecked(kinds.includes(await box.getAttribute("value")));
    }
    await this.#page.locator("#feed-meter").fill(meter);
    await this.#page.locator("#feed-least").fill(least);
  }

  press(id, key) { return this.#page.locator(`#${id}`).press(key); }

  focused() { return this.#page.evaluate(() => document.activeElement.id); }

  click(id) { return this.#page.locator(`#${id}`).click(); }

  reload() { return this.#page.reload(); }

  // Calls `look` in the page, with `argument`.
  ask(look, argument) { return this.#page.evaluate(look, argument); }

  // Presses Tab until the focus is back at the start; returns what had it, in order: the id or the
  // name, and whether the focus could be seen.
  async tabStops(max = 80) {
    const stops = [];
    for (let count = 0; count < max; count += 1) {
      await this.#page.keyboard.press("Tab");
      const stop = await this.#page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        const ring = getComputedStyle(element.closest("label") ?? element);
        return { name: element.id || element.getAttribute("aria-label")
          || element.textContent.trim() || element.value,
        isBody: element === document.body,
        isVisible: style.outlineStyle !== "none" || ring.outlineStyle !== "none" };
      });
      if (stop.isBody) break;
      stops.push(stop);
    }
    return stops;
  }

  resize(width, height) { return this.#page.setViewportSize({ width, height }); }

  overflow() {
    return this.#page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  screenshot(name) {
    return this.#page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`),
      fullPage: true });
  }

  close() { return this.#page.context().close(); }
}
