// SPDX-License-Identifier: Apache-2.0

import { setText, utc } from "./text.js";

const ALERTS_KEPT = 50;
const CHANNELS = ["system", "system_alerts"];

// Alerts for everybody and the bridge's own state, which come by channels: the events come by a
// filter, and a session has one or the other, so this is a session of its own. A Notification is an
// event of its user, and is handed over by the session of the events.
export class Alerts {
  status = null;  // the newest SystemStatus
  #alerts = [];  // newest first, by their own time
  #isReplaying = false;  // the alerts come that were there already
  #since = null;  // since when they come, as text
  #parts;

  // `onChange(alert)` is called for each new SystemAlert, and without one after anything else.
  constructor(client, parts, onChange) {
    this.#parts = parts;
    client.on("state", ({ state }) => {
      if (state !== "open") this.#since = null;
      else if (!client.position.epoch) client.subscribe(CHANNELS).catch(() => {});
    });
    // What the log says is told anew.
    client.on("reset", () => {
      this.#alerts = this.#alerts.filter(({ isForOne }) => isForOne);
      this.#isReplaying = true;
    });
    client.on("CaughtUp", () => { this.#isReplaying = false; });
    client.on("SystemStatus", ({ data }) => {
      this.status = data;
      onChange();
    });
    // Each time anew: a SystemAlert of the log that is missed follows, the bridge's own do not.
    client.on("Subscribed", () => {
      this.#since = utc(Date.now()).slice(11);
      onChange();
    });
    client.on("SystemAlert", (frame) => {
      const alert = this.add(frame);
      onChange(this.#isReplaying ? undefined : alert);
    });
  }

  // Takes a SystemAlert or a Notification, also an old one; returns it as it is shown.
  add(frame) {
    const alert = alertOf(frame);
    const sentAt = Date.parse(alert.time);
    const older = this.#alerts.findIndex(({ time }) => Date.parse(time) <= sentAt);
    this.#alerts.splice(older < 0 ? this.#alerts.length : older, 0, alert);
    this.#alerts.length = Math.min(this.#alerts.length, ALERTS_KEPT);
    return alert;
  }

  // What the session of the events told is told anew.
  forgetNotifications() {
    this.#alerts = this.#alerts.filter(({ isForOne }) => !isForOne);
  }

  // `canCome`: whether there is a key that opens a session for them.
  draw(canCome) {
    const { list, none } = this.#parts;
    none.hidden = this.#alerts.length > 0;
    if (!none.hidden) setText(none, this.#noneWords(canCome));
    while (list.children.length > this.#alerts.length) list.lastChild.remove();
    this.#alerts.forEach(({ severity, message, time }, index) => {
      const item = list.children[index] ?? make(list);
      item.dataset.severity = severity;
      setText(item.children[0], severity);
      setText(item.children[1], utc(time));
      setText(item.children[2], message);
    });
  }

  #noneWords(canCome) {
    if (!canCome) return "Alerts need a key to sign in with; a one-time link opened this page.";
    return this.#since === null ? "Alerts do not come yet." : `None since ${this.#since} UTC.`;
  }
}

function alertOf({ type, timestamp, data }) {
  return { severity: String(data.severity ?? data.level ?? "info").toLowerCase(),
    message: String(data.message ?? ""), time: timestamp, isForOne: type === "Notification" };
}

function make(list) {
  const item = document.createElement("li");
  item.append(document.createElement("b"), document.createElement("time"),
    document.createElement("span"));
  return list.appendChild(item);
}
