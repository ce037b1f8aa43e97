//! The bodies that go to a server and come from it. Servers differ in what they leave out, add and
//! set to null, so everything in a reply may be missing.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::backend::ModelError;
use crate::prompt::{Constraint, Finish, Prompt, Usage};

/// What a server may refuse to know; a request can do without each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// An answer in a form that the server enforces.
    Form,
    /// What the answer cost, at the end of the stream.
    StreamUsage,
    /// How likely the tokens were.
    Likelihoods,
}

/// The request for an answer to `prompt`, without the features that `dropped` tells.
pub(super) fn request(
    prompt: &Prompt,
    model: &str,
    dropped: impl Fn(Feature) -> bool,
) -> Result<Value, ModelError> {
    let mut body = question(prompt, model);
    put(&mut body, "max_tokens", json!(prompt.max_tokens));
    put(&mut body, "temperature", json!(prompt.temperature));
    put(&mut body, "seed", json!(prompt.seed));
    put(&mut body, "stream", json!(true));
    if !prompt.stop.is_empty() {
        put(&mut body, "stop", json!(prompt.stop));
    }
    if !dropped(Feature::StreamUsage) {
        put(&mut body, "stream_options", json!({"include_usage": true}));
    }
    if let Some(schema) = schema(&prompt.constraint)?
        && !dropped(Feature::Form)
    {
        let form = json!({"name": "answer", "strict": true, "schema": schema});
        put(&mut body, "response_format", json!({"type": "json_schema", "json_schema": form}));
    }
    Ok(body)
}

/// The request for the likelihoods of the first token of the answer.
pub(super) fn likelihoods(prompt: &Prompt, model: &str) -> Value {
    let mut body = question(prompt, model);
    put(&mut body, "max_tokens", json!(1));
    put(&mut body, "temperature", json!(0));
    put(&mut body, "stream", json!(false));
    put(&mut body, "logprobs", json!(true));
    put(&mut body, "top_logprobs", json!(20));
    body
}

fn question(prompt: &Prompt, model: &str) -> Value {
    let turns: Vec<Value> =
        prompt.turns.iter().map(|turn| json!({"role": turn.speaker, "content": turn.text})).collect();
    json!({"model": model, "messages": turns})
}

fn put(body: &mut Value, key: &str, value: Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(key.to_owned(), value);
    }
}

fn schema(constraint: &Constraint) -> Result<Option<Value>, ModelError> {
    match constraint {
        Constraint::Free => Ok(None),
        Constraint::JsonSchema(schema) => Ok(Some(schema.clone())),
        Constraint::OneOf(texts) if texts.is_empty() => {
            Err(ModelError::BadConstraint("there is nothing to choose from".into()))
        }
        Constraint::OneOf(texts) => Ok(Some(json!({"type": "string", "enum": texts}))),
        Constraint::Lark(_) => Err(ModelError::BadConstraint(
            "a server cannot follow a Lark grammar; give a JSON schema or use the embedded model".into(),
        )),
    }
}

/// The text that an answer to [`Constraint::OneOf`] stands for: it comes as a JSON string, and bare
/// from a server that does not enforce the form.
pub(super) fn unquote(answer: &str) -> String {
    let answer = answer.trim();
    serde_json::from_str::<String>(answer).unwrap_or_else(|_| answer.to_owned())
}

/// A reply, or one event of it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Reply {
    #[serde(default, deserialize_with = "lenient")]
    choices: Vec<Choice>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Counts>,
    #[serde(default, deserialize_with = "lenient")]
    timings: Option<Timings>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default, deserialize_with = "lenient")]
    finish_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    logprobs: Option<Likelihoods>,
}

#[derive(Debug, Default, Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
    #[serde(default)]
    reasoning_content: Value,
    #[serde(default)]
    reasoning: Value,
    #[serde(default)]
    thinking: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens_details: Option<Cached>,
}

#[derive(Debug, Default, Deserialize)]
struct Cached {
    #[serde(default)]
    cached_tokens: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct Timings {
    prompt_ms: f64,
    predicted_ms: f64,
}

#[derive(Debug, Default, Deserialize)]
struct Likelihoods {
    #[serde(default, deserialize_with = "lenient")]
    content: Vec<Token>,
}

#[derive(Debug, Default, Deserialize)]
struct Token {
    #[serde(default, deserialize_with = "lenient")]
    top_logprobs: Vec<Likelihood>,
}

/// A token that could have come and the logarithm of its probability.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Likelihood {
    pub(super) token: String,
    pub(super) logprob: f64,
}

/// Takes what does not fit as not given.
fn lenient<'de, D: Deserializer<'de>, T: Default + for<'a> Deserialize<'a>>(
    from: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(T::deserialize(&value).unwrap_or_default())
}

impl Reply {
    /// What the server says went wrong.
    pub(super) fn error(&self) -> Option<String> {
        let error = self.error.as_ref().filter(|error| !error.is_null())?;
        let message = error.get("message").unwrap_or(error);
        Some(message.as_str().map_or_else(|| message.to_string(), str::to_owned))
    }

    /// Whether an answer is in it at all.
    pub(super) fn answers(&self) -> bool {
        self.message().is_some()
    }

    fn message(&self) -> Option<&Message> {
        let choice = self.choices.first()?;
        choice.delta.as_ref().or(choice.message.as_ref())
    }

    /// The next piece of the answer.
    pub(super) fn content(&self) -> String {
        self.message().map(|message| text(&message.content)).unwrap_or_default()
    }

    /// The next piece of the thought, where the server tells it from the answer.
    pub(super) fn thought(&self) -> &str {
        let Some(message) = self.message() else { return "" };
        let named = [&message.reasoning_content, &message.reasoning, &message.thinking];
        named.into_iter().find_map(Value::as_str).unwrap_or_default()
    }

    /// Why the answer ended, once it has.
    pub(super) fn finish(&self) -> Option<Finish> {
        let reason = self.choices.first()?.finish_reason.as_deref()?;
        Some(if reason == "length" { Finish::Length } else { Finish::Stop })
    }

    /// Writes down what the server tells about the cost.
    pub(super) fn count(&self, usage: &mut Usage) {
        if let Some(counts) = &self.usage {
            usage.prompt = counts.prompt_tokens;
            usage.sampled = counts.completion_tokens;
            let cached = counts.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
            usage.reused = cached.unwrap_or(usage.reused);
        }
        if let Some(timings) = &self.timings {
            usage.prefill_ms = timings.prompt_ms;
            usage.decode_ms = timings.predicted_ms;
        }
    }

    /// The likeliest first tokens, where the server tells them.
    pub(super) fn first_tokens(&self) -> &[Likelihood] {
        let choice = self.choices.first().and_then(|choice| choice.logprobs.as_ref());
        choice.and_then(|given| given.content.first()).map_or(&[], |token| &token.top_logprobs)
    }
}

/// A content that is one text or, from some servers, a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// The models that a server offers.
#[derive(Debug, Deserialize)]
pub(super) struct Offered {
    pub(super) data: Vec<OfferedModel>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(super) struct OfferedModel {
    pub(super) id: String,
    #[serde(flatten)]
    rest: Value,
}

impl OfferedModel {
    /// The tokens of its context, where the server tells them.
    pub(super) fn context(&self) -> Option<u32> {
        let places = ["/max_model_len", "/loaded_context_length", "/context_length", "/meta/n_ctx"];
        let told = places.iter().find_map(|place| self.rest.pointer(place)?.as_u64())?;
        u32::try_from(told).ok().filter(|context| *context > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{Speaker, Turn};

    fn asking(constraint: Constraint) -> Prompt {
        let turns = vec![Turn::new(Speaker::System, "be brief"), Turn::new(Speaker::User, "hi")];
        Prompt {
            turns,
            constraint,
            max_tokens: 9,
            seed: 7,
            stop: vec!["\n".into()],
            ..Prompt::default()
        }
    }

    #[test]
    fn writes_a_request() {
        let body = request(&asking(Constraint::OneOf(vec!["a".into()])), "m", |_| false).unwrap();
        assert_eq!(
            body,
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "be brief"},
                    {"role": "user", "content": "hi"},
                ],
                "max_tokens": 9, "temperature": 0.0, "seed": 7, "stream": true, "stop": ["\n"],
                "stream_options": {"include_usage": true},
                "response_format": {"type": "json_schema", "json_schema":
                    {"name": "answer", "strict": true, "schema": {"type": "string", "enum": ["a"]}}},
            })
        );
        let body = request(&asking(Constraint::JsonSchema(json!({}))), "m", |_| true).unwrap();
        assert_eq!((body.get("response_format"), body.get("stream_options")), (None, None));
        for bad in [Constraint::Lark("start: /a/".into()), Constraint::OneOf(vec![])] {
            assert!(matches!(request(&asking(bad), "m", |_| false), Err(ModelError::BadConstraint(_))));
        }
    }

    #[test]
    fn reads_what_servers_send() {
        for (reply, content, thought, finish) in [
            (json!({"choices":[{"delta":{"content":"a"}}]}), "a", "", None),
            (
                json!({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}),
                "a",
                "",
                Some(Finish::Stop),
            ),
            (
                json!({"choices":[{"delta":{"content":null,"reasoning":"t"},"finish_reason":null}]}),
                "",
                "t",
                None,
            ),
            (
                json!({"choices":[{"delta":{"thinking":"t"},"finish_reason":"length"}]}),
                "",
                "t",
                Some(Finish::Length),
            ),
            (json!({"choices":[{"delta":{"reasoning_content":"r","reasoning":"t"}}]}), "", "r", None),
            (json!({"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}), "a", "", None),
            (json!({"choices":[]}), "", "", None),
            (json!({"choices":null, "usage": 3}), "", "", None),
            (json!({"choices":"x"}), "", "", None),
        ] {
            let read: Reply = serde_json::from_value(reply.clone()).unwrap();
            assert_eq!(
                (read.content().as_str(), read.thought(), read.finish()),
                (content, thought, finish),
                "{reply}"
            );
        }
    }

    #[test]
    fn counts() {
        let mut usage = Usage::default();
        for reply in [
            json!({"usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":8}}}),
            json!({"usage":null,"timings":{"prompt_ms":1.5,"predicted_ms":2.5}}),
        ] {
            serde_json::from_value::<Reply>(reply).unwrap().count(&mut usage);
        }
        let prompt =
            Usage { prompt: 10, reused: 8, sampled: 3, forced: 0, prefill_ms: 1.5, decode_ms: 2.5 };
        assert_eq!(usage, prompt);
    }

    #[test]
    fn unquotes() {
        for (answer, text) in
            [("\"a b\"", "a b"), (" \"\\u00e4\"\n", "ä"), ("bare", "bare"), ("\"half", "\"half")]
        {
            assert_eq!(unquote(answer), text);
        }
    }
}
