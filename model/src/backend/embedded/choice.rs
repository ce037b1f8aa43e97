//! A choice among given texts: how likely each is as the beginning of the answer, read beside each other.

use tokio::sync::mpsc::UnboundedSender;
use toktrie::TokenId;

use super::decoder::{Decoder, LineId, Reading};
use super::engine::{Engine, Event, failed, log_likelihood, say};
use super::network::Wanted;
use super::vocabulary::{Rendered, count};
use crate::backend::ModelError;

/// Tokens whose logits are held at a time.
const AT_ONCE: usize = 32;

/// A choice whose prompt is being read.
pub(super) struct Choice {
    /// Tokens of the prompt.
    prompt: usize,
    options: Vec<Vec<TokenId>>,
    /// Tokens of the prompt that the network has not read yet.
    pub(super) unread: Vec<TokenId>,
}

impl Choice {
    /// A choice after a prompt of these tokens.
    pub(super) fn new(
        engine: &Engine,
        rendered: &Rendered,
        options: &[String],
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
        Ok(Self { prompt: rendered.ids.len(), options, unread: rendered.ids.clone() })
    }

    /// Takes the logits after the prompt. Gives the share of each option; `None` if nobody listens any more.
    pub(super) fn take(
        &self,
        decoder: &mut dyn Decoder,
        line: LineId,
        first: &[f32],
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Vec<f64>>, ModelError> {
        let begun = |option: &Vec<TokenId>| option.first().map_or(0.0, |id| log_likelihood(first, *id));
        let mut likelihoods: Vec<f64> = self.options.iter().map(begun).collect();
        let mut left: Vec<(&mut f64, &[TokenId])> =
            likelihoods.iter_mut().zip(self.options.iter().map(Vec::as_slice)).collect();
        // The last token of an option need not be read.
        left.retain(|(_, option)| option.len() > 1);
        let mut left = left.as_mut_slice();
        while !left.is_empty() {
            let mut tokens = 0;
            let fits = left.iter().take_while(|(_, option)| {
                tokens += option.len() - 1;
                tokens <= AT_ONCE
            });
            let together = fits.count();
            let (now, later) = left.split_at_mut(together.max(1));
            let goes_on = if together == 0 {
                piece_by_piece(decoder, (line, self.prompt), now, events)?
            } else {
                beside_each_other(decoder, line, now, events)?
            };
            if !goes_on {
                return Ok(None);
            }
            left = later;
        }
        Ok(Some(shares(&likelihoods)))
    }
}

/// Adds to each likelihood that of all tokens of its option but the first, read in one pass. Gives whether
/// anybody listens.
fn beside_each_other(
    decoder: &mut dyn Decoder,
    line: LineId,
    options: &mut [(&mut f64, &[TokenId])],
    events: &UnboundedSender<Event>,
) -> Result<bool, ModelError> {
    let ways: Vec<&[TokenId]> =
        options.iter().filter_map(|(_, option)| option.split_last()).map(|(_, way)| way).collect();
    let logits = decoder.foresee(line, &ways, &|| say(events, Event::Working)).map_err(failed)?;
    let Some(logits) = logits else { return Ok(false) };
    for ((likelihood, option), rows) in options.iter_mut().zip(&logits) {
        **likelihood += sum(option.get(1..).unwrap_or_default(), rows, decoder.vocabulary());
    }
    Ok(true)
}

/// The same for options with too many logits for one pass.
fn piece_by_piece(
    decoder: &mut dyn Decoder,
    (line, prompt): (LineId, usize),
    options: &mut [(&mut f64, &[TokenId])],
    events: &UnboundedSender<Event>,
) -> Result<bool, ModelError> {
    let width = decoder.vocabulary();
    for (likelihood, option) in options {
        let next = option.get(1..).unwrap_or_default();
        for (ids, next) in option.chunks(AT_ONCE).zip(next.chunks(AT_ONCE)) {
            let ids = ids.get(..next.len()).unwrap_or_default();
            let part = Reading { line, ids, wanted: Wanted::All };
            let rows = decoder.read(&[part], &|| say(events, Event::Working)).map_err(failed)?;
            let Some(rows) = rows else { return Ok(false) };
            **likelihood += sum(next, &rows.concat(), width);
        }
        decoder.cut(line, prompt);
    }
    Ok(true)
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
