// Draws on the screen what comes next: where it will click, what it will type, from where to where it
// will drag.

import { byId, visible } from "/elements.js";

const SVG = "http://www.w3.org/2000/svg";
let drawn = null;

function shape(tag, kind, attributes) {
  const made = document.createElementNS(SVG, tag);
  made.setAttribute("class", kind);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  return made;
}

function shapes(intent) {
  const made = [];
  const { at, bounds, path = [], types } = intent;
  if (bounds) {
    const { x, y, width, height } = bounds;
    made.push(shape("rect", "target", { x, y, width, height, rx: 3 }));
  }
  if (at && path.length > 0) {
    const points = [at, ...path].map(({ x, y }) => `${x},${y}`).join(" ");
    made.push(shape("polyline", "way", { points }));
    const end = path.at(-1);
    made.push(shape("circle", "ring", { cx: end.x, cy: end.y, r: 8 }));
  }
  if (at) {
    made.push(shape("circle", "ring", { cx: at.x, cy: at.y, r: 14 }));
  }
  if (types) {
    const text = shape("text", "words", { x: (bounds?.x ?? at?.x ?? 20), y: (bounds?.y ?? at?.y ?? 40) - 8 });
    const words = visible(types);
    text.textContent = words.length > 80 ? `${words.slice(0, 80)}…` : words;
    made.push(text);
  }
  return made;
}

export function showIntent(state) {
  const intent = state.question?.subject.intent ?? state.intent;
  const key = intent ? JSON.stringify(intent) : null;
  if (key === drawn) {
    return;
  }
  drawn = key;
  const marks = byId("marks");
  marks.querySelectorAll(".target, .way, .ring, .words").forEach((old) => old.remove());
  if (intent) {
    marks.append(...shapes(intent));
  }
}
