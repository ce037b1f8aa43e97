// Makes the pictures of the console in docs/pictures: `pictures.mjs`, with FREEHAND_BINARY and
// FREEHAND_BROWSER_TESTS as in cli/tests/console/main.mjs.

import path from "node:path";
import { fileURLToPath } from "node:url";

import { call } from "../../cli/tests/console/model.mjs";
import { Stage, approve, question } from "../../cli/tests/console/stage.mjs";

const OUT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/pictures");
const stage = await Stage.set({
  answers: [
    call("note", { text: "The account is called Grace" }),
    call("type_text", { target: { label: "Name" }, text: "Grace" }),
    call("click", { target: { label: "Log in", role: "button" } }),
  ],
});
try {
  const page = await stage.page();
  await page.setViewportSize({ width: 1200, height: 820 });
  await stage.begin(page, "Log in as Grace");
  await question(page, /Grace/);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: path.join(OUT, "console.png") });
  await page.emulateMedia({ colorScheme: "dark" });
  await approve(page, /Grace/);
  await question(page, /Log in/);
  await page.waitForTimeout(800);
  await page.screenshot({ path: path.join(OUT, "console-dark.png") });
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(OUT, "console-phone.png") });
} finally {
  await stage.clear();
}
