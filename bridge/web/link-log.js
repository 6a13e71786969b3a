// SPDX-License-Identifier: Apache-2.0

const CLOSES = {
  1000: "said goodbye", 1001: "the bridge is stopping", 1006: "cut off", 1009: "frame too long",
  1011: "an error of the bridge", 1013: "overloaded", 4401: "credential not valid",
  4403: "not allowed", 4408: "not signed in in time", 4429: "too many messages",
  4503: "the log was replaced or shortened",
};

export function closeWords(code) {
  return `${code}, ${CLOSES[code] ?? "no reason known here"}`;
}

// What became of the connection so far, from the client's states.
export class LinkLog {
  state = "idle";
  attempt = 0;
  reconnects = 0;
  lastClose = null;  // {code, at}
  lostAt = null;  // while it is lost: since when
  retryAt = null;  // while it waits: when it tries again
  #wasOpen = false;

  enter({ state, attempt, closeCode, retryInMs }, now) {
    this.state = state;
    this.attempt = attempt;
    if (closeCode !== undefined) this.lastClose = { code: closeCode, at: now };
    this.retryAt = state === "waiting" ? now + retryInMs : null;
    if (state === "open") {
      if (this.lostAt !== null) this.reconnects += 1;
      this.#wasOpen = true;
      this.lostAt = null;
    } else if (this.#wasOpen && this.lostAt === null) {
      this.lostAt = now;
    }
  }

  get wasOpen() { return this.#wasOpen; }
}
