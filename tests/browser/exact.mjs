// SPDX-License-Identifier: Apache-2.0

// What the page must show for a sum of nano-kWh or base units; written apart from the page's code.
export function exact(units) {
  const whole = (units / 1_000_000_000n).toLocaleString("en-US");
  return `${whole}.${String(units % 1_000_000_000n).padStart(9, "0")}`;
}
