// SPDX-License-Identifier: Apache-2.0

import { setText } from "./text.js";

const KEPT_AS = "wattmint.theme";  // in localStorage: light or dark; absent: as the system has it
const NEXT = { auto: "light", light: "dark", dark: "auto" };

// Light, dark, or as the system has it. `onChange()` is called whenever colours have changed.
export class Theme {
  #button;
  #theme = localStorage.getItem(KEPT_AS);

  constructor(button, onChange) {
    this.#button = button;
    if (!(this.#theme in NEXT)) this.#theme = "auto";
    this.#show();
    button.addEventListener("click", () => {
      this.#theme = NEXT[this.#theme];
      if (this.#theme === "auto") localStorage.removeItem(KEPT_AS);
      else localStorage.setItem(KEPT_AS, this.#theme);
      this.#show();
      onChange();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  }

  #show() {
    document.documentElement.dataset.theme = this.#theme;
    setText(this.#button, `Theme: ${this.#theme}`);
  }
}
