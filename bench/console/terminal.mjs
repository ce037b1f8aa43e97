// Makes the picture of the terminal view in docs/pictures: `terminal.mjs`, with FREEHAND_BINARY as in
// cli/tests/console/main.mjs. Needs Xvfb, xterm and xdotool; xterm shows the screen in sixels.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Model, call } from "../../cli/tests/console/model.mjs";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, "../../docs/pictures/terminal.png");
const BINARY = path.resolve(process.env.FREEHAND_BINARY);
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const home = fs.mkdtempSync(path.join(os.tmpdir(), "freehand-terminal-"));
fs.copyFileSync(path.join(HERE, "../../cli/tests/console/login.py"), path.join(home, "login.py"));
const model = await new Model([
  call("open_app", { name: "/usr/bin/python3 login.py journal" }),
  call("wait", { window: "Sign in", timeout_ms: 15_000 }),
  call("note", { text: "The account is called Grace" }),
  { text: `The dialog wants a name and a password. The note says that the account is called Grace. ${call("type_text", { target: { label: "Name" }, text: "Grace" })}`, pace: 20 },
]).start();
const ended = [];
const start = (program, args, env) => {
  const child = spawn(program, args, { cwd: home, env, stdio: ["ignore", "pipe", "ignore"] });
  ended.push(() => child.kill());
  return child;
};
try {
  const server = start("Xvfb", ["-displayfd", "1", "-screen", "0", "1240x760x24", "-nolisten", "tcp"], process.env);
  const number = await new Promise((resolve) => server.stdout.once("data", (line) => resolve(String(line).trim())));
  const env = { HOME: home, PATH: process.env.PATH, LANG: "C.UTF-8", DISPLAY: `:${number}` };
  const run = [BINARY, "run", "Log in as Grace", "--display", "virtual:1000x700", "--policy", "supervised", "--model", model.url];
  start("xterm", ["-ti", "vt340", "-fa", "DejaVu Sans Mono", "-fs", "11", "-bg", "#16181b", "-fg", "#e4e6e8",
    "-geometry", "136x40+0+0", "-xrm", "xterm*numColorRegisters: 256", "-xrm", "xterm*decTerminalID: vt340",
    "-e", ...run], env);
  const press = (key) => execFileSync("xdotool", ["key", key], { env });
  // The first question is for the dialog; what is in the picture is the second.
  await rest(9000);
  execFileSync("xdotool", ["mousemove", "600", "400"], { env });
  press("y");
  await rest(9000);
  execFileSync(BINARY, ["observe", "--display", env.DISPLAY, "--image", OUT], { env, stdio: "ignore" });
  press("q");
  await rest(2000);
} finally {
  ended.reverse().forEach((end) => end());
  model.stop();
  fs.rmSync(home, { recursive: true, force: true });
}
