// Puts the person's mouse and keyboard through while they have taken over and the screen has the focus.
// Shift+Escape leaves the screen, so that nobody is caught in it.

import { byId } from "/elements.js";
import { Typing } from "/typing.js";

const BUTTONS = ["left", "middle", "right", "back", "forward"];
const NAMES = { " ": "Space", ArrowUp: "Up", ArrowDown: "Down", ArrowLeft: "Left", ArrowRight: "Right" };
const BARE = ["Shift", "Control", "Alt", "Meta", "AltGraph", "Dead", "Process", "Unidentified", "Compose"];
const NOTCH = 100;

// A key as text, or as a chord with what is held.
function stroke(event) {
  if (BARE.includes(event.key)) {
    return null;
  }
  const plain = [...event.key].length === 1;
  const graph = event.getModifierState("AltGraph");
  if (plain && event.key !== " " && (graph || (!event.ctrlKey && !event.altKey && !event.metaKey))) {
    return { kind: "text", text: event.key };
  }
  const held = [event.ctrlKey && "ctrl", event.altKey && "alt", event.metaKey && "super", event.shiftKey && "shift"];
  return { kind: "chord", keys: [...held.filter(Boolean), NAMES[event.key] ?? event.key].join("+") };
}

export class TakeOver {
  #canvas = byId("canvas");
  #on = false;
  #turned = { x: 0, y: 0 };
  #moved = null;

  constructor(screen) {
    this.screen = screen;
    this.typing = new Typing(screen);
    const on = (name, act) => this.#canvas.addEventListener(name, (event) => {
      if (this.#on) {
        act(event);
      }
    }, { passive: false });
    on("pointermove", (event) => this.#move(event));
    on("pointerdown", (event) => this.#press(event, "down"));
    on("pointerup", (event) => this.#press(event, "up"));
    on("contextmenu", (event) => event.preventDefault());
    on("wheel", (event) => this.#turn(event));
    on("keydown", (event) => this.#type(event));
    on("paste", (event) => this.#paste(event));
  }

  show(handedOver) {
    if (handedOver === this.#on) {
      return;
    }
    this.#on = handedOver;
    this.#canvas.tabIndex = handedOver ? 0 : -1;
    this.#canvas.setAttribute("role", handedOver ? "application" : "img");
    byId("touching").hidden = !handedOver;
    const within = document.activeElement === this.#canvas || this.typing.hasFocus();
    this.typing.show(handedOver);
    if (handedOver) {
      this.#canvas.focus();
    } else if (within) {
      byId("takeover").focus();
    }
  }

  // At most one movement a frame; only the last one counts.
  #move(event) {
    const first = this.#moved === null;
    this.#moved = this.screen.point(event);
    if (first) {
      requestAnimationFrame(() => {
        if (this.#moved !== null) {
          this.screen.touch({ kind: "move", ...this.#moved });
        }
        this.#moved = null;
      });
    }
  }

  #press(event, kind) {
    event.preventDefault();
    // A keyboard on the screen of a phone stays where it is.
    if (!this.typing.hasFocus()) {
      this.#canvas.focus();
    }
    this.#moved = null;
    if (kind === "down") {
      this.#canvas.setPointerCapture(event.pointerId);
    }
    this.screen.touch({ kind, ...this.screen.point(event), button: BUTTONS[event.button] ?? "left" });
  }

  #turn(event) {
    event.preventDefault();
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? NOTCH : 3;
    this.#turned.x += event.deltaX / scale;
    this.#turned.y += event.deltaY / scale;
    const [dx, dy] = [Math.trunc(this.#turned.x), Math.trunc(this.#turned.y)];
    if (dx !== 0 || dy !== 0) {
      this.#turned = { x: this.#turned.x - dx, y: this.#turned.y - dy };
      this.screen.touch({ kind: "scroll", dx, dy });
    }
  }

  #type(event) {
    if (event.key === "Escape" && event.shiftKey) {
      byId("takeover").focus();
      return;
    }
    // The person's own clipboard is theirs to type from.
    if (event.ctrlKey && event.key === "v") {
      return;
    }
    event.preventDefault();
    const touch = stroke(event);
    if (touch) {
      this.screen.touch(touch);
    }
  }

  #paste(event) {
    event.preventDefault();
    const text = event.clipboardData.getData("text");
    if (text) {
      this.screen.touch({ kind: "text", text });
    }
  }
}
