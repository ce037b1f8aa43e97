// What a person does in the console, each against a run of its own.

import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

import * as lent from "./lent.mjs";
import { call, finish } from "./model.mjs";
import * as person from "./person.mjs";
import { AXE, Stage, approve, place, question, status, touch, until } from "./stage.mjs";
import { DONE, LOG_IN, NAME, PASSWORD, REFUSED, recorded, typed } from "./words.mjs";

// What a page of somebody else can try.
async function trespass(origin) {
  const socket = (path) => new Promise((resolve) => {
    const made = new WebSocket(`${origin.replace("http", "ws")}${path}`);
    made.onopen = () => resolve("open");
    made.onerror = () => resolve("refused");
  });
  const asks = (path, options) => fetch(`${origin}${path}`, { credentials: "include", ...options })
    .then((answer) => answer.text(), () => "refused");
  const frame = document.createElement("iframe");
  frame.src = origin;
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener("load", resolve));
  return {
    messages: await socket("/messages"),
    screen: await socket("/screen"),
    read: await asks("/runs"),
    written: await asks("/enter", { method: "POST", body: "{}" }),
  };
}

export const CASES = {
  async approve(stage, page) {
    await stage.begin(page);
    const asked = await question(page, /Grace/);
    assert.match(asked, /type "Grace"/);
    // What comes next is drawn where it will land.
    await page.locator("#marks .ring").first().waitFor({ state: "attached" });
    assert.match(await page.locator("#marks .words").textContent(), /Grace/);
    assert.match(await page.locator("#asked").textContent(), /because/);
    await approve(page, /Grace/);
    await approve(page, /Log in/);
    await status(page, /done/);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: "" }]);
    await page.locator("#steps summary").first().click();
    await page.locator("#steps img").first().waitFor();
    const report = page.locator("#runs a").first();
    await report.waitFor();
    const [opened] = await Promise.all([page.context().waitForEvent("page"), report.click()]);
    await opened.getByRole("heading", { name: "Log in" }).first().waitFor();
  },

  async deny(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    await page.getByRole("button", { name: "No …" }).click();
    await page.getByLabel("Why not?").fill("leave it empty");
    await page.keyboard.press("Enter");
    await approve(page, /Log in/);
    assert(stage.model.asked.at(-1).includes("leave it empty"), stage.model.asked.at(-1));
    await status(page, /done/);
  },

  async instead(stage, page) {
    await stage.begin(page);
    await question(page, /Ada/);
    await page.getByRole("button", { name: "No …" }).click();
    await page.getByLabel("Why not?").fill("use Grace instead");
    await page.keyboard.press("Enter");
    await question(page, /Grace/);
    assert.match(await page.locator("#asked").textContent(), /you refused the like of it/);
    await approve(page, /Grace/);
    await approve(page, /Log in/);
    await status(page, /done/);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: "" }]);
  },

  async edit(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByLabel("The text, as it shall be").fill("Ada");
    await page.getByRole("button", { name: "Yes, like this" }).click();
    await approve(page, /Log in/);
    await status(page, /done|ended|gave up|limit/);
    assert.deepEqual(stage.logins(), [{ name: "Ada", password: "" }]);
  },

  async thoughts(stage, page) {
    await stage.begin(page);
    // Thoughts can be followed before there is anything of the answer.
    await page.locator("#steps pre.soft").filter({ hasText: "first the name" }).waitFor();
    assert(await page.getByLabel("What the model says").last().isHidden());
    await question(page, /Grace/);
    const step = page.locator("#steps > li").last();
    assert.equal((await step.textContent()).split("first the name").length, 2);
    assert.match(await step.getByLabel("What the model says").textContent(), /^\{"tool"/);
  },

  async pause(stage, page) {
    await stage.begin(page);
    // In the middle of a slow thought.
    await page.locator("#steps pre").filter({ hasText: "thinking" }).first().waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await status(page, /paused/);
    const asked = stage.model.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(stage.model.asked.length, asked);
    await page.getByLabel("Add a sentence").fill("call yourself Grace");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("button", { name: "Go on" }).click();
    await approve(page, /Grace/);
    assert(stage.model.asked.at(-1).includes("call yourself Grace"));
    await approve(page, /Log in/);
    await status(page, /done/);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: "" }]);
  },

  async takeover(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    const before = recorded(stage).files.length;
    const [name, password] = [place(stage, "Name"), place(stage, "Password")];
    await page.getByRole("button", { name: "Take over" }).click();
    await status(page, /yours/);
    await touch(page, ...name);
    await page.keyboard.type("Grace");
    await touch(page, ...password);
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await until("the login", () => stage.logins().length === 1);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: PASSWORD }]);
    const during = recorded(stage);
    assert(during.files.length <= before + 1, "no frame while the person had the desktop");
    await page.getByRole("button", { name: "Give back" }).click();
    await status(page, /done/);
    // The model is told that it happened and what the screen is now; of what was done, nothing.
    assert(stage.model.asked.at(-1).includes("the person took over"), stage.model.asked.at(-1));
    const { text } = recorded(stage);
    assert(!text.includes(PASSWORD) && !text.includes("correct"), "the password is in the record");
    assert(!stage.model.asked.join("\n").includes(PASSWORD));
    const audit = fs.readFileSync(path.join(stage.home, ".local/state/freehand/audit.jsonl"), "utf8");
    assert(!audit.includes(PASSWORD));
    assert(!stage.said.includes(PASSWORD));
    // Given back is given back.
    await touch(page, ...name);
    await page.keyboard.type("x");
    assert.equal(stage.logins().length, 1);
  },

  async stop(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, /interrupted/);
    assert.deepEqual(stage.logins(), []);
    const last = fs.readFileSync(path.join(stage.record(), "trajectory.jsonl"), "utf8").trim().split("\n").at(-1);
    assert.equal(JSON.parse(last).exit, "interrupted");
    // A late answer is none, and another task may begin.
    await page.getByLabel("What is to be done?").waitFor();
  },

  async reload(stage, page) {
    await stage.begin(page);
    const asked = await question(page, /Grace/);
    const steps = await page.locator("#steps summary").allTextContents();
    await page.reload();
    assert.equal(await question(page, /Grace/), asked);
    assert.deepEqual(await page.locator("#steps summary").allTextContents(), steps);
    await approve(page, /Grace/);
    await approve(page, /Log in/);
    await status(page, /done/);
  },

  async tabs(stage, page) {
    const other = await stage.page();
    await stage.begin(page);
    await question(page, /Grace/);
    await question(other, /Grace/);
    // Both answer; the first one counts, and the other is told.
    const yes = (one) => one.evaluate(() => document.querySelector("#asked button.main").click());
    await Promise.all([yes(page), yes(other)]);
    await question(page, /Log in/);
    await question(other, /Log in/);
    const told = await Promise.all([page, other].map((one) => one.locator("#answer").textContent()));
    assert(told.some((words) => words.includes("answered already")), told.join("|"));
    await approve(other, /Log in/);
    await Promise.all([status(page, /done/), status(other, /done/)]);
    assert.equal(stage.logins().length, 1);
    const all = await Promise.all([page, other].map((one) => one.locator("#steps summary").allTextContents()));
    assert.deepEqual(all[0], all[1]);
  },

  async restart(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    const port = new URL(stage.address).port;
    await stage.kill("SIGKILL");
    await status(page, /no connection/);
    await stage.serve(["--port", port]);
    await status(page, /open the address/);
    await page.goto(stage.address);
    await status(page, /ready/);
    // What the killed run did stands among the past ones.
    await page.locator("#runs li").filter({ hasText: "not ended" }).waitFor();
  },

  async accessible(stage) {
    // The judge is a script that the page's own policy would not let in.
    const context = await stage.browser.newContext({ bypassCSP: true, viewport: { width: 1280, height: 900 } });
    const page = await stage.page(context);
    const check = async (what) => {
      const results = await page.evaluate(async (source) => {
        if (!window.axe) {
          (0, eval)(source);
        }
        const found = await window.axe.run(document, { resultTypes: ["violations"] });
        return found.violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html}`);
      }, AXE);
      const serious = results.filter((found) => /^(serious|critical)/.test(found));
      assert.deepEqual(serious, [], what);
    };
    await check("idle");
    await stage.begin(page);
    await question(page, /Grace/);
    await check("with a question");
    await page.emulateMedia({ colorScheme: "dark" });
    await check("in the dark");
    await page.setViewportSize({ width: 360, height: 740 });
    await check("on a phone");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert(wide <= 360, `it is ${wide} px wide on a phone`);
    await page.getByRole("button", { name: "Take over" }).click();
    await status(page, /yours/);
    await check("taken over");
  },

  async hostile(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    await page.locator("#seen summary").click();
    await page.locator("#list").filter({ hasText: "<img src=x" }).waitFor();
    assert.match(await page.locator("#asked").textContent(), /<script>window\.hacked=1<\/script>/);
    await approve(page, /Grace/);
    await question(page, /onerror/);
    await page.locator("#caption").filter({ hasText: "<script>" }).waitFor();
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("#asked img, #asked script, #list img").count(), 0);
  },

  async strangers(stage, page) {
    const { port } = new URL(stage.address);
    // Another name that means 127.0.0.1, as DNS rebinding makes one.
    const rebound = await stage.context.newPage();
    const answer = await rebound.goto(`http://evil.example:${port}/`);
    assert.equal(answer.status(), 421);
    // Pages of others in the same browser: of another site, and of another program on this machine, which
    // is the same site to the browser and so is sent the cookie.
    const neighbour = http.createServer((_, response) => response.end("<!doctype html><p>hello"));
    await new Promise((resolve) => neighbour.listen(0, "127.0.0.1", resolve));
    const site = "http://site.example/";
    await stage.context.route(site, (route) => route.fulfill({ contentType: "text/html", body: "<p>hello" }));
    for (const address of [site, `http://127.0.0.1:${neighbour.address().port}/`]) {
      const evil = await stage.context.newPage();
      await evil.goto(address);
      const tried = await evil.evaluate(trespass, stage.origin);
      assert.deepEqual(tried, { messages: "refused", screen: "refused", read: "refused", written: "refused" }, address);
      assert.match(evil.frames()[1].url(), /^chrome-error:/, "the console in a frame");
    }
    neighbour.close();
    // With the cookie and without a browser's manners it is the name of the origin that counts.
    const [pass] = await stage.context.cookies(stage.origin);
    const cookie = `${pass.name}=${pass.value}`;
    const asked = (headers) => page.request.get(`${stage.origin}/runs`, { headers }).then((answer) => answer.status());
    assert.equal(await asked({ cookie }), 200);
    assert.equal(await asked({ cookie, origin: "http://evil.example" }), 403);
    assert.equal(await asked({ cookie, "sec-fetch-site": "same-site" }), 403);
    // Without the token there is nothing to see either.
    const fresh = await stage.browser.newContext();
    const nobody = await fresh.newPage();
    await nobody.goto(stage.origin);
    await status(nobody, /open the address/);
    assert.equal((await nobody.request.get(`${stage.origin}/runs`)).status(), 401);
    assert.equal(await page.evaluate(() => location.hash), "");
    assert.deepEqual([pass.httpOnly, pass.sameSite], [true, "Strict"]);
  },

  // What the model has noted as its plan stands there as such, and nothing else does.
  async plan(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    assert.match(await page.locator("#plan-by").textContent(), /As the model has noted it\. 1 of 3 done/);
    assert.deepEqual(await page.locator("#plan li").allTextContents(), ["open the dialog done", "type the name left", "log in left"]);
    await approve(page, /Grace/);
    await approve(page, /Log in/);
    await status(page, /done/);
    assert.match(await page.locator("#plan-by").textContent(), /2 of 3 done/);
    assert.equal(await page.locator("#notes li").filter({ hasText: "the button is grey" }).count(), 1);
  },

  // A task whose record cannot be written ends, and the session goes on.
  async unrecorded(stage, page) {
    await stage.begin(page);
    await question(page, /Grace/);
    fs.rmSync(path.dirname(stage.record()), { recursive: true });
    await approve(page, /Grace/);
    await status(page, /gave up.*cannot write/);
    await page.getByLabel("What is to be done?").fill("once more");
    await page.getByRole("button", { name: "Start" }).click();
    await approve(page, /Log in/);
    await status(page, /done/);
  },

  // A script is watched like a run: who takes over has not said no to what was asked.
  async script(stage, page) {
    await approve(page, /login\.py/);
    await question(page, /Grace/);
    // Its steps are the plan.
    assert.match(await page.locator("#plan-by").textContent(), /steps of the script\. 2 of 4 done/);
    assert.equal(await page.locator("#plan li.done").count(), 2);
    assert.match(await page.locator("#plan li.current").textContent(), /type_text · Name/);
    assert.match(await page.locator("#plan li.left").textContent(), /click · Log in/);
    await page.getByRole("button", { name: "Take over" }).click();
    await status(page, /yours/);
    await touch(page, ...place(stage, "Password"));
    await page.keyboard.type(PASSWORD);
    await page.getByRole("button", { name: "Give back" }).click();
    await question(page, /Grace/);
    await page.getByRole("button", { name: "Pause" }).click();
    await approve(page, /Grace/);
    await status(page, /paused/);
    assert.deepEqual(stage.logins(), []);
    await page.getByRole("button", { name: "Go on" }).click();
    await approve(page, /Log in/);
    assert.equal(await stage.ended, 0, stage.said);
    assert.deepEqual(stage.logins(), [{ name: "Grace", password: PASSWORD }]);
    assert(!recorded(stage).text.includes(PASSWORD), "the password is in the record");
  },

  ...person.CASES,
  ...lent.CASES,
};

// What the model says in each case, and what else is set up.
export const STAGES = {
  approve: { answers: [NAME, LOG_IN, DONE] },
  edit: { answers: [NAME, LOG_IN, finish("Welcome, Ada")] },
  deny: { answers: REFUSED },
  instead: { answers: [typed("Ada", "Name"), NAME, LOG_IN, DONE] },
  thoughts: { answers: [{ text: NAME, thought: `first the name ${"then the rest ".repeat(15)}`, pace: 60 }] },
  pause: { answers: [{ text: `I am thinking ${"and thinking ".repeat(60)} ${typed("Wrong", "Name")}`, pace: 100 }, NAME, LOG_IN, DONE] },
  takeover: { answers: [call("note", { text: "the dialog is there" }), NAME, DONE] },
  stop: { answers: [NAME] },
  reload: { answers: [NAME, LOG_IN, DONE] },
  tabs: { answers: [NAME, LOG_IN, DONE] },
  restart: { answers: [NAME] },
  accessible: { answers: [NAME] },
  hostile: {
    title: "<script>window.hacked=1</script>",
    answers: [NAME, call("click", { target: { label: "<img src=x onerror=window.hacked=1>" } })],
  },
  strangers: { answers: [NAME], browserArgs: ["--host-resolver-rules=MAP evil.example 127.0.0.1"] },
  plan: {
    answers: [
      call("note", { text: "1. [x] open the dialog\n2. [ ] type the name\n3. [ ] log in" }), NAME,
      call("note", { text: "the button is grey" }),
      call("note", { text: "1. [x] open the dialog\n2. [x] type the name\n3. [ ] log in" }), LOG_IN, DONE,
    ],
  },
  unrecorded: { answers: [NAME, LOG_IN, DONE] },
  script: { workflow: [NAME, LOG_IN] },
  ...person.STAGES,
  ...lent.STAGES,
};

// Runs one case.
export async function run(name) {
  const stage = await Stage.set(STAGES[name]);
  try {
    const page = await stage.page();
    await CASES[name](stage, page);
    const known = /401|Failed to load resource|WebSocket connection/;
    assert.deepEqual(page.errors.filter((error) => !known.test(error)), []);
  } catch (error) {
    error.message += `\nthe program said:\n${stage.said}`;
    throw error;
  } finally {
    await stage.clear();
  }
}
