// SPDX-License-Identifier: Apache-2.0
// The page: one client, one model, and views that are painted from the model.

import { Alerts } from "./alerts.js";
import { Announcer } from "./announcer.js";
import { WattmintClient } from "./client.js";
import { ConnectionView } from "./connection.js";
import { FeedView } from "./feed-view.js";
import { ClockDifference, Latency } from "./latency.js";
import { LatencyView } from "./latency-view.js";
import { Model } from "./model.js";
import { Plot } from "./plot.js";
import { SignIn } from "./sign-in.js";
import { SupplyView, TaskView } from "./supply-view.js";
import { BatchTable, MeterTable, RefusalList, WalletTable } from "./tables.js";
import { exact, grouped, setExact, setText } from "./text.js";
import { Theme } from "./theme.js";

// All but the execution data of tasks, of which TokensMinted says what counts.
const EVENT_TYPES = ["MeterReadingReceived", "MeterReadingValidationFailed", "ReadingCorrected",
  "ReadingWithdrawn", "TaskCreated", "TaskStatusChanged", "TokensMinted", "BatchMintingCompleted",
  "MeterChanged", "ApiKeyChanged", "MintingSwitched", "Notification"];
const PAINT_MS = 100;
const PAINT_CATCHING_UP_MS = 1000;  // leaves the time to the events

const at = (id) => document.getElementById(id);
// Elements by the name that their id has behind `prefix`, and others by theirs.
const parts = (prefix, names, others = {}) => ({
  ...Object.fromEntries(names.map((name) => [name, at(`${prefix}-${name}`)])), ...others });

const model = new Model();
const delivery = new Latency();
const clock = new ClockDifference();
const signIn = new SignIn({ section: at("sign-in"), form: at("sign-in-form"),
  why: at("sign-in-why"), key: at("key"), keep: at("keep"), wrong: at("sign-in-wrong") },
() => client.connect());
const options = { url: new URL("ws", document.baseURI), credential: () => signIn.credential() };
const client = new WattmintClient(options);
const alertClient = new WattmintClient(options);
const announcer = new Announcer(at("announcer"),
  () => (connection.isCaughtUp ? model.feed.counts : null));
const connection = new ConnectionView(client, parts("link", ["trip", "heartbeat", "head",
  "delivered", "sequence", "upstream", "reconnects", "close", "cursor"],
{ lamp: at("state"), state: at("state-text"), retry: at("retry"), pulse: at("pulse"),
  notice: at("notice"), banner: at("banner"), bannerText: at("banner-text") }),
(text) => announcer.say(text));
const alerts = new Alerts(alertClient, parts("alerts", ["list", "none"]), onAlert);
const plot = new Plot(model, { canvas: at("plot"), energy: at("plot-energy"),
  tokens: at("plot-tokens"), at: at("plot-at"), table: at("plot-table") });
const feed = new FeedView(model, parts("feed", ["panel", "kinds", "meter", "least", "pause",
  "clear", "names", "count", "none"], { table: at("events") }));
const lists = [
  new SupplyView(parts("supply", ["accepted", "nothing", "rejected", "toMint", "minted",
    "mintedBefore", "tokens", "difference", "waiting", "parked", "verdict", "bar"])),
  new TaskView(parts("tasks", ["table", "reasons", "paused", "since"])),
  new LatencyView(parts("latency", ["mint50", "mint95", "mint99", "mintCount", "delivery50",
    "delivery95", "delivery99", "deliveryCount", "clock", "bars", "chart"],
  { title: at("latency-title-of-bars") }), { delivery, clock }),
  new MeterTable({ table: at("meters"), count: at("meters-count") }),
  new WalletTable({ table: at("wallets") }),
  new RefusalList({ list: at("refusals"), none: at("refusals-none") }),
  new BatchTable(parts("batches", ["table", "count"])),
];
new Theme(at("theme"), () => plot.recolor());

let isPainting = false;
let ownId = null;

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
  setText(at("link-connections"), alerts.status ? grouped(alerts.status.connections) : "–");
  connection.draw();
  plot.draw();
  feed.draw();
  alerts.draw(signIn.hasKey);
  for (const list of lists) list.draw(model);
}

function paintSoon() {
  if (isPainting) return;
  isPainting = true;
  setTimeout(() => requestAnimationFrame(paint),
    connection.isCaughtUp ? PAINT_MS : PAINT_CATCHING_UP_MS);
}

function subscribe() {
  client.subscribe({ event_types: EVENT_TYPES }, { start: "beginning" })
    .catch((error) => connection.warn(error.message));
}

function open(identity) {
  ownId = identity.user_id;
  signIn.done();
  at("board").hidden = false;
  at("batches").hidden = !identity.roles.includes("admin");
  setText(at("who"), `${identity.user_id} (${identity.roles.join(", ")})`);
  if (!client.position.epoch) subscribe();
  if (signIn.hasKey) alertClient.connect();
}

function onState({ state, identity, reason, message }) {
  if (state === "open") open(identity);
  else if (state === "closed") {
    alertClient.close();
    signIn.ask(signIn.explain({ reason, message }, !at("board").hidden));
  }
  at("sign-out").hidden = state === "closed" || state === "idle";
  paintSoon();
}

function onEvent(frame) {
  model.apply(frame);
  // An admin's feed has everybody's.
  const isForUs = frame.type === "Notification" && frame.data.user_id === ownId;
  const alert = isForUs ? alerts.add(frame) : null;
  if (connection.isCaughtUp) {  // what is read from the log was delivered long after it happened
    delivery.add(Date.now() - (clock.best?.correctionMs ?? 0) - Date.parse(frame.timestamp));
    sayAlert(alert);
  }
  paintSoon();
}

function onAlert(alert) {
  sayAlert(alert);
  paintSoon();
}

function sayAlert(alert) {
  if (alert) announcer.say(`${alert.severity}: ${alert.message}`);
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
client.on("event", onEvent);
client.on("reset", () => {
  model.reset();
  alerts.forgetNotifications();
  paintSoon();
});
client.on("Pong", ({ timestamp, data }) => {
  clock.add(data.timestamp, Date.parse(timestamp), Date.now());
});
for (const type of ["lag", "FellBehind"]) client.on(type, paintSoon);
client.on("CaughtUp", paint);  // "live" and the sums of all that went before it, together

choose("range", (text) => (text === "all" ? text : Number(text)));
choose("step", (text) => text);
at("sign-out").addEventListener("click", () => {
  signIn.forget();
  location.reload();  // nothing of this user stays in the page
});
addEventListener("online", () => client.retryNow());

if (signIn.hasCredential) client.connect();
else signIn.ask({ why: "The readings, mints and balances of your meters, as they happen." });
