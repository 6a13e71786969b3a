// SPDX-License-Identifier: Apache-2.0

import { WattmintError, fetchTicket } from "./client.js";

const KEPT_AS = "wattmint.key";  // in sessionStorage, only if the user wants that

// The credentials of this page: a one-time ticket of the address, later a key that the user enters.
export class SignIn {
  #ticket = ticketOfAddress();
  #key = sessionStorage.getItem(KEPT_AS);
  #parts;

  // `onKey()` is called when the user has entered one.
  constructor(parts, onKey) {
    this.#parts = parts;
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take(parts.key.value.trim());
      onKey();
    });
  }

  get hasCredential() { return this.#ticket !== null || this.#key !== null; }

  // Whether there is more than a ticket: what opens any number of connections.
  get hasKey() { return this.#key !== null; }

  // What WattmintClient asks for.
  async credential() {
    if (this.#ticket !== null) {
      const ticket = this.#ticket;
      this.#ticket = null;
      return { ticket };
    }
    if (this.#key === null) {
      throw new WattmintError("TICKET_USED_UP", "The one-time link is used up.", { final: true });
    }
    return fetchTicket({ url: new URL("ws/ticket", document.baseURI), token: this.#key });
  }

  ask({ why, wrong = "" }) {
    this.#parts.section.hidden = false;
    this.#parts.why.textContent = why;
    this.#parts.wrong.textContent = wrong;
    this.#parts.key.focus();
  }

  done() { this.#parts.section.hidden = true; }

  forget() {
    this.#ticket = this.#key = null;
    sessionStorage.removeItem(KEPT_AS);
  }

  // Why a key is needed after the client has closed, in sentences for the user.
  explain({ reason, message }, wasOpen) {
    if (reason === "TICKET_USED_UP") {
      return { why: wasOpen
        ? "The connection was lost, and the one-time link that opened this page is used up. "
          + "Enter a key to go on where it stopped; what you see stays as it was."
        : "This one-time link is used up or has expired. Enter a key instead." };
    }
    return { why: "Enter a key to go on.", wrong: sentence(message ?? reason) };
  }

  #take(key) {
    this.#key = key;
    this.#parts.key.value = "";
    if (this.#parts.keep.checked) sessionStorage.setItem(KEPT_AS, key);
    else sessionStorage.removeItem(KEPT_AS);
  }
}

// Used once, so it leaves the address bar and the history at once.
function ticketOfAddress() {
  const address = new URL(location.href);
  const ticket = address.searchParams.get("ticket");
  if (ticket === null) return null;
  address.searchParams.delete("ticket");
  history.replaceState(null, "", address);
  return ticket || null;
}

function sentence(text) {
  const trimmed = text.trim();
  const end = /[.!?]$/.test(trimmed) ? "" : ".";
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}${end}`;
}
