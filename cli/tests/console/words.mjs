// What several cases share: the calls of the model, and what a record holds.

import fs from "node:fs";
import path from "node:path";

import { call, finish } from "./model.mjs";

export const typed = (text, into) => call("type_text", { target: { label: into }, text });
export const LOG_IN = call("click", { target: { label: "Log in", role: "button" } });
export const NAME = typed("Grace", "Name");
export const DONE = finish("Welcome, Grace");
export const PASSWORD = "correct horse 42";
// What was refused is not asked again, so it does something else.
export const REFUSED = [NAME, LOG_IN, finish("Welcome,")];

// The whole of a record as text, and the digests of its pictures.
export function recorded(stage) {
  const folder = stage.record();
  const files = fs.readdirSync(path.join(folder, "frames"));
  return { text: fs.readFileSync(path.join(folder, "trajectory.jsonl"), "utf8"), files };
}
