// What the events come to: the same as the hub makes of them, so that a page which has followed shows
// what a page shows that has just come.

const STEPS = 200;
const NOTES = 100;
// In bytes, as the hub counts them.
const THOUGHT = 16 * 1024;
const BYTES = new TextEncoder();

function step(state, number) {
  let last = state.steps.at(-1);
  if (last?.step !== number) {
    last = { step: number, said: "", actions: [], ms: 0 };
    state.steps.push(last);
    if (state.steps.length > STEPS) {
      state.steps.shift();
      state.older += 1;
    }
  }
  return last;
}

function grow(last, words, piece) {
  const before = last[words] ?? "";
  if (BYTES.encode(before).length < THOUGHT) {
    last[words] = before + piece;
  }
}

function push(list, item) {
  list.push(item);
  if (list.length > NOTES) {
    list.shift();
  }
}

const TAKES = {
  started(state, event) {
    const { pace } = state;
    for (const name of Object.keys(state)) {
      delete state[name];
    }
    Object.assign(state, {
      activity: { is: "running" }, header: event.header, pace, list: "", windows: [], gaps: [],
      notes: [], said: [], older: 0, steps: [],
    });
  },
  observed(state, event) {
    state.intent = undefined;
    const { bounds, list, windows, gaps } = event;
    Object.assign(state, { bounds, list, windows, gaps });
    Object.assign(step(state, event.step), { frame: event.frame, ms: event.ms });
  },
  waiting(state, event) { state.waiting = event.wait; },
  went_on(state) { state.waiting = undefined; },
  thought(state, event) { grow(step(state, event.step), "thought", event.text); },
  piece(state, event) { grow(step(state, event.step), "said", event.text); },
  discarded(state, event) {
    state.intent = undefined;
    Object.assign(step(state, event.step), { said: "", thought: undefined });
  },
  asked_done(state, event) { step(state, event.step).done = event.probability; },
  chose(state, event) {
    const of = step(state, event.step);
    of.choices ??= { read: 0, reused: 0, written: 0, ms: 0 };
    for (const name of Object.keys(of.choices)) {
      of.choices[name] += event.cost[name];
    }
  },
  proposed(state, event) {
    const { thought, unread, cost } = event;
    Object.assign(step(state, event.step), { thought, unread, cost });
  },
  intended(state, event) { state.intent = event.intent; },
  asked(state, event) { state.question = event.question; },
  answered(state) { state.question = undefined; },
  judged(state, event) {
    const { summary, verdict } = event;
    step(state, event.step).actions.push({ summary, verdict });
  },
  acted(state, event) {
    state.intent = undefined;
    const { summary, outcome, ms } = event;
    const of = step(state, event.step);
    of.ms = ms;
    const last = of.actions.at(-1);
    if (last && !last.outcome) {
      last.outcome = outcome;
    } else {
      of.actions.push({ summary, outcome });
    }
  },
  planned(state, event) { state.plan = event.plan; },
  part_stands(state, event) {
    const part = state.plan?.parts[event.part - 1];
    if (part) {
      part.standing = event.standing;
    }
  },
  noted(state, event) { push(state.notes, event.text); },
  paced(state, event) { state.pace = event.pace; },
  said(state, event) { push(state.said, event.text); },
  ended(state, event) {
    state.activity = { is: "ended", exit: event.exit };
    state.intent = state.question = state.waiting = undefined;
    if (state.pace !== "taken_over") {
      state.pace = "going";
    }
  },
};

// Takes an event into the state.
export function take(state, event) {
  TAKES[event.event]?.(state, event);
}

// Whether mouse and keyboard are the person's now.
export function isHandedOver(state) {
  const rests = state.waiting?.for === "give_back" || state.activity.is !== "running";
  return state.pace === "taken_over" && rests;
}
