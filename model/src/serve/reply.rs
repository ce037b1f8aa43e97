//! The bodies of answers, whole and in pieces, as the clients of OpenAI's protocol read them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::work::{Ended, Event};
use crate::prompt::{Chosen, Likely, Preference, Usage};

/// Which of the two shapes an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A message of a conversation.
    Chat,
    /// A text that goes on.
    Plain,
}

/// Makes the bodies of one answer.
#[derive(Debug)]
pub(super) struct Writer {
    shape: Shape,
    id: String,
    created: u64,
    model: String,
    /// Whether likelihoods go with it.
    likelihoods: bool,
    /// Calls so far.
    calls: usize,
    /// Whether thoughts were told.
    thought: bool,
    /// Characters of the prompt and of the tokens so far, where the tokens of a text are told.
    at: usize,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Something that no other answer of this process has, and hardly one of another.
fn unique(kind: &str) -> String {
    format!("{kind}-{:x}-{:x}", now(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A reply that holds `body`.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl Writer {
    /// For an answer of `model` that goes on a text of `before` characters.
    pub(super) fn new(shape: Shape, model: &str, likelihoods: bool, before: usize) -> Self {
        let kind = if shape == Shape::Chat { "chatcmpl" } else { "cmpl" };
        let (id, created, model) = (unique(kind), now(), model.to_owned());
        Self { shape, id, created, model, likelihoods, calls: 0, thought: false, at: before }
    }

    fn body(&self, part: bool, choices: &[Value]) -> Value {
        let object = match (self.shape, part) {
            (Shape::Chat, true) => "chat.completion.chunk",
            (Shape::Chat, false) => "chat.completion",
            (Shape::Plain, _) => "text_completion",
        };
        json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "system_fingerprint": concat!("freehand-", env!("CARGO_PKG_VERSION")), "choices": choices,
        })
    }

    fn chunk(&mut self, delta: Value, tokens: &[Chosen], reason: Option<&str>) -> Value {
        let logprobs = self.logprobs(tokens);
        let mut choice = json!({ "index": 0, "logprobs": logprobs, "finish_reason": reason });
        if let Some(choice) = choice.as_object_mut() {
            let (key, value) = match self.shape {
                Shape::Chat => ("delta", delta),
                Shape::Plain => ("text", delta.get("content").cloned().unwrap_or_else(|| "".into())),
            };
            choice.insert(key.into(), value);
        }
        self.body(true, &[choice])
    }

    /// The piece that begins a conversation's answer.
    pub(super) fn beginning(&mut self) -> Option<Value> {
        let delta = json!({ "role": "assistant", "content": "" });
        (self.shape == Shape::Chat).then(|| self.chunk(delta, &[], None))
    }

    /// What `event` adds to a stream.
    pub(super) fn pieces(&mut self, event: &Event, with_usage: bool) -> Vec<Value> {
        match event {
            Event::Thought(text) => {
                self.thought = true;
                vec![self.chunk(json!({ "reasoning_content": text }), &[], None)]
            }
            Event::Text(text, tokens) => vec![self.chunk(json!({ "content": text }), tokens, None)],
            Event::Call(name, arguments) => {
                let mut call = call(name, arguments);
                if let Some(call) = call.as_object_mut() {
                    call.insert("index".into(), self.calls.into());
                }
                self.calls += 1;
                vec![self.chunk(json!({ "tool_calls": [call] }), &[], None)]
            }
            Event::Ended(ended) => {
                let mut pieces = Vec::new();
                if let Some(thought) = ended.thinking.as_ref().filter(|_| !self.thought) {
                    pieces.push(self.chunk(json!({ "reasoning_content": thought }), &[], None));
                }
                pieces.push(self.chunk(json!({}), &ended.tokens, Some(ended.reason)));
                if with_usage {
                    let mut last = self.body(true, &[]);
                    cost(&mut last, &ended.usage);
                    pieces.push(last);
                }
                pieces
            }
            Event::Chose(choice) => vec![self::choice(choice)],
            Event::Failed(fault) => vec![fault.body()],
        }
    }

    /// The whole answer in one body.
    pub(super) fn whole(mut self, heard: Heard, ended: &Ended) -> Value {
        let Heard { text, calls, mut tokens } = heard;
        tokens.extend(ended.tokens.iter().cloned());
        let mut choice =
            json!({ "index": 0, "logprobs": self.logprobs(&tokens), "finish_reason": ended.reason });
        if let Some(choice) = choice.as_object_mut() {
            match self.shape {
                Shape::Chat => choice.insert("message".into(), message(text, &calls, ended)),
                Shape::Plain => choice.insert("text".into(), text.into()),
            };
        }
        let mut body = self.body(false, &[choice]);
        cost(&mut body, &ended.usage);
        body
    }

    fn logprobs(&mut self, tokens: &[Chosen]) -> Value {
        match self.shape {
            _ if !self.likelihoods => Value::Null,
            Shape::Chat => {
                let told = tokens.iter().map(|chosen| {
                    let mut told = likely(&chosen.token);
                    told.insert(
                        "top_logprobs".into(),
                        chosen.others.iter().map(likely).collect::<Vec<_>>().into(),
                    );
                    told
                });
                json!({ "content": told.collect::<Vec<_>>() })
            }
            Shape::Plain => {
                let top = tokens.iter().map(|chosen| {
                    let others = chosen.others.iter();
                    others.map(|other| (word(other), other.logprob.into())).collect::<Map<_, _>>()
                });
                json!({
                    "tokens": tokens.iter().map(|chosen| word(&chosen.token)).collect::<Vec<_>>(),
                    "token_logprobs":
                        tokens.iter().map(|chosen| chosen.token.logprob).collect::<Vec<_>>(),
                    "top_logprobs": top.collect::<Vec<_>>(),
                    "text_offset": tokens.iter().map(|chosen| self.offset(&chosen.token)).collect::<Vec<_>>(),
                })
            }
        }
    }
}

impl Writer {
    /// Where the next token is, in characters from the beginning of the prompt, as OpenAI's own completions
    /// tell it. A token that begins within a character is where that one is.
    fn offset(&mut self, token: &Likely) -> usize {
        let continues = |byte: &u8| byte & 0xC0 == 0x80;
        let within = token.bytes.first().is_some_and(continues);
        let at = self.at.saturating_sub(within.into());
        self.at += token.bytes.iter().filter(|byte| !continues(byte)).count();
        at
    }
}

/// What has come of an answer that is sent in one piece.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) calls: Vec<Value>,
    pub(super) tokens: Vec<Chosen>,
}

impl Heard {
    /// Adds a call.
    pub(super) fn call(&mut self, name: &str, arguments: &str) {
        self.calls.push(call(name, arguments));
    }
}

/// How likely each option is, as a body.
pub(super) fn choice(choice: &Preference) -> Value {
    let mut body = json!({ "object": "choice", "probabilities": choice.probabilities });
    cost(&mut body, &choice.usage);
    body
}

fn message(text: String, calls: &[Value], ended: &Ended) -> Value {
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
    if let Some(message) = message.as_object_mut() {
        if !calls.is_empty() {
            message.insert("tool_calls".into(), calls.into());
        }
        if let Some(thought) = &ended.thinking {
            message.insert("reasoning_content".into(), thought.as_str().into());
        }
    }
    message
}

fn call(name: &str, arguments: &str) -> Value {
    let function = json!({ "name": name, "arguments": arguments });
    json!({ "id": unique("call"), "type": "function", "function": function })
}

fn likely(likely: &Likely) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("token".into(), word(likely).into());
    told.insert("logprob".into(), likely.logprob.into());
    told.insert("bytes".into(), likely.bytes.as_slice().into());
    told
}

fn word(likely: &Likely) -> String {
    String::from_utf8_lossy(&likely.bytes).into_owned()
}

/// Puts what the answer cost into `body`: the usage of the protocol, and the times as llama.cpp tells them.
fn cost(body: &mut Value, usage: &Usage) {
    let written = usage.sampled.saturating_add(usage.forced);
    let Some(body) = body.as_object_mut() else { return };
    body.insert(
        "usage".into(),
        json!({
            "prompt_tokens": usage.prompt, "completion_tokens": written,
            "total_tokens": usage.prompt.saturating_add(written),
            "prompt_tokens_details": { "cached_tokens": usage.reused },
            "completion_tokens_details": { "reasoning_tokens": usage.thought },
        }),
    );
    body.insert(
        "timings".into(),
        json!({
            "cache_n": usage.reused, "prompt_n": usage.prompt.saturating_sub(usage.reused),
            "prompt_ms": usage.prefill_ms, "predicted_n": written, "predicted_ms": usage.decode_ms,
            "forced_n": usage.forced, "scored_n": usage.scored,
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(bytes: &[u8]) -> Chosen {
        Chosen { token: Likely { bytes: bytes.to_vec(), logprob: -0.5 }, others: Vec::new() }
    }

    #[test]
    fn tells_where_tokens_are() {
        // The two bytes of an ä in a token each, and a face of four bytes with a letter behind it.
        let tokens: Vec<_> =
            [&b" Paris"[..], b"\xc3", b"\xa4", "\u{1f600}!".as_bytes(), b"."].map(token).into();
        let right = json!([24, 30, 30, 31, 33]);
        let before = "The capital of France is".chars().count();
        let writer = |shape| Writer::new(shape, "m", true, before);
        let ended = Ended {
            reason: "stop",
            usage: Usage::default(),
            thinking: None,
            tokens: tokens[3..].to_vec(),
        };
        let heard = Heard { tokens: tokens[..3].to_vec(), ..Heard::default() };
        let whole = writer(Shape::Plain).whole(heard, &ended);
        assert_eq!(whole["choices"][0]["logprobs"]["text_offset"], right);
        let mut plain = writer(Shape::Plain);
        let mut offsets = Vec::new();
        let pieces = [Event::Text("a".into(), tokens[..3].to_vec()), Event::Ended(ended.clone())];
        for piece in pieces.iter().flat_map(|event| plain.pieces(event, false)) {
            offsets.extend(piece["choices"][0]["logprobs"]["text_offset"].as_array().unwrap().clone());
        }
        assert_eq!(json!(offsets), right);
        let chat = writer(Shape::Chat).whole(Heard::default(), &ended);
        assert_eq!(chat["choices"][0]["logprobs"].get("text_offset"), None);
    }
}
