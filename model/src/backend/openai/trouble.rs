//! Every way in which a question to a server ends badly, in words that say what to do next: a server
//! that is down, silent, loading, of another kind, or gone in the middle of a sentence. What a server
//! says is repeated in short, on one line, and never with the key in it.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use tokio::time::Instant;

use super::KEY_VARIABLE;
use super::exchange::{AFTERWORD, Key, LARGEST_REPLY, Server};
use super::features::{self, Feature};
use super::sse::Broken;
use super::thinking::Thought;
use super::wire::Reply;
use crate::backend::{ModelError, Unread};

/// As long as a message in an error may be, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Before a server that loads its model is asked again.
const WHILE_LOADING: Duration = Duration::from_secs(1);

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server does not know this feature: ask again without it.
    Unknown(Feature),
    /// It cannot answer yet: ask again after this time.
    Later(Duration, ModelError),
    /// It thinks for longer than it may, and what it thought so far is this.
    Thinks(Thought),
    /// The connection ended before anything came: asking once more harms nobody.
    Dropped(ModelError),
    /// Nothing more can be done.
    Failed(ModelError),
}

impl Trouble {
    /// The error, for one who cannot do anything about it.
    pub(super) fn error(self, server: &Server) -> ModelError {
        match self {
            Self::Unknown(_) => {
                server.bad("with a refusal of a plain question; look at the server's log")
            }
            Self::Thinks(thought) => server.endless(&thought),
            Self::Later(_, error) | Self::Dropped(error) | Self::Failed(error) => error,
        }
    }

    /// Whether a picture in the question may be to blame, so that the question is worth asking without it.
    pub(super) fn may_blame_pictures(&self) -> bool {
        match self {
            Self::Failed(ModelError::TooLong { .. }) => true,
            Self::Failed(ModelError::BadReply { reason, .. }) => features::may_blame_pictures(reason),
            Self::Unknown(_)
            | Self::Later(..)
            | Self::Thinks(_)
            | Self::Dropped(_)
            | Self::Failed(_) => false,
        }
    }
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
        let again =
            response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        let until = Instant::now() + AFTERWORD;
        let text = self.read(response, until, &mut Unread).await.ok().flatten().unwrap_or_default();
        let reply: Value = serde_json::from_str(&text).unwrap_or_default();
        let said =
            serde_json::from_str::<Reply>(&text).ok().and_then(|reply| reply.error()).unwrap_or(text);
        if let Some(feature) = features::refused(status, &said) {
            return Trouble::Unknown(feature);
        }
        let tokens = |name: &str| reply.pointer(&format!("/error/{name}")).and_then(Value::as_u64);
        if let (Some(prompt), Some(context)) = (tokens("n_prompt_tokens"), tokens("n_ctx")) {
            let whole = |count| u32::try_from(count).unwrap_or(u32::MAX);
            return ModelError::TooLong { prompt: whole(prompt), context: whole(context) }.into();
        }
        if let Some((prompt, context)) = too_long(&said) {
            return ModelError::TooLong { prompt, context }.into();
        }
        let loads = said.to_ascii_lowercase().contains("loading model");
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
                let error = self.away(&format!("it is not ready: {code}{said}; try again when it is"));
                return match again {
                    Some(seconds) => Trouble::Later(Duration::from_secs(seconds), error),
                    None if loads => Trouble::Later(WHILE_LOADING, error),
                    None => error.into(),
                };
            }
            _ => self.bad(&format!("{code}{said}; look at the server's log")),
        }
        .into()
    }

    /// Why nothing could be sent.
    pub(super) fn unsent(&self, error: &reqwest::Error) -> Trouble {
        if error.is_connect() && error.is_timeout() {
            let limit = self.limits.connect.as_secs_f32();
            return self.away(&format!("no connection within {limit} s; check the address")).into();
        }
        if error.is_connect() {
            let reason = format!("{}; start the model server or check the address", cause(error));
            return self.away(&reason).into();
        }
        let reason = cause(error);
        let failed =
            self.bad(&format!("with something that is no HTTP reply: {reason}; check the address"));
        // A connection that was kept from an earlier question may have been given up on the other side.
        let gone = ["connection closed", "connection reset", "broken pipe"];
        if gone.iter().any(|words| reason.to_ascii_lowercase().contains(words)) {
            return Trouble::Dropped(failed);
        }
        failed.into()
    }

    pub(super) fn silent(&self, limit: Duration) -> ModelError {
        let limit = limit.as_secs_f32();
        self.away(&format!("no token for {limit} s; look at the server's log, or give it more time"))
    }

    pub(super) fn half(&self, reason: &str) -> ModelError {
        let reason = self.clean(reason);
        self.bad(&format!("with half an answer, then {reason}; look at the server's log"))
    }

    /// It thought and came to no answer.
    pub(super) fn endless(&self, thought: &Thought) -> ModelError {
        ModelError::Endless { url: self.base.clone(), tokens: thought.usage.thought }
    }

    /// It said something that no model server says.
    pub(super) fn no_answer(&self, what: &str) -> ModelError {
        self.bad(&format!(
            "with {what}; check that it is a model server, its address mostly ends in `/v1`"
        ))
    }

    /// It says in its answer that something went wrong.
    pub(super) fn complaint(&self, error: &str) -> ModelError {
        if let Some((prompt, context)) = too_long(error) {
            return ModelError::TooLong { prompt, context };
        }
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

/// Tokens of the prompt and of the context, where a refusal says in words that the one does not fit into the
/// other.
fn too_long(said: &str) -> Option<(u32, u32)> {
    let said = said.to_ascii_lowercase();
    let after = |name: &str| numbers(said.split_once(name)?.1).into_iter().next();
    if let (Some(prompt), Some(context)) = (after("n_keep"), after("n_ctx")) {
        return Some((prompt, context));
    }
    let about = ["context length", "context size", "context window", "context_length"];
    let at = about.iter().find_map(|words| said.find(words))?;
    let context = numbers(said.get(at..)?).into_iter().next()?;
    let prompt = numbers(&said).into_iter().filter(|count| *count != context).max()?;
    Some((prompt, context))
}

/// The numbers in a text that may count the tokens of a prompt or a context.
fn numbers(text: &str) -> Vec<u32> {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).filter(|count| *count >= 16).collect()
}

/// The innermost reason of an error; the outer ones only say that a request failed.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refusals in the words of servers.
    #[test]
    fn knows_a_prompt_that_is_too_long() {
        for (said, tokens) in [
            (
                "This model's maximum context length is 2048 tokens. However, you requested 2100 tokens \
                 (2000 in the messages, 100 in the completion).",
                Some((2100, 2048)),
            ),
            (
                "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
                Some((5000, 4096)),
            ),
            ("Requested tokens (700) exceed context window of 512", Some((700, 512))),
            (
                "The number of tokens to keep from the initial prompt is greater than the context length \
                 (n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length.",
                Some((13055, 4096)),
            ),
            ("Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", Some((15028, 7424))),
            (
                "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded \
                 with context length of only 4096 tokens, which is not enough.",
                Some((15857, 4096)),
            ),
            ("the context length is exceeded", None),
            ("max_tokens must be below 4096", None),
        ] {
            assert_eq!(too_long(said), tokens, "{said}");
        }
    }
}
