//! An answer while it is written: what has to come, what is chosen, what is thought before, and why it ends.

use std::time::Instant;

use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;
use tokio::sync::mpsc::UnboundedSender;
use toktrie::TokenId;

use super::engine::{Engine, Event, failed, log_likelihood, milliseconds, say};
use super::grammar::Rules;
use super::text::Text;
use super::thinking::{Thinking, Thought};
use super::vocabulary::{Rendered, Vocabulary, count};
use crate::backend::ModelError;
use crate::prompt::{Chosen, Completion, Finish, Likely, Prompt, Usage};

/// An answer while it is written.
pub(super) struct Answer {
    prompt: Prompt,
    started: Instant,
    text: Text,
    /// What the model thinks, until it is over.
    thinking: Option<Thinking>,
    thought: Option<String>,
    rules: Option<Rules>,
    sampler: LogitsProcessor,
    /// Tokens that the network has not read yet.
    pub(super) unread: Vec<TokenId>,
    /// Tokens that it may still have.
    left: usize,
    pub(super) usage: Usage,
}

impl Answer {
    /// An answer to a prompt of these tokens.
    pub(super) fn new(
        engine: &Engine,
        prompt: Prompt,
        rendered: &Rendered,
        started: Instant,
    ) -> Result<Self, ModelError> {
        let rules = engine.grammar.rules(&prompt.constraint)?;
        let temperature = Some(f64::from(prompt.temperature)).filter(|t| t.is_finite() && *t > 0.0);
        let ids = &rendered.ids;
        let mut room = engine.decoder.context().saturating_sub(ids.len());
        let mut thinking = None;
        if rendered.thinks {
            // Half of the room is for the answer, should it need that.
            let budget = (prompt.thinking as usize).min(room / 2);
            thinking = Thinking::new(&engine.vocabulary, budget)?;
            room -= budget;
        }
        Ok(Self {
            started,
            text: Text::new(prompt.stop.clone()),
            thinking,
            thought: None,
            rules,
            sampler: LogitsProcessor::new(prompt.seed, temperature, prompt.top_p.map(f64::from)),
            unread: ids.clone(),
            left: room.min(prompt.max_tokens as usize),
            usage: Usage { prompt: count(ids.len()), ..Usage::default() },
            prompt,
        })
    }

    /// Takes the logits after all that was to be read. Gives why the answer ends, if it does.
    pub(super) fn take(
        &mut self,
        vocabulary: &Vocabulary,
        mut logits: Vec<f32>,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Finish>, ModelError> {
        if self.usage.prefill_ms == 0.0 {
            self.usage.prefill_ms = milliseconds(self.started);
        }
        let finish = match self.thinking.take() {
            Some(thinking) => self.think(thinking, vocabulary, logits, events)?,
            None => self.choose(vocabulary, &mut logits, events)?,
        };
        match finish {
            Some(finish) => Ok(Some(finish)),
            None => self.force(vocabulary, events),
        }
    }

    /// Takes the tokens that the rules leave no choice about. Gives why the answer ends, if it does.
    pub(super) fn force(
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
        self.usage.thought += 1;
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

    /// The whole answer.
    pub(super) fn finish(mut self, finish: Finish, events: &UnboundedSender<Event>) -> Completion {
        let rest =
            if finish == Finish::Cancelled { None } else { self.text.finish().map(str::to_owned) };
        if let Some(rest) = rest {
            let _ = say(events, Event::Piece(rest));
        }
        if self.usage.prefill_ms == 0.0 {
            self.usage.prefill_ms = milliseconds(self.started);
        }
        self.usage.decode_ms = (milliseconds(self.started) - self.usage.prefill_ms).max(0.0);
        tracing::debug!(usage = ?self.usage, seed = self.prompt.seed, ?finish, "answered");
        let thinking = self.thought.or_else(|| self.thinking.map(Thinking::into_text));
        Completion { text: self.text.into_text(), thinking, finish, usage: self.usage }
    }
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
