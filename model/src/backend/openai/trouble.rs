//! Every way in which a question to a server ends badly, in words that say what to do next: a server
//! that is down, silent, loading, of another kind, or gone in the middle of a sentence. What a server
//! says is repeated in short, on one line, and never with the key in it.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use super::KEY_VARIABLE;
use super::exchange::{AFTERWORD, Key, LARGEST_REPLY, Server};
use super::sse::Broken;
use super::wire::{Feature, Reply};
use crate::backend::{ModelError, Unread};

/// As long as a message in an error may be, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server does not know this feature: ask again without it.
    Unknown(Feature),
    /// Nothing more can be done.
    Failed(ModelError),
}

impl From<ModelError> for Trouble {
    fn from(error: ModelError) -> Self {
        Self::Failed(error)
    }
}

impl Server {
    /// What a reply that is no success means.
    pub(super) async fn refused(&self, response: Response) -> Trouble {
        let status = response.status();
        let until = Instant::now() + AFTERWORD;
        let text = self.read(response, until, &mut Unread).await.ok().flatten().unwrap_or_default();
        let reply: Value = serde_json::from_str(&text).unwrap_or_default();
        let said =
            serde_json::from_str::<Reply>(&text).ok().and_then(|reply| reply.error()).unwrap_or(text);
        if let Some(feature) = unknown(status, &said) {
            return Trouble::Unknown(feature);
        }
        let tokens = |name: &str| reply.pointer(&format!("/error/{name}")).and_then(Value::as_u64);
        if let (Some(prompt), Some(context)) = (tokens("n_prompt_tokens"), tokens("n_ctx")) {
            let whole = |count| u32::try_from(count).unwrap_or(u32::MAX);
            return ModelError::TooLong { prompt: whole(prompt), context: whole(context) }.into();
        }
        let said = self.clean(&said);
        let said = if said.is_empty() { String::new() } else { format!(" (`{said}`)") };
        let code = status.as_u16();
        match code {
            300..=399 => {
                self.bad(&format!("{code}, a redirect, which is not followed; give the final address"))
            }
            401 | 403 => self.bad(&format!(
                "{code}{said}; it wants a key, or another one: set `{KEY_VARIABLE}` to it"
            )),
            404 => self.bad(&format!("{code}{said}; check the address and the model's name")),
            429 | 502..=504 => {
                self.away(&format!("it is not ready: {code}{said}; try again when it is"))
            }
            _ => self.bad(&format!("{code}{said}; look at the server's log")),
        }
        .into()
    }

    /// Why nothing could be sent.
    pub(super) fn unsent(&self, error: &reqwest::Error) -> ModelError {
        if error.is_connect() && error.is_timeout() {
            let limit = self.limits.connect.as_secs_f32();
            return self.away(&format!("no connection within {limit} s; check the address"));
        }
        if error.is_connect() {
            let reason = format!("{}; start the model server or check the address", cause(error));
            return self.away(&reason);
        }
        self.bad(&format!("with something that is no HTTP reply: {}; check the address", cause(error)))
    }

    pub(super) fn silent(&self, limit: Duration) -> ModelError {
        let limit = limit.as_secs_f32();
        self.away(&format!("no token for {limit} s; look at the server's log, or give it more time"))
    }

    pub(super) fn half(&self, reason: &str) -> ModelError {
        let reason = self.clean(reason);
        self.bad(&format!("with half an answer, then {reason}; look at the server's log"))
    }

    /// It said something that no model server says.
    pub(super) fn no_answer(&self, what: &str) -> ModelError {
        self.bad(&format!(
            "with {what}; check that it is a model server, its address mostly ends in `/v1`"
        ))
    }

    pub(super) fn complaint(&self, error: &str) -> ModelError {
        self.bad(&format!("with the error `{}`; look at the server's log", self.clean(error)))
    }

    pub(super) fn too_long(&self) -> ModelError {
        self.bad(&format!("with more than {} MB; look at the server's log", LARGEST_REPLY >> 20))
    }

    pub(super) fn broken(&self, broken: &Broken) -> ModelError {
        self.bad(match broken {
            Broken::TooLong => "with a line that does not end; check the address",
            Broken::NotText => "with bytes that are no text; check the address",
        })
    }

    fn away(&self, reason: &str) -> ModelError {
        ModelError::Unreachable { url: self.base.clone(), reason: reason.to_owned() }
    }

    /// The error of a reply that is none.
    pub(super) fn bad(&self, reason: &str) -> ModelError {
        ModelError::BadReply { url: self.base.clone(), reason: reason.to_owned() }
    }

    /// What a server said, short, on one line and without the key, which some servers repeat.
    pub(super) fn clean(&self, said: &str) -> String {
        let said = match &self.key {
            Some(Key(key)) => said.replace(key.as_str(), "[key]"),
            None => said.to_owned(),
        };
        let line = said.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c });
        line.take(LONGEST_MESSAGE).collect::<String>().trim().to_owned()
    }
}

/// The feature that a refusal is about.
fn unknown(status: StatusCode, said: &str) -> Option<Feature> {
    if !matches!(status.as_u16(), 400 | 422 | 501) {
        return None;
    }
    let words = [
        ("logprobs", Feature::Likelihoods),
        ("stream_options", Feature::StreamUsage),
        ("response_format", Feature::Form),
        ("json_schema", Feature::Form),
    ];
    words.iter().find(|(word, _)| said.contains(word)).map(|(_, feature)| *feature)
}

/// The innermost reason of an error; the outer ones only say that a request failed.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
