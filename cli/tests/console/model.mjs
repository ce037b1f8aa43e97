// A model behind the protocol of OpenAI that says what it was told to, word by word and as slowly as
// wanted, and remembers what it was asked.

import http from "node:http";

const body = async (request) => {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Model {
  asked = [];

  // `answers` are texts or `{ text, pace, thought }`, the pace in ms for each word; the last one is said again and again.
  constructor(answers) {
    this.answers = answers;
    this.server = http.createServer((request, response) => this.#serve(request, response));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}/v1`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #serve(request, response) {
    if (request.method === "GET") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: "made-up", object: "model" }] }));
      return;
    }
    const question = JSON.parse(await body(request));
    this.asked.push(question.messages.map((message) => message.content).join("\n"));
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    const { text, pace = 0, thought = "" } = typeof answer === "string" ? { text: answer } : answer;
    response.setHeader("content-type", "text/event-stream");
    const send = (choice, more = {}) => response.write(`data: ${JSON.stringify({
      id: "1", object: "chat.completion.chunk", model: "made-up", choices: [{ index: 0, ...choice }], ...more,
    })}\n\n`);
    for (const word of thought.match(/\S+\s*/g) ?? []) {
      send({ delta: { role: "assistant", reasoning_content: word }, finish_reason: null });
      await pause(pace);
    }
    for (const word of text.match(/\S+\s*/g)) {
      send({ delta: { role: "assistant", content: word }, finish_reason: null });
      await pause(pace);
      if (response.destroyed) {
        return;
      }
    }
    send({ delta: {}, finish_reason: "stop" }, { usage: { prompt_tokens: 10, completion_tokens: 5 } });
    response.end("data: [DONE]\n\n");
  }
}

// The calls that the scripts of the tests are made of.
export const call = (tool, args) => JSON.stringify({ tool, args });
export const finish = (evidence) => call("finish", { status: "success", evidence: [evidence], answer: "done" });
