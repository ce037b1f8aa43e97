//! This program as one side of the benchmark: a process of its own that answers a question a line.

use std::io::{BufRead as _, stdin};
use std::time::Instant;

use anyhow::{Context as _, Result};
use freehand_model::backend::Unread;
use freehand_model::backend::embedded::{Embedded, Settings};
use freehand_model::{Model as _, Preference, Prompt, Usage};
use serde::{Deserialize, Serialize};

use crate::args::ModelWorkerArgs;
use crate::exit::Code;
use crate::terminal;

/// A question, in tokens or as it was asked in a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Question {
    /// Tokens to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt: Vec<u32>,
    /// Tokens to write.
    #[serde(default)]
    pub n_predict: u32,
    /// A question of a run, in place of tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Prompt>,
    /// How likely each of these is as its answer is all that is wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// An answer and what it took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// What was said.
    pub text: String,
    /// Tokens that were read.
    pub read: u32,
    /// Tokens that did not have to be read again.
    pub cached: u32,
    /// In ms.
    pub read_ms: f64,
    /// Tokens that were written.
    pub written: u32,
    /// Of these, tokens that nothing had to be chosen for.
    pub forced: u32,
    /// Tokens of given answers that were weighed.
    pub scored: u32,
    /// In ms.
    pub written_ms: f64,
    /// All of it, in ms.
    pub wall_ms: f64,
    /// The most memory that the process has had, in KiB.
    pub peak_kib: u64,
    /// The tokens of a conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u32>,
}

/// What is said once the model is there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// Of what answers.
    pub version: String,
}

/// Answers the lines of the input until it ends.
pub async fn run(args: ModelWorkerArgs) -> Result<Code> {
    let settings = Settings { context: args.context, ..Settings::default() };
    let model = Embedded::open(args.path, settings).await?;
    terminal::answer_json(&Loaded { version: env!("CARGO_PKG_VERSION").into() });
    for line in stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?).context("not a question")?;
        let start = Instant::now();
        let mut answer = match question.asked {
            None => tokio::task::block_in_place(|| timed(&model, &question))?,
            Some(prompt) if question.options.is_empty() => asked(&model, &prompt).await?,
            Some(prompt) => chosen(&model, &prompt, &question.options).await?,
        };
        answer.wall_ms = start.elapsed().as_secs_f64() * 1e3;
        answer.peak_kib = peak();
        terminal::answer_json(&answer);
    }
    Ok(Code::Done)
}

fn timed(model: &Embedded, question: &Question) -> Result<Answer> {
    let timing = model.time(&question.prompt, question.n_predict as usize)?;
    Ok(Answer {
        read: u32::try_from(question.prompt.len())?,
        read_ms: timing.read_ms,
        written: u32::try_from(timing.written.len())?,
        written_ms: timing.write_ms,
        ..Answer::default()
    })
}

async fn chosen(model: &Embedded, prompt: &Prompt, options: &[String]) -> Result<Answer> {
    let ids = model.tokens(prompt)?;
    let Preference { probabilities, usage } = model.choose(prompt, options).await?;
    let best = probabilities.iter().zip(options).max_by(|(a, _), (b, _)| a.total_cmp(b));
    let text = best.map(|(_, option)| option.clone()).unwrap_or_default();
    Ok(Answer { text, ids, ..Answer::of(&usage) })
}

async fn asked(model: &Embedded, prompt: &Prompt) -> Result<Answer> {
    let ids = model.tokens(prompt)?;
    let completion = model.complete(prompt, &mut Unread).await?;
    Ok(Answer { text: completion.text, ids, ..Answer::of(&completion.usage) })
}

impl Answer {
    /// What an answer without its words took.
    fn of(usage: &Usage) -> Self {
        Self {
            read: usage.prompt.saturating_sub(usage.reused),
            cached: usage.reused,
            read_ms: usage.prefill_ms,
            written: usage.sampled + usage.forced,
            forced: usage.forced,
            scored: usage.scored,
            written_ms: usage.decode_ms,
            ..Self::default()
        }
    }
}

/// The most memory that this process has had, in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
