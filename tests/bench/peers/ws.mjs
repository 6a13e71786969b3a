// SPDX-License-Identifier: Apache-2.0
// The npm package ws as a server beside ours: README.md, "Peers".
import { createServer } from "node:net";
import { createRequire } from "node:module";

// What the browser tests have fetched; else what the system has.
function load(name) {
  for (const place of [new URL("../../browser/", import.meta.url), "file:///usr/share/nodejs/"]) {
    try {
      return createRequire(new URL("package.json", place))(name);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  console.error(`no package ${name}: run tests/browser/fetch_packages`);
  process.exit(1);
}

const { WebSocketServer } = load("ws");
const event = process.argv[2];
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: false,
  backlog: 1024,
});

function sendToAll(events) {
  for (; events > 0; --events) {
    for (const socket of server.clients) socket.send(event);
  }
}

server.on("listening", () => {
  const control = createServer((socket) => socket.on("data", (bytes) => sendToAll(bytes.length)));
  control.listen(0, "127.0.0.1", () => {
    console.log(`${server.address().port} ${control.address().port}`);
  });
});
process.stdin.on("end", () => process.exit(0)).resume();
