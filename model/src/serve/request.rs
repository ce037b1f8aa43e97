//! What clients ask for: the fields that are read, what may stand in them, and what is refused because
//! ignoring it would give another answer than the one asked for.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::messages::{self, Message};
use super::tools::{self, Calls, Tool};
use crate::prompt::{Constraint, EFFORTS, Prompt, Speaker, Turn};

/// Texts that may end an answer.
const MOST_STOPS: usize = 16;
/// Other tokens that may be told beside each token.
const MOST_LIKELIHOODS: u8 = 20;
/// Options that may be chosen from.
const MOST_OPTIONS: usize = 64;

/// A question, as the model is asked it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) prompt: Prompt,
    /// What the answer may call.
    pub(super) calls: Calls,
    /// How the answer is sent.
    pub(super) form: Form,
    /// The name that the client gives its user, if it gives one.
    pub(super) user: Option<String>,
    /// What to choose from, where nothing is to be written.
    pub(super) options: Vec<String>,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Piece by piece.
    pub(super) stream: bool,
    /// With what it cost at the end of the stream.
    pub(super) usage: bool,
    /// With how likely each token was.
    pub(super) likelihoods: bool,
}

/// What both kinds of question have.
#[derive(Debug, Default, Deserialize)]
struct Common {
    model: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMore>,
    n: Option<u32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    logit_bias: Option<Map<String, Value>>,
    user: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::More(texts) => texts,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Chat {
    messages: Vec<Message>,
    logprobs: Option<bool>,
    top_logprobs: Option<u8>,
    response_format: Option<Value>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    reasoning_effort: Option<String>,
    thinking_budget: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Plain {
    prompt: OneOrMore,
    logprobs: Option<u8>,
    echo: Option<bool>,
    suffix: Option<String>,
    best_of: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Choose {
    messages: Vec<Message>,
    options: Vec<String>,
}

/// Reads a question to `/v1/chat/completions` that is asked of the model called `name`.
pub(super) fn chat(body: &[u8], name: &str) -> Result<Question, Fault> {
    let value = json(body)?;
    let common: Common = read(&value)?;
    let chat: Chat = read(&value)?;
    common.check(name)?;
    let thinking = thinking(chat.reasoning_effort.as_deref(), chat.thinking_budget)?;
    let calls = tools::choose(chat.tools.unwrap_or_default(), chat.tool_choice.as_ref())?;
    let turns = messages::turns(chat.messages, &calls)?;
    let constraint = match (chat.response_format, &calls) {
        (Some(form), Calls::Never) => constraint(&form)?,
        (Some(form), _) if constraint(&form)? != Constraint::Free => {
            let message = "either `tools` or a `response_format` decides the form of the answer; \
                           set `tool_choice` to \"none\" or leave the other out";
            return Err(Fault::unsupported("response_format", message));
        }
        _ => Constraint::Free,
    };
    let likelihoods = match (chat.logprobs.unwrap_or(false), chat.top_logprobs) {
        (true, most) => Some(most.unwrap_or(0)),
        (false, None | Some(0)) => None,
        (false, Some(_)) => {
            return Err(Fault::invalid("top_logprobs", "`top_logprobs` needs `logprobs` to be true"));
        }
    };
    let prompt = Prompt {
        // The rules of a conversation are the same in all that it is asked.
        lasting: usize::from(turns.first().is_some_and(|turn| turn.speaker == Speaker::System)),
        turns,
        constraint,
        thinking,
        max_tokens: u32::MAX,
        ..Prompt::default()
    };
    common.question(prompt, calls, likelihoods)
}

/// Tokens to think for before the answer: none unless somebody asks for it.
fn thinking(effort: Option<&str>, budget: Option<i64>) -> Result<u32, Fault> {
    if let Some(budget) = budget {
        let message = "`thinking_budget` must be 0 or a number of tokens";
        return u32::try_from(budget).map_err(|_| Fault::invalid("thinking_budget", message));
    }
    let Some(effort) = effort else { return Ok(0) };
    EFFORTS.iter().find(|(name, _)| *name == effort).map(|(_, tokens)| *tokens).ok_or_else(|| {
        let message = format!("`reasoning_effort` must be {}", EFFORTS.map(|(name, _)| name).join(", "));
        Fault::invalid("reasoning_effort", message)
    })
}

/// Reads a question to `/v1/completions`.
pub(super) fn plain(body: &[u8], name: &str) -> Result<Question, Fault> {
    let value = json(body)?;
    let common: Common = read(&value)?;
    let plain: Plain = read(&value)?;
    common.check(name)?;
    let mut texts = plain.prompt.all();
    let (Some(text), true) = (texts.pop(), texts.is_empty()) else {
        return Err(Fault::unsupported("prompt", "`prompt` must be one text"));
    };
    for (name, wanted) in [
        ("echo", plain.echo == Some(true)),
        ("suffix", plain.suffix.is_some_and(|suffix| !suffix.is_empty())),
        ("best_of", plain.best_of.is_some_and(|count| count > 1)),
    ] {
        if wanted {
            return Err(Fault::unsupported(name, format!("`{name}` is not supported")));
        }
    }
    let turns = vec![Turn::new(Speaker::User, text)];
    // The sixteen tokens are OpenAI's own default for this address.
    let prompt = Prompt { turns, plain: true, max_tokens: 16, ..Prompt::default() };
    common.question(prompt, Calls::Never, plain.logprobs)
}

/// Reads a question to `/v1/choose`.
pub(super) fn choose(body: &[u8], name: &str) -> Result<Question, Fault> {
    let value = json(body)?;
    let common: Common = read(&value)?;
    let choose: Choose = read(&value)?;
    common.check(name)?;
    let options = choose.options;
    if options.is_empty() || options.len() > MOST_OPTIONS || options.iter().any(String::is_empty) {
        let message = format!("`options` must be 1 to {MOST_OPTIONS} texts that are not empty");
        return Err(Fault::invalid("options", message));
    }
    let turns = messages::turns(choose.messages, &Calls::Never)?;
    let lasting = usize::from(turns.first().is_some_and(|turn| turn.speaker == Speaker::System));
    let prompt = Prompt { turns, lasting, max_tokens: 1, ..Prompt::default() };
    Ok(Question { options, ..common.question(prompt, Calls::Never, None)? })
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Fault::invalid("", format!("the body is not JSON: {error}")))?;
    if !value.is_object() {
        return Err(Fault::invalid("", "the body is JSON but not an object"));
    }
    Ok(value)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("`{path}`: ") };
        Fault::invalid(&path, format!("{place}{}", error.into_inner()))
    })
}

impl Common {
    fn check(&self, name: &str) -> Result<(), Fault> {
        if let Some(asked) = self.model.as_deref().filter(|asked| !asked.is_empty() && *asked != name) {
            return Err(Fault::no_model(asked, name));
        }
        let within = |value: Option<f32>, least: f32, most: f32| {
            value.is_none_or(|value| (least..=most).contains(&value))
        };
        for (field, right, range) in [
            ("temperature", within(self.temperature, 0.0, 2.0), "from 0 to 2"),
            ("top_p", within(self.top_p, f32::MIN_POSITIVE, 1.0), "above 0 and at most 1"),
            ("n", self.n.is_none_or(|n| n == 1), "1: this server gives one answer to a question"),
        ] {
            if !right {
                return Err(Fault::invalid(field, format!("`{field}` must be {range}")));
            }
        }
        for (field, wanted) in [
            ("frequency_penalty", self.frequency_penalty.is_some_and(|value| value != 0.0)),
            ("presence_penalty", self.presence_penalty.is_some_and(|value| value != 0.0)),
            ("logit_bias", self.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
        ] {
            if wanted {
                return Err(Fault::unsupported(field, format!("`{field}` is not supported")));
            }
        }
        Ok(())
    }

    fn question(self, prompt: Prompt, calls: Calls, likelihoods: Option<u8>) -> Result<Question, Fault> {
        if likelihoods.is_some_and(|most| most > MOST_LIKELIHOODS) {
            let message = format!("at most {MOST_LIKELIHOODS} likelihoods are told for a token");
            return Err(Fault::invalid("top_logprobs", message));
        }
        let max_tokens = match self.max_completion_tokens.or(self.max_tokens) {
            // Some clients say so for as many as there is room for.
            None | Some(-1) => prompt.max_tokens,
            Some(most) if most < 1 => {
                return Err(Fault::invalid("max_tokens", "`max_tokens` must be at least 1"));
            }
            Some(most) => u32::try_from(most).unwrap_or(u32::MAX),
        };
        let stop: Vec<String> = self.stop.map(OneOrMore::all).unwrap_or_default();
        if stop.len() > MOST_STOPS || stop.iter().any(String::is_empty) {
            let message = format!("`stop` must be at most {MOST_STOPS} texts that are not empty");
            return Err(Fault::invalid("stop", message));
        }
        let stream = self.stream.unwrap_or(false);
        let usage = self.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        let form = Form { stream, usage, likelihoods: likelihoods.is_some() };
        let prompt = Prompt {
            max_tokens,
            temperature: self.temperature.unwrap_or(1.0),
            top_p: self.top_p.filter(|share| *share < 1.0),
            seed: self.seed.map_or_else(any_seed, i64::cast_unsigned),
            stop,
            likelihoods,
            ..prompt
        };
        Ok(Question { prompt, calls, form, user: self.user, options: Vec::new() })
    }
}

/// A seed for one who names none, another one each time.
fn any_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

/// The constraint that a `response_format` asks for, in the form of OpenAI or one of the shorter forms
/// of other servers.
fn constraint(form: &Value) -> Result<Constraint, Fault> {
    let kind = form.get("type").and_then(Value::as_str).unwrap_or_default();
    let schema = form.pointer("/json_schema/schema").or_else(|| form.get("schema"));
    match (kind, schema) {
        ("text", _) => Ok(Constraint::Free),
        ("json_object" | "json_schema", Some(schema)) if schema.is_object() || schema.is_boolean() => {
            Ok(Constraint::JsonSchema(schema.clone()))
        }
        ("json_object", None) => Ok(Constraint::JsonSchema(json!({ "type": "object" }))),
        ("json_object" | "json_schema", _) => Err(Fault::invalid(
            "response_format.json_schema.schema",
            "`response_format.json_schema.schema` must be a JSON schema",
        )),
        _ => Err(Fault::invalid(
            "response_format.type",
            "`response_format.type` must be \"text\", \"json_object\" or \"json_schema\"",
        )),
    }
}
