//! Where a text stands in a run: in its task, on a screen, in what the model said, in what was done.

use std::path::Path;

use freehand_tools::outcome::Outcome;
use serde::Serialize;

use crate::AgentError;
use crate::trajectory::reader::{Entry, Reader};
use crate::trajectory::{Intervention, Step};

/// Characters that are shown before and after what was found.
const AROUND: usize = 40;

/// A place where the text stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The step; `None` where it is the task.
    pub step: Option<u32>,
    /// In what: `task`, `window`, `screen`, `thought`, `answer`, `action`, `outcome` or `person`.
    pub place: &'static str,
    /// The text with what stands around it, in one line.
    pub text: String,
}

/// Where `words` stand in the run in `folder`, upper and lower case alike; at most `most` places, at most
/// one of each kind in a step. What cannot be read of a record holds nothing.
pub fn search(folder: &Path, words: &str, most: usize) -> Result<Vec<Hit>, AgentError> {
    let words = words.to_lowercase();
    let (mut reader, header) = Reader::open(folder)?;
    let mut hits = Vec::new();
    hits.extend(snippet(&header.task, &words).map(|text| Hit { step: None, place: "task", text }));
    while hits.len() < most {
        let Ok(Some(Entry::Step(step))) = reader.entry() else { break };
        for (place, text) in texts(&step) {
            let is_new =
                hits.last().is_none_or(|last| (last.step, last.place) != (Some(step.index), place));
            if hits.len() < most
                && is_new
                && let Some(text) = snippet(text, &words)
            {
                hits.push(Hit { step: Some(step.index), place, text });
            }
        }
    }
    Ok(hits)
}

/// All that a person may look for, each with the name of its place.
fn texts(step: &Step) -> impl Iterator<Item = (&'static str, &str)> {
    let windows = step.seen.windows.iter().map(|window| ("window", window.title.as_str()));
    let list = step.list.lines().map(|line| ("screen", line));
    let thought = step.completion.iter().filter_map(|said| Some(("thought", said.thinking.as_deref()?)));
    let aloud = step.proposal.iter().filter_map(|said| Some(("thought", said.thought.as_deref()?)));
    let answer = step.completion.iter().map(|said| ("answer", said.text.as_str()));
    let person = step.interventions.iter().filter_map(|told| match told {
        Intervention::Said { text } => Some(("person", text.as_str())),
        Intervention::TookOver => None,
    });
    let actions = step.actions.iter().flat_map(|judged| {
        let action = judged.action.as_ref().map(|action| ("action", action.summary.as_str()));
        let outcome = match &judged.outcome {
            Outcome::Done { answer, .. } => answer.as_deref(),
            Outcome::Failed { reason, .. } | Outcome::Refused { reason } => Some(reason.as_str()),
        };
        action.into_iter().chain(outcome.map(|text| ("outcome", text)))
    });
    windows.chain(list).chain(person).chain(thought).chain(aloud).chain(answer).chain(actions)
}

/// `text` around the first place where `words`, in lower case, stand in it.
fn snippet(text: &str, words: &str) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    // A letter may have another length in lower case, so characters are compared and not bytes.
    let letters: Vec<char> = text.chars().collect();
    let small: Vec<(usize, char)> = letters
        .iter()
        .enumerate()
        .flat_map(|(at, letter)| letter.to_lowercase().map(move |small| (at, small)))
        .collect();
    let wanted: Vec<char> = words.chars().collect();
    let found = small
        .windows(wanted.len())
        .find(|window| window.iter().map(|(_, letter)| letter).eq(wanted.iter()))?;
    let (first, last) = (found.first()?.0, found.last()?.0);
    let (from, to) = (first.saturating_sub(AROUND), (last + 1 + AROUND).min(letters.len()));
    let part: String = letters.get(from..to)?.iter().collect();
    let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < letters.len() { "…" } else { "" });
    Some(format!("{before}{part}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets() {
        let long = format!("{}Größe\n 42{}", "a".repeat(60), "b".repeat(60));
        let around =
            |left: usize, right: usize| format!("…{}Größe 42{}…", "a".repeat(left), "b".repeat(right));
        for (text, words, expected) in [
            ("Save the FILE", "file", Some("Save the FILE".to_owned())),
            ("Save", "file", None),
            ("Save", "", None),
            ("ab", "abc", None),
            ("İstanbul", "stan", Some("İstanbul".to_owned())),
            (&long, "größe", Some(around(40, 36))),
        ] {
            assert_eq!(snippet(text, words), expected, "{text} {words}");
        }
    }
}
