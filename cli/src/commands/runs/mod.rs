//! `freehand runs`: what past runs have left behind. Everything is read from their records; nothing is
//! kept beside them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use freehand_agent::AgentError;
use freehand_agent::history::search::{Hit, search};
use freehand_agent::history::{self, Past, Standing, folder};
use freehand_tools::visible::visible;
use serde::Serialize;

use crate::args::{ListArgs, RunsArgs, RunsCommand};
use crate::config::Config;
use crate::confirm::confirm;
use crate::exit::{Code, usage};
use crate::places;
use crate::terminal::{self, Tone};

mod export;
mod film;
mod show;

/// Characters of a task in a line of the list.
const TASK: usize = 60;
/// Places in one run that a search tells.
const PLACES: usize = 5;

/// Runs the command.
pub fn run(args: RunsArgs) -> Result<Code> {
    let runs = args.runs.map_or_else(folder_of_runs, Ok)?;
    match args.command.unwrap_or(RunsCommand::List(ListArgs { json: false, last: 50 })) {
        RunsCommand::List(args) => list(&runs, &args)?,
        RunsCommand::Search { text, json } => find(&runs, &text, json)?,
        RunsCommand::Show { run, step, json } => show::run(&named(&runs, &run)?, step, json)?,
        RunsCommand::Diff { a, b, json } => show::diff(&named(&runs, &a)?, &named(&runs, &b)?, json)?,
        RunsCommand::Export(args) => export::run(&named(&runs, &args.run)?, &args)?,
        RunsCommand::Delete { run, yes } => delete(&runs, &run, yes)?,
    }
    Ok(Code::Done)
}

/// Where runs are kept.
pub fn folder_of_runs() -> Result<PathBuf> {
    Config::load()?.runs.map_or_else(places::runs, Ok)
}

fn named(runs: &Path, name: &str) -> Result<PathBuf> {
    history::find(runs, name).map_err(|error| usage(error.to_string()))
}

fn list(runs: &Path, args: &ListArgs) -> Result<()> {
    let all = history::list(runs)?;
    let most = if args.last == 0 { all.len() } else { args.last };
    if all.is_empty() && !args.json {
        terminal::say(Tone::Faint, &format!("there is no run in `{}` yet", runs.display()));
    }
    for past in all.iter().take(most) {
        if args.json {
            terminal::answer_json(past);
        } else {
            line(past);
        }
    }
    let rest = all.len().saturating_sub(most);
    if rest > 0 && !args.json {
        terminal::say(Tone::Faint, &format!("{rest} older ones; all with --last 0"));
    }
    Ok(())
}

fn line(past: &Past) {
    let (tone, word) = standing(&past.standing);
    let task = if past.task.is_empty() { "(no task)".into() } else { visible(&past.task, TASK) };
    let name = visible(&past.name, usize::MAX);
    let rest = format!(" {:>4} steps {:>7}  {name}  {task}", past.steps, span(past.ms));
    terminal::answer_in(tone, &format!("{word:<11}"), &rest);
}

/// How far a run has come, in a word.
pub fn standing(standing: &Standing) -> (Tone, &'static str) {
    use freehand_agent::trajectory::Exit;
    match standing {
        Standing::Ended { exit: Exit::Done { .. } } => (Tone::Good, "done"),
        Standing::Ended { exit: Exit::Left } => (Tone::Plain, "left"),
        Standing::Ended { exit: Exit::Interrupted } => (Tone::Plain, "stopped"),
        Standing::Ended { exit: Exit::GaveUp { .. } } => (Tone::Bad, "gave up"),
        Standing::Ended { exit: Exit::Limit { .. } } => (Tone::Bad, "limit"),
        Standing::Ended { exit: Exit::Refused { .. } } => (Tone::Bad, "refused"),
        Standing::Ended { exit: Exit::ModelFailed { .. } | Exit::DesktopFailed { .. } } => {
            (Tone::Bad, "failed")
        }
        Standing::UnderWay => (Tone::Strong, "under way"),
        Standing::CutOff => (Tone::Bad, "cut off"),
        Standing::Broken { .. } => (Tone::Bad, "unreadable"),
    }
}

/// A span of time in the unit that suits it.
fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A place in a run as JSON.
#[derive(Serialize)]
struct Found<'a> {
    run: &'a str,
    hit: &'a Hit,
}

fn find(runs: &Path, text: &str, json: bool) -> Result<()> {
    if text.trim().is_empty() {
        return Err(usage("the text is empty; write what is to be found"));
    }
    let mut found = false;
    for past in history::list(runs)? {
        // What is broken holds nothing that could be found; `freehand runs` says so.
        let Ok(hits) = search(&past.folder, text, PLACES) else { continue };
        if !hits.is_empty() && !json {
            line(&past);
        }
        for hit in &hits {
            found = true;
            if json {
                terminal::answer_json(&Found { run: &past.name, hit });
                continue;
            }
            let step = hit.step.map(|step| format!("step {step}, ")).unwrap_or_default();
            let words = visible(&hit.text, usize::MAX);
            terminal::answer_in(Tone::Faint, &format!("  {step}{}: ", hit.place), &words);
        }
    }
    if !found && !json {
        terminal::say(Tone::Faint, &format!("`{}` stands in no run", visible(text, TASK)));
    }
    Ok(())
}

fn delete(runs: &Path, names: &[String], yes: bool) -> Result<()> {
    let folders = names.iter().map(|name| named(runs, name)).collect::<Result<Vec<_>>>()?;
    let pasts: Vec<Past> = folders.iter().map(|folder| history::look(folder)).collect();
    if let Some(past) = pasts.iter().find(|past| past.standing == Standing::UnderWay) {
        return Err(usage(format!("`{}` is under way; stop it first: freehand stop", past.name)));
    }
    if !yes {
        pasts.iter().for_each(line);
        let what =
            if pasts.len() == 1 { "this run".to_owned() } else { format!("these {} runs", pasts.len()) };
        confirm(&format!("delete {what}"))?;
    }
    for past in &pasts {
        let gone = folder::remove(&past.folder)?;
        let rest = if gone { "" } else { "; its folder stays, since something else is in it" };
        terminal::say(Tone::Good, &format!("deleted {}{rest}", visible(&past.name, usize::MAX)));
    }
    Ok(())
}

/// Why something cannot be written.
fn unwritable(path: &Path, source: std::io::Error) -> anyhow::Error {
    AgentError::Unwritable { path: path.to_owned(), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (ms, expected) in [
            (0, "0.0 s"),
            (59_999, "59.9 s"),
            (61_000, "1 m 01 s"),
            (3_600_000 + 61_000, "1 h 01 m"),
            (u64::MAX, "5124095576030 h 25 m"),
        ] {
            assert_eq!(span(ms), expected);
        }
    }
}
