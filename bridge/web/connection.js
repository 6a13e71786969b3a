// SPDX-License-Identifier: Apache-2.0

import { closeWords, LinkLog } from "./link-log.js";
import { duration, grouped, seconds, setText, short, utc } from "./text.js";

const HEARTBEAT_LATE_MS = 25_000;  // one comes every 15 s
const SETTLED_MS = 500;

// What the user is told about the connection, in plain words: never "live" when it is not.
export class ConnectionView {
  #client;
  #parts;
  #say;
  #log = new LinkLog();
  #head = 0;
  #look = "";
  isCaughtUp = false;

  // `say(text)` says it aloud, to whom listens to the page.
  constructor(client, parts, say) {
    this.#client = client;
    this.#parts = parts;
    this.#say = say;
    client.on("state", (change) => this.#enter(change));
    client.on("Subscribed", ({ data }) => this.#catchUp(data.head_sequence));
    client.on("FellBehind", ({ data }) => this.#catchUp(data.head_sequence));
    client.on("CaughtUp", () => {
      this.isCaughtUp = true;
      // While events come in, a ping waits behind them.
      setTimeout(() => client.ping().catch(() => {}), SETTLED_MS);
    });
    client.on("gap", ({ from, to }) => this.warn("The log no longer has the events "
      + `${grouped(from)} to ${grouped(to)}: the sums on this page lack them.`));
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
    if (look !== this.#look) {
      this.#look = look;
      this.#say(text);
    }
    this.#drawBanner(look, lag);
    this.#drawNumbers(lag);
  }

  #enter(change) {
    this.#log.enter(change, Date.now());
    if (change.state !== "open") this.isCaughtUp = false;
    this.draw();
  }

  #catchUp(head) {
    this.isCaughtUp = false;
    this.#head = head;
  }

  #words(lag) {
    switch (this.#log.state) {
      case "connecting":
      case "waiting":
        if (this.#log.lostAt !== null) return ["lost", "Connection lost"];
        return this.#log.attempt > 0 ? ["lost", "No connection"] : ["connecting", "Connecting"];
      case "authenticating":
        return ["connecting", "Signing in"];
      case "open":
        return this.#openWords(lag);
      default:
        return this.#log.wasOpen ? ["closed", "Signed out"] : ["idle", "Not signed in"];
    }
  }

  #openWords({ sequence, lastFrameAt, lastHeartbeatAt, ...lag }) {
    if (isCoreLost(lag, lastHeartbeatAt)) return ["behind", "The bridge has lost the core"];
    const silentMs = Date.now() - Math.max(lastFrameAt, lastHeartbeatAt);
    if (silentMs > HEARTBEAT_LATE_MS) return ["behind", `Nothing heard for ${seconds(silentMs)}`];
    if (!this.isCaughtUp) {
      const head = grouped(Math.max(this.#head, sequence));
      return ["behind", `Catching up, ${grouped(sequence)} of ${head}`];
    }
    return ["live", "Live"];
  }

  // What is lost, since when, and what happens next.
  #drawBanner(look, lag) {
    const { banner, bannerText, retry } = this.#parts;
    const isCoreAway = look === "behind" && isCoreLost(lag, lag.lastHeartbeatAt);
    banner.hidden = look !== "lost" && !isCoreAway;
    banner.dataset.look = look;
    if (banner.hidden) return;
    retry.hidden = this.#log.state !== "waiting";
    setText(bannerText, isCoreAway
      ? "The bridge has lost the core and tries to reach it. Events follow then; none is left out."
      : `${this.#whatIsLost()}. ${this.#nextTry()}`);
  }

  #whatIsLost() {
    const { lastClose, lostAt } = this.#log;
    const code = lastClose === null ? "" : ` (${closeWords(lastClose.code)})`;
    return lostAt === null ? `No connection${code}`
      : `Connection lost at ${utc(lostAt).slice(11)} UTC${code}. What you see is of then; what is `
        + "missed will follow";
  }

  #nextTry() {
    const { retryAt, attempt } = this.#log;
    if (retryAt === null) return `Trying now, attempt ${attempt}.`;
    const ms = retryAt - Date.now();
    return `Attempt ${attempt} ${ms < 500 ? "now" : `in ${seconds(ms)}`}.`;
  }

  #drawNumbers(lag) {
    const { roundTripMs, lastHeartbeatAt } = lag;
    const { reconnects, lastClose } = this.#log;
    const trip = roundTripMs === null ? "–" : duration(roundTripMs);
    const { cursor } = this.#client.position;
    const heartbeat = lastHeartbeatAt === null ? "–" : `${ago(lastHeartbeatAt)} ago`;
    const values = { trip, heartbeat,
      head: orDash(Math.max(lag.headSequence, lag.sequence)),
      delivered: orDash(Math.max(lag.deliveredSequence, lag.sequence)),
      sequence: orDash(lag.sequence),
      upstream: lag.upstream ?? "–",
      reconnects: grouped(reconnects),
      close: lastClose === null ? "none"
        : `${closeWords(lastClose.code)}, ${utc(lastClose.at).slice(11)}`,
      cursor: cursor ? short(cursor, 5) : "–" };
    for (const [name, value] of Object.entries(values)) setText(this.#parts[name], value);
    this.#parts.cursor.title = cursor ?? "";
    setText(this.#parts.pulse, this.#log.state !== "open" || roundTripMs === null ? ""
      : `round trip ${trip}, ${grouped(behind(lag))} events behind`);
  }
}

function isCoreLost({ upstream, lastEventAt }, lastHeartbeatAt) {
  return upstream === "lost" && lastEventAt <= lastHeartbeatAt;
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
