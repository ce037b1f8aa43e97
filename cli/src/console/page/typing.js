// A field for whoever types without keys: on a phone, where only a field brings up the keyboard, and with an input
// method. What comes into it goes to the display as it comes; what is put right there is put right here too.

import { byId } from "/elements.js";

// A keyboard on a screen says nothing when it deletes from an empty field.
const REST = " ".repeat(16);
const KEYS = { Enter: "enter", Backspace: "backspace", Delete: "delete", ArrowUp: "up", ArrowDown: "down",
  ArrowLeft: "left", ArrowRight: "right", Home: "home", End: "end" };

export class Typing {
  #field = byId("typed");
  #known = REST;

  constructor(screen) {
    this.screen = screen;
    this.#field.addEventListener("input", (event) => this.#take(!event.isComposing));
    this.#field.addEventListener("compositionend", () => this.#take(true));
    this.#field.addEventListener("focus", () => this.#rest());
    this.#field.addEventListener("keydown", (event) => this.#press(event));
  }

  show(handedOver) {
    byId("typing").hidden = !handedOver;
    // Nothing of it stays in the page.
    this.#rest();
  }

  hasFocus() {
    return document.activeElement === this.#field;
  }

  #rest() {
    this.#field.value = this.#known = REST;
    this.#field.setSelectionRange(REST.length, REST.length);
  }

  // A word that is being composed changes as a whole: only what is other than before is done.
  #take(whole) {
    const [before, now] = [[...this.#known], [...this.#field.value]];
    let same = 0;
    while (same < before.length && before[same] === now[same]) {
      same += 1;
    }
    for (let gone = before.length - same; gone > 0; gone -= 1) {
      this.#chord("backspace");
    }
    now.slice(same).join("").split("\n").forEach((line, at) => {
      if (at > 0) {
        this.#chord("enter");
      }
      if (line) {
        this.screen.touch({ kind: "text", text: line });
      }
    });
    this.#known = this.#field.value;
    if (whole) {
      this.#rest();
    }
  }

  #press(event) {
    if (event.key === "Escape" && event.shiftKey) {
      byId("takeover").focus();
      return;
    }
    const free = !event.isComposing && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (free && KEYS[event.key]) {
      event.preventDefault();
      this.#chord(KEYS[event.key]);
    }
  }

  #chord(keys) {
    this.screen.touch({ kind: "chord", keys });
  }
}
