//! The record as a page that a person reads: static, in one file beside the frames or with them in it,
//! and with no script.
//! Whatever stands on a screen may stand in it, so all text is escaped and the page forbids itself to
//! run or to load anything.

use std::fmt::Write;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use freehand_tools::frame::Digest;
use freehand_tools::outcome::Outcome;

use super::reader::{Entry, Reader};
use super::recorder::{FRAMES, write_whole};
use super::{Exit, Header, Step, Trajectory};
use crate::AgentError;

mod html;
mod step;

use html::{Escaped, Moment, Span};

/// The name of the page in the folder of a record.
pub const FILE: &str = "report.html";

const STYLE: &str = include_str!("report/page.css");

/// Where the pictures of a page are.
#[derive(Debug)]
enum Pictures {
    /// In `frames/` beside it.
    Beside,
    /// In the page itself, from the folder of this record.
    Within(PathBuf),
}

impl Pictures {
    /// No script, no address outside: a browser that obeys this cannot be talked into either.
    fn policy(&self) -> String {
        let from = match self {
            Self::Beside => "'self' file:",
            Self::Within(_) => "data:",
        };
        format!(
            "default-src 'none'; img-src {from}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        )
    }

    /// What an `img` names for this one.
    fn source(&self, frame: Digest) -> String {
        let file = format!("{}.png", frame.short());
        match self {
            Self::Beside => format!("{FRAMES}/{file}"),
            Self::Within(dir) => {
                // What is gone shows as a picture that is not there.
                let bytes = std::fs::read(dir.join(FRAMES).join(file)).unwrap_or_default();
                format!("data:image/png;base64,{}", STANDARD.encode(bytes))
            }
        }
    }

    /// The link around a picture; in a page of its own there is nothing to lead to.
    fn link(&self, frame: Digest) -> Option<String> {
        matches!(self, Self::Beside).then(|| self.source(frame))
    }
}

#[derive(Debug, Default)]
struct Totals {
    steps: u32,
    done: u32,
    failed: u32,
    refused: u32,
    ms: f64,
    model_ms: f64,
    prompt: u64,
    reused: u64,
    sampled: u64,
    forced: u64,
    choices: u64,
    scored: u64,
}

impl Totals {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        for judged in &step.actions {
            match judged.outcome {
                Outcome::Done { .. } => self.done += 1,
                Outcome::Failed { .. } => self.failed += 1,
                Outcome::Refused { .. } => self.refused += 1,
            }
        }
        let timing = &step.timing;
        self.ms +=
            timing.observe + timing.model + timing.gate + timing.act + timing.settle + timing.record;
        self.model_ms += timing.model;
        self.choices += u64::from(step.choices.count);
        let said = step.completion.as_ref().map(|completion| completion.usage);
        for usage in said.into_iter().chain([step.choices.usage]) {
            self.prompt += u64::from(usage.prompt);
            self.reused += u64::from(usage.reused);
            self.sampled += u64::from(usage.sampled);
            self.forced += u64::from(usage.forced);
            self.scored += u64::from(usage.scored);
        }
    }
}

/// Writes the page for the record in `dir`, a step at a time: a long run does not fit in memory twice.
pub fn write(dir: &Path) -> Result<(), AgentError> {
    let (mut reader, header) = Reader::open(dir)?;
    let (mut totals, mut body, mut exit) = (Totals::default(), String::new(), None);
    while let Some(entry) = reader.entry()? {
        match entry {
            Entry::Step(step) => {
                totals.add(&step);
                step::write(&mut body, &step, &Pictures::Beside);
            }
            Entry::Exit(end) => exit = Some(end),
        }
    }
    let mut page = head(&header, exit.as_ref(), &totals, &Pictures::Beside);
    page.push_str(&body);
    page.push_str(FOOT);
    write_whole(&dir.join(FILE), page.as_bytes())
}

/// Writes the page for the record in `dir` to the file `to`, with all pictures in it. What cannot be read
/// of a record that was cut off is left out.
pub fn write_alone(dir: &Path, to: &Path) -> Result<(), AgentError> {
    let (mut reader, header) = Reader::open(dir)?;
    let (mut totals, mut exit) = (Totals::default(), None);
    // The head tells of all that follows, and the pictures do not fit in memory.
    while let Ok(Some(entry)) = reader.entry() {
        match entry {
            Entry::Step(step) => totals.add(&step),
            Entry::Exit(end) => exit = Some(end),
        }
    }
    let pictures = Pictures::Within(dir.to_owned());
    let (mut reader, _) = Reader::open(dir)?;
    let mut write = || {
        let mut file = io::BufWriter::new(std::fs::File::create_new(to)?);
        file.write_all(head(&header, exit.as_ref(), &totals, &pictures).as_bytes())?;
        let mut section = String::new();
        while let Ok(Some(Entry::Step(step))) = reader.entry() {
            section.clear();
            step::write(&mut section, &step, &pictures);
            file.write_all(section.as_bytes())?;
        }
        file.write_all(FOOT.as_bytes())?;
        file.flush()
    };
    write().map_err(|source| AgentError::Unwritable { path: to.to_owned(), source })
}

/// The page for a record; its pictures are looked for in `frames/` beside it.
pub fn render(trajectory: &Trajectory) -> String {
    let (mut totals, mut body) = (Totals::default(), String::new());
    for step in &trajectory.steps {
        totals.add(step);
        step::write(&mut body, step, &Pictures::Beside);
    }
    let head = head(&trajectory.header, trajectory.exit.as_ref(), &totals, &Pictures::Beside);
    format!("{head}{body}{FOOT}")
}

const FOOT: &str = "</main>\n</body>\n</html>\n";

fn head(header: &Header, exit: Option<&Exit>, totals: &Totals, pictures: &Pictures) -> String {
    let mut out = String::with_capacity(STYLE.len() + 4_096);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{task} · Freehand</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{task}</h1>\n",
        task = Escaped(&header.task),
        policy = pictures.policy(),
    );
    let (class, word, words) = end(exit);
    let _ = writeln!(out, "<p class=\"exit {class}\"><b>{word}</b> {}</p>", Escaped(words));
    out.push_str("<dl class=\"facts\">\n");
    let mut fact = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    fact("Model", &Escaped(&header.model));
    fact("Dialect", &Escaped(&header.dialect));
    fact("Policy", &Escaped(&header.policy));
    if !header.policy_digest.is_empty() {
        fact("Rules", &Escaped(&header.policy_digest));
    }
    fact("Display", &Escaped(&header.display));
    fact("Began", &format_args!("{} UTC", Moment(header.started_ms)));
    fact("Steps", &totals.steps);
    fact(
        "Actions",
        &format_args!("{} done, {} failed, {} refused", totals.done, totals.failed, totals.refused),
    );
    fact("Time", &Span(totals.ms));
    if totals.prompt > 0 {
        fact("For the model", &Span(totals.model_ms));
        fact("Tokens read", &format_args!("{}, of them {} reused", totals.prompt, totals.reused));
        fact("Tokens written", &format_args!("{} chosen, {} forced", totals.sampled, totals.forced));
        fact("Answers weighed", &format_args!("{} times, {} tokens", totals.choices, totals.scored));
    }
    out.push_str("</dl>\n</header>\n<main>\n");
    out
}

fn end(exit: Option<&Exit>) -> (&'static str, &'static str, &str) {
    match exit {
        Some(Exit::Done { checked }) => ("good", "Done", checked),
        Some(Exit::GaveUp { reason }) => ("bad", "Gave up", reason),
        Some(Exit::Limit { which }) => ("bad", "Limit reached", which),
        Some(Exit::Refused { reason }) => ("bad", "Refused", reason),
        Some(Exit::ModelFailed { reason }) => ("bad", "The model failed", reason),
        Some(Exit::DesktopFailed { reason }) => ("bad", "The desktop failed", reason),
        Some(Exit::Left) => ("open", "The program has left", "what it was for is its own to judge"),
        Some(Exit::Interrupted) => ("open", "Interrupted", "by the person"),
        None => ("open", "Not ended", "the run goes on, or was cut off"),
    }
}

#[cfg(test)]
mod tests;
