//! `freehand audit`: whether the log of all that was judged is whole, and what stands in it.

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::Result;
use freehand_policies::audit::{Entry, verify};
use freehand_policies::visible::visible;
use freehand_tools::gate::Approval;

use crate::args::AuditCommand;
use crate::exit::Code;
use crate::places;
use crate::terminal::{self, Tone};

/// Characters of an action that are shown.
const MOST: usize = 300;

/// Runs the command. Both read the whole log: lines that cannot be trusted are not shown as if they could.
pub fn run(command: AuditCommand) -> Result<Code> {
    match command {
        AuditCommand::Verify { file } => {
            let path = file_or_usual(file)?;
            let (count, hash) = verify(&path, |_| ())?;
            terminal::answer_in(
                Tone::Good,
                "whole",
                &format!(": {count} lines, the last one is {hash}"),
            );
        }
        AuditCommand::Show { file, last, json } => {
            let mut kept: VecDeque<Entry> = VecDeque::new();
            verify(&file_or_usual(file)?, |entry| {
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
    match &verdict.approval {
        Some(Approval::Once) => terminal::answer("  answered: yes, once"),
        Some(Approval::Run) => terminal::answer("  answered: yes, for the run"),
        Some(Approval::Deny { reason }) => {
            terminal::answer(&format!("  answered: no, {}", visible(reason, MOST)));
        }
        None => {}
    }
}
