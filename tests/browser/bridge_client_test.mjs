// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { WebSocket } from "ws";

import { WattmintClient, fetchTicket } from "../../bridge/client/wattmint-client.js";
import { Wattmint, hourly } from "./wattmint.mjs";

const WALLET = "So11111111111111111111111111111111111111112";
const TYPES = ["MeterReadingReceived", "TokensMinted"];
const ROWS = 400;

let wattmint;
let key;
let clients;

beforeEach(async () => {
  clients = [];
  wattmint = await Wattmint.install();
  await wattmint.start();
  await wattmint.register("ANA-1", "ana", WALLET);
  await wattmint.register("BEN-1", "ben", WALLET);
  key = await wattmint.key("ana");
});

afterEach(async () => {
  for (const client of clients) client.close();
  await wattmint.remove();
});

function follow(credential, what, options) {
  const client = new WattmintClient({ url: `${wattmint.page}ws`, WebSocket, credential,
    backoffBaseMs: 20, backoffCapMs: 200 });
  clients.push(client);
  const frames = [];
  client.on("event", (frame) => frames.push(frame));
  client.connect();
  return { client, frames, subscribed: client.subscribe(what, options) };
}

// Returns once `frames` holds `count` mints.
function minted(client, frames, count) {
  return new Promise((resolve) => {
    const look = () => {
      if (frames.filter((frame) => frame.type === "TokensMinted").length < count) return;
      off();
      resolve();
    };
    const off = client.on("event", look);
    look();
  });
}

function sequences(frames) { return frames.map((frame) => frame.seq); }

function year(meter) {
  return hourly(meter, "2026-01-01T00:00:00Z", ROWS, (index) => `${index % 7}.${index + 1}`);
}

test("WebSocket and gRPC tell the same sequences, also over a core that is killed", async () => {
  const { client, frames, subscribed } = follow(() => key, { event_types: TYPES },
    { start: "beginning" });
  await subscribed;
  const half = year("ANA-1").slice(0, ROWS / 2);
  const killed = minted(client, frames, 20).then(() => wattmint.kill());
  await wattmint.import(half).catch(() => {});  // the core may die under it
  await killed;
  await wattmint.start();
  await wattmint.import([...year("ANA-1"), ...year("BEN-1")]);
  await minted(client, frames, ROWS);
  assert.deepEqual(sequences(frames), await wattmint.watched(key, TYPES));
  assert.equal(client.duplicates, 0);
  assert.ok(frames.every(({ data }) => data.meter_id === "ANA-1"));
});

test("a ticket signs in, channels carry the same events as the filter", async () => {
  const ticket = () => fetchTicket({ url: `${wattmint.page}ws/ticket`, apiKey: key });
  const all = follow(ticket, { event_types: [] }, { start: "beginning" });
  const channel = follow(ticket, ["user:ana"], { start: "beginning" });
  await Promise.all([all.subscribed, channel.subscribed]);
  await wattmint.import(year("ANA-1").slice(0, 30));
  await Promise.all([all, channel].map(({ client, frames }) => minted(client, frames, 30)));
  const last = Math.min(all.frames.at(-1).seq, channel.frames.at(-1).seq);
  const until = (frames) => sequences(frames).filter((sequence) => sequence <= last);
  assert.deepEqual(until(channel.frames), until(all.frames));
});

test("readings are submitted over the socket, each once", async () => {
  const { client, frames, subscribed } = follow(() => ({ apiKey: key }), ["user:ana"]);
  await subscribed;
  const reading = { meter_id: "ANA-1", kwh_amount: "1.5", interval_seconds: 900,
    timestamp: new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000).toISOString() };
  const accepted = await client.submitReading(reading);
  assert.equal(accepted.outcome, "accepted");
  await minted(client, frames, 1);
  const again = await client.submitReading(reading);
  assert.deepEqual([again.outcome, again.reading_id], ["exists", accepted.reading_id]);
  const foreign = await client.submitReading({ ...reading, meter_id: "BEN-1" });
  assert.equal(foreign.error_reason, "METER_NOT_PERMITTED");
  await assert.rejects(client.submitReading({ meter_id: "ANA-1" }),
    { code: "INVALID_READING_DATA" });
  const ticket = await fetchTicket({ url: `${wattmint.page}ws/ticket`, apiKey: key });
  const listener = follow(() => ticket, ["user:ana"]);
  await listener.subscribed;
  await assert.rejects(listener.client.submitReading(reading), { code: "ACCESS_DENIED" });
});

test("a stored position is taken up by another client", async () => {
  const first = follow(() => key, { event_types: TYPES }, { start: "beginning" });
  await first.subscribed;
  await wattmint.import(year("ANA-1").slice(0, 20));
  await minted(first.client, first.frames, 20);
  const { position } = first.client;
  first.client.close();
  await wattmint.import(year("ANA-1").slice(0, 40));
  const second = follow(() => key, { event_types: TYPES }, { resume: position });
  await minted(second.client, second.frames, 20);
  assert.deepEqual(sequences([...first.frames, ...second.frames]),
    await wattmint.watched(key, TYPES));
});

test("a foreign channel is refused or silent, and a wrong key ends the client", async () => {
  const { client, subscribed, frames } = follow(() => key, ["user:ben"]);
  await assert.rejects(subscribed, { code: "ACCESS_DENIED" });
  await client.subscribe(["meter:BEN-1", "meter:ANA-1"]);
  await wattmint.import([...year("BEN-1").slice(0, 5), ...year("ANA-1").slice(0, 5)]);
  await minted(client, frames, 5);
  assert.ok(frames.every(({ data }) => data.user_id === "ana"));

  const wrong = follow(() => "wm_wrong000_key", ["user:ana"]);
  await assert.rejects(wrong.subscribed);
  assert.equal(wrong.client.state, "closed");
});
