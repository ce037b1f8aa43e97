//! This program as one side of the benchmark: a process of its own that answers a question a line.

use std::io::{BufRead as _, stdin};
use std::time::Instant;

use anyhow::{Context as _, Result};
use freehand_model::backend::Unread;
use freehand_model::backend::embedded::{Embedded, Settings};
use freehand_model::{Constraint, Model as _, Prompt, Turn};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::ModelWorkerArgs;
use crate::exit::Code;
use crate::terminal;

/// A question, in tokens or in turns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Question {
    /// Tokens to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt: Vec<u32>,
    /// Tokens to write.
    #[serde(default)]
    pub n_predict: u32,
    /// A conversation to answer, in place of tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// Turns that are the same in each question.
    #[serde(default)]
    pub lasting: usize,
    /// What the answer must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<Value>,
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
    let settings = Settings { context: args.context, prefixes: None };
    let model = Embedded::open(args.path, settings).await?;
    terminal::answer_json(&Loaded { version: env!("CARGO_PKG_VERSION").into() });
    for line in stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?).context("not a question")?;
        let start = Instant::now();
        let mut answer = if question.turns.is_empty() {
            tokio::task::block_in_place(|| timed(&model, &question))?
        } else {
            asked(&model, question).await?
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

async fn asked(model: &Embedded, question: Question) -> Result<Answer> {
    let Question { turns, lasting, json_schema, n_predict, .. } = question;
    let constraint = json_schema.map_or(Constraint::Free, Constraint::JsonSchema);
    let prompt = Prompt { turns, lasting, constraint, max_tokens: n_predict, ..Prompt::default() };
    let ids = model.tokens(&prompt).await?;
    let completion = model.complete(&prompt, &mut Unread).await?;
    let usage = completion.usage;
    Ok(Answer {
        text: completion.text,
        read: usage.prompt - usage.reused,
        cached: usage.reused,
        read_ms: usage.prefill_ms,
        written: usage.sampled + usage.forced,
        forced: usage.forced,
        written_ms: usage.decode_ms,
        ids,
        ..Answer::default()
    })
}

/// The most memory that this process has had, in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
