// SPDX-License-Identifier: Apache-2.0
// The AsyncAPI document that the program serves, by the specification's own schema, and the
// program's frames by the document.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { WebSocket } from "ws";

import { Wattmint } from "./wattmint.mjs";

const require = createRequire(import.meta.url);
const specification = require("@asyncapi/specs/schemas/3.0.0-without-$id.json");
const WALLET = "So11111111111111111111111111111111111111112";
const ENCODINGS = ["wattmint.v1.json", "wattmint.v1.flat", "cloudevents.json"];

let wattmint;
let key;
let answer;
let document;
let schemas;  // of the document

before(async () => {
  wattmint = await Wattmint.install();
  await wattmint.start();
  await wattmint.register("ANA-1", "ana", WALLET);
  key = await wattmint.key("ana");
  answer = await fetch(address(), { headers: { Origin: "https://elsewhere.example" } });
  document = await answer.json();
  schemas = validator();
  schemas.addSchema(document, "document");
});

after(() => wattmint.remove());

function address() { return `${wattmint.page}asyncapi.json`; }

function validator() {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  return ajv;
}

// Fails unless `value` is as the schema at the document's reference says.
function assertValid(value, { $ref }) {
  const validate = schemas.getSchema(`document${$ref}`);
  const isValid = validate(value);
  const violations = schemas.errorsText(validate.errors);
  assert.ok(isValid, `${$ref}: ${JSON.stringify(value)} ${violations}`);
}

function* references(value) {
  if (value === null || typeof value !== "object") return;
  if (typeof value.$ref === "string") yield value.$ref;
  for (const member of Object.values(value)) yield* references(member);
}

test("it is served as the static files are, to the own origin alone", async () => {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal(answer.headers.get("cache-control"), "no-cache");
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  const etag = answer.headers.get("etag");
  const again = await fetch(address(), { headers: { "If-None-Match": etag } });
  assert.equal(again.status, 304);
});

test("it is valid by the schema of AsyncAPI 3.0.0", () => {
  const ajv = validator();
  assert.ok(ajv.validate(specification, document), ajv.errorsText());
  const broken = { ...document, channels: { ws: { address: 7 } } };
  assert.ok(!ajv.validate(specification, broken), "the schema checks something");
});

test("it has schemas of draft 7, and no reference that leads nowhere", () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    const ajv = validator();
    assert.ok(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`);
  }
  const all = [...references(document)];
  assert.ok(all.length > 100);
  for (const reference of all) {
    const target = reference.slice(2).split("/").reduce((value, name) => value?.[name], document);
    assert.ok(target, reference);
  }
});

test("each example is as its schema says", () => {
  for (const [name, message] of Object.entries(document.components.messages)) {
    assert.ok(message.examples.length > 0, name);
    for (const { payload } of message.examples) assertValid(payload, message.payload);
  }
  for (const [name, { examples = [] }] of Object.entries(document.components.schemas)) {
    for (const example of examples) assertValid(example, { $ref: `#/components/schemas/${name}` });
  }
});

// Returns the frames until each of these types has come.
async function talk(encoding, commands, types) {
  const socket = new WebSocket(`${wattmint.page}ws`, encoding, { headers: { "X-Api-Key": key } });
  const frames = [];
  const missing = new Set(types);
  const all = new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed by ${code}, no ${[...missing]}`)));
    socket.on("message", (text) => {
      frames.push(JSON.parse(text));
      missing.delete(typeOf(frames.at(-1)));
      if (missing.size === 0) resolve();
    });
  });
  await once(socket, "open");
  for (const command of commands) socket.send(JSON.stringify(command));
  await all;
  socket.terminate();
  return frames;
}

function typeOf(frame) { return frame.type.split(".").at(-1); }

test("what the program sends is as the document says, in each encoding", async () => {
  const reading = { meter_id: "ANA-1", kwh_amount: 1.25, interval_seconds: 900,
    timestamp: new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000).toISOString() };
  const commands = [
    { type: "Subscribe", id: 1, data: { channels: ["user:ana"], start: "beginning" } },
    { type: "Subscribe", id: 2, data: { channels: ["wallet:nobody"] } },
    { type: "Ping", id: "3", data: { timestamp: 7.5 } },
    { type: "SubmitReading", id: 4, data: reading },
  ];
  const { messages } = document.components;
  for (const command of commands) assertValid(command, messages[command.type].payload);
  const types = ["Connected", "Authenticated", "Subscribed", "CaughtUp", "Error", "Pong",
    "ReadingSubmitted", "MeterReadingReceived", "TaskCreated", "TokensMinted"];
  for (const encoding of ENCODINGS) {
    for (const frame of await talk(encoding, commands, types)) {
      assertValid(frame, messages[typeOf(frame)]["x-payloads"][encoding]);
    }
  }
});
