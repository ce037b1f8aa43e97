// What a person does beside another program, whose calls go through `freehand mcp --console`.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { approve, place, question, status, touch, until } from "./stage.mjs";
import { PASSWORD, recorded } from "./words.mjs";

// Lets another program open the login dialog.
async function opened(stage, page) {
  const opening = stage.program.call("open_app", JSON.parse(stage.opens[0]).args);
  await approve(page, /login\.py/);
  return opening;
}

// What a promise gives within some moments.
const soon = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 600))]);

export const CASES = {
  // Another program's calls are watched and answered like a run's.
  async lent(stage, page) {
    const dialog = await opened(stage, page);
    assert.match(dialog.text, /textbox "Name"/);
    assert.match(await page.locator("#task").textContent(), /What tester 7 asks for/);
    // Changed, refused with a reason, allowed: each is what the program is told.
    const named = stage.program.call("type_text", { target: { label: "Name" }, text: "Grace" });
    await question(page, /Grace/);
    await page.locator("#marks .ring").first().waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByLabel("The text, as it shall be").fill("Ada");
    await page.getByRole("button", { name: "Yes, like this" }).click();
    assert.equal((await named).failed, false);
    const copied = stage.program.call("write_clipboard", { text: "spam" });
    await question(page, /spam/);
    await page.getByRole("button", { name: "No …" }).click();
    await page.getByLabel("Why not?").fill("leave it alone");
    await page.keyboard.press("Enter");
    const refused = await copied;
    assert(refused.failed && refused.text.includes("leave it alone"), refused.text);
    await page.getByLabel("Add a sentence").fill("then you are done");
    await page.getByRole("button", { name: "Add" }).click();
    const press = stage.program.call("click", { target: { label: "Log in" } });
    await approve(page, /Log in/);
    const told = await press;
    assert(!told.failed && told.text.includes("Welcome, Ada") && told.text.includes("then you are done"), told.text);
    assert.deepEqual(stage.logins(), [{ name: "Ada", password: "" }]);
    // What it did is recorded like a run, with its frames.
    assert.equal(await page.locator("#steps summary").count(), stage.steps().length);
    await page.locator("#steps summary").last().click();
    await page.locator("#steps img").first().waitFor();
    stage.program.leave();
    assert.equal(await stage.ended, 0, stage.said);
    assert.deepEqual(stage.program.stray, []);
    const last = fs.readFileSync(path.join(stage.record(), "trajectory.jsonl"), "utf8").trim().split("\n").at(-1);
    assert.equal(JSON.parse(last).exit, "left");
  },

  // A person who holds another program finds the desktop theirs at once, and its calls wait.
  async lentheld(stage, page) {
    await opened(stage, page);
    await page.getByRole("button", { name: "Pause" }).click();
    await status(page, /paused/);
    let looks = stage.program.call("observe");
    assert.equal(await soon(looks), undefined);
    await page.getByRole("button", { name: "One step" }).click();
    assert.match((await looks).text, /textbox "Name"/);
    await status(page, /paused/);
    looks = stage.program.call("observe");
    assert.equal(await soon(looks), undefined);
    await page.getByRole("button", { name: "Go on" }).click();
    await looks;
    // In the middle of a question, which is asked again afterwards.
    const named = stage.program.call("type_text", { target: { label: "Name" }, text: "Grace" });
    await question(page, /Grace/);
    await page.getByRole("button", { name: "Take over" }).click();
    await status(page, /yours/);
    await touch(page, ...place(stage, "Password"));
    await page.keyboard.type(PASSWORD);
    assert.equal(await soon(named), undefined);
    await page.getByRole("button", { name: "Give back" }).click();
    await approve(page, /Grace/);
    const told = await named;
    assert(!told.failed && told.text.includes("took over"), told.text);
    // Between two calls.
    await page.getByRole("button", { name: "Take over" }).click();
    await status(page, /yours/);
    await touch(page, ...place(stage, "Log in"));
    await until("the login", () => stage.logins().length === 1);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: PASSWORD }]);
    looks = stage.program.call("observe");
    assert.equal(await soon(looks), undefined);
    await page.getByRole("button", { name: "Give back" }).click();
    const seen = await looks;
    assert(seen.text.includes("Welcome, Grace") && !seen.text.includes(PASSWORD), seen.text);
    assert(!recorded(stage).text.includes(PASSWORD), "the password is in the record");
  },

  async lentstop(stage, page) {
    await opened(stage, page);
    const named = stage.program.call("type_text", { target: { label: "Name" }, text: "Grace" });
    await question(page, /Grace/);
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, /interrupted/);
    for (const refused of [await named, await stage.program.call("observe"), await stage.program.call("wait", {})]) {
      assert(refused.failed && refused.text.includes("the person has stopped this session"), refused.text);
    }
    assert.match(await page.locator("#asked").textContent(), /Nothing is asked/);
    const last = fs.readFileSync(path.join(stage.record(), "trajectory.jsonl"), "utf8").trim().split("\n").at(-1);
    assert.equal(JSON.parse(last).exit, "interrupted");
    stage.program.leave();
    assert.equal(await stage.ended, 0, stage.said);
  },

  // Asked at two places, whoever answers first counts.
  async lentboth(stage, page) {
    const asked = () => until("the program's question", () => stage.program.questions.length > 0);
    const opening = stage.program.call("open_app", JSON.parse(stage.opens[0]).args);
    await question(page, /login\.py/);
    await asked();
    stage.program.answer({ answer: "yes" });
    assert.equal((await opening).failed, false);
    assert.match(await page.locator("#asked").textContent(), /Nothing is asked/);
    stage.program.questions = [];
    const named = stage.program.call("type_text", { target: { label: "Name" }, text: "Grace" });
    await asked();
    await approve(page, /Grace/);
    assert.equal((await named).failed, false);
    const [taken] = stage.program.questions;
    await until("the end of the program's question", () => stage.program.withdrawn.includes(taken.id));
    // A yes that comes too late for its question is none to the next.
    stage.program.questions = [];
    const press = stage.program.call("click", { target: { label: "Log in" } });
    await asked();
    stage.program.answer({ answer: "no", reason: "not yet" });
    const refused = await press;
    assert(refused.failed && refused.text.includes("not yet"), refused.text);
    assert.deepEqual(stage.logins(), []);
  },
};

export const STAGES = {
  lent: { lends: {} },
  lentheld: { lends: {} },
  lentstop: { lends: {} },
  lentboth: { lends: { asks: true } },
};
