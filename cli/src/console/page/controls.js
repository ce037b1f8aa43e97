// The buttons of the run and their keys.

import { byId, say } from "/elements.js";

let current = null;
let connection = null;

const COMMANDS = {
  pause: () => (current.pace === "paused" ? "resume" : "pause"),
  step: () => "step",
  takeover: () => (current.pace === "taken_over" ? "give_back" : "take_over"),
  stop: () => "stop",
};
const KEYS = { p: "pause", s: "step", t: "takeover" };

// Stop cannot be taken back, so one finger is not enough for it.
function wanted(event) {
  return event.shiftKey && event.key.toLowerCase() === "q" ? "stop" : KEYS[event.key];
}

async function give(id) {
  if (byId(id).disabled) {
    return;
  }
  const refused = await connection.command({ command: COMMANDS[id]() });
  say(byId("answer"), refused ?? "");
}

for (const id of Object.keys(COMMANDS)) {
  byId(id).addEventListener("click", () => give(id));
}

// Whether a key is meant for the page as a whole and not for where one types.
export function isCommand(event) {
  const typing = event.target.closest("input, textarea, select, canvas");
  const free = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat;
  return byId("keys").checked && free && !typing;
}

addEventListener("keydown", (event) => {
  const id = wanted(event);
  if (id && isCommand(event)) {
    event.preventDefault();
    give(id);
  }
});

function label(button, words) {
  if (button.firstChild.nodeValue !== words) {
    button.firstChild.nodeValue = words;
  }
}

export function showControls(state, to) {
  [current, connection] = [state, to];
  const runs = state.activity.is === "running";
  const taken = state.pace === "taken_over";
  byId("pause").disabled = !runs || taken;
  byId("step").disabled = !runs || taken;
  byId("stop").disabled = !runs;
  byId("takeover").disabled = false;
  label(byId("pause"), state.pace === "paused" ? "Go on " : "Pause ");
  label(byId("takeover"), taken ? "Give back " : "Take over ");
}
