//! The model in this process, computed on the processor: from a GGUF file by the network of this crate for the
//! Qwen2, Qwen3 and Llama families and by candle's own for others, or from a folder of safetensors by candle's.
//!
//! It answers a few questions beside each other, on a thread of its own, and remembers the last prompts: what
//! the next one has in common with them costs nothing. Constraints are enforced token by token, and tokens
//! that they leave no choice about are read in one go with the next one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use self::engine::{Engine, Event};
use self::rounds::{Job, Question, Reply};
use self::vocabulary::Vocabulary;
use super::{Capabilities, Model, ModelError, TokenSink, Unread};
use crate::prompt::{Completion, Finish, Preference, Prompt};

mod answer;
mod attention;
mod branch;
mod branches;
mod cache;
mod choice;
mod claims;
mod counter;
mod cuts;
mod decoder;
mod engine;
mod floats;
mod folder;
mod gguf;
mod grammar;
mod measure;
mod network;
mod packed;
mod pieces;
mod prefixes;
mod published;
mod rounds;
mod shape;
mod simd;
mod specials;
mod template;
mod text;
mod thinking;
mod turns;
mod upstream;
mod vocabulary;
mod weights;

pub use self::counter::Counter;
pub use self::measure::Timing;

/// Tokens that fit in prompt and answer together unless told otherwise. Each token that is used costs
/// 56 KiB of memory with the default model.
pub const DEFAULT_CONTEXT: u32 = 8192;

/// Bytes of the stack of the thread that computes, of which only what is used takes memory. Preparing a large
/// schema needs a few MB of it.
const STACK: usize = 64 << 20;

/// How a model is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Tokens that fit in prompt and answer together, or as many as the model was trained for if that is
    /// less.
    pub context: u32,
    /// The folder for the work on beginnings of prompts that are the same in every run. Without one it is
    /// done again in each.
    pub prefixes: Option<PathBuf>,
    /// Questions that are answered beside each other; who asks more waits for one to end.
    pub parallel: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { context: DEFAULT_CONTEXT, prefixes: None, parallel: 4 }
    }
}

/// A model computed in this process.
pub struct Embedded {
    /// To the thread that computes; `None` only while this is dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    vocabulary: Arc<Vocabulary>,
    path: PathBuf,
    context: u32,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs: _, thread: _, vocabulary: _, path, context } = self;
        f.debug_struct("Embedded").field("path", path).field("context", context).finish_non_exhaustive()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Embedded {
    /// Reads the weights of `path`, a GGUF file or a folder of safetensors, and prepares them, which takes
    /// seconds and blocks the thread.
    pub fn load(path: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let engine = Engine::load(path, settings)?;
        let (context, vocabulary) = (engine.context(), Arc::clone(&engine.vocabulary));
        let (jobs, inbox) = channel();
        let thread = thread::Builder::new().name("model".into()).stack_size(STACK);
        let thread = thread.spawn(move || rounds::work(engine, &inbox));
        let thread = thread.map_err(|error| ModelError::Failed(format!("no thread for it: {error}")))?;
        let (jobs, thread) = (Some(jobs), Some(thread));
        Ok(Self { jobs, thread, vocabulary, path: path.to_path_buf(), context })
    }

    /// Like [`Embedded::load`], without blocking the thread.
    pub async fn open(path: impl Into<PathBuf>, settings: Settings) -> Result<Self, ModelError> {
        let path = path.into();
        spawn_blocking(move || Self::load(&path, &settings)).await.unwrap_or_else(|_| Err(broken()))
    }

    /// The tokens that a prompt is for this model.
    pub fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, ModelError> {
        self.vocabulary.render(prompt, self.context).map(|rendered| rendered.ids)
    }

    fn send(&self, job: Job) -> Result<(), ModelError> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(broken)
    }

    /// Asks and hands what is said to `sink`. Gives what came of it and, if `sink` broke it off, how many
    /// bytes of text `sink` has seen.
    async fn ask(
        &self,
        sink: &mut dyn TokenSink,
        prompt: &Prompt,
        options: Option<&[String]>,
    ) -> Result<(Reply, Option<usize>), ModelError> {
        trace(prompt, options.unwrap_or_default());
        if prompt.has_picture() {
            return Err(ModelError::Blind { name: self.capabilities().name });
        }
        let (sender, mut events) = mpsc::unbounded_channel();
        let (reply, answer) = oneshot::channel();
        let (prompt, options) = (prompt.clone(), options.map(<[String]>::to_vec));
        self.send(Job::Ask(Box::new(Question { prompt, options, events: sender, reply })))?;
        let mut seen = 0;
        let mut broken_off = false;
        while let Some(event) = events.recv().await {
            let flow = match event {
                Event::Working => sink.poll(),
                Event::Token(chosen) => {
                    sink.token(chosen);
                    sink.poll()
                }
                Event::Thought(text) => sink.thought(&text),
                Event::Piece(text) => {
                    seen += text.len();
                    sink.piece(&text)
                }
            };
            if flow.is_break() {
                broken_off = true;
                break;
            }
        }
        // The engine stops once nobody listens: after a break here, and just so if this whole future is
        // dropped.
        drop(events);
        let answer = answer.await.unwrap_or_else(|_| Err(broken()))?;
        Ok((answer, broken_off.then_some(seen)))
    }
}

#[async_trait]
impl Model for Embedded {
    fn capabilities(&self) -> Capabilities {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        Capabilities {
            name: name.to_string_lossy().into_owned(),
            context: self.context,
            constrained: true,
            likelihoods: true,
            images: None,
        }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let (Reply::Answer(mut completion), seen) = self.ask(sink, prompt, None).await? else {
            return Err(broken());
        };
        if let Some(seen) = seen {
            completion.text.truncate(seen);
            completion.finish = Finish::Cancelled;
        }
        Ok(completion)
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        match self.ask(&mut Unread, prompt, Some(options)).await? {
            (Reply::Choice(Some(choice)), _) => Ok(choice),
            _ => Err(ModelError::Failed("the question was broken off".into())),
        }
    }
}

/// Writes a question down for whoever wants to put it again: `FREEHAND_LOG=freehand_model::asked=trace`.
fn trace(prompt: &Prompt, options: &[String]) {
    const TARGET: &str = "freehand_model::asked";
    if tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        let asked = serde_json::json!({ "asked": prompt, "options": options });
        tracing::trace!(target: TARGET, "{asked}");
    }
}

fn broken() -> ModelError {
    ModelError::Failed("the computation broke off".into())
}

#[cfg(test)]
mod asked;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod damaged;
#[cfg(test)]
mod families;
#[cfg(test)]
mod folders;
#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod real;
#[cfg(test)]
mod tiny;
