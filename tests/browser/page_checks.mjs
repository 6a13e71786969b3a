// SPDX-License-Identifier: Apache-2.0
// Checks that run within the page: each is sent there as it is, so it uses nothing from outside.

// What a screen reader could not name or place, as text; nothing if all is well.
export function findUnnamed() {
  const found = [];
  const isShown = (element) => element.checkVisibility();
  const nameOf = (element) => (element.getAttribute("aria-label")
    || [...(element.labels ?? [])].map((label) => label.textContent).join(" ")
    || (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean)
      .map((id) => document.getElementById(id)?.textContent ?? "").join(" ")
    || (element.matches("button, a, summary") ? element.textContent : "")).trim();
  const all = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
  const tell = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 120)}`);

  for (const element of all("button, a, input, summary, section, [role=region], [role=group], "
    + "[role=img], svg:not([aria-hidden])")) {
    if (!nameOf(element)) tell("no name", element);
  }
  for (const element of all("img")) if (!element.hasAttribute("alt")) tell("no alt", element);
  for (const element of all("th")) if (!element.hasAttribute("scope")) tell("no scope", element);
  for (const element of all(".scroll")) {
    if (element.tabIndex !== 0) tell("scrolls only by the mouse", element);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids.filter((id, index) => ids.indexOf(id) !== index)) found.push(`twice: ${id}`);
  for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    for (const name of ["aria-labelledby", "aria-describedby"]) {
      for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean)) {
        if (!ids.includes(id)) tell(`no ${id}`, element);
      }
    }
  }
  for (const [selector, count] of [["main", 1], ["h1", 1], ["header.top", 1],
    ["[role=status]#announcer", 1], ["tbody [aria-live]", 0]]) {
    const there = document.querySelectorAll(selector).length;
    if (there !== count) found.push(`${selector}: ${there}, not ${count}`);
  }
  let level = 0;
  for (const heading of all("h1, h2, h3")) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) tell("a level is left out", heading);
    level = next;
  }
  if (document.documentElement.lang === "") found.push("no language");
  return found;
}

// Texts with less contrast than `least` asks for: of large text (24 px, or 18.7 px bold), or other.
export function findFaint(least) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => [red, green, blue].map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const [one, other] = [luminance(rgba(color)), luminance(behind(element))]
      .sort((dark, light) => light - dark);
    const isLarge = parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? 18.66 : 24);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < (isLarge ? least.large : least.text)) {
      found.add(`${contrast.toFixed(2)} ${element.localName}.${element.className} ${color}`);
    }
  }
  return [...found];
}
