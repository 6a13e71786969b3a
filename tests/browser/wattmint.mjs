// SPDX-License-Identifier: Apache-2.0
// The real program, as the tests use it: WATTMINT_BINARY names it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const START_MS = 30_000;

// One installation in a directory of its own. Its ports are chosen at the first start and stay.
export class Wattmint {
  #binary = process.env.WATTMINT_BINARY;
  #directory;
  #processes = {};
  #addresses = { core: "127.0.0.1:0", bridge: "127.0.0.1:0" };

  static async install() {
    const wattmint = new Wattmint();
    wattmint.#directory = await mkdtemp(path.join(tmpdir(), "wattmint-browser-"));
    return wattmint;
  }

  get page() { return `http://${this.#addresses.bridge}/`; }

  // Core and bridge in one process ("up"), or one of them; returns when it listens.
  async start(program = "up") {
    const { core, bridge } = this.#addresses;
    const flags = { up: ["--grpc", core, "--http", bridge], core: ["--grpc", core],
      bridge: ["--http", bridge] };
    const child = spawn(this.#binary, [program, "--data", this.#directory, ...flags[program],
      "--heartbeat-secs", "1", "--output", "json"],
    { stdio: ["ignore", "pipe", "pipe"], env: environment() });
    this.#processes[program] = child;
    let said = "";
    child.stderr.on("data", (text) => { said += text; });
    const tooLate = setTimeout(() => child.kill("SIGKILL"), START_MS);
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(tooLate);
      Object.assign(this.#addresses, JSON.parse(line));
      child.stdout.resume();
      return;
    }
    throw new Error(`wattmint ${program} did not start: ${said}`);
  }

  async kill(program = "up", signal = "SIGKILL") {
    const child = this.#processes[program];
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  // Runs a command to its end; returns the objects that it prints. `key` instead of the admin's.
  run(args, { input = "", key = null, mayExitWith = 0 } = {}) {
    const { promise, resolve, reject } = withResolvers();
    const command = execFile(this.#binary, [...args, "--data", this.#directory, "--output", "json"],
      { env: { ...environment(), ...(key && { WATTMINT_API_KEY: key }) }, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (error && error.code !== mayExitWith) reject(new Error(`${args.join(" ")}: ${stderr}`));
        else resolve(stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line)));
      });
    command.stdin.end(input);
    return promise;
  }

  async remove() {
    for (const program of Object.keys(this.#processes)) await this.kill(program);
    await rm(this.#directory, { recursive: true, force: true });
  }

  // Without a wallet nothing can be minted: the tasks of its readings wait.
  register(meter, owner, wallet = null) {
    return this.run(["meter", "register", meter, "--owner", owner,
      ...(wallet ? ["--wallet", wallet] : [])]);
  }

  import(rows) {
    return this.run(["import", "-", "--any-age"], { input: csv(rows) });
  }

  submit(meter, kwh, more = [], options = {}) {
    return this.run(["submit", meter, kwh, ...more], options);
  }

  async key(user, role = "user") {
    return (await this.run(["key", "create", user, "--role", role]))[0].secret;
  }

  // The id of the first reading that was accepted of this meter.
  async firstReading(meter) {
    return (await this.run(["reading", "list", "--meter", meter]))[0].reading_id;
  }

  // For the admin unless a user is named.
  async ticketPage(user = null) {
    const [{ ticket }] = await this.run(["key", "ticket", ...(user ? ["--user", user] : [])]);
    return `${this.page}?ticket=${encodeURIComponent(ticket)}`;
  }

  // Sequences of the events of these types that the key's user may see, by gRPC.
  async watched(key, types) {
    const events = await this.run(["watch", "--from", "beginning", "--until-caught-up",
      ...types.flatMap((type) => ["--type", type])], { key });
    return events.map((event) => Number(event.sequence));
  }
}

// `count` readings of one meter, an hour each, from `start` on; `kwh(index)` is decimal text.
export function hourly(meter, start, count, kwh) {
  const hour = (index) => new Date(Date.parse(start) + index * 3_600_000).toISOString();
  return Array.from({ length: count }, (_, index) => ({ meter, start: hour(index),
    end: hour(index + 1), kwh: kwh(index) }));
}

// Decimal kWh text as nano-kWh.
export function nano(text) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(9, "0"));
}

function csv(rows) {
  const lines = rows.map(({ meter, start, end, kwh }) => `${meter},${start},${end},${kwh}`);
  return `meter_id,interval_start,interval_end,energy_kwh\n${lines.join("\n")}\n`;
}

// Without settings of the machine that runs the tests.
function environment() {
  return Object.fromEntries(Object.entries(process.env)
    .filter(([name]) => !/^(WATTMINT|TOKENIZATION|WEBSOCKET)_/.test(name)));
}

function withResolvers() {
  let settle;
  const promise = new Promise((resolve, reject) => { settle = { resolve, reject }; });
  return { promise, ...settle };
}
