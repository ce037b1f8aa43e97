// The plan: what there is to be done, with what is done of it, and whose plan it is.

import { byId, element, say, visible } from "/elements.js";

const BY = {
  script: "The steps of the script.",
  model: "As the model has noted it.",
  task: "What the task names, and whether it was used.",
};
const WORDS = { left: "left", current: "under way", done: "done", failed: "failed" };
// Of a long one what is near to where it stands.
const BEFORE = 5;
const SHOWN = 40;

let shown = "null";

export function showPlan(state) {
  const key = JSON.stringify(state.plan ?? null);
  if (key === shown) {
    return;
  }
  shown = key;
  const { plan } = state;
  for (const id of ["plan-title", "plan-by", "plan"]) {
    byId(id).hidden = !plan;
  }
  if (!plan) {
    byId("plan").replaceChildren();
    return;
  }
  const { parts } = plan;
  const done = parts.filter((part) => part.standing === "done").length;
  say(byId("plan-by"), `${BY[plan.by]} ${done} of ${parts.length} done.`);
  const at = parts.findIndex((part) => part.standing !== "done");
  const first = parts.length > SHOWN ? Math.max(0, Math.min((at < 0 ? parts.length : at) - BEFORE, parts.length - SHOWN)) : 0;
  byId("plan").setAttribute("start", first + 1);
  byId("plan").replaceChildren(...parts.slice(first, first + SHOWN).map(({ text, standing }) =>
    element("li", { class: standing, "aria-current": standing === "current" && "step" },
      visible(text), element("span", { class: "small" }, ` ${WORDS[standing]}`))));
}
