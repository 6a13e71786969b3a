// SPDX-License-Identifier: Apache-2.0
// A resuming client of the bridge's WebSocket, for browsers and Node. The wire protocol is
// bridge/README.md; the contract of what is exported here is wattmint-client.d.ts.

import { Stream } from "./wattmint-stream.js";
import { WattmintError } from "./wattmint-values.js";

export { WattmintError, fetchTicket, formatTokens, nanoKwh } from "./wattmint-values.js";

const ASK_AGAIN = new Set(["UPSTREAM_UNAVAILABLE", "RATE_LIMIT_EXCEEDED"]);
const HEALTHY_AFTER_MS = 10_000;  // a connection that lived so long resets the back-off
const RATE_LIMIT_PAUSE_MS = 60_000;

export class WattmintClient {
  #options;
  #listeners = new Map();
  #state = "idle";
  #socket = null;
  #attempt = 0;
  #openedAt = 0;
  #connection = 0;  // counts connections: what belongs to an older one has no effect
  #timers = { retry: 0, connect: 0, ping: 0 };
  #signedInWith = null;
  #refusal = null;  // {credential, code, message}: what the server did not take
  #drainMs = null;
  #requests = new Map();  // id -> {resolve, reject, apply}, of this connection
  #nextId = 1;
  #tasks = [];  // of a JobSnapshot that has not come whole yet
  #submitted = Promise.resolve();  // settles with the last submission
  #lag = { roundTripMs: null, headSequence: null, deliveredSequence: null, upstream: null,
    lastFrameAt: null, lastEventAt: null, lastHeartbeatAt: null };
  #stream = new Stream({
    ask: (type, data, apply) => this.#ask(type, data, apply),
    emit: (type, detail) => this.#emit(type, detail),
  });

  constructor(options) {
    this.#options = {
      WebSocket: globalThis.WebSocket, credential: null, random: Math.random,
      backoffBaseMs: 500, backoffCapMs: 30_000, pingIntervalMs: 10_000, silenceMs: 40_000,
      connectTimeoutMs: 15_000, ...options,
    };
    if (!this.#options.WebSocket) {
      throw new TypeError("no WebSocket here: give one as the option WebSocket, such as npm's ws");
    }
  }

  get state() { return this.#state; }
  get lag() { return { ...this.#lag, sequence: this.#stream.position.sequence }; }
  get position() { return this.#stream.position; }
  get duplicates() { return this.#stream.duplicates; }

  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.#listeners.get(type).delete(listener);
  }

  connect() {
    if (this.#state === "idle" || this.#state === "closed") {
      this.#attempt = 0;
      this.#open("connect");
    }
  }

  retryNow() {
    if (this.#state === "waiting") this.#open("retry");
  }

  close() {
    this.#finish("CLOSED", "closed by the application");
  }

  subscribe(what, { start = "now", resume = null } = {}) {
    const channels = typeof what === "string" ? [what] : Array.isArray(what) ? what : what.channels;
    const target = channels ? { channels: [...channels] } : { filter: { ...what } };
    return this.#change({ type: "Subscribe", target, start, resume });
  }

  unsubscribe(channels = null) {
    return this.#change({ type: "Unsubscribe", target: { channels } });
  }

  // One after another, each once: whoever gets no answer may submit the same again.
  submitReading(reading) {
    const answer = this.#submitted.then(() => {
      if (this.#state !== "open") throw new WattmintError("CONNECTION_LOST");
      return this.#request("SubmitReading", { ...reading, kwh_amount: plain(reading.kwh_amount) });
    });
    this.#submitted = answer.catch(() => {});
    return answer;
  }

  #change(change) {
    const done = this.#stream.change(change);
    this.#work();
    return done;
  }

  async ping() {
    const sentAt = performance.now();
    await this.#request("Ping", { timestamp: Date.now() });
    this.#lag.roundTripMs = performance.now() - sentAt;
    this.#emit("lag", this.lag);
    return this.#lag.roundTripMs;
  }

  #emit(type, detail) {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => { throw error; });  // theirs to see, not ours to fall over
      }
    }
  }

  #enter(state, detail = {}) {
    const previous = this.#state;
    this.#state = state;
    this.#emit("state", { state, previous, attempt: this.#attempt, ...detail });
  }

  // --- connections

  async #open(why) {
    const connection = this.#leave();
    this.#enter("connecting");
    let credential;
    try {
      credential = await this.#credential(why);
    } catch (error) {
      if (connection !== this.#connection) return;
      if (error.final) this.#finish(error.code, error.message);
      else this.#wait({ reason: error.code ?? "NO_CREDENTIAL", message: error.message,
        afterMs: error.retryAfterMs });
      return;
    }
    if (connection !== this.#connection) return;
    if (this.#options.credential && !credential) {
      this.#finish("AUTHENTICATION_REQUIRED", "there is no credential to sign in with");
    } else if (credential && this.#refusal && sameSecret(credential, this.#refusal.credential)) {
      this.#finish(this.#refusal.code, this.#refusal.message);
    } else {
      this.#dial(connection, credential);
    }
  }

  async #credential(why) {
    const refused = this.#refusal?.code ?? null;
    return secretOf(await this.#options.credential?.({ why, refused }));
  }

  #dial(connection, credential) {
    const url = new URL(this.#options.url, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (credential?.ticket) url.searchParams.set("ticket", credential.ticket);
    const socket = new this.#options.WebSocket(url.href, ["wattmint.v1.json"]);
    const current = (handler) => (event) => {
      if (connection === this.#connection) handler(event);
    };
    socket.onmessage = current((event) => this.#receive(event.data));
    socket.onclose = current((event) => this.#lost(event.code, event.reason));
    socket.onerror = () => {};  // a close follows
    this.#socket = socket;
    this.#signedInWith = credential;
    this.#timers.connect = setTimeout(
      () => this.#lost(1006, "NO_ANSWER"), this.#options.connectTimeoutMs);
  }

  // Lets go of the connection; returns the number of the next one.
  #leave() {
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.connect);
    clearInterval(this.#timers.ping);
    const socket = this.#socket;
    this.#socket = null;
    this.#stream.detach();
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    this.#tasks = [];
    for (const { reject } of requests) reject(new WattmintError("CONNECTION_LOST"));
    return ++this.#connection;
  }

  #lost(closeCode, reason) {
    const wasOpen = this.#state === "open";
    if (wasOpen && Date.now() - this.#openedAt >= HEALTHY_AFTER_MS) this.#attempt = 0;
    const detail = { reason: reason || "CONNECTION_LOST", closeCode, wasOpen };
    if (closeCode === 4401 || closeCode === 4408) {
      const code = "AUTHENTICATION_FAILED";
      this.#refusal = { credential: this.#signedInWith, code, message: reason || code };
    }
    if (closeCode === 4503) this.#stream.loseCursor();
    const afterMs = closeCode === 4429 ? RATE_LIMIT_PAUSE_MS : this.#drainMs;
    if (mayReconnect(closeCode)) this.#wait({ ...detail, afterMs });
    else this.#finish(detail.reason, detail.reason, detail);
  }

  #wait({ afterMs = null, ...detail }) {
    this.#leave();
    const { backoffBaseMs, backoffCapMs, random } = this.#options;
    const jitterMs = random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** this.#attempt);
    const retryInMs = Math.round(afterMs === null || afterMs === undefined ? jitterMs
      : afterMs + (detail.closeCode === 4429 ? jitterMs : 0));
    this.#attempt += 1;
    this.#drainMs = null;
    this.#timers.retry = setTimeout(() => this.#open("retry"), retryInMs);
    this.#enter("waiting", { ...detail, retryInMs });
  }

  #finish(reason, message, detail = {}) {
    this.#leave();
    this.#enter("closed", { reason, message, ...detail });
    this.#stream.refuseChanges(new WattmintError(reason, message));
  }

  // --- frames

  #receive(text) {
    this.#lag.lastFrameAt = Date.now();
    let received;
    try {
      received = JSON.parse(text);
    } catch {
      return this.#emit("error", new WattmintError("INVALID_MESSAGE", "a frame that is no JSON"));
    }
    const connection = this.#connection;
    for (const frame of Array.isArray(received) ? received : [received]) {
      if (connection === this.#connection) this.#take(frame);  // else a listener has ended it
    }
  }

  #take(frame) {
    if (frame.seq === undefined) this.#receiveMessage(frame);
    else if (this.#stream.advance(frame.seq)) {
      this.#lag.lastEventAt = this.#lag.lastFrameAt;
      this.#emit("event", frame);
      this.#emit(frame.type, frame);
    }
  }

  #receiveMessage(frame) {
    const data = frame.data ?? {};
    const request = this.#requests.get(frame.id);
    if (data.cursor) this.#stream.bookmark(data.cursor);
    switch (frame.type) {
      case "Connected":
        if (!data.authenticated) this.#authenticate();
        break;
      case "Authenticated":
        if (this.#state !== "open") this.#opened(data);
        break;
      case "Heartbeat":
        Object.assign(this.#lag, { headSequence: data.head_sequence, upstream: data.upstream,
          deliveredSequence: data.delivered_sequence, lastHeartbeatAt: Date.now() });
        this.#emit("lag", this.lag);
        break;
      case "Subscribed":
        this.#lag.headSequence = data.head_sequence;
        break;
      case "CaughtUp":
        this.#lag.deliveredSequence = data.sequence;
        break;
      case "Draining":
        this.#drainMs = data.reconnect_after_ms;
        break;
      case "CredentialExpiring":
        this.#renew();
        break;
      case "Error":
        if (!request) this.#emit("error", errorOf(data));
        break;
    }
    if (frame.type === "JobSnapshot") {
      this.#tasks.push(...data.tasks);
      if (data.more) return;
      data.tasks = this.#tasks.splice(0);
      this.#stream.told(data.job_id);
    }
    this.#requests.delete(frame.id);
    if (frame.type === "Error") request?.reject(errorOf(data));
    else if (request) {
      request.apply(data);
      request.resolve(data);
    }
    this.#emit(frame.type, frame);
  }

  #authenticate() {
    if (!this.#signedInWith) {
      this.#finish("AUTHENTICATION_REQUIRED", "there is no credential to sign in with");
      return;
    }
    this.#enter("authenticating");
    this.#request("Authenticate", authenticateData(this.#signedInWith)).catch((error) => {
      if (error.code === "CONNECTION_LOST") return;
      if (ASK_AGAIN.has(error.code)) this.#lost(1013, error.code);
      else this.#lost(4401, error.message);
    });
  }

  #opened(identity) {
    clearTimeout(this.#timers.connect);
    this.#refusal = null;
    this.#openedAt = Date.now();
    this.#enter("open", { identity });
    this.#timers.ping = setInterval(() => {
      if (Date.now() - this.#lag.lastFrameAt > this.#options.silenceMs) this.#lost(1006, "SILENT");
      else this.ping().catch(() => {});
    }, this.#options.pingIntervalMs);
    this.ping().catch(() => {});
    this.#work();
  }

  async #work() {
    if (this.#state !== "open") return;
    const connection = this.#connection;
    try {
      await this.#stream.work();
    } catch (error) {
      if (connection !== this.#connection) return;
      if (error.code === "INTERNAL") this.#lost(1011, error.code);
      else this.#finish(error.code, error.message);
    }
  }

  async #renew() {
    try {
      const credential = await this.#credential("renew");
      if (credential) await this.#request("Authenticate", authenticateData(credential));
    } catch (error) {
      this.#emit("error", error);  // the session ends by itself, with 4401
    }
  }

  // --- requests

  // `apply` sees the answer before any frame behind it is looked at.
  #request(type, data, apply = () => {}) {
    return new Promise((resolve, reject) => {
      if (!this.#socket) {
        reject(new WattmintError("CONNECTION_LOST"));
        return;
      }
      const id = String(this.#nextId++);
      this.#requests.set(id, { resolve, reject, apply });
      this.#socket.send(JSON.stringify({ type, id, data }));
    });
  }

  async #ask(type, data, apply) {
    const connection = this.#connection;
    for (;;) {
      try {
        return await this.#request(type, data, apply);
      } catch (error) {
        if (!ASK_AGAIN.has(error.code)) throw error;
        const pauseMs = error.retryAfterMs ?? 1000;
        await new Promise((done) => { setTimeout(done, pauseMs * (1 + this.#options.random())); });
        if (connection !== this.#connection) throw new WattmintError("CONNECTION_LOST");
      }
    }
  }
}

// Whether a connection that ended with this close code is to be opened again; the codes 4401 and
// 4408 only with another credential.
export function mayReconnect(code) {
  if (code >= 4400 && code < 4500) return code === 4401 || code === 4408 || code === 4429;
  return ![1000, 1002, 1003, 1007, 1008, 1009, 1010].includes(code);
}

// JavaScript writes numbers below 10^-6 with an exponent, which the wire does not have. What has
// more than its nine digits goes as it is, to be refused: an amount is never rounded.
function plain(kwh) {
  if (typeof kwh !== "number" || Math.abs(kwh) >= 1e-6) return kwh;
  const text = kwh.toFixed(9);
  return Number(text) === kwh ? text : kwh;
}

function secretOf(credential) {
  return typeof credential === "string" ? { token: credential } : credential ?? null;
}

function sameSecret(one, other) {
  return other !== null && ["ticket", "token", "apiKey"].every((kind) => one[kind] === other[kind]);
}

function authenticateData({ ticket, token, apiKey }) {
  return apiKey ? { api_key: apiKey } : token ? { token } : { ticket };
}

function errorOf({ code, message, retry_after_ms: retryAfterMs, ...data }) {
  return new WattmintError(code, message, { retryAfterMs, data });
}
