// SPDX-License-Identifier: Apache-2.0
// The page's own files in the real browser, against a bridge whose frames the test writes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { launch } from "./dashboard.mjs";

const PAGE = "http://page.test/";
const FOLDERS = ["web", "client"].map((name) => new URL(`../../bridge/${name}/`, import.meta.url));
const KINDS = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
const NO_PLOT = `globalThis.Dygraph = class {
  static PLUGINS = [];
  static Plugins = {};
  updateOptions() {}
};`;

let browser;
let page;
let sessions;  // the newest, by what they subscribe
let epoch;

before(async () => { browser = await launch(); });
after(() => browser.close());

// What the address `/<name>` of a bridge answers.
async function answerTo(name) {
  if (name === "ws/ticket") return { status: 201, json: { ticket: "t" } };
  if (name === "dygraph.min.js") return { contentType: KINDS.js, body: NO_PLOT };
  const file = { "": "index.html", "client.js": "wattmint-client.js" }[name] ?? name;
  for (const folder of FOLDERS) {
    const body = await readFile(new URL(file, folder)).catch(() => null);
    if (body) return { body, contentType: KINDS[file.split(".").at(-1)] };
  }
  return { status: 404 };
}

// Signs in, and returns when both sessions are subscribed: `events` from the log's beginning.
async function open() {
  sessions = {};
  epoch = "log";
  page = await browser.newPage();
  await page.route(`${PAGE}**`, async (route) =>
    route.fulfill(await answerTo(new URL(route.request().url()).pathname.slice(1))));
  await page.routeWebSocket(/\/ws/, (socket) => new Session(socket));
  page.on("pageerror", (error) => console.error(error.message));
  page.setDefaultTimeout(10_000);
  await page.goto(PAGE);
  await page.locator("#key").fill("wm_key");
  await page.locator("#key").press("Enter");
  await page.waitForFunction(() =>
    document.getElementById("alerts-none").textContent.startsWith("None since"));
}

class Session {
  #socket;

  constructor(socket) {
    this.#socket = socket;
    socket.onMessage((text) => this.#answer(JSON.parse(text)));
    this.send("Connected", { authenticated: true });
    this.send("Authenticated", { user_id: "ana", roles: ["user"] });
  }

  #answer({ type, id, data }) {
    if (type === "Ping") this.send("Pong", data, { id });
    else if (data.resume && epoch !== "log") {
      this.send("Error", { code: "CURSOR_EPOCH_MISMATCH", message: "another log" }, { id });
    } else {
      this.asked = data;
      sessions[data.channels ? "alerts" : "events"] = this;
      this.send("Subscribed", { cursor: "c", epoch, head_sequence: 1 }, { id });
    }
  }

  close(code) { return this.#socket.close({ code }); }

  send(type, data, more = {}) {
    this.#socket.send(JSON.stringify({ type, timestamp: new Date().toISOString(), data, ...more }));
  }

  notify(seq, message, timestamp, user_id = "ana") {
    this.send("Notification", { user_id, level: "warning", message }, { seq, timestamp });
  }
}

async function shows(...messages) {
  await page.waitForFunction((count) =>
    document.querySelectorAll("#alerts-list li").length === count, messages.length);
  assert.deepEqual(await page.locator("#alerts-list li span").allTextContents(), messages);
}

const spoken = () => page.locator("#announcer").textContent();

test("notifications are alerts: old ones in their place, in silence, new ones aloud", async () => {
  await open();
  const { events, alerts } = sessions;
  assert.ok(events.asked.event_types.includes("Notification"));
  alerts.send("SystemAlert", { severity: "info", message: "to all" },
    { seq: 9, timestamp: "2026-01-05T10:00:00Z" });
  await shows("to all");
  events.notify(1, "of before", "2026-01-04T10:00:00Z");
  await shows("to all", "of before");
  assert.doesNotMatch(await spoken(), /of before/);

  events.send("CaughtUp", { cursor: "c", sequence: 1 });
  await page.waitForFunction(() => document.getElementById("state-text").textContent === "Live");
  events.notify(2, "of now", "2026-01-06T10:00:00Z");
  await shows("of now", "to all", "of before");
  assert.equal(await spoken(), "warning: of now");
  events.notify(3, "for ben alone", "2026-01-07T10:00:00Z", "ben");  // seen by an admin
  events.notify(4, "of later", "2026-01-08T10:00:00Z");
  await shows("of later", "of now", "to all", "of before");
  assert.equal(await spoken(), "warning: of later");
});

test("a log that is read anew tells its notifications anew, not twice", async () => {
  await open();
  const { events, alerts } = sessions;
  alerts.send("SystemAlert", { severity: "info", message: "to all" },
    { seq: 9, timestamp: "2026-01-05T10:00:00Z" });
  events.notify(1, "for ana", "2026-01-06T10:00:00Z");
  await shows("for ana", "to all");
  epoch = "another log";
  await events.close(1001);
  await page.waitForFunction(() =>
    document.getElementById("notice").textContent.startsWith("Another log"));
  sessions.events.notify(1, "for ana", "2026-01-06T10:00:00Z");
  sessions.events.notify(2, "again for ana", "2026-01-07T10:00:00Z");
  await shows("again for ana", "for ana", "to all");
});
