//! The model in this process: weights from a GGUF file, computed on the processor, by the network of this
//! crate for the Qwen2, Qwen3 and Llama families and by candle's own for others.
//!
//! It answers one question at a time, on a thread of its own, and remembers the last prompt: what the
//! next one has in common with it costs nothing. Constraints are enforced token by token, and tokens that
//! they leave no choice about are read in one go with the next one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinError, spawn_blocking};

use self::engine::{Engine, Event};
use super::{Capabilities, Model, ModelError, TokenSink, Unread};
use crate::prompt::{Completion, Finish, Prompt};

mod attention;
mod branch;
mod branches;
mod cache;
mod counter;
mod cuts;
mod decoder;
mod engine;
mod gguf;
mod grammar;
mod measure;
mod network;
mod packed;
mod prefixes;
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

/// How a model is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Tokens that fit in prompt and answer together, or as many as the model was trained for if that is
    /// less.
    pub context: u32,
    /// The folder for the work on beginnings of prompts that are the same in every run. Without one it is
    /// done again in each.
    pub prefixes: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { context: DEFAULT_CONTEXT, prefixes: None }
    }
}

/// A model computed in this process.
pub struct Embedded {
    engine: Arc<Mutex<Engine>>,
    path: PathBuf,
    context: u32,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine: _, path, context } = self;
        f.debug_struct("Embedded").field("path", path).field("context", context).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Reads the weights of `path` and prepares them, which takes seconds and blocks the thread.
    pub fn load(path: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let engine = Engine::load(path, settings)?;
        let context = engine.context();
        Ok(Self { engine: Arc::new(Mutex::new(engine)), path: path.to_path_buf(), context })
    }

    /// Like [`Embedded::load`], without blocking the thread.
    pub async fn open(path: impl Into<PathBuf>, settings: Settings) -> Result<Self, ModelError> {
        let path = path.into();
        spawn_blocking(move || Self::load(&path, &settings)).await.map_err(broken)?
    }

    /// The tokens that a prompt is for this model.
    pub async fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, ModelError> {
        self.engine.lock().await.tokens(prompt)
    }

    /// Runs `question` on a thread of its own and hands what it says to `sink`. Gives its answer and, if
    /// `sink` broke it off, how many bytes of text `sink` has seen.
    async fn ask<T: Send + 'static>(
        &self,
        sink: &mut dyn TokenSink,
        question: impl FnOnce(&mut Engine, &UnboundedSender<Event>) -> Result<T, ModelError> + Send + 'static,
    ) -> Result<(T, Option<usize>), ModelError> {
        let mut engine: OwnedMutexGuard<Engine> = Arc::clone(&self.engine).lock_owned().await;
        let (sender, mut events) = mpsc::unbounded_channel();
        let answer = spawn_blocking(move || question(&mut engine, &sender));
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
        let answer = answer.await.map_err(broken)??;
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
            images: false,
        }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let prompt = prompt.clone();
        trace(&prompt, &[]);
        let question = move |engine: &mut Engine, events: &_| engine.complete(&prompt, events);
        let (mut completion, seen) = self.ask(sink, question).await?;
        if let Some(seen) = seen {
            completion.text.truncate(seen);
            completion.finish = Finish::Cancelled;
        }
        Ok(completion)
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Vec<f64>, ModelError> {
        let (prompt, options) = (prompt.clone(), options.to_vec());
        trace(&prompt, &options);
        let question = move |engine: &mut Engine, events: &_| engine.choose(&prompt, &options, events);
        let (shares, _) = self.ask(&mut Unread, question).await?;
        shares.ok_or_else(|| ModelError::Failed("the question was broken off".into()))
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

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn broken(error: JoinError) -> ModelError {
    ModelError::Failed(format!("the computation broke off: {error}"))
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
mod made;
#[cfg(test)]
mod real;
#[cfg(test)]
mod tiny;
