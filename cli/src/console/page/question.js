// The open question: what would come of it in one sentence, the rule that asks, and the answers with
// their keys. An answer counts only some moments after the question was shown, so that a key that was
// meant for something else is none.

import { isCommand } from "/controls.js";
import { byId, element, quoted, say, visible } from "/elements.js";

const TOO_SOON = 400;

let shown = null;
let since = 0;
let connection = null;
let keys = {};

async function answer(command) {
  const refused = await connection.command({ question: shown, ...command });
  say(byId("answer"), refused ?? "");
}

function button(words, key, act, main = false) {
  const made = element("button", { type: "button", class: main ? "main" : "", onclick: act }, words);
  if (key) {
    made.append(" ", element("kbd", {}, key));
    keys[key] = act;
  }
  return made;
}

// A field that comes with its button; Enter in it is the button.
function field(words, value, done, act, tall = false) {
  const input = element(tall ? "textarea" : "input", tall ? { rows: "3" } : { type: "text" });
  input.id = "field";
  input.value = value;
  const form = element("form", {
    onsubmit(event) {
      event.preventDefault();
      act(input.value);
    },
  }, element("label", { for: "field" }, words), input, element("button", { type: "submit", class: "main" }, done));
  byId("more").replaceChildren(form);
  input.focus();
}

function refuse() {
  field("Why not? The model reads it.", "", "Say no", (reason) => answer({ command: "deny", reason }));
}

// What a person would change of a call: its text, where it has one, or else all of its arguments.
function edit({ args }) {
  const text = typeof args?.text === "string" ? args.text : null;
  const value = text ?? JSON.stringify(args, null, 2);
  const words = text === null ? "The arguments, as JSON" : "The text, as it shall be";
  field(words, value, "Yes, like this", (changed) => {
    try {
      answer({ command: "edit", args: text === null ? JSON.parse(changed) : { ...args, text: changed } });
    } catch {
      say(byId("answer"), "this is no JSON");
    }
  }, true);
}

function minutes(approve) {
  field("For how many minutes?", "10", "Yes", (number) => approve({ for: { minutes: Number(number) } }));
}

function reasons(subject) {
  return subject.reasons.map((reason) =>
    element("p", { class: "small" }, `because ${visible(reason.because)} (${visible(reason.rule)})`));
}

function action(subject) {
  const { intent } = subject;
  const approve = (extent) => answer({ command: "approve", extent });
  const where = [intent.window && `in ${quoted(intent.window)}`, intent.app && `of ${visible(intent.app)}`];
  return [
    element("p", { class: "effect" }, `May Freehand do this? ${visible(subject.effect)}`),
    element("p", {}, where.filter(Boolean).join(" ")),
    ...(subject.note ? [element("p", {}, `Asked again: ${visible(subject.note)}`)] : []),
    ...reasons(subject),
    element("div", { class: "answers" },
      button("Yes, once", "y", () => approve("once"), true),
      ...(intent.editable ? [button("Change it …", "e", () => edit(intent))] : []),
      ...(subject.lasting ? [
        button("Yes, and its like in this run", "r", () => approve("run")),
        button("… for some minutes", "m", () => minutes(approve)),
      ] : []),
      ...(subject.always ? [button("… always", "a", () => approve("always"))] : []),
      button("No …", "n", refuse)),
    element("div", { id: "more" }),
  ];
}

function words(subject) {
  const tell = (text) => answer({ command: "tell", text });
  queueMicrotask(() => field("Your answer", "", "Answer", tell, true));
  return [
    element("p", { class: "effect" }, `The model asks you: ${visible(subject.text)}`),
    element("div", { id: "more" }),
    element("div", { class: "answers" }, button("No answer", null, () => answer({ command: "deny" }))),
  ];
}

addEventListener("keydown", (event) => {
  const act = keys[event.key];
  if (act && isCommand(event) && performance.now() - since > TOO_SOON) {
    event.preventDefault();
    act();
  }
});

export function showQuestion(state, to) {
  connection = to;
  const { question } = state;
  if ((question?.number ?? null) === shown) {
    return;
  }
  const held = byId("asked").contains(document.activeElement);
  shown = question?.number ?? null;
  since = performance.now();
  keys = {};
  byId("question").classList.toggle("open", question !== undefined);
  if (!question) {
    byId("asked").replaceChildren(element("p", { class: "soft" }, "Nothing is asked."));
    if (held) {
      byId("question").focus();
    }
    return;
  }
  const { subject } = question;
  byId("asked").replaceChildren(...(subject.about === "action" ? action(subject) : words(subject)));
  // Whoever types something else is not torn away from it.
  if (held || document.activeElement === document.body) {
    byId("question").focus();
  }
}
