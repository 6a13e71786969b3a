// SPDX-License-Identifier: Apache-2.0
// A bridge whose every frame the test writes: what a real one does only when things go wrong.

import { once } from "node:events";
import { WebSocketServer } from "ws";

export class ScriptedBridge {
  #server;
  #sessions = new Queue();

  static async start() {
    const bridge = new ScriptedBridge();
    bridge.#server = new WebSocketServer({
      host: "127.0.0.1", port: 0, handleProtocols: () => "wattmint.v1.json",
    });
    bridge.#server.on("connection", (socket, request) => {
      bridge.#sessions.push(new Session(socket, request));
    });
    await once(bridge.#server, "listening");
    return bridge;
  }

  get url() { return `http://127.0.0.1:${this.#server.address().port}/ws`; }

  // The next connection, also if it is there already.
  session() { return this.#sessions.next(); }

  // The next connection, signed in by its first message.
  async signedIn() {
    const session = await this.session();
    session.send("Connected", { authenticated: false });
    session.answer(await session.frame("Authenticate"), "Authenticated", IDENTITY);
    return session;
  }

  async stop() {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const IDENTITY = { user_id: "ana", wallet: null, roles: ["user"], expires_at: null };

class Session {
  #socket;
  #frames = new Queue();

  constructor(socket, request) {
    this.#socket = socket;
    this.address = request.url;
    socket.on("message", (text) => {
      const frame = JSON.parse(text);
      if (frame.type === "Ping") this.answer(frame, "Pong", frame.data);
      else this.#frames.push(frame);
    });
  }

  // The next frame of the client, which must be of one of these types; pings are answered besides.
  async frame(...types) {
    const frame = await this.#frames.next();
    if (!types.includes(frame.type)) {
      throw new Error(`${types.join(" or ")} expected, got ${JSON.stringify(frame)}`);
    }
    return frame;
  }

  send(type, data, more = {}) {
    this.#socket.send(JSON.stringify({ type, timestamp: "2026-01-05T10:15:00Z", data, ...more }));
  }

  answer({ id }, type, data) { this.send(type, data, { id }); }

  refuse({ id }, code, more = {}) {
    this.send("Error", { code, message: `refused: ${code}`, ...more }, { id });
  }

  raw(text) { this.#socket.send(text); }
  event(seq, type = "TokensMinted") { this.send(type, { meter_id: "M" }, { seq }); }

  // Frames in one segment, so that the client gets them at one go.
  together(write) {
    this.#socket._socket.cork();
    write();
    this.#socket._socket.uncork();
  }

  close(code, reason) { this.#socket.close(code, reason); }
  cut() { this.#socket.terminate(); }
  silence() { this.#socket.removeAllListeners("message"); }
}

class Queue {
  #items = [];
  #waiting = [];

  push(item) {
    if (this.#waiting.length > 0) this.#waiting.shift()(item);
    else this.#items.push(item);
  }

  next() {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => { this.#waiting.push(resolve); });
  }
}
