//! One run step by step, and two beside each other.

use std::path::Path;

use anyhow::Result;
use freehand_agent::history::compare::{Comparison, Difference, Move, Parting, compare};
use freehand_agent::history::{self, Standing};
use freehand_agent::trajectory::reader::{Entry, Reader};
use freehand_agent::trajectory::{Intervention, Judged, Step, Trajectory};
use freehand_tools::visible::visible;

use crate::exit::usage;
use crate::places;
use crate::terminal::{self, Tone};

/// Characters of one text that are shown.
const MOST: usize = 400;

/// Shows a run, or one step of it.
pub(super) fn run(folder: &Path, only: Option<u32>, json: bool) -> Result<()> {
    let (mut reader, header) = Reader::open(folder)?;
    if !json && only.is_none() {
        terminal::answer_in(Tone::Strong, &visible(&header.task, MOST), "");
        let when = places::moment(header.started_ms);
        let under =
            format!("model {}, policy {}, display {}", header.model, header.policy, header.display);
        terminal::answer(&visible(&format!("  {when} UTC, {under}"), MOST));
        terminal::answer(&visible(&format!("  {}", folder.display()), usize::MAX));
    }
    let mut last = 0;
    let mut found = false;
    while let Some(Entry::Step(step)) = reader.entry()? {
        last = step.index;
        if only.is_some_and(|only| only != step.index) {
            continue;
        }
        found = true;
        match (json, only) {
            (true, _) => terminal::answer_json(&step),
            (false, Some(_)) => whole(&step),
            (false, None) => brief(&step),
        }
    }
    if let Some(number) = only.filter(|_| !found) {
        return Err(usage(format!("there is no step {number}; the last one is {last}")));
    }
    if !json && only.is_none() {
        end(folder);
    }
    Ok(())
}

fn end(folder: &Path) {
    match history::look(folder).standing {
        Standing::Ended { exit } => {
            let (tone, words) = terminal::conclusion(&exit);
            terminal::answer_in(tone, &words, "");
        }
        other @ (Standing::UnderWay | Standing::CutOff | Standing::Broken { .. }) => {
            let (tone, word) = super::standing(&other);
            terminal::answer_in(tone, word, "");
        }
    }
}

fn brief(step: &Step) {
    let number = format!("{:3}  ", step.index);
    for told in &step.interventions {
        person(told);
    }
    if let Some(unread) = &step.unread {
        terminal::answer_in(
            Tone::Bad,
            &number,
            &format!("it could not be read: {}", visible(unread, MOST)),
        );
    }
    for judged in &step.actions {
        terminal::answer_in(Tone::Faint, &number, &told(judged));
    }
}

fn person(told: &Intervention) {
    let words = match told {
        Intervention::Said { text } => format!("     you added: {}", visible(text, MOST)),
        Intervention::TookOver => "     you took over and gave back".into(),
    };
    terminal::answer_in(Tone::Strong, &words, "");
}

fn told(judged: &Judged) -> String {
    let did = judged.action.as_ref().map_or(judged.call.tool.as_str(), |action| action.summary.as_str());
    let (_, came) = terminal::result(&judged.outcome);
    let came = if came.is_empty() { came } else { format!(" ({came})") };
    format!("{}{came}", visible(did, MOST))
}

/// All of one step.
fn whole(step: &Step) {
    terminal::answer_in(
        Tone::Strong,
        &format!("step {}", step.index),
        &format!(", {} UTC", places::moment(step.at_ms)),
    );
    for window in &step.seen.windows {
        let keyboard = if window.focused { ", has the keyboard" } else { "" };
        let (title, app) = (visible(&window.title, MOST), visible(&window.app, MOST));
        terminal::answer(&format!("  window \"{title}\" of {app}{keyboard}"));
    }
    section("the list", &step.list);
    step.interventions.iter().for_each(person);
    if let Some(said) = &step.completion {
        section("thought", said.thinking.as_deref().unwrap_or_default());
        section("said", &said.text);
        let used = said.usage;
        let cost = format!(
            "{} tokens read, {} reused, {} written",
            used.prompt,
            used.reused,
            used.sampled + used.forced
        );
        terminal::answer_in(Tone::Faint, &format!("  {cost}"), "");
    }
    section("not readable", step.unread.as_deref().unwrap_or_default());
    for judged in &step.actions {
        terminal::answer_in(Tone::Strong, "  did: ", &told(judged));
        for reason in judged.verdict.iter().flat_map(|verdict| &verdict.reasons) {
            let (because, rule) = (visible(&reason.because, MOST), visible(&reason.rule, MOST));
            terminal::answer(&format!("    {because} ({rule})"));
        }
    }
}

fn section(name: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    terminal::answer_in(Tone::Faint, &format!("  {name}:"), "");
    for line in text.lines() {
        terminal::answer(&format!("    {}", visible(line, usize::MAX)));
    }
}

/// Shows where two runs part.
pub(super) fn diff(a: &Path, b: &Path, json: bool) -> Result<()> {
    let found = compare(&read(a)?, &read(b)?);
    if json {
        terminal::answer_json(&found);
        return Ok(());
    }
    let Comparison { headers, alike, parting } = found;
    for (letter, folder) in [("a", a), ("b", b)] {
        let past = history::look(folder);
        let (tone, word) = super::standing(&past.standing);
        let name = visible(&past.name, usize::MAX);
        let rest = format!(", {} steps, {}  {name}", past.steps, super::span(past.ms));
        terminal::answer_in(tone, &format!("{letter}: {word}"), &rest);
    }
    for Difference { field, a, b } in &headers {
        terminal::answer_in(Tone::Faint, &format!("{field}: "), &visible(&format!("{a} | {b}"), MOST));
    }
    terminal::answer(&format!("{alike} actions alike"));
    let Some(Parting { a, b, same_screen, only_a, only_b }) = parting else {
        terminal::answer("they do not part");
        return Ok(());
    };
    for (letter, made, only) in [("a", a, only_a), ("b", b, only_b)] {
        let Some(Move { step, action, result, words }) = made else {
            terminal::answer_in(Tone::Strong, letter, " was over");
            continue;
        };
        let words = if words.is_empty() { words } else { format!(": {words}") };
        let line = visible(&format!(", step {step}: {action} ({result}{words})"), MOST);
        terminal::answer_in(Tone::Strong, letter, &line);
        for line in only {
            terminal::answer(&format!("  only here: {}", visible(&line, MOST)));
        }
    }
    if same_screen {
        terminal::answer("both read the same list: the model decided otherwise");
    }
    Ok(())
}

/// A whole run; of one that was cut off, what there is.
fn read(folder: &Path) -> Result<Trajectory> {
    Ok(freehand_agent::trajectory::reader::read(folder)?)
}
