// SPDX-License-Identifier: Apache-2.0
// permessage-deflate by inflaters that are not ours: ws in Node, and Chromium.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";

import { launch } from "./dashboard.mjs";
import { Wattmint, hourly } from "./wattmint.mjs";

const ROWS = 150;
const SUBSCRIBE = JSON.stringify({ type: "Subscribe", data: { event_types: [] } });

let wattmint;
let key;
let browser;

before(async () => {
  wattmint = await Wattmint.install();
  await wattmint.start();
  await wattmint.register("ANA-1", "ana", "So11111111111111111111111111111111111111112");
  key = await wattmint.key("ana");
  browser = await launch();
});

after(async () => {
  await browser.close();
  await wattmint.remove();
});

// Resolves once it is subscribed. `frames` gets the texts of its events, in the order of arrival.
function follow(perMessageDeflate) {
  const socket = new WebSocket(`${wattmint.page.replace("http", "ws")}ws`,
    { headers: { "X-Api-Key": key }, perMessageDeflate });
  const frames = [];
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => socket.send(SUBSCRIBE));
    socket.on("message", (data) => {
      const text = data.toString();
      const { type, seq } = JSON.parse(text);
      if (seq !== undefined) frames.push(text);
      if (type === "CaughtUp") resolve({ frames, socket });
    });
  });
}

async function followInChromium() {
  const page = await browser.newPage();
  await page.goto(`${wattmint.page}healthz`);
  await page.evaluate(([secret, subscribe]) => new Promise((resolve, reject) => {
    window.frames_ = [];
    fetch("/ws/ticket", { method: "POST", headers: { "X-Api-Key": secret } })
      .then((answer) => answer.json()).then(({ ticket }) => {
        const socket = new WebSocket(`ws://${location.host}/ws?ticket=${ticket}`);
        socket.onopen = () => socket.send(subscribe);
        socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
        socket.onmessage = ({ data }) => {
          const { type, seq } = JSON.parse(data);
          if (seq !== undefined) window.frames_.push(data);
          if (type === "CaughtUp") resolve();
        };
        window.socket_ = socket;
      }, reject);
  }), [key, SUBSCRIBE]);
  return page;
}

// Returns once so many of the events are mints.
function minted({ frames, socket }, count) {
  return new Promise((resolve) => {
    const look = () => {
      const mints = frames.filter((text) => text.startsWith(`{"type":"TokensMinted"`));
      if (mints.length < count) return;
      socket.off("message", look);
      resolve();
    };
    socket.on("message", look);
    look();
  });
}

async function metric(name) {
  const admin = await wattmint.key("root", "admin");
  const page = await fetch(`${wattmint.page}metrics`, { headers: { "X-Api-Key": admin } });
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(await page.text())[1]);
}

test("clients that inflate get the same texts as one that does not, whenever they join",
  { timeout: 120_000 }, async () => {
    const rows = hourly("ANA-1", "2026-01-01T00:00:00Z", ROWS, (index) => `${index % 7}.5`);
    const plain = await follow(false);
    const early = await follow(true);
    const forgetful = await follow({ serverNoContextTakeover: true });
    const page = await followInChromium();
    assert.equal(plain.socket.extensions, "");
    assert.match(early.socket.extensions, /permessage-deflate/);
    assert.match(await page.evaluate(() => window.socket_.extensions), /permessage-deflate/);

    await wattmint.import(rows.slice(0, ROWS / 2));
    await minted(plain, ROWS / 2);
    const late = await follow(true);
    await wattmint.import(rows.slice(ROWS / 2));
    await minted(plain, ROWS);
    await Promise.all([minted(early, ROWS), minted(forgetful, ROWS), minted(late, ROWS / 2)]);
    await page.waitForFunction((count) => window.frames_.length >= count, plain.frames.length);

    assert.deepEqual(early.frames, plain.frames);
    assert.deepEqual(forgetful.frames, plain.frames);
    assert.deepEqual(await page.evaluate(() => window.frames_), plain.frames);
    assert.ok(late.frames.length > ROWS);
    assert.deepEqual(late.frames, plain.frames.slice(-late.frames.length));

    const input = await metric("wattmint_bridge_compression_input_bytes_total");
    const output = await metric("wattmint_bridge_compression_output_bytes_total");
    assert.ok(await metric("wattmint_bridge_events_compressed_total") > 3 * ROWS);
    assert.ok(output < input / 2, `${input} bytes became ${output}`);
    for (const { socket } of [plain, early, forgetful, late]) socket.close();
  });
