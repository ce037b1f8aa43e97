// The steps: one line each, and on wish the frame, the list that the model saw and what it said.

import { byId, element, say, seconds, visible } from "/elements.js";

const rows = new Map();
let first = null;

function came(outcome) {
  if (!outcome) {
    return "…";
  }
  if (outcome.status === "done") {
    return outcome.answer ?? (outcome.effect === "no_visible_effect" ? "nothing changed" : "done");
  }
  return `${outcome.status}: ${outcome.reason}`;
}

function line(step) {
  const actions = step.actions.map((action) => `${action.summary} (${came(action.outcome)})`).join("; ");
  const sum = (name) => (step.cost?.[name] ?? 0) + (step.choices?.[name] ?? 0);
  const again = sum("reused") ? ` (${sum("reused")} reused)` : "";
  const cost = step.cost ? ` · ${sum("read")} read${again}, ${sum("written")} written` : "";
  const what = actions || step.unread || (step.said || step.thought ? "thinking …" : "looking …");
  return `${step.step}. ${what} · ${seconds(step.ms)}${cost}`;
}

async function unfold(step, room) {
  const answer = await fetch(`/steps/${step.step}`).catch(() => null);
  if (!answer?.ok) {
    say(room.appendChild(element("p", { class: "small" })), "It stands in the record once the step is over.");
    return;
  }
  const record = await answer.json();
  const frame = String(record.seen.frame).slice(0, 16);
  room.replaceChildren(
    element("img", { src: `/frames/${frame}.png`, alt: `The screen at step ${step.step}`, loading: "lazy" }),
    element("p", { class: "small" }, `looked ${seconds(record.timing.observe)}, model ${seconds(record.timing.model)}, ` +
      `gate ${seconds(record.timing.gate)}, acted ${seconds(record.timing.act)}, settled ${seconds(record.timing.settle)}`),
    element("p", {}, "What the model read:"),
    element("pre", { tabindex: "0", "aria-label": "The list" }, visible(record.list)),
  );
}

function make(step) {
  const summary = element("summary");
  const thought = element("pre", { class: "soft", tabindex: "0", "aria-label": "What the model thinks", hidden: true });
  const said = element("pre", { tabindex: "0", "aria-label": "What the model says", hidden: true });
  const words = element("div", {}, thought, said);
  const room = element("div");
  const details = element("details", {}, summary, words, room);
  details.addEventListener("toggle", () => {
    if (details.open) {
      room.replaceChildren();
      unfold(step, room);
    }
  });
  const row = { item: element("li", {}, details), summary, words, thought, said, details };
  rows.set(step.step, row);
  return row;
}

function fill(row, step, last) {
  say(row.summary, line(step));
  for (const [node, words] of [[row.thought, step.thought], [row.said, step.said]]) {
    node.hidden = !words;
    say(node, words ?? "");
  }
  // What is being thought and said can be followed without a hand.
  if (last && !row.details.open && step.actions.length === 0 && (step.thought || step.said)) {
    row.item.append(row.words);
  } else if (row.words.parentNode !== row.details) {
    row.details.insertBefore(row.words, row.details.lastChild);
  }
}

export function showSteps(state) {
  const list = byId("steps");
  if (state.steps[0]?.step !== first || state.steps.length < rows.size) {
    const kept = new Set(state.steps.map((step) => step.step));
    for (const [number, row] of rows) {
      if (!kept.has(number)) {
        row.item.remove();
        rows.delete(number);
      }
    }
    first = state.steps[0]?.step ?? null;
  }
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  // Only the last ones change.
  const tail = rows.size === 0 ? state.steps : state.steps.slice(-3);
  for (const step of tail) {
    const row = rows.get(step.step) ?? make(step);
    fill(row, step, step === state.steps.at(-1));
    if (row.item.parentNode !== list) {
      list.append(row.item);
    }
  }
  if (atEnd) {
    list.scrollTop = list.scrollHeight;
  }
  byId("older").hidden = state.older === 0;
  say(byId("older"), `${state.older} older steps stand in the record.`);
  if (byId("seen").open) {
    say(byId("list"), state.list);
  }
}

byId("seen").addEventListener("toggle", () => dispatchEvent(new Event("list-wanted")));
