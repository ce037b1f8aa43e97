// The task, and the box in which one is begun or added to.

import { byId, say, visible } from "/elements.js";

let running = false;
let command = null;

export function useBox(connection) {
  command = (what) => connection.command(what);
}

byId("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = byId("words").value;
  const refused = await command(running ? { command: "say", text: words } : { command: "start", task: words });
  say(byId("answer"), refused ?? (running ? "The model reads it in its next question." : "Begun."));
  if (!refused) {
    byId("words").value = "";
  }
});

byId("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    byId("say").requestSubmit();
  }
});

export function showTask(state) {
  running = state.activity.is === "running";
  const { header } = state;
  const by = header ? ` (${header.model}, ${header.policy}, ${header.display})` : "";
  say(byId("task"), header ? `${visible(header.task)}${visible(by)}` : "No task yet.");
  say(byId("words-label"), running ? "Add a sentence to the task" : "What is to be done?");
  say(byId("send"), running ? "Add" : "Start");
}
