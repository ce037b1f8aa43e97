//! The bodies that go to a server and come from it. Servers differ in what they leave out, add and
//! set to null, so everything in a reply may be missing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::about::Maker;
use super::features::Feature;
use super::thinking;
use crate::backend::ModelError;
use crate::prompt::{Constraint, Finish, Prompt, Speaker, Turn, Usage};

/// The request for an answer to `prompt` from a server of that `maker`, without the features that `dropped`
/// tells.
pub(super) fn request(
    prompt: &Prompt,
    model: &str,
    maker: Maker,
    dropped: impl Fn(Feature) -> bool,
) -> Result<Value, ModelError> {
    let schema = schema(&prompt.constraint)?;
    let mut turns = prompt.turns.clone();
    let form = schema.as_ref().and_then(|schema| form(schema, &dropped));
    if let (Some(schema), None) = (&schema, &form) {
        demand(&mut turns, schema);
    }
    if dropped(Feature::System) {
        fold_system(&mut turns);
    }
    let messages = messages(&turns, !dropped(Feature::Images));
    let mut body = json!({ "model": model, "messages": messages });
    let most = if dropped(Feature::MaxTokens) { "max_completion_tokens" } else { "max_tokens" };
    put(&mut body, most, json!(thinking::room(maker, prompt.max_tokens, prompt.thinking)));
    if !dropped(Feature::Temperature) {
        put(&mut body, "temperature", json!(prompt.temperature));
    }
    if !dropped(Feature::Seed) {
        // Servers differ in how large a seed may be; all take this much.
        put(&mut body, "seed", json!(prompt.seed & 0x7fff_ffff));
    }
    if let Some(share) = prompt.top_p {
        put(&mut body, "top_p", json!(share));
    }
    put(&mut body, "stream", json!(true));
    if !prompt.stop.is_empty() {
        put(&mut body, "stop", json!(prompt.stop));
    }
    if !dropped(Feature::StreamUsage) {
        put(&mut body, "stream_options", json!({"include_usage": true}));
    }
    if let Some(form) = form {
        put(&mut body, "response_format", form);
    }
    thinking::say(&mut body, maker, prompt.thinking, dropped);
    Ok(body)
}

/// The form of the answer in words that the server has not refused.
fn form(schema: &Value, dropped: impl Fn(Feature) -> bool) -> Option<Value> {
    if !dropped(Feature::Schema) {
        let named = json!({"name": "answer", "strict": true, "schema": schema});
        return Some(json!({"type": "json_schema", "json_schema": named}));
    }
    (!dropped(Feature::ObjectSchema)).then(|| json!({"type": "json_object", "schema": schema}))
}

/// Asks in words for what the server does not enforce.
fn demand(turns: &mut Vec<Turn>, schema: &Value) {
    let words = format!("Answer with JSON alone, of this schema: {schema}");
    match turns.iter_mut().rfind(|turn| turn.speaker == Speaker::User) {
        Some(turn) => turn.text = format!("{}\n\n{words}", turn.text),
        None => turns.push(Turn::new(Speaker::User, words)),
    }
}

/// Says in the user's first turn what the system's turns say.
fn fold_system(turns: &mut Vec<Turn>) {
    let rules: Vec<Turn> = turns.extract_if(.., |turn| turn.speaker == Speaker::System).collect();
    let rules: Vec<String> = rules.into_iter().map(|turn| turn.text).collect();
    if rules.is_empty() {
        return;
    }
    match turns.first_mut().filter(|turn| turn.speaker == Speaker::User) {
        Some(turn) => turn.text = format!("{}\n\n{}", rules.join("\n\n"), turn.text),
        None => turns.insert(0, Turn::new(Speaker::User, rules.join("\n\n"))),
    }
}

/// The request for the likelihoods of the first token of the answer, without the features that `dropped` tells.
pub(super) fn likelihoods(
    prompt: &Prompt,
    model: &str,
    maker: Maker,
    dropped: impl Fn(Feature) -> bool,
) -> Value {
    let messages = messages(&prompt.turns, !dropped(Feature::Images));
    let mut body = json!({ "model": model, "messages": messages });
    // The first token is to be that of the answer.
    thinking::say(&mut body, maker, 0, dropped);
    put(&mut body, "max_tokens", json!(1));
    put(&mut body, "temperature", json!(0));
    put(&mut body, "stream", json!(false));
    put(&mut body, "logprobs", json!(true));
    put(&mut body, "top_logprobs", json!(20));
    body
}

/// The turns as servers take them, with pictures where they are taken. The picture goes first, as models that
/// see were mostly trained.
pub(super) fn messages(turns: &[Turn], pictures: bool) -> Vec<Value> {
    turns
        .iter()
        .map(|turn| {
            let content = match turn.picture.as_ref().filter(|_| pictures) {
                Some(picture) => {
                    let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&picture.png));
                    json!([
                        { "type": "image_url", "image_url": { "url": url } },
                        { "type": "text", "text": format!("{}{}", picture.words, turn.text) },
                    ])
                }
                None => json!(turn.text),
            };
            json!({ "role": turn.speaker, "content": content })
        })
        .collect()
}

/// Puts a field into `body`.
pub(super) fn put(body: &mut Value, key: &str, value: Value) {
    if let Some(body) = body.as_object_mut() {
        body.insert(key.to_owned(), value);
    }
}

/// The schema of the answer, where it is to have a form.
pub(super) fn schema(constraint: &Constraint) -> Result<Option<Value>, ModelError> {
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
    #[serde(default, deserialize_with = "lenient")]
    tool_calls: Vec<Call>,
}

/// A call, or the next piece of one.
#[derive(Debug, Default, Deserialize)]
struct Call {
    #[serde(default, deserialize_with = "lenient")]
    index: Option<usize>,
    #[serde(default)]
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
struct Function {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    /// JSON as a text, or as it is.
    #[serde(default)]
    arguments: Value,
}

/// The calls of an answer so far: names, and arguments as text.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<(String, String)>);

/// As many calls as one answer may have.
const MOST_CALLS: usize = 16;

impl Calls {
    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// The text that says the same: some servers make calls out of JSON that nobody asked them to.
    pub(super) fn text(self) -> Option<String> {
        let mut calls: Vec<Value> = self
            .0
            .into_iter()
            .map(|(name, arguments)| {
                let arguments = serde_json::from_str(&arguments).unwrap_or_else(|_| json!({}));
                json!({"name": name, "arguments": arguments})
            })
            .collect();
        match calls.len() {
            0 => None,
            1 => calls.pop().map(|call| call.to_string()),
            _ => Some(json!({"calls": calls}).to_string()),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens_details: Option<Cached>,
    #[serde(default, deserialize_with = "lenient")]
    completion_tokens_details: Option<Thought>,
}

#[derive(Debug, Default, Deserialize)]
struct Thought {
    #[serde(default)]
    reasoning_tokens: Option<u32>,
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
    /// Of a choice: tokens of the options.
    #[serde(default)]
    scored_n: u32,
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

    /// Adds the pieces of calls in it to `calls`.
    pub(super) fn calls(&self, calls: &mut Calls) {
        for (place, call) in
            self.message().into_iter().flat_map(|message| &message.tool_calls).enumerate()
        {
            let at = call.index.unwrap_or(place).min(MOST_CALLS - 1);
            if calls.0.len() <= at {
                calls.0.resize_with(at + 1, Default::default);
            }
            let Some((name, arguments)) = calls.0.get_mut(at) else { continue };
            name.push_str(call.function.name.as_deref().unwrap_or_default());
            match &call.function.arguments {
                Value::String(piece) => arguments.push_str(piece),
                Value::Object(_) => *arguments = call.function.arguments.to_string(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
            }
        }
    }

    /// Whether anything of the answer is in it.
    pub(super) fn has_token(&self) -> bool {
        let calls = self.message().is_some_and(|message| !message.tool_calls.is_empty());
        calls || !self.content().is_empty() || !self.thought().is_empty()
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
            let details = counts.completion_tokens_details.as_ref();
            usage.thought = details.and_then(|d| d.reasoning_tokens).unwrap_or(usage.thought);
        }
        if let Some(timings) = &self.timings {
            usage.prefill_ms = timings.prompt_ms;
            usage.decode_ms = timings.predicted_ms;
            usage.scored = timings.scored_n;
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

#[cfg(test)]
mod tests;
