// SPDX-License-Identifier: Apache-2.0
// Errors, one-time tickets and exact numbers; the contract is in wattmint-client.d.ts.

const BASE_UNITS_DIGITS = 9;

export class WattmintError extends Error {
  constructor(code, message, { final = false, retryAfterMs, data } = {}) {
    super(message ?? code);
    this.name = "WattmintError";
    this.code = code;
    this.final = final;
    this.retryAfterMs = retryAfterMs;
    this.data = data;
  }
}

// Throws a WattmintError that says what is wrong with the key, final if another one is needed.
export async function fetchTicket({ url, token, apiKey, fetch = globalThis.fetch }) {
  const headers = apiKey ? { "X-Api-Key": apiKey } : { Authorization: `Bearer ${token}` };
  let answer;
  try {
    answer = await fetch(url, { method: "POST", headers, cache: "no-store", credentials: "omit" });
  } catch {
    throw new WattmintError("UNREACHABLE", "the server can't be reached");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 201) return body;
  const seconds = Number(answer.headers.get("Retry-After"));
  throw new WattmintError(body.code ?? `HTTP_${answer.status}`, body.error, {
    final: answer.status < 500 && answer.status !== 429,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  });
}

// Base units (10^-9 GRX), any size, as an exact decimal number: "1500000000" is "1.5".
export function formatTokens(baseUnits, { minimumFractionDigits = 0 } = {}) {
  const units = BigInt(baseUnits);
  const digits = (units < 0n ? -units : units).toString().padStart(BASE_UNITS_DIGITS + 1, "0");
  const whole = digits.slice(0, -BASE_UNITS_DIGITS);
  const fraction = digits.slice(-BASE_UNITS_DIGITS).replace(/0+$/, "")
    .padEnd(minimumFractionDigits, "0");
  return `${units < 0n ? "-" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

// Energy of one event, a JSON number of kWh, as exact nano-kWh: exact up to a million kWh.
export function nanoKwh(kwhAmount) {
  return BigInt(Math.round(kwhAmount * 1e9));
}
