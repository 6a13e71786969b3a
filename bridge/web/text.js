// SPDX-License-Identifier: Apache-2.0
// Numbers and times as text. Data reaches the page as text nodes only.

import { nanoOf } from "./amounts.js";
import { formatTokens } from "./client.js";

const KEPT_DARK = 3;  // fraction digits that are set like the whole number
const UNITS = [[3_600_000, "h"], [60_000, "min"], [1000, "s"], [1, "ms"]];

export function grouped(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}

// nano-kWh or base units, exactly: 1234567890123 is "1,234.567890123".
export function exact(units) {
  const [whole, fraction] = formatTokens(units, { minimumFractionDigits: 9 }).split(".");
  return `${grouped(whole)}.${fraction}`;
}

// Sets an exact number in three weights: whole, thousandths, the digits behind them.
export function setExact(element, units) {
  const text = exact(units);
  if (element.textContent === text) return;
  const point = text.indexOf(".");
  element.replaceChildren(text.slice(0, point),
    span("fraction", text.slice(point, point + 1 + KEPT_DARK)),
    span("fine", text.slice(point + 1 + KEPT_DARK)));
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// `kwh_amount` of an event as plain digits: a number of JavaScript may have an exponent.
export function plainKwh(kwh) { return formatTokens(nanoOf(kwh)); }

// "2026-01-05 10:15:00", of milliseconds since 1970 or RFC 3339 text.
export function utc(time, length = 19) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, length).replace("T", " ");
}

export function seconds(ms) {
  const count = Math.round(ms / 1000);
  return count < 120 ? `${count} s` : `${Math.round(count / 60)} min`;
}

// "340 ms", "1.25 s", "3.5 min"; `gap` stands before the unit.
export function duration(ms, gap = "\u00a0") {
  const [size, unit] = UNITS.find(([least]) => ms >= least) ?? UNITS.at(-1);
  const value = ms / size;
  const digits = value >= 10 ? 0 : unit === "ms" ? 1 : 2;
  return `${Number(value.toFixed(digits))}${gap}${unit}`;
}

export function short(name, edge = 6) {
  return name.length > 2 * edge + 3 ? `${name.slice(0, edge)}…${name.slice(-edge)}` : name;
}

function span(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
