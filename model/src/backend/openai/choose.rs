//! Which option a server means, by the likelihoods of its first token or by the words of its answer.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::OpenAi;
use super::features::Feature;
use super::trouble::Trouble;
use super::wire::{self, Likelihood, Reply};
use crate::backend::ModelError;
use crate::prompt::{Preference, Prompt, Usage};

/// As much of the probability must speak for one option or another before it is taken for an answer.
const ENOUGH: f64 = 0.2;
/// The probability of the option that a server names without telling how sure it is.
const NAMED: f64 = 0.9;

impl OpenAi {
    /// The probabilities as a server tells them that can weigh whole texts.
    pub(super) async fn shares(
        &self,
        prompt: &Prompt,
        options: &[String],
        name: &str,
    ) -> Result<Option<Preference>, ModelError> {
        let messages = wire::messages(&prompt.turns, self.sees());
        let body = json!({ "model": name, "messages": messages, "options": options });
        let told = self.patiently("/choose", Some(&body)).await?;
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let shares = told.get("probabilities").and_then(Value::as_array);
        let shares: Option<Vec<f64>> = shares.and_then(|all| all.iter().map(Value::as_f64).collect());
        let mut usage = Usage::default();
        if let Ok(reply) = serde_json::from_value::<Reply>(told) {
            reply.count(&mut usage);
        }
        let shares = shares.filter(|shares| shares.len() == options.len());
        Ok(shares.map(|probabilities| Preference { probabilities, usage }))
    }

    /// The probabilities by the first token of the answer, where the server tells how likely that is and it tells
    /// the options apart. What was asked for is added to `usage`.
    pub(super) async fn by_tokens(
        &self,
        prompt: &Prompt,
        options: &[String],
        name: &str,
        usage: &mut Usage,
    ) -> Result<Option<Vec<f64>>, ModelError> {
        let shows = self.shows(prompt)?;
        let maker = self.about().maker;
        // Each round has one feature less, so it ends.
        loop {
            let dropped = |feature| self.dropped.has(feature);
            let question = wire::likelihoods(prompt, name, maker, dropped);
            let trouble = match self.server.ask_whole(&question).await {
                Ok(reply) => {
                    reply.count(usage);
                    let probabilities = by_tokens(reply.first_tokens(), options);
                    if probabilities.is_some() {
                        self.likelihoods.store(true, Ordering::Relaxed);
                    } else if reply.first_tokens().is_empty() {
                        self.dropped.note(Feature::Likelihoods);
                    }
                    return Ok(probabilities);
                }
                Err(trouble) => trouble,
            };
            match trouble {
                trouble if shows && trouble.may_blame_pictures() => {
                    self.dropped.note(Feature::Images);
                }
                Trouble::Unknown(
                    feature @ (Feature::Thinking | Feature::ThinkingBudget | Feature::LeastEfforts),
                ) if self.dropped.note(feature) => continue,
                Trouble::Unknown(_) => {
                    self.dropped.note(Feature::Likelihoods);
                }
                // The question that follows has the patience for it.
                Trouble::Later(..) | Trouble::Thinks(_) | Trouble::Dropped(_) => {}
                Trouble::Failed(error) => return Err(error),
            }
            return Ok(None);
        }
    }
}

/// The probabilities of `options` by the likeliest first tokens, or None where these are about
/// something else or cannot tell the options apart.
fn by_tokens(tokens: &[Likelihood], options: &[String]) -> Option<Vec<f64>> {
    let mut chances = vec![0.0; options.len()];
    let mut shared = 0.0;
    for token in tokens {
        let probability = token.logprob.exp();
        let begun = token.token.trim_start().trim_start_matches('"');
        if begun.is_empty() || !probability.is_finite() {
            continue;
        }
        let mut fits = options.iter().zip(&mut chances).filter(|(option, _)| begins(option, begun));
        match (fits.next(), fits.next()) {
            (Some((_, chance)), None) => *chance += probability.clamp(0.0, 1.0),
            (Some(_), Some(_)) => shared += probability,
            (None, _) => {}
        }
    }
    let told: f64 = chances.iter().sum();
    (told >= ENOUGH && told > shared).then(|| chances.iter().map(|chance| chance / told).collect())
}

/// Whether a token may begin an option: it is the option's beginning, or the option and what follows.
fn begins(option: &str, token: &str) -> bool {
    option.starts_with(token)
        || token.strip_prefix(option).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// The place of the option that `answer` names: by itself, or as the only one among other words.
pub(super) fn named(answer: &str, options: &[String]) -> Option<usize> {
    let answer = answer.trim().trim_matches(['"', '`', '.', '*']).to_lowercase();
    if let Some(at) = options.iter().position(|option| option.to_lowercase() == answer) {
        return Some(at);
    }
    let mut within =
        options.iter().enumerate().filter(|(_, option)| has(&answer, &option.to_lowercase()));
    match (within.next(), within.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

/// Whether `option` stands in `answer` as words of its own.
fn has(answer: &str, option: &str) -> bool {
    !option.is_empty()
        && answer.match_indices(option).any(|(at, found)| {
            let before = answer.get(..at).and_then(|text| text.chars().next_back());
            let after = answer.get(at + found.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
}

/// The probabilities where one option is named, or none.
pub(super) fn by_name(named: Option<usize>, count: usize) -> Vec<f64> {
    let others = u32::try_from(count.saturating_sub(1)).map_or(1.0, f64::from).max(1.0);
    let chance = |at| match named {
        Some(named) if named == at => NAMED,
        Some(_) => (1.0 - NAMED) / others,
        None => 1.0 / (others + 1.0),
    };
    (0..count).map(chance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(options: &[&str]) -> Vec<String> {
        options.iter().map(|option| (*option).to_owned()).collect()
    }

    #[test]
    fn by_likelihood() {
        for (tokens, options, chances) in [
            (vec![("yes", 0.6), (" no", 0.2)], vec!["yes", "no"], Some(vec![0.75, 0.25])),
            (
                vec![("\"y", 0.3), ("no.", 0.3), ("nothing", 0.4)],
                vec!["yes", "no"],
                Some(vec![0.5, 0.5]),
            ),
            (vec![("<think>", 1.0)], vec!["yes", "no"], None),
            (vec![("s", 0.9)], vec!["search", "save"], None),
            (vec![("", 0.5), ("x", f64::NAN)], vec!["yes", "no"], None),
            (vec![], vec!["yes", "no"], None),
        ] {
            let tokens: Vec<_> = tokens
                .into_iter()
                .map(|(token, chance): (&str, f64)| Likelihood {
                    token: token.into(),
                    logprob: chance.ln(),
                })
                .collect();
            let found = by_tokens(&tokens, &texts(&options));
            match (&found, &chances) {
                (Some(found), Some(chances)) => {
                    assert!(found.iter().zip(chances).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
                }
                _ => assert_eq!(found, chances),
            }
        }
    }

    #[test]
    fn by_word() {
        for (answer, at) in [
            ("no", Some(1)),
            ("\"Yes\"", Some(0)),
            ("Yes, it is.", Some(0)),
            ("nothing", None),
            ("yes or no", None),
            ("", None),
        ] {
            assert_eq!(named(answer, &texts(&["yes", "no"])), at, "{answer}");
        }
    }

    #[test]
    fn sums_to_one() {
        for (named, count) in [(Some(1), 2), (None, 3), (Some(0), 5)] {
            let sum: f64 = by_name(named, count).iter().sum();
            assert!((sum - 1.0).abs() < 1e-9);
        }
    }
}
