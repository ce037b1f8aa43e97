//! Answers questions with one network, on one thread, and says what it does while it does it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;
use tokio::sync::mpsc::UnboundedSender;
use toktrie::TokenId;

use super::Settings;
use super::decoder::{Decoder, Own};
use super::gguf::{Gguf, useless};
use super::grammar::{Grammar, Rules};
use super::network::{Network, Wanted};
use super::prefixes::Prefixes;
use super::text::Text;
use super::thinking::{Thinking, Thought};
use super::upstream::{self, Upstream};
use super::vocabulary::{Rendered, Vocabulary, count};
use crate::backend::ModelError;
use crate::prompt::{Chosen, Completion, Finish, Likely, Prompt, Usage};

/// Tokens of an option whose logits are held at a time.
const AT_ONCE: usize = 32;

/// What the engine says while it answers. Once nobody listens any more, it stops.
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
    decoder: Box<dyn Decoder>,
    vocabulary: Arc<Vocabulary>,
    grammar: Grammar,
}

/// An answer while it is written.
struct Answer<'a> {
    prompt: &'a Prompt,
    text: Text<'a>,
    /// What the model thinks, until it is over.
    thinking: Option<Thinking>,
    thought: Option<String>,
    rules: Option<Rules>,
    sampler: LogitsProcessor,
    /// Tokens that the network has not read yet.
    unread: Vec<TokenId>,
    /// Tokens that it may still have.
    left: usize,
    usage: Usage,
}

impl Engine {
    /// Reads a model's file.
    pub(super) fn load(path: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let gguf = Gguf::open(path)?;
        let bad = |reason: String| useless(path, &reason);
        let (decoder, vocabulary, grammar) = thread::scope(|scope| {
            let tokens = scope.spawn(|| {
                let count = gguf.rows("token_embd.weight")?;
                let vocabulary = Arc::new(Vocabulary::read(&gguf, count)?);
                Ok((vocabulary.clone(), Grammar::new(&vocabulary)?))
            });
            let decoder = decoder(&gguf, settings).map_err(bad);
            let tokens = tokens.join().unwrap_or_else(|_| Err("has tokens that cannot be used".into()));
            decoder.and_then(|decoder| tokens.map_err(bad).map(|(words, rules)| (decoder, words, rules)))
        })?;
        gguf.release(0, gguf.map.len());
        Ok(Self { path: path.to_path_buf(), decoder, vocabulary, grammar })
    }

    /// What it computes with.
    pub(super) fn decoder(&mut self) -> &mut dyn Decoder {
        self.decoder.as_mut()
    }

    /// Tokens that fit in prompt and answer together.
    pub(super) fn context(&self) -> u32 {
        count(self.decoder.context())
    }

    /// The tokens of a prompt.
    pub(super) fn tokens(&self, prompt: &Prompt) -> Result<Vec<TokenId>, ModelError> {
        self.vocabulary.render(prompt, self.context()).map(|rendered| rendered.ids)
    }

    /// Answers a prompt.
    pub(super) fn complete(
        &mut self,
        prompt: &Prompt,
        events: &UnboundedSender<Event>,
    ) -> Result<Completion, ModelError> {
        let started = Instant::now();
        let Rendered { ids, lasting, thinks } = self.vocabulary.render(prompt, self.context())?;
        let mut answer = Answer::new(prompt, self.grammar.rules(&prompt.constraint)?);
        let mut room = self.decoder.context().saturating_sub(ids.len());
        if thinks {
            // Half of the room is for the answer, should it need that.
            let budget = (prompt.thinking as usize).min(room / 2);
            answer.thinking = Thinking::new(&self.vocabulary, budget)?;
            room -= budget;
        }
        answer.left = room.min(prompt.max_tokens as usize);
        answer.usage.prompt = count(ids.len());
        let reused = self.recall(&ids, lasting, events);
        answer.usage.reused = count(reused);
        answer.unread = ids.into_iter().skip(reused).collect();
        let finish = loop {
            if let Some(finish) = answer.force(&self.vocabulary, events)? {
                break finish;
            }
            let Some(mut logits) = self.read(&answer.unread, Wanted::Last, events)? else {
                break Finish::Cancelled;
            };
            answer.unread.clear();
            if answer.usage.prefill_ms == 0.0 {
                answer.usage.prefill_ms = milliseconds(started);
            }
            let finish = match answer.thinking.take() {
                Some(thinking) => answer.think(thinking, &self.vocabulary, logits, events)?,
                None => answer.choose(&self.vocabulary, &mut logits, events)?,
            };
            if let Some(finish) = finish {
                break finish;
            }
        };
        self.decoder.keep(lasting, &|| say(events, Event::Working));
        Ok(answer.finish(finish, started, events))
    }

    /// How likely each option is as the beginning of the answer; `None` if nobody listens any more.
    pub(super) fn choose(
        &mut self,
        prompt: &Prompt,
        options: &[String],
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Vec<f64>>, ModelError> {
        // What it would think first is not known, so it is asked without.
        let prompt = Prompt { thinking: 0, ..prompt.clone() };
        let Rendered { ids, lasting, .. } = self.vocabulary.render(&prompt, self.context())?;
        let options: Vec<_> =
            options.iter().map(|o| self.vocabulary.encode(o)).collect::<Result<_, _>>()?;
        let longest = options.iter().map(Vec::len).max().unwrap_or(0);
        if options.iter().any(Vec::is_empty) {
            return Err(ModelError::BadConstraint("an option is empty".into()));
        }
        if ids.len() + longest > self.decoder.context() {
            let prompt = count(ids.len() + longest);
            return Err(ModelError::TooLong { prompt, context: self.context() });
        }
        let reused = self.recall(&ids, lasting, events);
        let unread = ids.get(reused..).unwrap_or_default();
        let Some(first) = self.read(unread, Wanted::Last, events)? else { return Ok(None) };
        let mut likelihoods = Vec::with_capacity(options.len());
        for option in &options {
            let likelihood = self.likelihood(&first, option, events);
            self.decoder.cut(ids.len());
            let Some(likelihood) = likelihood? else { return Ok(None) };
            likelihoods.push(likelihood);
        }
        self.decoder.keep(lasting, &|| say(events, Event::Working));
        Ok(Some(shares(&likelihoods)))
    }

    /// The logarithm of how likely `option` is to follow, with `first` as the logits of its first token.
    fn likelihood(
        &mut self,
        first: &[f32],
        option: &[TokenId],
        events: &UnboundedSender<Event>,
    ) -> Result<Option<f64>, ModelError> {
        let Some((id, next)) = option.split_first() else { return Ok(Some(0.0)) };
        let mut sum = log_likelihood(first, *id);
        for (ids, next) in option.chunks(AT_ONCE).zip(next.chunks(AT_ONCE)) {
            let ids = ids.get(..next.len()).unwrap_or_default();
            let Some(rows) = self.read(ids, Wanted::All, events)? else { return Ok(None) };
            let rows = rows.chunks_exact(first.len());
            sum += next.iter().zip(rows).map(|(id, row)| log_likelihood(row, *id)).sum::<f64>();
        }
        Ok(Some(sum))
    }

    /// Finds what `ids` have in common with what is remembered, but for their last token, whose logits are
    /// needed. Gives the tokens found.
    fn recall(&mut self, ids: &[TokenId], lasting: usize, events: &UnboundedSender<Event>) -> usize {
        let (_, beginning) = ids.split_last().unwrap_or((&0, &[]));
        self.decoder.recall(beginning, lasting, &|| say(events, Event::Working))
    }

    fn read(
        &mut self,
        ids: &[TokenId],
        wanted: Wanted,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Vec<f32>>, ModelError> {
        let go_on = || say(events, Event::Working);
        let logits = self.decoder.read(ids, wanted, &go_on).map_err(failed)?;
        // A damaged weight spreads to all of them, and what is chosen by them would be done.
        match &logits {
            Some(logits) if !logits.iter().all(|logit| logit.is_finite()) => {
                Err(useless(&self.path, "its weights are damaged: they give no numbers"))
            }
            _ => Ok(logits),
        }
    }
}

impl<'a> Answer<'a> {
    fn new(prompt: &'a Prompt, rules: Option<Rules>) -> Self {
        let temperature = Some(f64::from(prompt.temperature)).filter(|t| t.is_finite() && *t > 0.0);
        Self {
            prompt,
            text: Text::new(&prompt.stop),
            thinking: None,
            thought: None,
            rules,
            sampler: LogitsProcessor::new(prompt.seed, temperature, prompt.top_p.map(f64::from)),
            unread: Vec::new(),
            left: 0,
            usage: Usage::default(),
        }
    }

    /// Takes the tokens that the rules leave no choice about. Gives why the answer ends, if it does.
    fn force(
        &mut self,
        vocabulary: &Vocabulary,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Finish>, ModelError> {
        if self.thinking.is_some() {
            return Ok(None);
        }
        let (forced, is_over) = match &mut self.rules {
            Some(rules) => (rules.forced()?, rules.is_over()),
            None => (Vec::new(), false),
        };
        for id in forced {
            if vocabulary.is_end(id) {
                return Ok(Some(Finish::Stop));
            }
            if self.left == 0 {
                return Ok(Some(Finish::Length));
            }
            self.usage.forced += 1;
            self.tell(vocabulary, &[], id, events);
            if let Some(finish) = self.add(vocabulary, id, events) {
                return Ok(Some(finish));
            }
        }
        if is_over {
            return Ok(Some(Finish::Stop));
        }
        // A prompt without an answer is still read, so that the next one finds it remembered.
        Ok((self.left == 0 && self.usage.prefill_ms > 0.0).then_some(Finish::Length))
    }

    /// Chooses the next token. Gives why the answer ends, if it does.
    fn choose(
        &mut self,
        vocabulary: &Vocabulary,
        logits: &mut Vec<f32>,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Finish>, ModelError> {
        if self.left == 0 {
            return Ok(Some(Finish::Length));
        }
        if let Some(rules) = &mut self.rules {
            rules.mask(logits)?;
        } else {
            let thinks = vocabulary.thinks().into_iter().flatten();
            for id in vocabulary.banned().iter().copied().chain(thinks) {
                if let Some(logit) = logits.get_mut(id as usize) {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
        let told = self.prompt.likelihoods.map(|_| logits.clone()).unwrap_or_default();
        let id = self.sample(std::mem::take(logits))?;
        if let Some(rules) = &mut self.rules {
            rules.take(id)?;
        }
        if vocabulary.is_end(id) {
            return Ok(Some(Finish::Stop));
        }
        self.usage.sampled += 1;
        self.tell(vocabulary, &told, id, events);
        Ok(self.add(vocabulary, id, events))
    }

    /// Tells how likely the token `id` was by `logits`, which are empty where it was certain.
    fn tell(
        &self,
        vocabulary: &Vocabulary,
        logits: &[f32],
        id: TokenId,
        events: &UnboundedSender<Event>,
    ) {
        let Some(others) = self.prompt.likelihoods else { return };
        let likely = |id: TokenId, logprob| Likely { bytes: vocabulary.bytes(id).to_vec(), logprob };
        let chosen = if logits.is_empty() {
            Chosen { token: likely(id, 0.0), others: vec![likely(id, 0.0)] }
        } else {
            let others = likeliest(logits, usize::from(others));
            let others = others.into_iter().map(|id| likely(id, log_likelihood(logits, id)));
            Chosen { token: likely(id, log_likelihood(logits, id)), others: others.collect() }
        };
        let _ = say(events, Event::Token(chosen));
    }

    fn sample(&mut self, logits: Vec<f32>) -> Result<TokenId, ModelError> {
        let length = logits.len();
        let logits = Tensor::from_vec(logits, length, &Device::Cpu).map_err(failed)?;
        self.sampler.sample(&logits).map_err(failed)
    }

    /// Chooses the next token of the thoughts. Gives why the answer ends, if it does.
    fn think(
        &mut self,
        mut thinking: Thinking,
        vocabulary: &Vocabulary,
        mut logits: Vec<f32>,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Finish>, ModelError> {
        thinking.mask(vocabulary, &mut logits);
        let id = self.sample(logits)?;
        self.usage.sampled += 1;
        let thought = thinking.take(vocabulary, id);
        let piece = thinking.piece();
        match thought {
            Thought::More(ids) => {
                self.unread = ids;
                self.thinking = Some(thinking);
            }
            Thought::Over(ids) => {
                self.unread = ids;
                self.thought = Some(thinking.into_text());
            }
        }
        let is_heard = piece.is_none_or(|piece| say(events, Event::Thought(piece)).is_continue());
        Ok((!is_heard).then_some(Finish::Cancelled))
    }

    /// Adds a token to the answer. Gives why the answer ends, if it does.
    fn add(
        &mut self,
        vocabulary: &Vocabulary,
        id: TokenId,
        events: &UnboundedSender<Event>,
    ) -> Option<Finish> {
        self.left = self.left.saturating_sub(1);
        self.unread.push(id);
        if self.text.push(vocabulary.bytes(id)) {
            return Some(Finish::Stop);
        }
        let piece = self.text.piece()?.to_owned();
        say(events, Event::Piece(piece)).is_break().then_some(Finish::Cancelled)
    }

    fn finish(
        mut self,
        finish: Finish,
        started: Instant,
        events: &UnboundedSender<Event>,
    ) -> Completion {
        let rest =
            if finish == Finish::Cancelled { None } else { self.text.finish().map(str::to_owned) };
        if let Some(rest) = rest {
            let _ = say(events, Event::Piece(rest));
        }
        if self.usage.prefill_ms == 0.0 {
            self.usage.prefill_ms = milliseconds(started);
        }
        self.usage.decode_ms = (milliseconds(started) - self.usage.prefill_ms).max(0.0);
        tracing::debug!(usage = ?self.usage, seed = self.prompt.seed, ?finish, "answered");
        let thinking = self.thought.or_else(|| self.thinking.map(Thinking::into_text));
        Completion { text: self.text.into_text(), thinking, finish, usage: self.usage }
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
    Ok(Box::new(Own::new(network, prefixes)))
}

/// Breaks once nobody listens.
fn say(events: &UnboundedSender<Event>, event: Event) -> ControlFlow<()> {
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

fn log_likelihood(logits: &[f32], id: TokenId) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
    logits.get(id as usize).map_or(f64::NEG_INFINITY, |logit| f64::from(logit - most) - sum.ln())
}

/// The ids of the `most` largest logits, the largest first.
fn likeliest(logits: &[f32], most: usize) -> Vec<TokenId> {
    let mut best: Vec<(f32, TokenId)> = Vec::with_capacity(most + 1);
    for (logit, id) in logits.iter().copied().zip(0..).filter(|(logit, _)| logit.is_finite()) {
        let place = best.partition_point(|(other, _)| *other >= logit);
        if place < most {
            best.insert(place, (logit, id));
            best.truncate(most);
        }
    }
    best.into_iter().map(|(_, id)| id).collect()
}

/// The share of each likelihood in their sum.
fn shares(log_likelihoods: &[f64]) -> Vec<f64> {
    let most = log_likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_likelihoods.iter().map(|l| (l - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}
