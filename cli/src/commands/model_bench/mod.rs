//! `freehand model bench`: how quickly this machine computes a model, by itself or beside llama.cpp.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use freehand_model::backend::embedded::DEFAULT_CONTEXT;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;

use self::side::{Side, Who};
use self::worker::{Answer, Question};
use super::bench;
use crate::args::{Against, ModelBenchArgs};
use crate::exit::{Code, Stopped, usage};
use crate::model_choice::{Located, ModelChoice};
use crate::signals::Interrupt;
use crate::{places, progress};

mod report;
mod side;
pub mod worker;

/// llama.cpp with what it needs, as wheels for the usual machines.
const PACKAGES: [&str; 1] = ["xllamacpp==2026.10.11549"];
/// Tokens that are written after each prompt.
const WRITTEN: u32 = 24;
/// What stands before a question in the log of a run.
const ASKED: &str = "freehand_model::asked: ";
/// Tokens of the prompt of the first question.
const FIRST: u32 = 16;

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The file.
    pub model: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Threads of each side.
    pub threads: u32,
    /// Rounds of each case.
    pub rounds: u32,
    /// What else ran on the machine, before and after: the system's load over a minute.
    pub load: [f64; 2],
    /// This program.
    pub freehand: Sides,
    /// What it is compared with.
    pub peer: Option<Sides>,
    /// The same questions of real runs to both.
    pub steps: Vec<Steps>,
}

/// One side.
#[derive(Debug, Serialize)]
pub struct Sides {
    /// What it is.
    pub version: String,
    /// From its start to the first token, in ms, the file being in the system's memory.
    pub first_token_ms: f64,
    /// The most memory, in KiB.
    pub peak_kib: u64,
    /// For each length of the prompt.
    pub cases: Vec<Case>,
}

/// One length of the prompt.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// Tokens of the prompt.
    pub tokens: u32,
    /// Tokens read a second.
    pub read: f64,
    /// Tokens written a second after it.
    pub written: f64,
}

/// What one question of a real run took on both sides.
#[derive(Debug, Serialize)]
pub struct Steps {
    /// It chose among a few answers, and wrote none.
    pub is_choice: bool,
    /// On this side.
    pub freehand: Answer,
    /// On the other, if there is one.
    pub peer: Option<Answer>,
}

/// Runs the command.
pub async fn run(args: ModelBenchArgs) -> Result<Code> {
    let interrupt = Interrupt::listen()?;
    let report = tokio::select! {
        biased;
        () = interrupt.asked() => return Err(Stopped("nothing was measured".into()).into()),
        report = measure(&args) => report?,
    };
    report::print(&report, args.json);
    Ok(Code::Done)
}

async fn measure(args: &ModelBenchArgs) -> Result<Report> {
    let model = file(args.model.as_ref())?;
    let questions = args.steps.as_deref().map(read_steps).transpose()?;
    let load = bench::load();
    let python = match args.against {
        Some(Against::LlamaCpp) => Some(llama_cpp().await?),
        None => None,
    };
    let mut whos = vec![Who::Freehand];
    whos.extend(python.as_deref().map(Who::LlamaCpp));
    let longest = args.tokens.iter().copied().max().unwrap_or(0);
    // Questions of a run were asked with room for so many.
    let least = if args.steps.is_some() { DEFAULT_CONTEXT } else { 4096 };
    let context = (longest + WRITTEN + 64).max(least).next_multiple_of(256);
    let mut sides = first_tokens(&whos, &model, args, context).await?;
    let spinner = progress::spinner("measuring");
    for tokens in &args.tokens {
        take_rounds(&mut sides, *tokens, args.rounds, &spinner).await?;
    }
    let steps = match (questions, sides.as_mut_slice()) {
        (Some(questions), [(own, _), others @ ..]) => {
            take_steps(&questions, own, others.first_mut().map(|(peer, _)| peer), &spinner).await?
        }
        _ => Vec::new(),
    };
    for (side, sides) in &mut sides {
        sides.peak_kib = side.ask_as(&uncached(&question(FIRST, 1, 0))).await?.peak_kib;
    }
    spinner.finish_and_clear();
    let mut sides = sides.into_iter().map(|(_, sides)| sides);
    Ok(Report {
        bytes: std::fs::metadata(&model)?.len(),
        model,
        threads: args.threads,
        rounds: args.rounds,
        load: [load, bench::load()],
        freehand: sides.next().context("nothing was measured")?,
        peer: sides.next(),
        steps,
    })
}

/// A Python that has llama.cpp.
async fn llama_cpp() -> Result<String> {
    let spinner = progress::spinner("fetching llama.cpp");
    let python = bench::packages::install(&places::bench()?.join("llama.cpp"), &PACKAGES).await;
    spinner.finish_and_clear();
    python.context("llama.cpp cannot be fetched with pip")
}

/// Lets all sides answer by turns, and keeps the quickest answers of each.
async fn take_rounds(
    sides: &mut [(Side, Sides)],
    tokens: u32,
    rounds: u32,
    spinner: &ProgressBar,
) -> Result<()> {
    let mut best = vec![(f64::MAX, f64::MAX); sides.len()];
    for round in 0..rounds {
        spinner.set_message(format!("{tokens} tokens, round {}", round + 1));
        let question = uncached(&question(tokens, WRITTEN, round));
        for ((side, _), best) in sides.iter_mut().zip(&mut best) {
            let (read, written) = rates(&side.ask_as(&question).await?);
            *best = (best.0.min(read), best.1.min(written));
        }
    }
    for ((_, sides), (read, written)) in sides.iter_mut().zip(best) {
        sides.cases.push(Case { tokens, read: 1e3 / read, written: 1e3 / written });
    }
    Ok(())
}

fn file(model: Option<&ModelChoice>) -> Result<PathBuf> {
    let usual;
    let model = if let Some(model) = model {
        model
    } else {
        usual = ModelChoice::usual(&places::store()?);
        &usual
    };
    match model.locate()? {
        Located::Weights { path, .. } => Ok(path),
        Located::Server(_) => Err(usage("a server is not measured; name a model or a GGUF file")),
    }
}

/// Starts each side a few times, one after the other, and keeps the last ones.
async fn first_tokens(
    whos: &[Who<'_>],
    path: &Path,
    args: &ModelBenchArgs,
    context: u32,
) -> Result<Vec<(Side, Sides)>> {
    let spinner = progress::spinner("loading");
    let mut sides = Vec::new();
    for who in whos {
        let mut quickest = f64::MAX;
        let mut last = None;
        for _ in 0..args.rounds.min(3) {
            drop(last.take());
            let mut side = Side::start(*who, path, args.threads, context).await?;
            side.ask_as(&uncached(&question(FIRST, 1, 0))).await?;
            quickest = quickest.min(side.age().as_secs_f64() * 1e3);
            last = Some(side);
        }
        let side = last.context("no round")?;
        let version = side.version.clone();
        sides.push((side, Sides { version, first_token_ms: quickest, peak_kib: 0, cases: Vec::new() }));
    }
    spinner.finish_and_clear();
    Ok(sides)
}

/// Tokens that mean nothing, others in each round.
fn question(tokens: u32, written: u32, round: u32) -> Question {
    let id = |i: u32| 1000 + i.wrapping_mul(7919).wrapping_add(round * 613) % 20_000;
    Question { prompt: (0..tokens).map(id).collect(), n_predict: written, ..Question::default() }
}

/// A question that llama.cpp answers to the end and without its memory.
fn uncached(question: &Question) -> serde_json::Value {
    let Question { prompt, n_predict, .. } = question;
    json!({ "prompt": prompt, "n_predict": n_predict, "ignore_eos": true, "cache_prompt": false })
}

/// Milliseconds for each token read and written.
fn rates(answer: &Answer) -> (f64, f64) {
    // llama.cpp counts the first token as written, and takes no time for it.
    let written = answer.written.max(2);
    (answer.read_ms / f64::from(answer.read.max(1)), answer.written_ms / f64::from(written))
}

/// A question of a run in the form that llama.cpp takes, with its own memory and its own grammar. Where
/// only a choice is wanted it writes a single token, which is the least that tells it.
fn for_llama_cpp(question: &Question, ids: &[u32]) -> serde_json::Value {
    let Some(asked) = &question.asked else {
        return json!({ "prompt": ids, "n_predict": question.n_predict });
    };
    if !question.options.is_empty() {
        let options: Vec<_> = question.options.iter().map(|option| json!(option).to_string()).collect();
        let grammar = format!("root ::= {}", options.join(" | "));
        return json!({ "prompt": ids, "n_predict": 1, "cache_prompt": true, "grammar": grammar });
    }
    let (count, schema) = (asked.max_tokens, asked.constraint.schema());
    json!({ "prompt": ids, "n_predict": count, "cache_prompt": true, "json_schema": schema })
}

/// The questions in the log of a run, which has lines about other things too.
fn read_steps(file: &Path) -> Result<Vec<Question>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("`{}`", file.display()))?;
    let lines = (1..).zip(text.lines());
    let asked = lines.filter_map(|(number, line)| Some((number, line.split_once(ASKED)?.1)));
    let read = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("`{}`, line {number}", file.display()))
    };
    let questions: Vec<Question> = asked.map(read).collect::<Result<_>>()?;
    if questions.is_empty() {
        let how = "write one with `FREEHAND_LOG=freehand_model::asked=trace freehand run … 2> FILE`";
        return Err(usage(format!("`{}` holds no questions of a run; {how}", file.display())));
    }
    Ok(questions)
}

/// Puts the questions of a run to each side, with its own memory of what came before.
async fn take_steps(
    questions: &[Question],
    own: &mut Side,
    mut peer: Option<&mut Side>,
    spinner: &ProgressBar,
) -> Result<Vec<Steps>> {
    let mut steps = Vec::new();
    for (number, question) in (1..).zip(questions) {
        spinner.set_message(format!("question {number} of {}", questions.len()));
        let mut freehand = own.ask(question).await?;
        let ids = std::mem::take(&mut freehand.ids);
        let peer = match &mut peer {
            Some(peer) => Some(peer.ask_as(&for_llama_cpp(question, &ids)).await?),
            None => None,
        };
        steps.push(Steps { is_choice: !question.options.is_empty(), freehand, peer });
    }
    Ok(steps)
}
