// Asks a running `freehand serve` with OpenAI's own JavaScript client: node openai_js.mjs URL MODEL, with
// the key in OPENAI_API_KEY. Each check says what a user of that client relies on; the first that does
// not hold ends it with 1.

import OpenAI from "openai";

const [url, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: url, maxRetries: 0, timeout: 300_000 });
let checks = 0;

function check(what, holds, seen) {
  checks += 1;
  if (!holds) {
    console.error(`js: ${what}: ${JSON.stringify(seen)}`);
    process.exit(1);
  }
}

const ask = (content, more = {}) =>
  client.chat.completions.create({
    model, temperature: 0, max_tokens: 40,
    messages: [{ role: "system", content: "Be brief." }, { role: "user", content }],
    ...more,
  });

async function refused(kind, code, call) {
  try {
    await call();
  } catch (error) {
    check(`a ${kind.name}`, error instanceof kind && error.code === code, { code: error.code, said: String(error) });
    return;
  }
  check(`a ${kind.name}`, false);
}

const france = "What is the capital of France? Answer in one word.";
const oslo = "Use the tool: what is the weather in Oslo, in celsius?";
const parameters = {
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } },
  required: ["city", "unit"],
  additionalProperties: false,
};
const tools = [{
  type: "function",
  function: { name: "get_weather", description: "The weather of a city right now.", parameters },
}];

async function answers() {
  const listed = await client.models.list();
  check("the model is listed", listed.data.map((entry) => entry.id).join() === model, listed.data);
  const whole = await ask(france);
  const text = whole.choices[0].message.content;
  check("an answer", text.includes("Paris") && whole.choices[0].finish_reason === "stop", whole);
  const again = await ask(france);
  check("cached tokens", again.usage.prompt_tokens_details.cached_tokens > 10, again.usage);
  let pieces = "";
  let usage = null;
  for await (const chunk of await ask(france, { stream: true, stream_options: { include_usage: true } })) {
    pieces += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  check("the same in pieces", pieces === text, pieces);
  check("the usage of a stream", usage?.total_tokens === whole.usage.total_tokens, usage);
  const told = await ask(france, { logprobs: true, top_logprobs: 2 });
  check("likelihoods", told.choices[0].logprobs.content[0].top_logprobs.length === 2, told.choices[0].logprobs);
}

async function calls() {
  for (const tool_choice of ["auto", "required"]) {
    const { message, finish_reason } = (await ask(oslo, { tools, tool_choice })).choices[0];
    const given = JSON.parse(message.tool_calls[0].function.arguments);
    check("a call", finish_reason === "tool_calls" && given.city.startsWith("Oslo") && given.unit === "celsius", given);
  }
  const stream = client.chat.completions.stream({
    model, tools, temperature: 0, max_tokens: 60, messages: [{ role: "user", content: oslo }],
  });
  const { message } = (await stream.finalChatCompletion()).choices[0];
  check("a call in a stream", JSON.parse(message.tool_calls[0].function.arguments).unit === "celsius", message);
  const asked = [];
  const runner = client.chat.completions.runTools({
    model, temperature: 0, max_tokens: 30, messages: [{ role: "user", content: oslo }],
    tools: [{
      type: "function",
      function: {
        ...tools[0].function,
        parse: JSON.parse,
        function: (given) => {
          asked.push(given.city);
          return "It is -17 degrees celsius and clear.";
        },
      },
    }],
  }, { maxChatCompletions: 2 });
  // It may want to call once more, and is not let.
  await runner.done().catch(() => null);
  check("the client runs the function", asked.length >= 1 && asked[0].startsWith("Oslo"), asked);
}

async function forms() {
  const schema = {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer" } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "person", strict: true, schema } };
  const told = await ask("Ada is 36.", { response_format });
  check("a form", JSON.parse(told.choices[0].message.content).age === 36, told);
  const text = await client.completions.create({ model, prompt: "The capital of France is", max_tokens: 3, temperature: 0 });
  check("a text goes on", text.choices[0].text.includes("Paris"), text);
}

async function refusals() {
  const messages = [{ role: "user", content: "hello" }];
  await refused(OpenAI.NotFoundError, "model_not_found", () =>
    client.chat.completions.create({ model: "gpt-9", messages }));
  await refused(OpenAI.BadRequestError, "context_length_exceeded", () => ask("word ".repeat(20_000)));
  const stranger = client.withOptions({ apiKey: "wrong" });
  await refused(OpenAI.AuthenticationError, "invalid_api_key", () => stranger.models.list());
}

async function leaving() {
  const stream = await ask("Tell a very long story.", { stream: true, max_tokens: 2000 });
  for await (const _ of stream) {
    stream.controller.abort();
    break;
  }
  const next = await ask(france);
  check("one who leaves holds up nobody", next.choices[0].message.content.includes("Paris"), next);
}

for (const part of [answers, calls, forms, refusals, leaving]) {
  await part();
}
console.log(`js: ${checks} checks hold`);
