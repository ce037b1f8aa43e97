// How far the console is behind, in a real browser: `latency.mjs [ROUNDS]`, with FREEHAND_BINARY and
// FREEHAND_BROWSER_TESTS as in cli/tests/console/main.mjs. Prints a table.
//
// Measured: from telling a program to change its colour to the pixel in the page; from the raising of a
// question to its words in the page; from the answer to the press that arrives in the program; and
// what goes over the line while nothing but a caret blinks. The first also through x11vnc and noVNC, by turns.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { call } from "../../cli/tests/console/model.mjs";
import { Stage, question, until } from "../../cli/tests/console/stage.mjs";
import { Vnc, environmentOf, missing } from "./vnc.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const rounds = Number(process.argv[2] ?? 30);
const QUIET = 10_000;

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function row(what, unit, values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(0);
  console.log(`| ${what} | ${unit} | ${at(0)} | ${at(0.5)} | ${at(0.9)} | ${at(1)} |`);
}

// Lets the page write down when the middle of its picture shows another colour, and when a question stands there.
function watch(page, picture) {
  return page.evaluate((picture) => {
    window.changes = [];
    window.questions = [];
    const canvas = document.querySelector(picture);
    const paper = canvas.getContext("2d");
    let last = "";
    const look = () => {
      const now = paper.getImageData(canvas.width / 2, canvas.height / 2 - 60, 1, 1).data.slice(0, 3).join();
      if (now !== last) {
        last = now;
        window.changes.push([now, Date.now()]);
      }
      requestAnimationFrame(look);
    };
    look();
    const asked = document.getElementById("asked");
    new MutationObserver(() => {
      if (document.querySelector("#asked .effect")) {
        window.questions.push(Date.now());
      }
    }).observe(asked ?? document.body, { childList: true });
  }, picture);
}

async function colours(page, orders, count = rounds) {
  const took = [];
  for (let i = 0; i < count; i += 1) {
    const [name, rgb] = i % 2 === 0 ? ["red", "255,0,0"] : ["lime", "0,255,0"];
    const start = Date.now();
    fs.writeFileSync(orders, `${name}\n`);
    const seen = await until(name, () =>
      page.evaluate(([rgb, start]) => window.changes.find(([now, at]) => now === rgb && at >= start)?.[1], [rgb, start]));
    took.push(seen - start);
    await rest(150 + Math.random() * 200);
  }
  return took;
}

// By turns, each in a page that is there for its turn alone; ms of ours and of theirs. An even number of changes ends with
// another colour than the next turn begins with.
async function besideVnc(stage, orders) {
  const [ours, theirs] = [[], []];
  for (let turn = 0; turn < 4; turn += 1) {
    const vnc = turn % 2 === 0 ? null : await Vnc.serve(environmentOf("flash.py"), until);
    try {
      const page = vnc ? await vnc.page(stage.context) : await stage.page();
      await watch(page, vnc ? "#screen canvas" : "#canvas");
      await rest(1000);
      (vnc ? theirs : ours).push(...(await colours(page, orders, 2 * Math.ceil(rounds / 4))));
      await page.close();
    } finally {
      vnc?.end();
    }
  }
  return [ours, theirs];
}

async function main() {
  const stage = await Stage.set({ answers: [call("click", { target: { label: "Press", role: "button" } })] });
  try {
    const orders = path.join(stage.home, "orders");
    execFileSync("mkfifo", [orders]);
    fs.copyFileSync(path.join(HERE, "flash.py"), path.join(stage.home, "flash.py"));
    const flash = "/usr/bin/python3 flash.py orders journal";
    stage.model.answers.splice(0, 2, call("open_app", { name: flash }), call("wait", { window: "Flash", timeout_ms: 15_000 }));
    const raised = [];
    let bytes = 0;
    stage.context.on("page", (page) => page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
      bytes += payload.length;
      if (socket.url().endsWith("/messages")) {
        const message = JSON.parse(payload);
        if (message.event === "asked") {
          raised.push(message.at_ms);
        }
      }
    })));
    let page = await stage.page();
    await page.getByLabel("What is to be done?").fill("Press");
    await page.getByRole("button", { name: "Start" }).click();
    await question(page, /flash\.py/);
    await page.getByRole("button", { name: "Yes, once" }).click();
    await question(page, /Press/);
    await page.close();
    const [screen, theirs] = missing() ? [null, null] : await besideVnc(stage, orders);
    page = await stage.page();
    await watch(page, "#canvas");
    await rest(500);
    const alone = await colours(page, orders);

    const shown = [];
    const acted = [];
    const presses = () => (fs.existsSync(stage.journal) ? fs.readFileSync(stage.journal, "utf8").trim().split("\n") : []);
    for (let i = 0; i < Math.min(rounds, 20); i += 1) {
      await question(page, /Press/);
      const before = presses().length;
      const clicked = await page.evaluate(() => {
        const now = Date.now();
        document.querySelector("#asked button.main").click();
        return now;
      });
      await until("the press", () => presses().length > before);
      acted.push(Number(presses().at(-1)) - clicked);
      const asked = raised.length;
      await until("the next question", () => raised.length > asked || page.evaluate(() => document.querySelector("#asked .effect") !== null));
      await question(page, /Press/);
      shown.push((await page.evaluate(() => window.questions.at(-1))) - raised.at(-1));
    }
    // The keyboard goes to the field, in which the caret blinks.
    await rest(1000);
    bytes = 0;
    await rest(QUIET);
    const quiet = (bytes * 8) / (QUIET / 1000) / 1000;
    console.log("| what | unit | min | median | p90 | max |\n| --- | --- | --- | --- | --- | --- |");
    row("a change of the screen to the pixel in the page", "ms", alone);
    if (theirs) {
      row("the same beside x11vnc", "ms", screen);
      row("the same through x11vnc and noVNC", "ms", theirs);
    } else {
      console.error(`without a peer: ${missing()}`);
    }
    row("a question raised to its words in the page", "ms", shown);
    row("an answer to the press in the program", "ms", acted);
    console.log(`| the line while it is quiet | kbit/s | | ${quiet.toFixed(1)} | | |`);
  } catch (error) {
    console.error(`the program said:\n${stage.said}`);
    for (const page of stage.context.pages()) {
      console.error(await page.locator("body").innerText());
    }
    throw error;
  } finally {
    await stage.clear();
  }
}

await main();
