// The usual way to look at a display from a browser, as a peer: x11vnc, websockify and noVNC, with their own
// settings, on the display that Freehand has started.

import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";

const PAGE = "/usr/share/novnc";
const NEEDED = ["/usr/bin/x11vnc", "/usr/bin/websockify", `${PAGE}/vnc_lite.html`];

export const missing = () => (NEEDED.every((file) => fs.existsSync(file)) ? null : "install the Debian packages x11vnc, websockify and novnc");

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const answers = (port) => new Promise((resolve) => {
  const socket = net.connect(port, "127.0.0.1", () => {
    socket.destroy();
    resolve(true);
  });
  socket.on("error", () => resolve(false));
});

// What a program with this word in its command was started with.
export function environmentOf(word) {
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      const pairs = fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      const env = Object.fromEntries(pairs.filter(Boolean).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
      if (words.includes(word) && env.FREEHAND_DISPLAY) {
        return env;
      }
    } catch {
      // It has ended in between, or is somebody else's.
    }
  }
  throw new Error(`no program with ${word} is on the display`);
}

export class Vnc {
  // Serves the display of `env` to a browser.
  static async serve(env, until) {
    const vnc = new Vnc();
    const [screen, web] = [await freePort(), await freePort()];
    const { DISPLAY, XAUTHORITY } = env;
    const server = ["-display", DISPLAY, "-auth", XAUTHORITY, "-localhost", "-rfbport", `${screen}`, "-forever", "-shared", "-nopw", "-quiet"];
    vnc.children = [
      spawn("/usr/bin/x11vnc", server, { env, stdio: "ignore" }),
      spawn("/usr/bin/websockify", ["--web", PAGE, `127.0.0.1:${web}`, `127.0.0.1:${screen}`], { stdio: "ignore" }),
    ];
    vnc.address = `http://127.0.0.1:${web}/vnc_lite.html`;
    await until("the VNC server", async () => (await answers(screen)) && answers(web));
    return vnc;
  }

  // A page that shows the display.
  async page(context) {
    const page = await context.newPage();
    await page.goto(this.address);
    await page.waitForFunction(() => document.querySelector("#screen canvas")?.width > 500);
    return page;
  }

  end() {
    this.children.forEach((child) => child.kill("SIGTERM"));
  }
}
