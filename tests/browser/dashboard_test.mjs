// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";

import { exact } from "./exact.mjs";
import { Dashboard, launch } from "./dashboard.mjs";
import { Wattmint, hourly, nano } from "./wattmint.mjs";

const WALLETS = ["So11111111111111111111111111111111111111112",
  "TokenkegQfeZyiNwAJbNbGKPFXCwuBvf9Ss623VQ5DA"];
const TYPES = ["MeterReadingReceived", "MeterReadingValidationFailed", "TokensMinted"];
const START = "2026-03-01T06:00:00Z";
const SUNRISE = ["0", "0.000000001", "0.123456789", "1.5", "2.999999999", "0"];
const LOST = /ERR_CONNECTION_REFUSED|WebSocket connection to/;  // told by the browser itself

let browser;
let wattmint;
let pages;

before(async () => { browser = await launch(); });
after(() => browser.close());

beforeEach(async () => {
  pages = [];
  wattmint = await Wattmint.install();
});

afterEach(async () => {
  for (const page of pages) await page.close();
  await wattmint.remove();
});

// Starts these programs, then registers a meter for each of two users.
async function run(...programs) {
  for (const program of programs) await wattmint.start(program);
  await wattmint.register("ANA-1", "ana", WALLETS[0]);
  await wattmint.register("BEN-1", "ben", WALLETS[1]);
}

async function open(address, options) {
  pages.push(await Dashboard.open(browser, address, options));
  return pages.at(-1);
}

function sunrise(meter, start = START) {
  return hourly(meter, start, SUNRISE.length, (index) => SUNRISE[index]);
}

function total(rows) {
  return rows.reduce((sum, { kwh }) => sum + nano(kwh), 0n);
}

// Asserts that the page shows exactly these readings, all minted.
async function shows(page, rows) {
  const minted = rows.filter(({ kwh }) => nano(kwh) > 0n);
  await page.reads("total-mints", String(minted.length));
  await page.reads("total-readings", String(rows.length));
  assert.equal(await page.text("total-energy"), exact(total(rows)));
  assert.equal(await page.text("total-tokens"), exact(total(rows)));
}

function isClean(page) {
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.violations, []);
}

test("history and what happens now are shown, to the last digit", async () => {
  await run("up");
  const history = sunrise("ANA-1");
  await wattmint.import(history);
  const page = await open(await wattmint.ticketPage("ana"));
  await page.reads("state", "Live");
  await shows(page, history);
  assert.equal(page.address, wattmint.page);

  const now = sunrise("ANA-1", "2026-03-01T12:00:00Z");
  await wattmint.import(now);
  const all = [...history, ...now];
  await shows(page, all);
  const [[meter, kwh, grx, readings]] = await page.rows("meters");
  assert.deepEqual([meter, kwh, grx, readings],
    ["ANA-1", exact(total(all)), exact(total(all)), "12"]);
  const [[, mints, balance]] = await page.rows("wallets");
  assert.deepEqual([mints, balance], ["8", exact(total(all))]);
  await page.reads("plot-energy", `${exact(total(all))} kWh`);
  await page.reads("plot-tokens", `${exact(total(all))} GRX`);
  await page.screenshot("desktop");
  isClean(page);
});

test("a refused reading is counted with its reason", async () => {
  await run("up");
  const page = await open(await wattmint.ticketPage("ana"));
  await wattmint.submit("ANA-1", "1", ["--start", "2020-01-01T00:00:00Z", "--interval", "1h"],
    { mayExitWith: 3 });
  await page.reads("total-refused", "1");
  await page.filter({ type: "MeterReadingValidationFailed" });
  const [[, , kind, meter]] = await page.rows("events");
  assert.deepEqual([kind, meter], ["Refused", "ANA-1"]);
  const failed = page.frames.find((frame) => frame.type === "MeterReadingValidationFailed");
  await page.reads("refusals", new RegExp(failed.data.error_reason));
  isClean(page);
});

test("neither of two users sees anything of the other", async () => {
  await run("up");
  const ana = await open(await wattmint.ticketPage("ana"));
  const ben = await open(await wattmint.ticketPage("ben"));
  await wattmint.import([...sunrise("ANA-1"), ...sunrise("BEN-1")]);
  for (const [page, user, meter] of [[ana, "ana", "ANA-1"], [ben, "ben", "BEN-1"]]) {
    await shows(page, sunrise(meter));
    assert.deepEqual((await page.rows("meters")).map(([name]) => name), [meter]);
    assert.deepEqual([...new Set(page.frames.map((frame) => frame.data.user_id))], [user]);
    isClean(page);
  }
});

test("after everything was killed the page goes on: nothing lost, nothing twice", async () => {
  await run("up");
  const key = await wattmint.key("ana");
  const before = sunrise("ANA-1");
  await wattmint.import(before);
  const page = await open(wattmint.page);
  await page.signIn(key);
  await page.reads("state", "Live");
  await shows(page, before);

  await wattmint.kill();
  await page.reads("state", /^Connection lost/);
  await page.screenshot("lost");
  await wattmint.start();
  const later = sunrise("ANA-1", "2026-03-01T12:00:00Z");
  await wattmint.import(later);
  await page.reads("state", "Live");
  await shows(page, [...before, ...later]);

  assert.deepEqual(page.sequences, await wattmint.watched(key, TYPES));
  assert.deepEqual(page.errors.filter((error) => !LOST.test(error)), []);
  assert.deepEqual(page.violations, []);
});

test("a core that dies alone does not end the page, which says so and goes on", async () => {
  await run("core", "bridge");
  await wattmint.import(sunrise("ANA-1"));
  const page = await open(await wattmint.ticketPage("ana"));
  await page.reads("total-readings", "6");
  await wattmint.kill("core");
  await page.reads("state", /^The bridge has lost the core/);
  await wattmint.start("core");
  await wattmint.import(sunrise("ANA-1", "2026-03-01T12:00:00Z"));
  await page.reads("total-readings", "12");
  await page.reads("state", "Live");
  assert.deepEqual(page.sequences, await wattmint.watched(await wattmint.key("ana"), TYPES));
  isClean(page);
});

test("a ticket opens one page, and a key is asked for when it is used up", async () => {
  await run("up");
  const address = await wattmint.ticketPage("ana");
  const first = await open(address);
  await first.reads("state", "Live");
  const second = await open(address);
  await second.reads("sign-in-why", /used up or has expired/);
  await second.signIn("wm_wrong000_key");
  await second.reads("state", "Not signed in");
  assert.notEqual(await second.text("sign-in-wrong"), "");
  await second.screenshot("sign-in");
  await second.signIn(await wattmint.key("ana"));
  await second.reads("state", "Live");

  await wattmint.kill();
  await first.reads("sign-in-why", /go on where it stopped/);
});

test("a phone has everything in one column, nothing beside it", async () => {
  await run("up");
  await wattmint.import(sunrise("ANA-1"));
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(await wattmint.ticketPage("ana"),
      { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme });
    await shows(page, sunrise("ANA-1"));
    assert.equal(await page.overflow(), 0);
    await page.screenshot(`phone-${colorScheme}`);
    isClean(page);
  }
});
