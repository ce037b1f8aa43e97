// Says that the person is there and looks: the page can be seen, and they did something not long ago. Who leaves
// the page is said to look away at once.

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
  const signed = () => {
    last = performance.now();
    look();
  };
  for (const sign of SIGNS) {
    addEventListener(sign, signed, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      signed();
    } else {
      said = -Infinity;
      connection.command({ command: "look_away" });
    }
  });
  setInterval(look, EVERY);
}
