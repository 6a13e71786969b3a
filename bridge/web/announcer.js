// SPDX-License-Identifier: Apache-2.0

import { grouped } from "./text.js";

const PAUSE_MS = 15_000;  // between two summaries: a screen reader must get to its end

// Says aloud what a sighted user sees at a glance: changes of the connection at once, of the feed a
// summary now and then.
export class Announcer {
  #element;
  #feed;
  #counts = null;  // of which feed
  #told = null;  // events of it that were told

  // `feed()` returns the counts of the model's feed, or null while history comes in.
  constructor(element, feed) {
    this.#element = element;
    this.#feed = feed;
    setInterval(() => this.#summarise(), PAUSE_MS);
  }

  say(text) { this.#element.textContent = text; }

  #summarise() {
    const counts = this.#feed();
    if (counts === null) return;
    if (counts !== this.#counts) this.#told = null;  // it began anew
    this.#counts = counts;
    const now = new Map(counts);
    const parts = this.#told === null ? [] : ["reading", "mint", "refused"].map((kind) =>
      [kind, now.get(kind) - this.#told.get(kind)]).filter(([, count]) => count > 0);
    this.#told = now;
    if (parts.length > 0) this.say(`New: ${parts.map(words).join(", ")}.`);
  }
}

function words([kind, count]) {
  const nouns = { reading: ["reading", "readings"], mint: ["mint", "mints"],
    refused: ["refused reading", "refused readings"] };
  return `${grouped(count)} ${nouns[kind][count === 1 ? 0 : 1]}`;
}
