// Past runs, with their reports.

import { byId, element, visible } from "/elements.js";

function ended(exit) {
  return exit ? exit.exit.replaceAll("_", " ") : "not ended";
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
      visible(run.task));
    return element("li", {}, link, element("span", { class: "small" }, ` ${when} · ${ended(run.exit)}`));
  });
  byId("runs").replaceChildren(...(rows.length > 0 ? rows : [element("li", { class: "soft" }, "None yet.")]));
}
