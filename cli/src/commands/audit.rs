//! `freehand audit`: whether the log of all that was judged is whole, what stands in it, and why a step of
//! a run was done or not.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::{Step, reader};
use freehand_policies::audit::{Entry, Whole, verify};
use freehand_policies::risk::Findings;
use freehand_tools::visible::visible;

use crate::args::AuditCommand;
use crate::exit::{Code, usage};
use crate::places;
use crate::terminal::{self, Tone};

/// Characters of an action that are shown.
const MOST: usize = 300;

/// Runs the command. All read the whole log: lines that cannot be trusted are not shown as if they could.
pub fn run(command: AuditCommand) -> Result<Code> {
    match command {
        AuditCommand::Verify { file, since } => {
            let path = file_or_usual(file)?;
            let Whole { entries, last, torn } = verify(&path, since.as_deref(), |_| ())?;
            let pieces = match torn {
                0 => String::new(),
                torn => format!(", and {torn} pieces of entries that a crash has left"),
            };
            let told = format!(": {entries} entries, the last one is {last}{pieces}");
            terminal::answer_in(Tone::Good, "whole", &told);
        }
        AuditCommand::Show { file, last, json } => {
            let mut kept: VecDeque<Entry> = VecDeque::new();
            verify(&file_or_usual(file)?, None, |entry| {
                kept.push_back(entry.clone());
                if kept.len() > last {
                    kept.pop_front();
                }
            })?;
            for entry in kept {
                if json {
                    terminal::answer_json(&entry);
                } else {
                    show(&entry);
                }
            }
        }
        AuditCommand::Why { step, run, file } => why(step, run, &file_or_usual(file)?)?,
    }
    Ok(Code::Done)
}

fn file_or_usual(file: Option<PathBuf>) -> Result<PathBuf> {
    file.map_or_else(places::audit, Ok)
}

fn show(entry: &Entry) {
    let Entry { number, at_ms, action, verdict, .. } = entry;
    let (tone, word) = if verdict.allowed { (Tone::Good, "allowed") } else { (Tone::Bad, "refused") };
    let when = places::moment(*at_ms);
    terminal::answer_in(tone, word, &format!(" {number} {when}: {}", visible(action, MOST)));
    for reason in &verdict.reasons {
        let (because, rule) = (visible(&reason.because, MOST), visible(&reason.rule, MOST));
        terminal::answer(&format!("  {because} ({rule})"));
    }
    if let Some(answer) = &verdict.approval {
        let when = if verdict.earlier { "answered before" } else { "answered" };
        terminal::answer(&format!("  {when}: {}", visible(&answer.words(), MOST)));
    }
}

/// What the log holds of one step. The record says when the step was and what else was found in it; the
/// verdict comes from the log, which cannot be changed unseen.
fn why(number: u32, run: Option<PathBuf>, log: &Path) -> Result<()> {
    let mut entries = Vec::new();
    verify(log, None, |entry| entries.push(entry.clone()))?;
    let last = || entries.iter().rev().find_map(|entry| entry.run.clone());
    let run = run.or_else(last).context("no run in the log keeps a record; name one with --run")?;
    let record = reader::read(&run)?;
    let next = record.steps.iter().position(|step| step.index == number).map(|at| at + 1);
    let Some(step) = next.and_then(|next| record.steps.get(next - 1)) else {
        let all = record.steps.last().map_or(0, |step| step.index);
        return Err(usage(format!("`{}` has no step {number}; it has {all}", run.display())));
    };
    let until = next.and_then(|next| record.steps.get(next)).map_or(u64::MAX, |next| next.at_ms);
    let whole = std::path::absolute(&run).unwrap_or(run);
    let in_step = |entry: &&Entry| {
        entry.run.as_ref() == Some(&whole) && (step.at_ms..until).contains(&entry.at_ms)
    };
    terminal::answer(&format!("step {number} of {}", whole.display()));
    let found: Vec<&Entry> = entries.iter().filter(in_step).collect();
    if found.is_empty() {
        terminal::answer("  nothing was judged in it");
    }
    for entry in found {
        show(entry);
        consequences(step, entry);
    }
    Ok(())
}

/// What the question said would come of it.
fn consequences(step: &Step, entry: &Entry) {
    let actions = step.actions.iter().filter_map(|judged| judged.action.as_ref());
    let Some(action) = actions.into_iter().find(|action| action.summary == entry.action) else { return };
    let found = Findings::of(action);
    for effect in found.effects {
        let why = visible(&effect.why, MOST);
        terminal::answer(&format!("  it would {}: {why}", effect.risk.phrase()));
    }
    for what in found.unclear {
        terminal::answer(&format!("  not understood: {}", visible(&what, MOST)));
    }
}
