// A real run for a real browser: the binary in an account of its own, a virtual display with a login
// dialog on it, a scripted model, and pages of the console.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Model, call } from "./model.mjs";
import { Program } from "./program.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(path.join(process.env.FREEHAND_BROWSER_TESTS, "package.json"));
export const { chromium } = require("playwright-core");
export const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const BROWSER = process.env.FREEHAND_CHROMIUM ?? "/usr/bin/chromium";
const PATIENCE = 20_000;

export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    assert(Date.now() < end, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export class Stage {
  #clears = [];

  // A console with no task yet. `answers` is what the model says, after it has opened the login dialog. With
  // a `workflow`, its steps are run instead, after the same. With `lends`, another program acts, which is `stage.program`. With `shop`, the
  // model opens a page of a shop in a browser in place of the dialog.
  static async set({ answers = [], workflow, lends, shop, title, args = [], policy = "supervised", browserArgs = [] }) {
    const stage = new Stage();
    stage.home = fs.mkdtempSync(path.join(os.tmpdir(), "freehand-console-"));
    stage.#clears.push(() => fs.rmSync(stage.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    stage.journal = path.join(stage.home, "journal");
    fs.copyFileSync(path.join(HERE, "login.py"), path.join(stage.home, "login.py"));
    const quoted = `/usr/bin/python3 login.py journal${title ? ` '${title}'` : ""}`;
    stage.opens = [
      call("open_app", { name: quoted }),
      call("wait", { window: title ?? "Sign in", timeout_ms: 15_000 }),
    ];
    if (shop) {
      await stage.#trade();
    }
    stage.model = await new Model([...stage.opens, ...answers]).start();
    stage.#clears.push(() => stage.model.stop());
    stage.ready = /ready for a task/;
    stage.args = ["console", "--display", "virtual:1000x700", "--policy", policy, "--no-open", "--model", stage.model.url, ...args];
    if (workflow) {
      const calls = [...stage.opens, ...workflow].map((text) => JSON.parse(text));
      const steps = calls.map(({ tool, args }) => ({ do: tool, args }));
      fs.writeFileSync(path.join(stage.home, "login.yaml"), JSON.stringify({ name: "Log in", steps }));
      stage.ready = /the console: /;
      stage.args = ["workflow", "run", "login.yaml", "--console", ...stage.args.slice(1)];
    }
    if (lends) {
      stage.lends = lends;
      stage.ready = /the console: /;
      stage.args = ["mcp", "--console", "--display", "virtual:1000x700", "--policy", policy, "--no-open", ...args];
    }
    await stage.serve();
    stage.browser = await chromium.launch({
      executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu", ...browserArgs],
    });
    stage.#clears.push(() => stage.browser.close());
    stage.context = await stage.browser.newContext({ viewport: { width: 1280, height: 900 } });
    return stage;
  }

  // A shop that counts how often its button is pressed, on a host that can be named.
  async #trade() {
    this.pressed = 0;
    const server = http.createServer((request, response) => {
      this.pressed += request.method === "POST" ? 1 : 0;
      response.setHeader("content-type", "text/html");
      const form = '<form method="post"><button>Order</button></form>';
      response.end(`<!doctype html><title>Shop</title>${request.method === "POST" ? "<p>Thank you" : form}`);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#clears.push(() => server.closeAllConnections() ?? server.close());
    const options = "--no-sandbox --disable-gpu --no-first-run --force-renderer-accessibility";
    const address = `http://localhost:${server.address().port}/`;
    this.opens = [call("open_app", { name: `${BROWSER} ${options} --user-data-dir=${this.home}/browser ${address}` })];
  }

  // Starts the binary and waits for the address that it prints.
  async serve(more = []) {
    const env = { HOME: this.home, PATH: process.env.PATH, LANG: "C.UTF-8", FREEHAND_LOG: "warn" };
    const child = spawn(process.env.FREEHAND_BINARY, [...this.args, ...more], { cwd: this.home, env, stdio: this.lends ? "pipe" : ["ignore", "ignore", "pipe"] });
    this.child = child;
    this.said = "";
    child.stderr.on("data", (part) => {
      this.said += part;
    });
    this.ended = new Promise((resolve) => child.on("exit", resolve));
    this.#clears.push(() => this.kill("SIGTERM"));
    await until(`the address (${this.said})`, () => this.ready.test(this.said) || child.exitCode !== null);
    this.address = /http:\/\/127\.0\.0\.1:\d+\/#\w+/.exec(this.said)?.[0];
    assert(this.address, this.said);
    this.origin = new URL(this.address).origin;
    if (this.lends) {
      this.program = new Program(child, this.lends);
      await this.program.introduce();
    }
  }

  async kill(signal) {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await this.ended;
    }
  }

  // A page of the console that is let in.
  async page(context = this.context) {
    const page = await context.newPage();
    page.errors = [];
    page.on("pageerror", (error) => page.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") {
        page.errors.push(message.text());
      }
    });
    await page.goto(this.address);
    await status(page, /ready|at work|waits|paused|done|yours/);
    return page;
  }

  // Begins the task and lets the dialog open.
  async begin(page, task = "Log in") {
    await page.getByLabel("What is to be done?").fill(task);
    await page.getByRole("button", { name: "Start" }).click();
    await approve(page, /login\.py/);
  }

  // What the dialog was given. The file is there before its first line is whole.
  logins() {
    const written = fs.existsSync(this.journal) ? fs.readFileSync(this.journal, "utf8") : "";
    return written.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  // The folder of the last run.
  record() {
    const runs = path.join(this.home, ".local/state/freehand/runs");
    return path.join(runs, fs.readdirSync(runs).sort().at(-1));
  }

  steps() {
    const lines = fs.readFileSync(path.join(this.record(), "trajectory.jsonl"), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line)).filter((line) => line.index !== undefined);
  }

  async clear() {
    for (const clear of this.#clears.reverse()) {
      await clear();
    }
  }
}

export const status = (page, words, patience = PATIENCE) =>
  until(`the status ${words}`, async () => words.test(await page.locator("#status").textContent()), patience);

// Waits for a question with these words; gives its text.
export async function question(page, words) {
  const effect = page.locator("#asked .effect").filter({ hasText: words });
  await effect.waitFor({ timeout: PATIENCE });
  return effect.textContent();
}

export async function approve(page, words) {
  await question(page, words);
  await page.getByRole("button", { name: "Yes, once" }).click();
}

// Clicks on the screen that the page shows, at a point of the display.
export async function touch(page, x, y) {
  const place = await onPage(page, x, y);
  await page.mouse.click(place.x, place.y);
}

// The same with a finger.
export async function tap(page, x, y) {
  await page.locator("#canvas").scrollIntoViewIfNeeded();
  const place = await onPage(page, x, y);
  await page.touchscreen.tap(place.x, place.y);
}

// Where a point of the display lies on the page.
function onPage(page, x, y) {
  return page.evaluate(([x, y]) => {
    const canvas = document.getElementById("canvas");
    const box = canvas.getBoundingClientRect();
    return { x: box.left + (x / canvas.width) * box.width, y: box.top + (y / canvas.height) * box.height };
  }, [x, y]);
}

// Where an element of the last observation lies on the display, by its name.
export function place(stage, name) {
  const element = stage.steps().at(-1).seen.elements.find((element) => element.name === name);
  const { x, y, width, height } = element.bounds;
  return [x + width / 2, y + height / 2];
}
