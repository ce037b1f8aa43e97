// Past runs, with their reports.

import { byId, element, visible } from "/elements.js";

const STANDINGS = { under_way: "under way", cut_off: "not ended", broken: "cannot be read" };

function ended({ is, exit }) {
  return is === "ended" ? exit.exit.replaceAll("_", " ") : STANDINGS[is];
}

export async function showRuns() {
  const answer = await fetch("/runs").catch(() => null);
  if (!answer?.ok) {
    return;
  }
  const runs = await answer.json();
  const rows = runs.map((run) => {
    const when = new Date(run.started_ms).toLocaleString();
    const link = element("a", { href: `/runs/${encodeURIComponent(run.name)}/report.html`, target: "_blank", rel: "noopener" },
      visible(run.task || run.name));
    return element("li", {}, link, element("span", { class: "small" }, ` ${when} · ${ended(run.standing)}`));
  });
  byId("runs").replaceChildren(...(rows.length > 0 ? rows : [element("li", { class: "soft" }, "None yet.")]));
}
