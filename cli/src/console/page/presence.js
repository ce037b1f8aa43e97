// Says that the person is there and looks: the page can be seen, and they did something not long ago.

const EVERY = 3000;
const RECENT = 60_000;
const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"];

export function watchPresence(connection) {
  let last = -Infinity;
  let said = -Infinity;
  const look = () => {
    const now = performance.now();
    if (document.visibilityState === "visible" && now - last < RECENT && now - said > EVERY) {
      said = now;
      connection.command({ command: "look" });
    }
  };
  for (const sign of SIGNS) {
    addEventListener(sign, () => {
      last = performance.now();
      look();
    }, { passive: true, capture: true });
  }
  setInterval(look, EVERY);
}
