// A program that has started `freehand mcp` and speaks the Model Context Protocol with it, line by line.

import assert from "node:assert/strict";
import readline from "node:readline";

export class Program {
  #open = new Map();
  #number = 0;
  // Lines that are no messages: there may be none.
  stray = [];
  // Questions that its person was asked, and the numbers of those that were taken back.
  questions = [];
  withdrawn = [];

  // With `asks` it can ask its person.
  constructor(child, { asks = false }) {
    this.child = child;
    this.capabilities = asks ? { elicitation: {} } : {};
    readline.createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
  }

  #take(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      this.stray.push(line);
      return;
    }
    if (message.method === "elicitation/create") {
      this.questions.push(message);
    } else if (message.method === "notifications/cancelled") {
      this.withdrawn.push(message.params.requestId);
    } else {
      this.#open.get(message.id)?.(message);
      this.#open.delete(message.id);
    }
  }

  #send(message) {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #ask(method, params) {
    this.#number += 1;
    const id = this.#number;
    this.#send({ id, method, params });
    return new Promise((resolve) => this.#open.set(id, resolve));
  }

  async introduce() {
    const clientInfo = { name: "tester", version: "7" };
    const { result } = await this.#ask("initialize", { protocolVersion: "2025-11-25", capabilities: this.capabilities, clientInfo });
    assert.equal(result.serverInfo.name, "freehand");
    this.#send({ method: "notifications/initialized" });
  }

  // What became of a call: its text, and whether it failed.
  async call(name, args = {}) {
    const { result } = await this.#ask("tools/call", { name, arguments: args });
    const text = result.content.map((part) => part.text ?? "").join("\n");
    return { text, failed: result.isError === true };
  }

  // Its person's answer to the last question.
  answer(content) {
    this.#send({ id: this.questions.at(-1).id, result: { action: "accept", content } });
  }

  leave() {
    this.child.stdin.end();
  }
}
