// SPDX-License-Identifier: Apache-2.0
// The page: one client, one model, and views that are painted from the model.

import { WattmintClient } from "./client.js";
import { ConnectionView } from "./connection.js";
import { Model } from "./model.js";
import { Plot } from "./plot.js";
import { SignIn } from "./sign-in.js";
import { EventTable, MeterTable, RefusalList, WalletTable } from "./tables.js";
import { exact, grouped, setExact, setText } from "./text.js";

const EVENT_TYPES = ["MeterReadingReceived", "MeterReadingValidationFailed", "TokensMinted",
  "BatchMintingCompleted"];  // the steps of tasks are three times as many: only if asked for
const PAINT_MS = 100;
const PAINT_CATCHING_UP_MS = 400;  // leaves the time to the events

const at = (id) => document.getElementById(id);
const model = new Model();
const signIn = new SignIn({ section: at("sign-in"), form: at("sign-in-form"),
  why: at("sign-in-why"), key: at("key"), keep: at("keep"), wrong: at("sign-in-wrong") },
() => client.connect());
const client = new WattmintClient({
  url: new URL("ws", document.baseURI),
  credential: () => signIn.credential(),
});
const connection = new ConnectionView(client, { lamp: at("state"), state: at("state-text"),
  retry: at("retry"), pulse: at("pulse"), notice: at("notice"), trip: at("lag-trip"),
  heartbeat: at("lag-heartbeat"), head: at("lag-head"), delivered: at("lag-delivered"),
  sequence: at("lag-sequence"), upstream: at("lag-upstream") });
const plot = new Plot(model, { canvas: at("plot"), energy: at("plot-energy"),
  tokens: at("plot-tokens"), at: at("plot-at"), table: at("plot-table") });
const events = new EventTable(model, { table: at("events"), type: at("filter-type"),
  meter: at("filter-meter"), names: at("meter-names"), hold: at("hold"),
  count: at("events-count") });
const lists = [new MeterTable({ table: at("meters"), count: at("meters-count") }),
  new WalletTable({ table: at("wallets") }),
  new RefusalList({ list: at("refusals"), none: at("refusals-none") })];

let isPainting = false;
let withTaskSteps = false;

function paint() {
  isPainting = false;
  const { totals } = model;
  setExact(at("total-energy"), totals.nanoKwh);
  setExact(at("total-tokens"), totals.baseUnits);
  at("total-consumed").hidden = totals.consumedNanoKwh === 0n;
  setText(at("total-consumed"), `besides ${exact(totals.consumedNanoKwh)} kWh consumed`);
  setText(at("total-readings"), grouped(totals.readings));
  setText(at("total-mints"), grouped(totals.mints));
  setText(at("total-refused"), grouped(totals.refused));
  connection.draw();
  plot.draw();
  events.draw();
  for (const list of lists) list.draw(model);
}

function paintSoon() {
  if (isPainting) return;
  isPainting = true;
  setTimeout(() => requestAnimationFrame(paint),
    connection.isCaughtUp ? PAINT_MS : PAINT_CATCHING_UP_MS);
}

function subscribe() {
  const types = withTaskSteps ? [] : EVENT_TYPES;
  client.subscribe({ event_types: types }, { start: "beginning" })
    .catch((error) => connection.warn(error.message));
}

function onState({ state, identity, reason, message }) {
  if (state === "open") {
    signIn.done();
    at("board").hidden = false;
    setText(at("who"), `${identity.user_id} (${identity.roles.join(", ")})`);
    if (!client.position.epoch) subscribe();
  } else if (state === "closed") {
    signIn.ask(signIn.explain({ reason, message }, !at("board").hidden));
  }
  at("sign-out").hidden = state === "closed" || state === "idle";
  paintSoon();
}

function choose(group, choice) {
  for (const button of document.querySelectorAll(`[data-${group}]`)) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll(`[data-${group}]`)) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      plot.choose({ [group]: choice(button.dataset[group]) });
    });
  }
}

client.on("state", onState);
client.on("event", (frame) => {
  model.apply(frame);
  paintSoon();
});
client.on("reset", () => {
  model.reset();
  paintSoon();
});
for (const type of ["lag", "FellBehind"]) client.on(type, paintSoon);
client.on("CaughtUp", paint);  // "live" and the sums of all that went before it, together

choose("range", (text) => (text === "all" ? text : Number(text)));
choose("step", (text) => text);
at("filter-type").addEventListener("change", ({ target }) => {
  if (target.value !== "Task" || withTaskSteps) return;
  withTaskSteps = true;
  subscribe();
});
at("sign-out").addEventListener("click", () => {
  signIn.forget();
  location.reload();  // nothing of this user stays in the page
});
addEventListener("online", () => client.retryNow());

if (signIn.hasCredential) client.connect();
else signIn.ask({ why: "The readings, mints and balances of your meters, as they happen." });
