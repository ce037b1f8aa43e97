//! What a person reads: one calm line a step on the standard error, and the answers of commands on the
//! standard output. Words from the screen are shown with nothing hidden in them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use freehand_agent::event::{Event, Listener};
use freehand_agent::supervision::Wait;
use freehand_agent::trajectory::{Exit, Header};
use freehand_tools::outcome::{Effect, Outcome};
use freehand_tools::visible::{json, visible};

/// Characters of one text of a step that are shown.
const MOST: usize = 300;

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What it may skip.
    Faint,
    /// It went well.
    Good,
    /// It did not.
    Bad,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }

    /// `text`, coloured where that can be seen and is wanted.
    fn paint(self, text: &str, coloured: bool) -> String {
        if !coloured || self == Self::Plain {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// Whether the standard error shows colours: it is a terminal, and `NO_COLOR` is not set.
pub fn colours() -> bool {
    wanted() && std::io::stderr().is_terminal()
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A line for the person. A reader who has gone is no reason to stop.
pub fn say(tone: Tone, text: &str) {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(held) = &mut *held {
        held.push((tone, text.to_owned()));
        return;
    }
    let _ = writeln!(std::io::stderr().lock(), "{}", tone.paint(text, colours()));
}

/// What is said while a view has the terminal; it stands there afterwards.
static HELD: Mutex<Option<Vec<(Tone, String)>>> = Mutex::new(None);

/// From now on nothing is said, but kept.
pub fn hold() {
    HELD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
}

/// Whether a view has the terminal.
pub fn is_held() -> bool {
    HELD.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// The last of what is kept that a person should know at once.
pub fn last_held() -> Option<String> {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let urgent = |(tone, _): &&(Tone, String)| matches!(tone, Tone::Strong | Tone::Bad);
    held.iter().flatten().rfind(urgent).map(|(_, text)| text.clone())
}

/// Says what was kept, and all that comes.
pub fn let_go() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    held.into_iter().flatten().for_each(|(tone, text)| say(tone, &text));
}

/// Where the log goes: the standard error, unless a view has the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if is_held() {
            say(Tone::Faint, String::from_utf8_lossy(bytes).trim_end());
            return Ok(bytes.len());
        }
        std::io::stderr().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// A line of the command's answer, for a person or a program.
pub fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Text from the desktop as the command's answer: as it is for a program, harmless on a terminal.
pub fn answer_text(text: &str) {
    if !std::io::stdout().is_terminal() {
        return answer(text);
    }
    text.lines().for_each(|line| answer(&visible(line, usize::MAX)));
}

/// A line of the command's answer that begins with a word in a tone of its own.
pub fn answer_in(tone: Tone, word: &str, rest: &str) {
    let coloured = wanted() && std::io::stdout().is_terminal();
    answer(&format!("{}{rest}", tone.paint(word, coloured)));
}

/// A value as a line of JSON in the command's answer, with nothing hidden in its texts.
pub fn answer_json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => answer(&json(&line)),
        Err(error) => say(Tone::Bad, &format!("freehand: cannot be written as JSON: {error}")),
    }
}

/// The events as JSON, a line each, on the standard output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Listener for Lines {
    fn event(&self, event: Event) {
        answer_json(&event);
    }
}

/// The events for a person: a line for each action.
#[derive(Debug, Default)]
pub struct Steps {
    /// What could not be seen, each told once.
    gaps: Mutex<BTreeSet<String>>,
}

impl Listener for Steps {
    fn event(&self, event: Event) {
        match event {
            Event::Started { header } => introduce(&header),
            Event::Observed { gaps, .. } => {
                let mut known = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
                for gap in gaps {
                    if known.insert(gap.clone()) {
                        say(Tone::Faint, &format!("  cannot see everything: {}", visible(&gap, MOST)));
                    }
                }
            }
            Event::Acted { step, summary, outcome, ms } => {
                let summary = visible(&summary, MOST);
                let (tone, came) = result(&outcome);
                let mut line = format!("{step:3}  {summary}");
                if !came.is_empty() {
                    let _ = write!(line, " {}", tone.paint(&format!("({came})"), colours()));
                }
                let _ =
                    write!(line, " {}", Tone::Faint.paint(&format!("{:.1} s", ms / 1000.0), colours()));
                say(Tone::Plain, &line);
            }
            Event::Yielded { .. } => {
                say(Tone::Faint, "  you use the mouse or the keyboard; going on when they rest");
            }
            Event::Waiting { wait, .. } => say(Tone::Faint, &format!("  waits: {}", waits_for(&wait))),
            Event::Blinded { .. } => {
                say(Tone::Faint, "  the server takes no pictures: the model reads the list alone");
            }
            // The verdict shows in what came of the action, and the end is told by the command.
            Event::WentOn { .. }
            | Event::Discarded { .. }
            | Event::Proposed { .. }
            | Event::Intended { .. }
            | Event::Asked { .. }
            | Event::Answered { .. }
            | Event::Planned { .. }
            | Event::PartStands { .. }
            | Event::Noted { .. }
            | Event::Paced { .. }
            | Event::Said { .. }
            | Event::Thought { .. }
            | Event::Piece { .. }
            | Event::AskedDone { .. }
            | Event::Chose { .. }
            | Event::Judged { .. }
            | Event::Ended { .. } => {}
        }
    }
}

fn waits_for(wait: &Wait) -> String {
    match wait {
        Wait::Resume => "it is paused".into(),
        Wait::GiveBack => "you have taken over mouse and keyboard".into(),
        Wait::Presence { place } => {
            format!("it works in {} only while you look at the console", visible(place, MOST))
        }
    }
}

fn introduce(header: &Header) {
    let Header { task, model, policy, display, .. } = header;
    say(Tone::Strong, &visible(task, MOST));
    say(Tone::Faint, &format!("  model {model}, policy {policy}, display {display}"));
}

/// What came of an action, in words; nothing to say about one that worked.
pub fn result(outcome: &Outcome) -> (Tone, String) {
    match outcome {
        Outcome::Done { effect, answer } => match (effect, answer) {
            (_, Some(answer)) => (Tone::Plain, visible(answer, MOST)),
            (Effect::NoVisibleEffect, None) => (Tone::Faint, "nothing changed".into()),
            (Effect::Confirmed | Effect::Unconfirmed, None) => (Tone::Plain, String::new()),
        },
        Outcome::Failed { reason, hint } => {
            let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            (Tone::Bad, visible(&format!("failed: {reason}{hint}"), MOST))
        }
        Outcome::Refused { reason } => (Tone::Bad, visible(&format!("refused: {reason}"), MOST)),
    }
}

/// How a run ended, in a sentence.
pub fn conclusion(exit: &Exit) -> (Tone, String) {
    let (tone, words) = match exit {
        Exit::Done { checked } => (Tone::Good, format!("done: {checked}")),
        Exit::GaveUp { reason } => (Tone::Bad, format!("gave up: {reason}")),
        Exit::Limit { which } => (Tone::Bad, format!("a limit was reached: {which}")),
        Exit::Refused { reason } => (Tone::Bad, format!("refused: {reason}")),
        Exit::ModelFailed { reason } => (Tone::Bad, format!("the model failed: {reason}")),
        Exit::DesktopFailed { reason } => (Tone::Bad, format!("the desktop failed: {reason}")),
        Exit::Left => (Tone::Plain, "the program has left".into()),
        Exit::Interrupted => (Tone::Strong, "stopped".into()),
    };
    (tone, visible(&words, 4 * MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_in_words() {
        let done =
            |effect, answer: Option<&str>| Outcome::Done { effect, answer: answer.map(Into::into) };
        for (outcome, expected) in [
            (done(Effect::Confirmed, None), ""),
            (done(Effect::NoVisibleEffect, None), "nothing changed"),
            (done(Effect::Confirmed, Some("a\u{1b}[2Jb")), "a\\u{1b}[2Jb"),
            (Outcome::Failed { reason: "gone".into(), hint: Some("look".into()) }, "failed: gone; look"),
            (Outcome::Refused { reason: "no".into() }, "refused: no"),
        ] {
            assert_eq!(result(&outcome).1, expected);
        }
    }
}
