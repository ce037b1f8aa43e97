//! The one seam to whatever computes an answer, and the errors that it may end with.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

use async_trait::async_trait;
use freehand_tools::picture::fit::Fit;
use thiserror::Error;

use crate::prompt::{Chosen, Completion, Preference, Prompt};

pub mod embedded;
pub mod openai;
pub mod scripted;

/// What a backend can do, for the planner to choose its way by.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// A name for the log, for example the file or the address and the model's name.
    pub name: String,
    /// Tokens that fit in prompt and answer together.
    pub context: u32,
    /// Whether a constraint is enforced while the answer is written.
    pub constrained: bool,
    /// Whether [`Model::choose`] answers with probabilities of its own.
    pub likelihoods: bool,
    /// The sizes in which it is shown pictures; `None` where it sees none.
    pub images: Option<Fit>,
}

/// Reads an answer while it is written, and may end it: the backend stops within one token.
pub trait TokenSink: Send {
    /// The next piece of the answer.
    fn piece(&mut self, text: &str) -> ControlFlow<()>;

    /// The next token, before the piece that it ends: only where [`Prompt::likelihoods`] asks for it and
    /// the backend knows.
    fn token(&mut self, _: Chosen) {}
    /// The next piece of what the model thinks aloud before its answer.
    fn thought(&mut self, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Whether to go on, asked between pieces too, for example after each part of a long prompt.
    fn poll(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A sink for those who do not read along.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unread;

impl TokenSink for Unread {
    fn piece(&mut self, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why a model gave no answer. The run cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The weights are not on this machine.
    #[error("the model `{name}` is not on this machine; run `freehand model pull {name}`")]
    NotFetched {
        /// The model's name in the catalogue.
        name: String,
    },
    /// The file is not what it should be.
    #[error("`{}`: {reason}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No model of that name is known.
    #[error("no model is called `{name}`; there are {}", quoted(known))]
    UnknownModel {
        /// The name that was given.
        name: String,
        /// The names in the catalogue.
        known: Vec<String>,
    },
    /// The weights cannot be fetched.
    #[error("the model `{name}` cannot be fetched: {reason}")]
    FetchFailed {
        /// The model's name in the catalogue.
        name: String,
        /// What happened and what to do next.
        reason: String,
    },
    /// The weights do not fit on the disk.
    #[error(
        "`{}` has {} MB free and {} MB are needed; make room or choose another place",
        path.display(), free / 1_000_000, need.div_ceil(1_000_000)
    )]
    NoSpace {
        /// Where they would go.
        path: PathBuf,
        /// Bytes that are needed.
        need: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Somebody else is fetching or removing the same model.
    #[error("the model `{name}` is being fetched or removed already; wait for that to end")]
    Busy {
        /// The model's name in the catalogue.
        name: String,
    },
    /// The server does not answer.
    #[error("no answer from `{url}`: {reason}")]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server answered something that is not an answer.
    #[error("`{url}` answered {reason}")]
    BadReply {
        /// Where it was asked.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// It thought aloud and came to no answer, however it was asked.
    #[error(
        "`{url}` thought for {tokens} tokens and gave no answer; let it think for longer with `--thinking`, or \
         name a model that thinks less"
    )]
    Endless {
        /// Where it was asked.
        url: String,
        /// Tokens of its thoughts.
        tokens: u32,
    },
    /// The question is longer than the context.
    #[error("the prompt has {prompt} tokens, the context holds {context}")]
    TooLong {
        /// Tokens of the prompt.
        prompt: u32,
        /// Tokens of the context.
        context: u32,
    },
    /// It was shown a picture and sees none.
    #[error("`{name}` sees no pictures and was shown one; put the question in words alone")]
    Blind {
        /// The model's name for the log.
        name: String,
    },
    /// The constraint cannot be compiled.
    #[error("the constraint cannot be used: {0}")]
    BadConstraint(String),
    /// Reading the weights or computing with them failed.
    #[error("the model failed: {0}")]
    Failed(String),
    /// The script has no further answer.
    #[error("the script has no answer left")]
    ScriptEnded,
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Something that answers a prompt.
#[async_trait]
pub trait Model: Send + Sync + fmt::Debug {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Answers, piece by piece into `sink` and whole at the end.
    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError>;

    /// How likely each of `options` is as the beginning of the answer. The prompt's own constraint is not
    /// looked at.
    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError>;
}
