// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real Chromium, which CHROMIUM names; SCREENSHOTS names a folder.

import path from "node:path";
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

  rows(table) {
    return this.#page.locator(`#${table} tbody tr`).evaluateAll((rows) =>
      rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  }

  async signIn(key) {
    await this.#page.locator("#key").fill(key);
    await this.#page.locator("#key").press("Enter");
  }

  filter({ type = "", meter = "" }) {
    return Promise.all([this.#page.locator("#filter-type").selectOption(type),
      this.#page.locator("#filter-meter").fill(meter)]);
  }

  overflow() {
    return this.#page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  screenshot(name) {
    return this.#page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`),
      fullPage: true });
  }

  close() { return this.#page.context().close(); }
}
