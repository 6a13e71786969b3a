// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, describe, test } from "node:test";
import { WebSocket } from "ws";

import { WattmintClient, WattmintError, fetchTicket, formatTokens, mayReconnect, nanoKwh }
  from "../../bridge/client/wattmint-client.js";
import { ScriptedBridge } from "./scripted_bridge.mjs";

const FILTER = { event_types: ["TokensMinted"] };

let bridge;
let client;
let seen;

beforeEach(async () => { bridge = await ScriptedBridge.start(); });

afterEach(async () => {
  client?.close();
  await bridge.stop();
});

function makeClient(options = {}) {
  client = new WattmintClient({ url: bridge.url, WebSocket, credential: () => "key",
    backoffBaseMs: 1, backoffCapMs: 2, ...options });
  seen = [];
  for (const type of ["reset", "gap", "error"]) {
    client.on(type, (detail) => seen.push([type, detail]));
  }
  client.on("event", ({ seq }) => seen.push(seq));
  return client;
}

// The next state change to `state`.
function reaches(state) {
  return new Promise((resolve) => {
    const off = client.on("state", (change) => {
      if (change.state !== state) return;
      off();
      resolve(change);
    });
  });
}

// The next detail of this type.
function next(type) {
  return new Promise((resolve) => {
    const off = client.on(type, (detail) => {
      off();
      resolve(detail);
    });
  });
}

// A client that is signed in, subscribed from the beginning, and has seen the events 1 and 3.
async function streaming(options) {
  makeClient(options).connect();
  const subscribed = client.subscribe(FILTER, { start: "beginning" });
  const session = await bridge.signedIn();
  session.answer(await session.frame("Subscribe"), "Subscribed",
    { cursor: "c0", epoch: "log", head_sequence: 3 });
  session.event(1);
  session.event(3);
  session.send("Heartbeat", { cursor: "c4", head_sequence: 4, delivered_sequence: 4,
    upstream: "connected" });
  await next("Heartbeat");
  await subscribed;
  return session;
}

describe("signing in", () => {
  test("a key travels in the first message, never in the address", async () => {
    makeClient({ credential: async () => ({ apiKey: "wm_secret" }) }).connect();
    const session = await bridge.session();
    assert.equal(session.address, "/ws");
    session.send("Connected", { authenticated: false });
    const frame = await session.frame("Authenticate");
    assert.deepEqual(frame.data, { api_key: "wm_secret" });
    assert.equal(client.state, "authenticating");
    const open = reaches("open");
    session.answer(frame, "Authenticated", { user_id: "ana" });
    assert.equal((await open).identity.user_id, "ana");
  });

  test("a ticket travels in the address, and nothing is sent before Authenticated", async () => {
    makeClient({ credential: () => ({ ticket: "t/1" }) }).connect();
    const open = reaches("open");
    const session = await bridge.session();
    assert.equal(session.address, "/ws?ticket=t%2F1");
    session.send("Connected", { authenticated: true });
    session.send("Authenticated", { user_id: "ana" });
    await open;
  });

  test("without a credential the client closes and does not dial", async () => {
    makeClient({ credential: () => null }).connect();
    assert.equal((await reaches("closed")).reason, "AUTHENTICATION_REQUIRED");
  });

  test("a final refusal closes, another failure is retried", async () => {
    const failures = [new WattmintError("UNREACHABLE"),
      new WattmintError("INVALID_API_KEY", "no such key", { final: true })];
    makeClient({ credential: () => { throw failures.shift(); } }).connect();
    assert.equal((await reaches("waiting")).reason, "UNREACHABLE");
    const { reason, message } = await reaches("closed");
    assert.deepEqual([reason, message], ["INVALID_API_KEY", "no such key"]);
  });

  test("the same credential after 4401 closes with the reason", async () => {
    makeClient().connect();
    const session = await bridge.signedIn();
    const closed = reaches("closed");
    session.close(4401, "the key was revoked");
    assert.equal((await closed).message, "the key was revoked");
  });

  test("a fresh credential after 4401 goes on", async () => {
    const keys = ["old", "fresh"];
    makeClient({ credential: () => keys.shift() }).connect();
    (await bridge.signedIn()).close(4401, "expired");
    const session = await bridge.session();
    session.send("Connected", { authenticated: false });
    assert.equal((await session.frame("Authenticate")).data.token, "fresh");
  });

  test("a refused first message closes when the key stays the same", async () => {
    makeClient().connect();
    const session = await bridge.session();
    session.send("Connected", { authenticated: false });
    const closed = reaches("closed");
    session.refuse(await session.frame("Authenticate"), "AUTHENTICATION_FAILED");
    assert.equal((await closed).message, "refused: AUTHENTICATION_FAILED");
  });

  test("an expiring credential is renewed in band", async () => {
    const keys = ["old", "fresh"];
    makeClient({ credential: () => keys.shift() }).connect();
    const session = await bridge.signedIn();
    session.send("CredentialExpiring", { expires_at: "2026-01-05T10:16:00Z" });
    const frame = await session.frame("Authenticate");
    assert.equal(frame.data.token, "fresh");
    session.answer(frame, "Authenticated", { user_id: "ana" });
    await client.ping();
    assert.equal(client.state, "open");
  });
});

describe("jobs", () => {
  const JOB = { channels: ["job:b"] };
  const task = (task_id) => ({ task_id, status: "SUBMITTED" });

  async function subscribed() {
    makeClient().connect();
    const seen = [];
    client.on("reset", () => seen.push("reset"));
    client.on("JobSnapshot", ({ data }) => seen.push(data));
    client.on("event", ({ seq }) => seen.push(seq));
    client.subscribe(JOB).catch(() => {});
    const session = await bridge.signedIn();
    return { session, frame: await session.frame("Subscribe"), seen };
  }

  test("a snapshot comes whole, behind the reset and before the events", async () => {
    const { session, frame, seen } = await subscribed();
    session.together(() => {
      session.answer(frame, "Subscribed", { cursor: "c", epoch: "log", head_sequence: 7 });
      session.send("JobSnapshot", { job_id: "b", sequence: 7, tasks: [task("1")], more: true });
      session.send("JobSnapshot", { job_id: "b", sequence: 7, tasks: [task("2")], more: false });
      session.event(8, "TaskStatusChanged");
    });
    await next("TaskStatusChanged");
    const whole = { job_id: "b", sequence: 7, tasks: [task("1"), task("2")], more: false };
    assert.deepEqual(seen, ["reset", whole, 8]);
  });

  test("a snapshot that was cut off is not continued by the next connection's", async () => {
    const { session, frame, seen } = await subscribed();
    session.answer(frame, "Subscribed", { cursor: "c", epoch: "log", head_sequence: 7 });
    session.send("JobSnapshot", { job_id: "b", sequence: 7, tasks: [task("1")], more: true });
    session.event(8, "TaskStatusChanged");
    await next("TaskStatusChanged");
    session.cut();
    const again = await bridge.signedIn();
    again.answer(await again.frame("Subscribe"), "Subscribed", { cursor: "c", epoch: "log" });
    again.send("JobSnapshot", { job_id: "b", sequence: 9, tasks: [task("2")], more: false });
    await next("JobSnapshot");
    assert.deepEqual(seen.at(-1).tasks, [task("2")]);
  });
});

describe("snapshots that a lost connection cut off", () => {
  const POSITION = { cursor: "c", epoch: "log", head_sequence: 7 };

  // A client that asked for the channels, and the session that has answered; no snapshot came.
  async function subscribed(...channels) {
    makeClient().connect();
    const session = await bridge.signedIn();
    const done = client.subscribe(channels);
    session.answer(await session.frame("Subscribe"), "Subscribed", POSITION);
    await done;
    return session;
  }

  // What the next connection asks for, up to the Unsubscribe that the test itself sends.
  async function askedAgain(answer = (session, frame) =>
    session.answer(frame, "Subscribed", POSITION)) {
    const session = await bridge.signedIn();
    const resume = await session.frame("Subscribe");
    assert.equal(resume.data.resume, "c");
    session.answer(resume, "Subscribed", POSITION);
    const done = client.unsubscribe(["user:none"]);
    const asked = [];
    for (;;) {
      const frame = await session.frame("Subscribe", "Unsubscribe");
      if (frame.type === "Unsubscribe") {
        session.answer(frame, "Unsubscribed", { cursor: "c" });
        await done;
        return { session, asked };
      }
      asked.push(frame.data);
      answer(session, frame);
    }
  }

  function tell(session, job_id, more = false) {
    const came = more ? client.ping() : next("JobSnapshot");
    session.send("JobSnapshot", { job_id, sequence: 7, tasks: [], more });
    return came;
  }

  test("are asked for again, without a start, once the stream is resumed", async () => {
    const first = await subscribed("user:ana", "job:a", "job:b");
    await tell(first, "a");
    await tell(first, "b", true);
    first.cut();
    const { session, asked } = await askedAgain();
    assert.deepEqual(asked, [{ channels: ["job:b"] }]);
    session.cut();  // before the snapshot came: once more
    const again = await askedAgain();
    assert.deepEqual(again.asked, asked);
    await tell(again.session, "b");
    again.session.cut();
    assert.deepEqual((await askedAgain()).asked, []);
  });

  test("are those of channels that were added later, too", async () => {
    const first = await subscribed("user:ana");
    const done = client.subscribe("job:b");
    first.answer(await first.frame("Subscribe"), "Subscribed", POSITION);
    await done;
    first.cut();
    assert.deepEqual((await askedAgain()).asked, [{ channels: ["job:b"] }]);
  });

  test("are asked for one by one: together they may be too many tasks", async () => {
    (await subscribed("job:a", "job:b")).cut();
    const { asked } = await askedAgain();
    assert.deepEqual(asked, [{ channels: ["job:a"] }, { channels: ["job:b"] }]);
  });

  test("are not asked for when nobody wants the job any more", async () => {
    const first = await subscribed("user:ana", "job:b");
    const done = client.unsubscribe(["job:b"]);
    first.answer(await first.frame("Unsubscribe"), "Unsubscribed", { cursor: "c" });
    await done;
    first.cut();
    assert.deepEqual((await askedAgain()).asked, []);
  });

  test("come with a stream that begins anew, and are asked for if they did not", async () => {
    const first = await subscribed("job:b");
    await tell(first, "b");
    first.cut();
    const session = await bridge.signedIn();
    session.refuse(await session.frame("Subscribe"), "CURSOR_EPOCH_MISMATCH");
    const frame = await session.frame("Subscribe");
    assert.deepEqual(frame.data, { channels: ["job:b"], start: "beginning" });
    session.answer(frame, "Subscribed", { ...POSITION, epoch: "other" });
    await client.ping();
    session.cut();
    assert.deepEqual((await askedAgain()).asked, [{ channels: ["job:b"] }]);
  });

  test("are given up, and told as an error, when the server refuses them", async () => {
    (await subscribed("user:ana", "job:b")).cut();
    const { session } = await askedAgain((bridge, frame) => bridge.refuse(frame, "ACCESS_DENIED"));
    assert.equal(seen.at(-1)[1].code, "ACCESS_DENIED");
    session.cut();
    assert.deepEqual((await askedAgain()).asked, []);
  });
});

describe("submitted readings", () => {
  async function opened() {
    makeClient().connect();
    const open = reaches("open");
    const session = await bridge.signedIn();
    await open;
    return session;
  }

  async function sent(session, kwh_amount) {
    const answer = client.submitReading({ meter_id: "m", kwh_amount, timestamp: "t" });
    const frame = await session.frame("SubmitReading");
    session.answer(frame, "ReadingSubmitted", { outcome: "accepted" });
    assert.equal((await answer).outcome, "accepted");
    return frame.data.kwh_amount;
  }

  test("an amount is spelled without an exponent, and never rounded", async () => {
    const session = await opened();
    assert.equal(await sent(session, 123456789.123456), 123456789.123456);
    assert.equal(await sent(session, 1e-7), "0.000000100");
    assert.equal(await sent(session, 4.6e-9), 4.6e-9);
    assert.equal(await sent(session, "0.1"), "0.1");
  });

  test("one goes out after another, also behind one that was refused", async () => {
    const session = await opened();
    const first = client.submitReading({ meter_id: "a", kwh_amount: 1, timestamp: "t" });
    const second = client.submitReading({ meter_id: "b", kwh_amount: 1, timestamp: "t" });
    session.refuse(await session.frame("SubmitReading"), "INVALID_READING_DATA");
    await assert.rejects(first, { code: "INVALID_READING_DATA" });
    const frame = await session.frame("SubmitReading");
    assert.equal(frame.data.meter_id, "b");
    session.answer(frame, "ReadingSubmitted", { outcome: "exists" });
    assert.equal((await second).outcome, "exists");
  });

  test("without a connection it says so at once", async () => {
    makeClient();
    await assert.rejects(client.submitReading({ meter_id: "m", kwh_amount: 1, timestamp: "t" }),
      { code: "CONNECTION_LOST" });
  });
});

describe("lost connections", () => {
  test("the stream is resumed by the newest cursor and the last sequence", async () => {
    (await streaming()).cut();
    const session = await bridge.signedIn();
    const frame = await session.frame("Subscribe");
    assert.deepEqual(frame.data, { ...FILTER, resume: "c4", last_seq: 3 });
    session.answer(frame, "Subscribed", { cursor: "c4", epoch: "log", head_sequence: 5 });
    session.event(5);
    await next("event");
    assert.deepEqual(seen, [["reset", { reason: "SUBSCRIBED", epoch: "log" }], 1, 3, 5]);
  });

  test("an event that comes again is left out and counted", async () => {
    const session = await streaming();
    session.event(3);
    session.event(4);
    await next("event");
    assert.deepEqual(seen.slice(1), [1, 3, 4]);
    assert.equal(client.duplicates, 1);
  });

  test("the wait is a random part of a bound that doubles up to the cap", async () => {
    makeClient({ url: "http://127.0.0.1:1/ws", backoffBaseMs: 10, backoffCapMs: 40,
      random: () => 0.5 }).connect();
    const waits = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      waits.push((await reaches("waiting")).retryInMs);
    }
    assert.deepEqual(waits, [5, 10, 20, 20]);
  });

  test("Draining names the wait", async () => {
    const session = await streaming();
    session.send("Draining", { reconnect_after_ms: 7, cursor: "c9" });
    const waiting = reaches("waiting");
    session.close(1001);
    assert.equal((await waiting).retryInMs, 7);
    assert.equal((await (await bridge.signedIn()).frame("Subscribe")).data.resume, "c9");
  });

  test("4429 waits a minute, and retryNow ends the wait", async () => {
    const session = await streaming();
    const waiting = reaches("waiting");
    session.close(4429);
    assert.ok((await waiting).retryInMs >= 60_000);
    client.retryNow();
    await bridge.signedIn();
  });

  test("a silent connection is given up", async () => {
    const session = await streaming({ pingIntervalMs: 5, silenceMs: 20 });
    session.silence();
    assert.equal((await reaches("waiting")).reason, "SILENT");
  });

  test("a server that accepts and says nothing is given up", async () => {
    makeClient({ connectTimeoutMs: 5 }).connect();
    assert.equal((await reaches("waiting")).reason, "NO_ANSWER");
  });

  test("only what can help is retried", () => {
    for (const code of [1001, 1006, 1011, 1013, 4401, 4408, 4429, 4503, 4599]) {
      assert.ok(mayReconnect(code), code);
    }
    for (const code of [1000, 1002, 1003, 1007, 1009, 4400, 4403, 4499]) {
      assert.ok(!mayReconnect(code), code);
    }
  });

  test("4403 closes, and connect takes the stream up again", async () => {
    const session = await streaming();
    const closed = reaches("closed");
    session.close(4403, "no longer allowed");
    await closed;
    client.connect();
    assert.equal((await (await bridge.signedIn()).frame("Subscribe")).data.last_seq, 3);
  });
});

describe("cursors that are lost", () => {
  // The client resumes, is refused with `code`, and begins anew in the log `epoch`.
  async function beginsAnew(code, epoch, more) {
    (await streaming()).cut();
    const session = await bridge.signedIn();
    session.refuse(await session.frame("Subscribe"), code, more);
    const frame = await session.frame("Subscribe");
    assert.deepEqual(frame.data, { ...FILTER, start: "beginning" });
    seen = [];
    session.together(() => {
      session.answer(frame, "Subscribed", { cursor: "n0", epoch, head_sequence: 4 });
      for (const seq of [1, 3, 4]) session.event(seq);
    });
    while (seen.at(-1) !== 4) await next("event");
    return seen;
  }

  test("another log is read from its beginning, after a reset", async () => {
    assert.deepEqual(await beginsAnew("CURSOR_EPOCH_MISMATCH", "other"),
      [["reset", { reason: "CURSOR_EPOCH_MISMATCH", epoch: "other" }], 1, 3, 4]);
  });

  test("another user's view of the same log comes after a reset", async () => {
    assert.deepEqual(await beginsAnew("CURSOR_SCOPE_MISMATCH", "log"),
      [["reset", { reason: "CURSOR_SCOPE_MISMATCH", epoch: "log" }], 1, 3, 4]);
  });

  test("of the same log, what was seen is left out", async () => {
    assert.deepEqual(await beginsAnew("INVALID_CURSOR", "log"), [4]);
  });

  test("events that are compacted away are named", async () => {
    assert.deepEqual(await beginsAnew("CURSOR_COMPACTED", "log", { oldest_sequence: 9 }),
      [["gap", { from: 4, to: 8 }], 4]);
  });

  test("after 4503 the client begins anew without asking", async () => {
    (await streaming()).close(4503);
    const session = await bridge.signedIn();
    const frame = await session.frame("Subscribe");
    assert.equal(frame.data.start, "beginning");
    seen = [];
    session.answer(frame, "Subscribed", { cursor: "n0", epoch: "log", head_sequence: 4 });
    for (const seq of [1, 3, 4]) session.event(seq);
    await next("event");
    assert.deepEqual(seen, [4]);
  });
});

describe("subscriptions", () => {
  test("what was asked for while away is sent once signed in, in order", async () => {
    makeClient().connect();
    const done = Promise.all([client.subscribe("user:ana"), client.subscribe(["meter:M"])]);
    const session = await bridge.signedIn();
    const first = await session.frame("Subscribe");
    assert.deepEqual(first.data, { channels: ["user:ana"], start: "now" });
    session.answer(first, "Subscribed", { cursor: "a", epoch: "log" });
    const second = await session.frame("Subscribe");
    assert.deepEqual(second.data, { channels: ["meter:M"] });
    session.answer(second, "Subscribed", { cursor: "b", epoch: "log" });
    await done;
  });

  test("a channel whose answer was lost is added after the old ones are resumed", async () => {
    makeClient().connect();
    const session = await bridge.signedIn();
    const first = client.subscribe("user:ana");
    session.answer(await session.frame("Subscribe"), "Subscribed", { cursor: "a", epoch: "log" });
    await first;
    const second = client.subscribe("meter:M");
    await session.frame("Subscribe");
    session.cut();

    const again = await bridge.signedIn();
    const resumed = await again.frame("Subscribe");
    assert.deepEqual(resumed.data, { channels: ["user:ana"], resume: "a", last_seq: 0 });
    again.answer(resumed, "Subscribed", { cursor: "a", epoch: "log" });
    const added = await again.frame("Subscribe");
    assert.deepEqual(added.data, { channels: ["meter:M"] });
    again.answer(added, "Subscribed", { cursor: "b", epoch: "log" });
    await second;
    again.cut();
    assert.deepEqual((await (await bridge.signedIn()).frame("Subscribe")).data,
      { channels: ["user:ana", "meter:M"], resume: "b", last_seq: 0 });
  });

  test("a refusal rejects and names the channel; the stream goes on", async () => {
    makeClient().connect();
    const session = await bridge.signedIn();
    const refused = client.subscribe("user:eve");
    session.refuse(await session.frame("Subscribe"), "ACCESS_DENIED", { channel: "user:eve" });
    await assert.rejects(refused, ({ code, data }) =>
      code === "ACCESS_DENIED" && data.channel === "user:eve");
    assert.equal(client.state, "open");
  });

  test("what the server can't do now is asked again", async () => {
    makeClient({ random: () => 0 }).connect();
    const session = await bridge.signedIn();
    const done = client.subscribe("user:ana");
    session.refuse(await session.frame("Subscribe"), "UPSTREAM_UNAVAILABLE", { retry_after_ms: 1 });
    session.answer(await session.frame("Subscribe"), "Subscribed", { cursor: "a", epoch: "log" });
    await done;
  });

  test("another filter begins anew: events behind its answer belong to it", async () => {
    const session = await streaming();
    const done = client.subscribe({ meters: ["M"] }, { start: "beginning" });
    const frame = await session.frame("Subscribe");
    seen = [];
    session.together(() => {
      session.event(4);
      session.answer(frame, "Subscribed", { cursor: "m", epoch: "log" });
      session.event(1);
    });
    await done;
    await client.ping();
    assert.deepEqual(seen, [4, ["reset", { reason: "SUBSCRIBED", epoch: "log" }], 1]);
  });

  test("unsubscribing from one channel keeps the others", async () => {
    makeClient().connect();
    const session = await bridge.signedIn();
    client.subscribe(["user:ana", "meter:M"]);
    session.answer(await session.frame("Subscribe"), "Subscribed", { cursor: "a", epoch: "log" });
    const done = client.unsubscribe(["meter:M"]);
    session.answer(await session.frame("Unsubscribe"), "Unsubscribed", { cursor: "b" });
    await done;
    session.cut();
    assert.deepEqual((await (await bridge.signedIn()).frame("Subscribe")).data,
      { channels: ["user:ana"], resume: "b", last_seq: 0 });
  });

  test("a stored position is resumed by another client, once", async () => {
    await streaming();
    const { position } = client;
    client.close();
    makeClient().connect();
    const done = client.subscribe(FILTER, { resume: position });
    const session = await bridge.signedIn();
    const frame = await session.frame("Subscribe");
    assert.deepEqual(frame.data, { ...FILTER, resume: "c4", last_seq: 3 });
    session.cut();
    const again = await bridge.signedIn();
    const resumed = await again.frame("Subscribe");
    assert.deepEqual(resumed.data, frame.data);
    again.answer(resumed, "Subscribed", { cursor: "c4", epoch: "log" });
    again.event(5);
    await next("event");
    await done;
    assert.deepEqual(seen, [5]);
  });

  test("closing refuses what is still wanted", async () => {
    makeClient().connect();
    const refused = client.subscribe("user:ana");
    client.close();
    await assert.rejects(refused, { code: "CLOSED" });
  });
});

test("it knows that it is at the end of the log before a heartbeat says so", async () => {
  const session = await streaming();
  session.send("CaughtUp", { cursor: "c9", sequence: 9 });
  await next("CaughtUp");
  assert.equal(client.lag.deliveredSequence, 9);
});

describe("batches", () => {
  test("each event of a batch is told by itself, in order, and once", async () => {
    const session = await streaming();
    seen = [];
    const event = (seq) => ({ type: "TokensMinted", seq, data: { meter_id: "M" } });
    session.raw(JSON.stringify([event(3), event(5), event(6)]));
    session.event(8);
    session.send("Heartbeat", { cursor: "c8", head_sequence: 8, delivered_sequence: 8,
      upstream: "connected" });
    await next("Heartbeat");
    assert.deepEqual(seen, [5, 6, 8]);
  });

  test("whoever closes the client within a batch is told no more of it", async () => {
    const session = await streaming();
    seen = [];
    client.on("event", ({ seq }) => { if (seq === 5) client.close(); });
    const closed = reaches("closed");
    session.raw(JSON.stringify([5, 6].map((seq) => ({ type: "TokensMinted", seq, data: {} }))));
    await closed;
    assert.deepEqual(seen, [5]);
  });
});

describe("what is broken", () => {
  test("a frame that is no JSON is told and left out", async () => {
    const session = await streaming();
    seen = [];
    session.together(() => {
      session.event(5);
      session.raw("{");
      session.event(6);
    });
    while (seen.at(-1) !== 6) await next("event");
    assert.equal(seen[1][1].code, "INVALID_MESSAGE");
    assert.equal(client.state, "open");
  });

  test("unknown types and members are let through", async () => {
    const session = await streaming();
    session.send("Unheard", { of: 1 }, { more: true });
    session.event(5, "UnheardFact");
    assert.equal((await next("UnheardFact")).seq, 5);
  });
});

describe("values", () => {
  test("sums of any size are printed exactly", () => {
    assert.equal(formatTokens("0"), "0");
    assert.equal(formatTokens(1), "0.000000001");
    assert.equal(formatTokens("1500000000"), "1.5");
    assert.equal(formatTokens(103425401753681n), "103425.401753681");
    assert.equal(formatTokens("123456789012345678901234567890"), "123456789012345678901.23456789");
    assert.equal(formatTokens(-1500000000n), "-1.5");
    assert.equal(formatTokens(2_000_000_000, { minimumFractionDigits: 9 }), "2.000000000");
  });

  test("nine digits of energy become exact nano-kWh", () => {
    for (const text of ["0", "0.000000001", "0.1", "99.999999999", "100", "12345.678912345"]) {
      const [whole, fraction = ""] = text.split(".");
      assert.equal(nanoKwh(JSON.parse(text)), BigInt(whole + fraction.padEnd(9, "0")), text);
    }
  });
});

describe("tickets", () => {
  async function ticketFrom(status, headers, body, key = { token: "k" }) {
    const asked = {};
    const server = createServer((request, response) => {
      Object.assign(asked, { method: request.method, headers: request.headers });
      response.writeHead(status, headers).end(body);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${server.address().port}/ws/ticket`;
    try {
      return { asked, ...(await fetchTicket({ url, ...key })) };
    } catch (error) {
      return { asked, error };
    } finally {
      server.close();
    }
  }

  test("a key is exchanged by its header", async () => {
    const { asked, ticket } = await ticketFrom(201, {}, '{"ticket":"t"}', { apiKey: "wm_x" });
    assert.equal(ticket, "t");
    assert.equal(asked.method, "POST");
    assert.equal(asked.headers["x-api-key"], "wm_x");
  });

  test("a wrong key is final, a busy server is not", async () => {
    const wrong = await ticketFrom(401, {}, '{"code":"INVALID_API_KEY","error":"no such key"}');
    assert.equal(wrong.error.code, "INVALID_API_KEY");
    assert.ok(wrong.error.final);
    const busy = await ticketFrom(429, { "Retry-After": "3" }, '{"code":"RATE_LIMIT_EXCEEDED"}');
    assert.equal(busy.error.retryAfterMs, 3000);
    assert.ok(!busy.error.final);
    const broken = await ticketFrom(502, {}, "<html>");
    assert.equal(broken.error.code, "HTTP_502");
  });

  test("a server that is away is said to be so", async () => {
    await assert.rejects(fetchTicket({ url: "http://127.0.0.1:1/ws/ticket", token: "k" }),
      { code: "UNREACHABLE", final: false });
  });
});
