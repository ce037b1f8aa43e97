// Brings the page together: lets itself in, follows the session, and shows each change once a frame.

import { Connection } from "/connection.js";
import { showControls } from "/controls.js";
import { byId, say, visible } from "/elements.js";
import { showIntent } from "/intent.js";
import { showNotes } from "/notes.js";
import { showPlan } from "/plan.js";
import { watchPresence } from "/presence.js";
import { showQuestion } from "/question.js";
import { showRuns } from "/runs.js";
import { Screen } from "/screen.js";
import { isHandedOver, take } from "/state.js";
import { showSteps } from "/steps.js";
import { TakeOver } from "/takeover.js";
import { showTask, useBox } from "/task.js";

let state = null;
let drawn = true;

// The token of the address becomes a cookie, and leaves the address.
async function enter() {
  const token = location.hash.slice(1);
  if (token === "") {
    return true;
  }
  history.replaceState(null, "", location.pathname);
  const headers = { "content-type": "application/json" };
  const answer = await fetch("/enter", { method: "POST", headers, body: JSON.stringify({ token }) });
  return answer.ok;
}

function describe() {
  const { activity, pace, waiting, question } = state;
  if (activity.is === "idle") {
    return pace === "taken_over" ? "yours: mouse and keyboard" : "ready for a task";
  }
  if (activity.is === "ended") {
    const { exit, checked, reason, which } = activity.exit;
    if (exit === "left") {
      return "the program has left";
    }
    return `${exit.replaceAll("_", " ")}: ${checked ?? reason ?? which ?? "by you"}`;
  }
  if (question) {
    return "waits for your answer";
  }
  if (waiting?.for === "presence") {
    return `waits: in ${waiting.place} it goes on only while you look`;
  }
  if (pace === "taken_over") {
    return waiting ? "yours: mouse and keyboard" : "handing over …";
  }
  if (pace === "paused") {
    return waiting ? "paused" : "pausing …";
  }
  const last = state.steps.at(-1);
  return last ? `at work, step ${last.step}` : "at work";
}

function show() {
  drawn = true;
  const words = visible(describe());
  say(byId("status"), words);
  document.title = state.question ? "? Freehand console" : "Freehand console";
  showControls(state, connection);
  showQuestion(state, connection);
  showTask(state);
  showPlan(state);
  showNotes(state);
  showSteps(state);
  showIntent(state);
  takeOver.show(isHandedOver(state));
  screen.caption(state);
}

function soon() {
  if (drawn) {
    drawn = false;
    // Also where the page cannot be seen and no frame comes.
    document.hidden ? setTimeout(show) : requestAnimationFrame(show);
  }
}

function heard(message) {
  if (message.message === "state") {
    state = message.state;
    showRuns();
  } else if (message.message === "event") {
    take(state, message);
    if (message.event === "ended" || message.event === "started") {
      showRuns();
    }
  } else if (message.message === "refused") {
    say(byId("status"), message.reason);
    return;
  }
  if (state) {
    soon();
  }
}

const connection = new Connection(heard, (words) => say(byId("status"), words));
const screen = new Screen();
const takeOver = new TakeOver(screen);
useBox(connection);
addEventListener("list-wanted", () => state && soon());

async function begin() {
  if (!(await enter())) {
    say(byId("status"), "this is not the address of a session that goes on; open the one that Freehand printed");
    return;
  }
  const answer = await fetch("/runs");
  if (answer.status === 401) {
    say(byId("status"), "open the address that Freehand printed");
    return;
  }
  connection.connect();
  screen.connect();
  watchPresence(connection);
}

// The same tab is shown the address of a new session.
addEventListener("hashchange", () => location.reload());
begin();
