// SPDX-License-Identifier: Apache-2.0

import { grouped, seconds, setText } from "./text.js";

const HEARTBEAT_LATE_MS = 25_000;  // one comes every 15 s

// What the user is told about the connection, in plain words: never "live" when it is not.
export class ConnectionView {
  #client;
  #parts;
  #change = { state: "idle" };
  #retryAt = 0;
  #head = 0;
  #wasOpen = false;
  isCaughtUp = false;

  constructor(client, parts) {
    this.#client = client;
    this.#parts = parts;
    client.on("state", (change) => this.#enter(change));
    client.on("Subscribed", ({ data }) => this.#catchUp(data.head_sequence));
    client.on("FellBehind", ({ data }) => this.#catchUp(data.head_sequence));
    client.on("CaughtUp", () => {
      this.isCaughtUp = true;
      client.ping().catch(() => {});  // while catching up it waits behind the events
    });
    client.on("gap", ({ from, to }) => this.warn("The log no longer has the events "
      + `${grouped(from)} to ${grouped(to)}: the sums on this page lack them.`));
    client.on("Notification", ({ data }) => this.warn(data.message));
    client.on("reset", ({ reason }) => {
      if (reason !== "SUBSCRIBED") this.warn("Another log or user than before: all is read anew.");
    });
    parts.retry.addEventListener("click", () => client.retryNow());
    setInterval(() => this.draw(), 1000);
  }

  warn(message) {
    setText(this.#parts.notice, message);
    this.#parts.notice.hidden = false;
  }

  draw() {
    const lag = this.#client.lag;
    const [look, text] = this.#words(lag);
    this.#parts.lamp.dataset.state = look;
    setText(this.#parts.state, text);
    this.#parts.retry.hidden = this.#change.state !== "waiting";
    const { roundTripMs, lastHeartbeatAt } = lag;
    const trip = roundTripMs === null ? "–" : `${roundTripMs.toFixed(1)} ms`;
    const heartbeat = lastHeartbeatAt === null ? "–" : `${ago(lastHeartbeatAt)} ago`;
    setText(this.#parts.trip, trip);
    setText(this.#parts.heartbeat, heartbeat);
    setText(this.#parts.head, orDash(Math.max(lag.headSequence, lag.sequence)));
    setText(this.#parts.delivered, orDash(Math.max(lag.deliveredSequence, lag.sequence)));
    setText(this.#parts.sequence, orDash(lag.sequence));
    setText(this.#parts.upstream, lag.upstream ?? "–");
    setText(this.#parts.pulse, this.#change.state !== "open" || roundTripMs === null ? ""
      : `round trip ${trip}, ${grouped(behind(lag))} events behind`);
  }

  #enter(change) {
    this.#change = change;
    if (change.state === "open") this.#wasOpen = true;
    else this.isCaughtUp = false;
    if (change.state === "waiting") this.#retryAt = Date.now() + change.retryInMs;
    this.draw();
  }

  #catchUp(head) {
    this.isCaughtUp = false;
    this.#head = head;
  }

  #words(lag) {
    switch (this.#change.state) {
      case "connecting":
        return ["connecting", "Connecting"];
      case "authenticating":
        return ["connecting", "Signing in"];
      case "waiting":
        return ["lost", `Connection lost, next attempt ${inTime(this.#retryAt - Date.now())}`];
      case "open":
        return this.#openWords(lag);
      default:
        return this.#wasOpen ? ["closed", "Signed out"] : ["idle", "Not signed in"];
    }
  }

  #openWords({ sequence, upstream, lastFrameAt, lastEventAt, lastHeartbeatAt }) {
    if (upstream === "lost" && lastEventAt <= lastHeartbeatAt) {
      return ["behind", "The bridge has lost the core: events will follow"];
    }
    const silentMs = Date.now() - Math.max(lastFrameAt, lastHeartbeatAt);
    if (silentMs > HEARTBEAT_LATE_MS) return ["behind", `Nothing heard for ${seconds(silentMs)}`];
    if (!this.isCaughtUp) {
      const head = grouped(Math.max(this.#head, sequence));
      return ["behind", `Catching up, ${grouped(sequence)} of ${head}`];
    }
    return ["live", "Live"];
  }
}

function inTime(ms) {
  return ms < 500 ? "now" : `in ${seconds(ms)}`;
}

function ago(time) {
  return seconds(Math.max(Date.now() - time, 0));
}

// Events of the log that are not here yet, as far as the last heartbeat tells.
function behind({ headSequence, deliveredSequence, sequence }) {
  return Math.max(headSequence - Math.max(deliveredSequence, sequence), 0);
}

function orDash(sequence) {
  return sequence > 0 ? grouped(sequence) : "–";
}
