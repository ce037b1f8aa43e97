// How the console bears load: `load.mjs [steps|viewers|line]`, with FREEHAND_BINARY and FREEHAND_BROWSER_TESTS
// as in cli/tests/console/main.mjs.
//
// steps: a run of 2,000 steps open in one page; memory of page and server, and how smoothly the list scrolls.
// viewers: 20 pages of one run; when each of them shows a question.
// line: a page behind a line of 1 Mbit/s and 40 ms, while the screen is full of noise.

import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { call } from "../../cli/tests/console/model.mjs";
import { Stage, approve, question, until } from "../../cli/tests/console/stage.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const STEPS = Number(process.env.STEPS ?? 2000);
const VIEWERS = 20;
const PRESS = call("click", { target: { label: "Press", role: "button" } });

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const at = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))];
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);

// Memory of the server in MB.
function resident(stage) {
  const status = fs.readFileSync(`/proc/${stage.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
}

async function metrics(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await session.send("HeapProfiler.collectGarbage");
  const { metrics: all } = await session.send("Performance.getMetrics");
  await session.detach();
  return Object.fromEntries(all.map(({ name, value }) => [name, value]));
}

// Scrolls the steps from end to end; gives the times between frames in ms.
const scroll = (page) => page.evaluate(() => new Promise((resolve) => {
  let place = document.getElementById("steps");
  while (place && place.scrollHeight <= place.clientHeight + 1) {
    place = place.parentElement;
  }
  place ??= document.scrollingElement;
  const times = [];
  let last = performance.now();
  const most = place.scrollHeight;
  const turn = (now) => {
    times.push(now - last);
    last = now;
    place.scrollTop += most / 120;
    if (times.length < 120) {
      requestAnimationFrame(turn);
    } else {
      resolve(times.slice(1));
    }
  };
  place.scrollTop = 0;
  requestAnimationFrame(turn);
}));

async function steps() {
  const notes = Array.from({ length: STEPS }, (_, at) => call("note", { text: `fact ${at}` }));
  const stage = await Stage.set({ answers: notes, args: ["--max-steps", String(STEPS + 10), "--timeout", "60m"], policy: "unattended-in-sandbox" });
  try {
    const page = await stage.page();
    await page.getByLabel("What is to be done?").fill("Count");
    await page.getByRole("button", { name: "Start" }).click();
    row("steps", "page heap, MB", "nodes", "server, MB", "scrolling: median ms a frame", "p95", "max");
    row("---", "---", "---", "---", "---", "---", "---");
    for (const wanted of [50, 200, 500, 1000, 1500, STEPS]) {
      await until(`step ${wanted}`, () => page.evaluate((wanted) => {
        const last = [...document.querySelectorAll("#steps summary")].map((one) => parseInt(one.textContent, 10));
        return Math.max(0, ...last) >= wanted;
      }, wanted), 1_800_000);
      const { JSHeapUsedSize, Nodes } = await metrics(page);
      const frames = await scroll(page);
      row(wanted, (JSHeapUsedSize / 1e6).toFixed(1), Nodes, resident(stage).toFixed(0),
        at(frames, 0.5).toFixed(1), at(frames, 0.95).toFixed(1), Math.max(...frames).toFixed(1));
    }
  } finally {
    await stage.clear();
  }
}

// Writes down in the page when a question with these words stands there.
const listen = (page, words) => page.evaluate((words) => {
  window.shown = null;
  const look = () => {
    if (window.shown === null && document.querySelector("#asked .effect")?.textContent.includes(words)) {
      window.shown = Date.now();
    }
  };
  new MutationObserver(look).observe(document.getElementById("asked"), { childList: true, subtree: true });
}, words);

// When the hub numbers a question with these words, by a page's own socket.
function raised(page, words) {
  return new Promise((resolve) => page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
    if (typeof payload === "string" && payload.includes('"event":"asked"') && payload.includes(words)) {
      resolve(JSON.parse(payload).at_ms);
    }
  })));
}

async function viewers() {
  const stage = await Stage.set({ answers: [call("type_text", { target: { label: "Name" }, text: "Grace" })] });
  try {
    const first = await stage.context.newPage();
    const numbered = raised(first, "Grace");
    await first.goto(stage.address);
    const pages = [first];
    while (pages.length < VIEWERS) {
      pages.push(await stage.page());
    }
    await Promise.all(pages.map((page) => listen(page, "Grace")));
    await stage.begin(first);
    const asked = await numbered;
    await Promise.all(pages.map((page) => question(page, /Grace/)));
    const took = await Promise.all(pages.map((page) => page.evaluate(() => window.shown)));
    const ms = took.map((shown) => shown - asked);
    row("a question raised to its words, 20 pages", "ms", at(ms, 0), at(ms, 0.5), at(ms, 0.9), Math.max(...ms));
    row("the server with 20 pages", "MB", "", resident(stage).toFixed(0), "", "");
  } finally {
    await stage.clear();
  }
}

// A line of so many bytes a second with a delay, in both directions, to the same port of 127.0.0.1. All
// connections share it, a packet at a time.
function slow(port, rate, delay) {
  const PACKET = 1448;
  const pass = async (from, to, way) => {
    from.on("error", () => to.destroy());
    for await (const bytes of from) {
      for (let at = 0; at < bytes.length; at += PACKET) {
        const packet = bytes.subarray(at, at + PACKET);
        way.free = Math.max(way.free, performance.now()) + (packet.length / rate) * 1000;
        await rest(way.free - performance.now());
        setTimeout(() => to.destroyed || to.write(packet), delay);
      }
    }
    to.end();
  };
  const [up, down] = [{ free: 0 }, { free: 0 }];
  const server = net.createServer({ highWaterMark: 4096 }, (near) => {
    const far = net.connect({ host: "127.0.0.1", port, highWaterMark: 4096 });
    for (const [from, to, way] of [[near, far, up], [far, near, down]]) {
      pass(from, to, way).catch(() => to.destroy());
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.2", () => resolve(server)));
}

async function line() {
  const stage = await Stage.set({
    answers: [PRESS], browserArgs: ["--host-resolver-rules=MAP localhost 127.0.0.2"],
  });
  fs.copyFileSync(path.join(HERE, "noise.py"), path.join(stage.home, "noise.py"));
  stage.model.answers.splice(0, 2, call("open_app", { name: "/usr/bin/python3 noise.py" }), call("wait", { window: "Noise", timeout_ms: 15_000 }));
  const port = Number(new URL(stage.address).port);
  const server = await slow(port, 125_000, 20);
  try {
    // One on the machine itself, which answers, and one behind the line.
    const near = await stage.page();
    const far = await stage.context.newPage();
    const took = [];
    let last = 0;
    far.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
      if (typeof payload === "string" && payload.includes('"event":"asked"')) {
        last = JSON.parse(payload).at_ms;
      }
    }));
    await far.goto(stage.address.replace("127.0.0.1", "localhost"));
    await far.locator("#status").filter({ hasText: "ready" }).waitFor();
    await near.getByLabel("What is to be done?").fill("Press");
    await near.getByRole("button", { name: "Start" }).click();
    await approve(near, /noise\.py/);
    for (let round = 0; round < 15; round += 1) {
      await question(near, /Press/);
      await question(far, /Press/);
      await rest(2000);
      await listen(far, "Press");
      const before = last;
      await near.evaluate(() => document.querySelector("#asked button.main").click());
      await until("the next question", () => last > before);
      took.push(await until("its words", () => far.evaluate(() => window.shown)) - last);
    }
    row("a question raised to its words, 1 Mbit/s and noise", "ms", at(took, 0), at(took, 0.5), at(took, 0.9), Math.max(...took));
  } catch (error) {
    console.error(`the program said:\n${stage.said}`);
    throw error;
  } finally {
    server.close();
    await stage.clear();
  }
}

const parts = { steps, viewers, line };
for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)) {
  await parts[name]();
}
process.exit(0);
