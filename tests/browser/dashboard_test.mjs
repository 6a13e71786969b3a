// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";

import { exact } from "./exact.mjs";
import { Dashboard, launch } from "./dashboard.mjs";
import { findFaint, findUnnamed } from "./page_checks.mjs";
import { Wattmint, hourly, nano } from "./wattmint.mjs";

const WALLETS = ["So11111111111111111111111111111111111111112",
  "TokenkegQfeZyiNwAJbNbGKPFXCwuBvf9Ss623VQ5DA"];
const TYPES = ["MeterReadingReceived", "MeterReadingValidationFailed", "TokensMinted",
  "TaskCreated", "TaskStatusChanged", "MeterChanged"];
const START = "2026-03-01T06:00:00Z";
const SUNRISE = ["0", "0.000000001", "0.123456789", "1.5", "2.999999999", "0"];
const AA = { text: 4.5, large: 3 };  // contrast, by WCAG 2.2
// Told by the browser itself.
const LOST = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)|WebSocket connection to/;

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
  await page.filter({ kinds: ["refused"] });
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

test("core and bridge may die one by one: the page says so, and loses nothing", async () => {
  await run("core", "bridge");
  const key = await wattmint.key("ana");
  await wattmint.import(sunrise("ANA-1"));
  const page = await open(wattmint.page);
  await page.signIn(key);
  await page.reads("total-readings", "6");
  await page.reads("alerts-none", /^None since/);

  await wattmint.kill("core");
  await page.reads("state", "The bridge has lost the core");
  await page.reads("banner-text", /none is left out/);
  await page.reads("alerts-list", /warning.*the core is not connected/);
  await wattmint.start("core");
  await wattmint.import(sunrise("ANA-1", "2026-03-01T12:00:00Z"));
  await page.reads("total-readings", "12");
  await page.reads("state", "Live");
  await page.reads("alerts-list", /info.*the core is connected again/);
  isClean(page);

  await wattmint.kill("bridge");
  await page.reads("state", "Connection lost");
  await page.reads("banner-text", /\(1006, cut off\).*Attempt \d/);
  await page.screenshot("lost");
  await wattmint.import(sunrise("ANA-1", "2026-03-01T18:00:00Z"));  // happens while it is away
  await wattmint.start("bridge");
  await page.reads("total-readings", "18");
  await page.reads("state", "Live");
  await page.reads("link-reconnects", "1");
  await page.reads("link-close", /^1006/);
  await page.hearsAlerts(2);
  await wattmint.kill("core");
  await page.reads("alerts-list", /(warning.*){2}/);  // alerts go on, too
  await wattmint.start("core");
  assert.deepEqual(page.sequences, await wattmint.watched(key, TYPES));
  assert.deepEqual(page.errors.filter((error) => !LOST.test(error)), []);
  assert.deepEqual(page.violations, []);
});

test("supply, tasks and batches are those of the ledger, to the last digit", async () => {
  await run("up");
  await wattmint.register("EVE-1", "eve");
  const rows = [...sunrise("ANA-1"), ...sunrise("BEN-1")];
  await wattmint.import(rows);
  await wattmint.import(hourly("BEN-1", "2026-03-02T06:00:00Z", 1, () => "99.9"));  // quarantine
  await wattmint.import(hourly("EVE-1", START, 2, (hour) => ["1.25", "0.000000007"][hour]));
  await wattmint.submit("ANA-1", "0.5", ["--start", "2026-03-02T06:00:00Z", "--interval", "1h",
    "--quality", "estimated", "--any-age"]);
  const minted = rows.filter(({ kwh }) => nano(kwh) > 0n).length;
  const waiting = nano("1.250000007");
  const page = await open(await wattmint.ticketPage());
  await page.reads("supply-minted", exact(total(rows)));
  await page.reads("supply-waiting", exact(waiting));
  await page.reads("supply-parked", "99.900000000");

  const [supply] = await wattmint.run(["ledger", "supply"]);
  const toMint = total(rows) + waiting + nano("99.9");
  await page.readAll({
    "supply-accepted": exact(toMint + nano("0.5")),
    "supply-nothing": "0.500000000",
    "supply-toMint": exact(toMint),
    "supply-tokens": exact(BigInt(supply.supply_base_units)),
    "supply-difference": exact(toMint - BigInt(supply.supply_base_units)),
    "supply-verdict": "Every kWh is accounted for, 1 GRX for 1 kWh.",
    "tasks-reasons": "Parked for QUARANTINE_SENTINEL 1.",
    "latency-mintCount": String(minted),
  });
  assert.deepEqual([supply.open_tasks, supply.parked_tasks], ["2", "1"]);
  const states = (await page.rows("tasks-table")).map(([state, ...sums]) =>
    [state.split(" ")[0], ...sums]);
  assert.deepEqual(states, [
    ["PENDING", "2", exact(waiting)], ["SIGNED", "0", exact(0n)], ["SUBMITTED", "0", exact(0n)],
    ["CONFIRMED", String(minted), exact(total(rows))], ["PARKED", "1", "99.900000000"]]);
  const batches = (await page.rows("batches-table")).map(([, , , count]) => Number(count));
  assert.equal(batches.reduce((sum, count) => sum + count, 0), minted);

  await wattmint.run(["reading", "correct", await wattmint.firstReading("EVE-1"), "2",
    "--reason", "read again"]);
  await page.reads("supply-waiting", exact(nano("2.000000007")));
  await wattmint.run(["reading", "withdraw", await wattmint.firstReading("EVE-1"),
    "--reason", "a mistake"]);
  await page.reads("supply-waiting", exact(7n));
  await page.reads("supply-accepted", exact(total(rows) + nano("100.400000007")));
  await page.reads("supply-verdict", /^Every kWh is accounted for/);
  await page.screenshot("admin");
  isClean(page);
});

test("the feed is narrowed and paused, by the keyboard alone", async () => {
  await run("up");
  await wattmint.import([...sunrise("ANA-1"), ...sunrise("BEN-1")]);
  const page = await open(await wattmint.ticketPage());
  await page.reads("total-mints", "8");
  const meters = async () => (await page.rows("events")).map((row) => row[3]);
  await page.filter({ kinds: ["mint"], meter: "ana", least: "0.123456789" });
  assert.deepEqual((await page.rows("events")).map(([, , kind, meter, kwh]) => [kind, meter, kwh]),
    ["2.999999999", "1.500000000", "0.123456789"].map((kwh) => ["Minted", "ANA-1", kwh]));
  await page.press("feed-least", "Escape");
  assert.equal((await meters()).length, 4);

  await page.press("feed-panel", "p");
  await page.reads("feed-pause", "Resume");
  await wattmint.import(sunrise("ANA-1", "2026-03-01T12:00:00Z"));
  await page.reads("total-mints", "12");
  await page.reads("feed-count", /^Paused: \d+ newer events$/);
  assert.equal((await meters()).length, 4);
  await page.press("feed-panel", "p");
  await page.reads("feed-count", /^8 shown/);
  await page.press("feed-panel", "c");
  assert.ok((await meters()).includes("BEN-1"));
  await page.press("feed-panel", "f");
  assert.equal(await page.focused(), "feed-meter");
  isClean(page);
});

test("the keyboard reaches everything, and what has the focus is seen", async () => {
  await run("up");
  await wattmint.import(sunrise("ANA-1"));
  const page = await open(await wattmint.ticketPage());
  await page.reads("total-mints", "4");
  const stops = await page.tabStops();
  assert.deepEqual(stops.filter(({ isVisible }) => !isVisible), []);
  const names = stops.map(({ name }) => name);
  for (const name of ["Skip to the live feed", "theme", "sign-out", "24 h", "Day", "feed-meter",
    "feed-least", "feed-pause", "task", "Table of events, newest first", "Table of meters"]) {
    assert.ok(names.includes(name), `${name} is not among ${names}`);
  }
});

test("everything has a name and a place for those who listen", async () => {
  await run("up");
  await wattmint.import(sunrise("ANA-1"));
  const page = await open(await wattmint.ticketPage());
  await page.reads("total-mints", "4");
  assert.deepEqual(await page.ask(findUnnamed), []);
  await page.reads("announcer", "Live");
});

test("colours follow the system unless chosen, and all text is legible in both", async () => {
  await run("up");
  await wattmint.import(sunrise("ANA-1"));
  const key = await wattmint.key("ana");
  const page = await open(wattmint.page, { colorScheme: "dark" });
  await page.signIn(key);
  const isDark = () => page.ask(() => getComputedStyle(document.body).backgroundColor
    === "rgb(14, 19, 17)");
  for (const [theme, dark] of [["auto", true], ["light", false], ["dark", true]]) {
    await page.reads("theme", `Theme: ${theme}`);
    await page.reads("total-mints", "4");
    assert.equal(await isDark(), dark);
    assert.deepEqual(await page.ask(findFaint, AA), []);
    if (theme !== "auto") await page.screenshot(theme);
    await page.click("theme");
  }
  await page.click("theme");
  await page.reload();
  await page.reads("theme", "Theme: light");
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
      { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme });
    await shows(page, sunrise("ANA-1"));
    assert.equal(await page.overflow(), 0);
    await page.screenshot(`phone-${colorScheme}`);
    await page.resize(320, 640);
    assert.equal(await page.overflow(), 0);
    isClean(page);
  }
});
