"""Asks a running `freehand serve` with OpenAI's own Python client: python3 openai_python.py URL MODEL, with
the key in OPENAI_API_KEY. Each check says what a user of that client relies on; the first that does not
hold ends it with 1."""

import json
import math
import sys

import openai
import pydantic

URL, MODEL = sys.argv[1:3]
client = openai.OpenAI(base_url=URL, max_retries=0, timeout=300)
checks = 0


def check(what, holds, seen=None):
    global checks
    checks += 1
    if not holds:
        sys.exit(f"python: {what}: {seen!r}")


def ask(text, **more):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    more = {"temperature": 0, "max_tokens": 40, **more}
    return client.chat.completions.create(model=MODEL, messages=messages, **more)


def refused(kind, code, call):
    try:
        call()
    except kind as error:
        check(f"the code of {kind.__name__}", error.code == code, error.body)
    else:
        check(f"a {kind.__name__}", False)


FRANCE = "What is the capital of France? Answer in one word."
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city right now.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
OSLO = "Use the tool: what is the weather in Oslo, in celsius?"


def models():
    check("the model is listed", [model.id for model in client.models.list()] == [MODEL])
    check("the model is told", client.models.retrieve(MODEL).owned_by == "freehand")


def answers():
    whole = ask(FRANCE)
    text = whole.choices[0].message.content
    check("an answer", "Paris" in text and whole.choices[0].finish_reason == "stop", whole)
    usage = whole.usage
    check("the usage", usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 10, usage)
    again = ask(FRANCE)
    check("cached tokens", again.usage.prompt_tokens_details.cached_tokens > 10, again.usage)
    pieces, last = [], None
    for chunk in ask(FRANCE, stream=True, stream_options={"include_usage": True}):
        pieces += [choice.delta.content or "" for choice in chunk.choices]
        last = chunk
    check("the same in pieces", "".join(pieces) == text, pieces)
    check("the usage of a stream", last.usage.completion_tokens == usage.completion_tokens, last)
    check("max_tokens", ask("Count to 50.", max_tokens=5).choices[0].finish_reason == "length")
    stopped = ask("Write the numbers 1 to 9, separated by spaces.", stop=["5"])
    check("stop", stopped.choices[0].message.content.strip().endswith("4"), stopped)
    # The first one reads the prompt in another way than those that find it read, and rounds otherwise.
    names = [ask("Invent a name.", temperature=1.0, seed=7, top_p=0.9, max_tokens=6) for _ in range(3)]
    check("seed", names[1].choices[0].message.content == names[2].choices[0].message.content, names)


def likelihoods():
    told = ask(FRANCE, logprobs=True, top_logprobs=3).choices[0].logprobs.content
    check("a likelihood for each token", len(told) >= 1 and all(len(token.top_logprobs) == 3 for token in told))
    shares = [math.exp(other.logprob) for other in told[0].top_logprobs]
    check("likelihoods are shares", 0.5 < sum(shares) <= 1.001 and shares == sorted(shares, reverse=True), shares)
    check("the likeliest is taken", told[0].token == told[0].top_logprobs[0].token)


def tools():
    for choice in ["auto", "required", {"type": "function", "function": {"name": "get_weather"}}]:
        answer = ask(OSLO, tools=[WEATHER], tool_choice=choice).choices[0]
        call = answer.message.tool_calls[0]
        arguments = json.loads(call.function.arguments)
        check(f"a call with {choice}", answer.finish_reason == "tool_calls", answer)
        check("its arguments", arguments.get("city", "").startswith("Oslo") and arguments["unit"] == "celsius", arguments)
    none = ask(OSLO, tools=[WEATHER], tool_choice="none").choices[0]
    check("no call where there is to be none", none.message.tool_calls is None, none)
    with client.chat.completions.stream(
        model=MODEL, messages=[{"role": "user", "content": OSLO}], tools=[WEATHER], temperature=0, max_tokens=60
    ) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls[0]
    check("a call in a stream", json.loads(streamed.function.arguments)["unit"] == "celsius", streamed)
    told = client.chat.completions.create(
        model=MODEL,
        temperature=0,
        max_tokens=60,
        tools=[WEATHER],
        tool_choice="none",
        messages=[
            {"role": "user", "content": OSLO},
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": -17, "sky": "clear"}'},
        ],
    )
    check("what a call gave is used", "17" in told.choices[0].message.content, told)


class Person(pydantic.BaseModel):
    name: str
    age: int
    languages: list[str]


def forms():
    messages = [{"role": "user", "content": "Ada is 36 and speaks English and French."}]
    told = client.chat.completions.parse(
        model=MODEL, messages=messages, response_format=Person, temperature=0, max_tokens=80
    )
    check("a parsed answer", told.choices[0].message.parsed.age == 36, told)
    told = ask("Give an object with your favourite colour.", response_format={"type": "json_object"})
    check("json_object", isinstance(json.loads(told.choices[0].message.content), dict), told)


def plain():
    told = client.completions.create(model=MODEL, prompt="The capital of France is", max_tokens=3, temperature=0)
    check("a text goes on", "Paris" in told.choices[0].text, told)
    pieces = client.completions.create(
        model=MODEL, prompt="The capital of France is", max_tokens=3, temperature=0, stream=True
    )
    check("in pieces too", "".join(piece.choices[0].text for piece in pieces) == told.choices[0].text)


def offsets():
    prompt = "Müller \U0001f600 counts: one, two,"
    asked = {"model": MODEL, "prompt": prompt, "max_tokens": 8, "temperature": 0, "logprobs": 2}
    told = client.completions.create(**asked).choices[0]
    likely = told.logprobs
    count = len(likely.tokens)
    check("something for each token", count == len(likely.token_logprobs) == len(likely.text_offset) == 8, likely)
    check("two beside each token", all(len(others) == 2 for others in likely.top_logprobs), likely)
    text = prompt + told.text
    ends = likely.text_offset[1:] + [len(text)]
    words = [text[at:end] for at, end in zip(likely.text_offset, ends)]
    check("each token is where it is said to be", words == likely.tokens, (words, likely))
    streamed = []
    for piece in client.completions.create(**asked, stream=True):
        if piece.choices[0].logprobs:
            streamed += piece.choices[0].logprobs.text_offset
    check("in pieces too", streamed == likely.text_offset, streamed)


def refusals():
    create = client.chat.completions.create
    hello = [{"role": "user", "content": "hello"}]
    refused(openai.NotFoundError, "model_not_found", lambda: create(model="gpt-9", messages=hello))
    refused(openai.BadRequestError, "invalid_value", lambda: create(model=MODEL, messages=hello, n=2))
    refused(openai.BadRequestError, "context_length_exceeded", lambda: ask("word " * 20_000))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    picture = [{"role": "user", "content": [image]}]
    refused(openai.BadRequestError, "unsupported_value", lambda: create(model=MODEL, messages=picture))
    stranger = client.with_options(api_key="wrong")
    refused(openai.AuthenticationError, "invalid_api_key", stranger.models.list)


def leaving():
    stream = ask("Tell a very long story.", stream=True, max_tokens=2000)
    next(iter(stream))
    stream.close()
    check("one who leaves holds up nobody", "Paris" in ask(FRANCE).choices[0].message.content)


for part in [models, answers, likelihoods, tools, forms, plain, offsets, refusals, leaving]:
    part()
print(f"python: {checks} checks hold")
