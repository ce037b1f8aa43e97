//! A choice among given texts: how likely each is as the beginning of the answer, read beside each other.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use toktrie::TokenId;

use super::decoder::{Decoder, LineId, Reading};
use super::engine::{Engine, Event, failed, log_likelihood, milliseconds, say};
use super::network::Wanted;
use super::vocabulary::{Rendered, count};
use crate::backend::ModelError;
use crate::prompt::{Preference, Usage};

/// Tokens whose logits are held at a time, and which are read in a round.
const AT_ONCE: usize = 32;
/// Tokens that all options of a choice may have together: more than any form on a screen has. Each is read in
/// full: these take about as long as a prompt of as many.
const MOST: usize = 16_384;

/// A choice: its prompt is read first, then its options are weighed, a pass in each round.
pub(super) struct Choice {
    started: Instant,
    pub(super) usage: Usage,
    /// Tokens of the prompt.
    prompt: usize,
    options: Vec<Vec<TokenId>>,
    /// Tokens of the prompt that the network has not read yet.
    pub(super) unread: Vec<TokenId>,
    /// The logarithm of how likely that is which was weighed so far, option by option.
    likelihoods: Vec<f64>,
    /// The options that still have something to weigh.
    left: VecDeque<usize>,
    /// Tokens of the first of these that stand on the line behind the prompt.
    read: usize,
}

/// What a pass comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Weighed {
    /// There is more to weigh.
    Partly,
    /// The share of each option.
    All(Vec<f64>),
    /// Nobody listens any more.
    Alone,
}

impl Choice {
    /// A choice after a prompt of these tokens.
    pub(super) fn new(
        engine: &Engine,
        rendered: &Rendered,
        options: &[String],
        started: Instant,
    ) -> Result<Self, ModelError> {
        let options: Vec<_> =
            options.iter().map(|o| engine.vocabulary.encode(o)).collect::<Result<_, _>>()?;
        let longest = options.iter().map(Vec::len).max().unwrap_or(0);
        if options.iter().any(Vec::is_empty) {
            return Err(ModelError::BadConstraint("an option is empty".into()));
        }
        if rendered.ids.len() + longest > engine.decoder.context() {
            let prompt = count(rendered.ids.len() + longest);
            return Err(ModelError::TooLong { prompt, context: engine.context() });
        }
        let all: usize = options.iter().map(Vec::len).sum();
        if all > MOST {
            let reason = format!("the options have {all} tokens together, {MOST} are the most");
            return Err(ModelError::BadConstraint(reason));
        }
        let (likelihoods, left) = (Vec::new(), VecDeque::new());
        let (prompt, unread) = (rendered.ids.len(), rendered.ids.clone());
        let usage = Usage { prompt: count(prompt), scored: count(all), ..Usage::default() };
        Ok(Self { started, usage, prompt, options, unread, likelihoods, left, read: 0 })
    }

    /// Takes the logits after the prompt.
    pub(super) fn begin(&mut self, first: &[f32]) -> Weighed {
        self.usage.prefill_ms = milliseconds(self.started);
        let begun = |option: &Vec<TokenId>| option.first().map_or(0.0, |id| log_likelihood(first, *id));
        self.likelihoods = self.options.iter().map(begun).collect();
        // The last token of an option need not be read.
        let long = self.options.iter().enumerate().filter(|(_, option)| option.len() > 1);
        self.left = long.map(|(at, _)| at).collect();
        self.so_far()
    }

    /// Weighs on, by one pass.
    pub(super) fn weigh(
        &mut self,
        decoder: &mut dyn Decoder,
        line: LineId,
        events: &UnboundedSender<Event>,
    ) -> Result<Weighed, ModelError> {
        let mut tokens = 0;
        let fits = self.left.iter().take_while(|at| {
            tokens += self.option(**at).len().saturating_sub(1);
            tokens <= AT_ONCE
        });
        let together = fits.count();
        let is_heard = if together == 0 || self.read > 0 {
            self.next_piece(decoder, line, events)?
        } else {
            self.beside_each_other(together, decoder, line, events)?
        };
        Ok(if is_heard { self.so_far() } else { Weighed::Alone })
    }

    /// The whole choice with these shares.
    pub(super) fn finish(mut self, probabilities: Vec<f64>) -> Preference {
        self.usage.decode_ms = milliseconds(self.started) - self.usage.prefill_ms;
        tracing::debug!(usage = ?self.usage, "chose");
        Preference { probabilities, usage: self.usage }
    }

    fn so_far(&self) -> Weighed {
        if self.left.is_empty() { Weighed::All(shares(&self.likelihoods)) } else { Weighed::Partly }
    }

    fn option(&self, at: usize) -> &[TokenId] {
        self.options.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// Weighs the next `together` options to their end, read in one pass. Gives whether anybody listens.
    fn beside_each_other(
        &mut self,
        together: usize,
        decoder: &mut dyn Decoder,
        line: LineId,
        events: &UnboundedSender<Event>,
    ) -> Result<bool, ModelError> {
        let now: Vec<usize> = self.left.drain(..together).collect();
        let ways = now.iter().filter_map(|at| Some(self.option(*at).split_last()?.1));
        let ways: Vec<&[TokenId]> = ways.collect();
        let logits = decoder.foresee(line, &ways, &|| say(events, Event::Working)).map_err(failed)?;
        let Some(logits) = logits else { return Ok(false) };
        for (at, rows) in now.into_iter().zip(&logits) {
            let next = self.option(at).get(1..).unwrap_or_default();
            let likelihood = sum(next, rows, decoder.vocabulary());
            self.add(at, likelihood);
        }
        Ok(true)
    }

    /// Weighs the next piece of an option with too many logits for one pass.
    fn next_piece(
        &mut self,
        decoder: &mut dyn Decoder,
        line: LineId,
        events: &UnboundedSender<Event>,
    ) -> Result<bool, ModelError> {
        let Some(at) = self.left.front().copied() else { return Ok(true) };
        let option = self.option(at);
        let next = option.get(self.read + 1..).unwrap_or_default();
        let next = next.get(..AT_ONCE).unwrap_or(next);
        let ids = option.get(self.read..self.read + next.len()).unwrap_or_default();
        let part = Reading { line, ids, wanted: Wanted::All };
        let rows = decoder.read(&[part], &|| say(events, Event::Working)).map_err(failed)?;
        let Some(rows) = rows else { return Ok(false) };
        let likelihood = sum(next, &rows.concat(), decoder.vocabulary());
        let (read, all) = (self.read + next.len(), option.len());
        self.read = read;
        if read + 1 >= all {
            decoder.cut(line, self.prompt);
            self.read = 0;
            self.left.pop_front();
        }
        self.add(at, likelihood);
        Ok(true)
    }

    fn add(&mut self, at: usize, likelihood: f64) {
        if let Some(sum) = self.likelihoods.get_mut(at) {
            *sum += likelihood;
        }
    }
}

/// The logarithm of how likely these tokens are by their rows of logits.
fn sum(ids: &[TokenId], rows: &[f32], width: usize) -> f64 {
    ids.iter().zip(rows.chunks_exact(width)).map(|(id, row)| log_likelihood(row, *id)).sum()
}

/// The share of each likelihood in their sum.
fn shares(log_likelihoods: &[f64]) -> Vec<f64> {
    let most = log_likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_likelihoods.iter().map(|l| (l - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}
