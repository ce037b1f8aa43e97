//! What answers questions: a network with its tokens and the rules that answers keep to.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use toktrie::TokenId;

use super::Settings;
use super::decoder::{Decoder, Own};
use super::floats;
use super::folder::Folder;
use super::gguf::{Gguf, useless};
use super::grammar::Grammar;
use super::network::Network;
use super::prefixes::Prefixes;
use super::upstream::{self, Upstream};
use super::vocabulary::{Vocabulary, count};
use crate::backend::ModelError;
use crate::prompt::Chosen;

/// What is said while a question is answered. Once nobody listens any more, its answer ends.
#[derive(Debug)]
pub(super) enum Event {
    /// It is still at work.
    Working,
    /// The next token, where that is asked for.
    Token(Chosen),
    /// The next piece of the answer.
    Piece(String),
    /// The next piece of what is thought before the answer.
    Thought(String),
}

/// A network with its tokens.
#[derive(Debug)]
pub(super) struct Engine {
    path: PathBuf,
    pub(super) decoder: Box<dyn Decoder>,
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) grammar: Grammar,
}

impl Engine {
    /// Reads a model's file or folder.
    pub(super) fn load(path: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let bad = |reason: String| useless(path, &reason);
        if path.is_dir() {
            let folder = Folder::open(path).map_err(bad)?;
            let network = || Ok(Box::new(floats::read(&folder, settings.context as usize)?) as Box<_>);
            let tokens = || Vocabulary::of_folder(&folder, folder.tokens()?);
            return Self::new(path, network, tokens);
        }
        let gguf = Gguf::open(path)?;
        let tokens = || Vocabulary::read(&gguf, gguf.rows("token_embd.weight")?);
        let engine = Self::new(path, || decoder(&gguf, settings), tokens);
        gguf.release(0, gguf.map.len());
        engine
    }

    /// Reads the network and its tokens beside each other.
    fn new(
        path: &Path,
        network: impl FnOnce() -> Result<Box<dyn Decoder>, String>,
        tokens: impl FnOnce() -> Result<Vocabulary, String> + Send,
    ) -> Result<Self, ModelError> {
        let bad = |reason: String| useless(path, &reason);
        let (decoder, vocabulary, grammar) = thread::scope(|scope| {
            let tokens = scope.spawn(|| {
                let vocabulary = Arc::new(tokens()?);
                Ok((vocabulary.clone(), Grammar::new(&vocabulary)?))
            });
            let decoder = network().map_err(bad);
            let tokens = tokens.join().unwrap_or_else(|_| Err("has tokens that cannot be used".into()));
            decoder.and_then(|decoder| tokens.map_err(bad).map(|(words, rules)| (decoder, words, rules)))
        })?;
        Ok(Self { path: path.to_path_buf(), decoder, vocabulary, grammar })
    }

    /// Tokens that fit in prompt and answer together.
    pub(super) fn context(&self) -> u32 {
        count(self.decoder.context())
    }

    /// Refuses logits that are no numbers: a damaged weight spreads to all of them, and what is chosen by them
    /// would be done.
    pub(super) fn check(&self, logits: &[f32]) -> Result<(), ModelError> {
        if logits.iter().all(|logit| logit.is_finite()) {
            return Ok(());
        }
        Err(useless(&self.path, "its weights are damaged: they give no numbers"))
    }
}

/// The network of a file: our own where it computes that family, else candle's.
fn decoder(gguf: &Gguf, settings: &Settings) -> Result<Box<dyn Decoder>, String> {
    let context = settings.context as usize;
    if gguf.text("general.architecture").is_ok_and(upstream::knows) {
        return Ok(Box::new(Upstream::read(gguf, context)?));
    }
    let network = Network::read(gguf, context)?;
    network.pack().map_err(|error| error.to_string())?;
    let prefixes = settings.prefixes.clone().map(|folder| Prefixes::new(folder, gguf));
    Ok(Box::new(Own::new(network, prefixes, settings.parallel.max(1))))
}

/// Breaks once nobody listens.
pub(super) fn say(events: &UnboundedSender<Event>, event: Event) -> ControlFlow<()> {
    match events.send(event) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
pub(super) fn failed(error: candle_core::Error) -> ModelError {
    ModelError::Failed(error.to_string())
}

pub(super) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

pub(super) fn log_likelihood(logits: &[f32], id: TokenId) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
    logits.get(id as usize).map_or(f64::NEG_INFINITY, |logit| f64::from(logit - most) - sum.ln())
}
