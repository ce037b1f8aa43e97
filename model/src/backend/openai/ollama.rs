//! Ollama by its own protocol. Over the one that it shares with the others the size of the context cannot be
//! set; it is small unless set, and a prompt that does not fit is cut without a word.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::about::Maker;
use super::thinking;
use super::wire::{self, Reply};
use crate::backend::ModelError;
use crate::prompt::{Prompt, Turn};

/// Where questions go, below the server's root.
pub(super) const PATH: &str = "/api/chat";
/// For how long the model stays loaded after an answer.
const KEEP_ALIVE: &str = "15m";

/// The request for an answer to `prompt` with a context of so many tokens, with pictures where they are taken,
/// and with whether to think where the model does that.
pub(super) fn request(
    prompt: &Prompt,
    model: &str,
    context: u32,
    pictures: bool,
    thinks: bool,
) -> Result<Value, ModelError> {
    let most = thinking::room(Maker::Ollama, prompt.max_tokens, prompt.thinking);
    let mut options = json!({
        "num_ctx": context,
        // Minus one is for as many as there is room for.
        "num_predict": i32::try_from(most).unwrap_or(-1),
        "temperature": prompt.temperature,
        "seed": prompt.seed >> 33,
    });
    if let Some(options) = options.as_object_mut() {
        if !prompt.stop.is_empty() {
            options.insert("stop".into(), json!(prompt.stop));
        }
        if let Some(share) = prompt.top_p {
            options.insert("top_p".into(), json!(share));
        }
    }
    let messages: Vec<Value> = prompt.turns.iter().map(|turn| message(turn, pictures)).collect();
    let mut body = json!({
        "model": model, "messages": messages, "stream": true, "keep_alive": KEEP_ALIVE, "options": options,
    });
    if let Some(schema) = wire::schema(&prompt.constraint)? {
        wire::put(&mut body, "format", schema);
    }
    if thinks {
        wire::put(&mut body, "think", json!(prompt.thinking > 0));
    }
    Ok(body)
}

/// A turn as Ollama takes it: pictures stand beside the text, in base 64 and nothing else.
fn message(turn: &Turn, pictures: bool) -> Value {
    match turn.picture.as_ref().filter(|_| pictures) {
        Some(picture) => json!({
            "role": turn.speaker, "content": format!("{}{}", picture.words, turn.text),
            "images": [BASE64_STANDARD.encode(&picture.png)],
        }),
        None => json!({ "role": turn.speaker, "content": turn.text }),
    }
}

/// A line of the answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u32>,
    #[serde(default)]
    eval_count: Option<u32>,
    /// In ns, like the next.
    #[serde(default)]
    prompt_eval_duration: Option<u64>,
    #[serde(default)]
    eval_duration: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

impl Line {
    /// The same as an event of the protocol that the others have.
    pub(super) fn reply(self) -> Option<Reply> {
        let time = |ns: Option<u64>| Duration::from_nanos(ns.unwrap_or_default());
        let milliseconds = |ns| time(ns).as_secs_f64() * 1e3;
        let reason = self.done.then(|| self.done_reason.unwrap_or_else(|| "stop".into()));
        let mut event = json!({ "choices": [{ "delta": self.message, "finish_reason": reason }] });
        if let Some(event) = event.as_object_mut() {
            if let Some(error) = self.error {
                event.insert("error".into(), error);
            }
            if self.done {
                event.insert(
                    "usage".into(),
                    json!({
                        "prompt_tokens": self.prompt_eval_count.unwrap_or_default(),
                        "completion_tokens": self.eval_count.unwrap_or_default(),
                    }),
                );
                event.insert(
                    "timings".into(),
                    json!({
                        "prompt_ms": milliseconds(self.prompt_eval_duration),
                        "predicted_ms": milliseconds(self.eval_duration),
                    }),
                );
            }
        }
        serde_json::from_value(event).ok()
    }
}
