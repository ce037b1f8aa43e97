// What the model keeps, and what the person has added.

import { byId, element, visible } from "/elements.js";

let shown = "";

export function showNotes(state) {
  const key = JSON.stringify([state.notes, state.said]);
  if (key === shown) {
    return;
  }
  shown = key;
  const notes = state.notes.map((text) => element("li", {}, visible(text)));
  const said = state.said.map((text) => element("li", {}, `You: ${visible(text)}`));
  const none = element("li", { class: "soft" }, "None.");
  byId("notes").replaceChildren(...(notes.length + said.length > 0 ? [...notes, ...said] : [none]));
}
