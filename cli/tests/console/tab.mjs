// A tab as a person has it, which is hidden when they go to another one. The driver keeps its own pages visible for
// ever, so this one is none of them: it is spoken to by the browser's protocol alone.

import { until } from "./stage.mjs";

export class Tab {
  #browser;
  #target;
  #session;
  #number = 0;
  #open = new Map();

  static async open(browser, address) {
    const tab = new Tab();
    tab.#browser = await browser.newBrowserCDPSession();
    tab.#target = (await tab.#browser.send("Target.createTarget", { url: address })).targetId;
    const attached = { targetId: tab.#target, flatten: false };
    tab.#session = (await tab.#browser.send("Target.attachToTarget", attached)).sessionId;
    tab.#browser.on("Target.receivedMessageFromTarget", ({ sessionId, message }) => {
      if (sessionId === tab.#session) {
        const { id, result } = JSON.parse(message);
        tab.#open.get(id)?.(result);
      }
    });
    return tab;
  }

  #send(method, params) {
    this.#number += 1;
    const id = this.#number;
    const message = JSON.stringify({ id, method, params });
    this.#browser.send("Target.sendMessageToTarget", { sessionId: this.#session, message });
    return new Promise((resolve) => this.#open.set(id, resolve));
  }

  async evaluate(expression) {
    const { result } = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
    return result.value;
  }

  // Waits for the status, and that the page is seen.
  async shows(words) {
    await until(`the status ${words}`, async () =>
      words.test(await this.evaluate("document.getElementById('status')?.textContent ?? ''")));
  }

  moveMouse(x, y) {
    return this.#send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }

  // To the front, which hides the others of its window.
  show() {
    return this.#browser.send("Target.activateTarget", { targetId: this.#target });
  }

  close() {
    return this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }
}
