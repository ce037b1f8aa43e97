// Folds events as the page does and holds the outcome against what the hub makes of them, field by field, after
// each event. Lines of JSON come in, one for each sequence: `{ first, events, states }`.

import assert from "node:assert/strict";
import fs from "node:fs";
import readline from "node:readline";

// The page's own file, which no package says the kind of.
const source = fs.readFileSync(new URL("../../src/console/page/state.js", import.meta.url));
const { take } = await import(`data:text/javascript;base64,${source.toString("base64")}`);

// A field that holds nothing is not written out.
const plain = (state) => JSON.parse(JSON.stringify(state));

let sequences = 0;
let events = 0;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  const state = told.first;
  sequences += 1;
  told.events.forEach((event, at) => {
    take(state, event);
    events += 1;
    const [page, hub] = [plain(state), told.states[at]];
    for (const field of new Set([...Object.keys(hub), ...Object.keys(page)])) {
      assert.deepStrictEqual(page[field], hub[field],
        `sequence ${sequences}, after event ${at + 1} (${event.event}): \`${field}\``);
    }
  });
}
console.log(`${events} events of ${sequences} sequences come to the same`);
