// SPDX-License-Identifier: Apache-2.0
// Amounts are BigInt: nano-kWh, or base units of GRX. They are added, never rounded.

// `kwh_amount` of an event. Exact up to a million kWh; undefined, and what is no number, is 0.
export function nanoOf(kwh) {
  return Number.isFinite(kwh) ? BigInt(Math.round(kwh * 1e9)) : 0n;
}

// What a person types into a field for kWh: its nano-kWh, null for an empty field, undefined for
// what is no amount (or has more than nine digits behind the point).
export function typedNano(text) {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  const [, whole, fraction = ""] = /^(\d{1,12})(?:\.(\d{0,9}))?$/.exec(trimmed) ?? [];
  return whole === undefined ? undefined : BigInt(whole + fraction.padEnd(9, "0"));
}
