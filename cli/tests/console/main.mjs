// `main.mjs CASE…`: runs these cases, or all of them, one after another.
//
// FREEHAND_BINARY is the program, FREEHAND_BROWSER_TESTS the folder that scripts/setup.sh has installed
// the browser's driver in.

import { CASES, run } from "./cases.mjs";

const wanted = process.argv.slice(2);
let failed = 0;
for (const name of wanted.length > 0 ? wanted : Object.keys(CASES)) {
  const start = Date.now();
  try {
    await run(name);
    console.log(`${name}: passed in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`${name}: FAILED\n${error.stack}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
