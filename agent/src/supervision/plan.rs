//! What there is to be done, as far as anybody has said so: the steps of a script, the plan that a model has
//! noted, or what the task itself names. Nobody makes one up for the views.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parts that are kept.
const PARTS: usize = 1_000;
/// Characters of one that are kept.
const TEXT: usize = 200;

/// Whose plan it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanBy {
    /// A workflow or a replay: its steps, done one after the other.
    Script,
    /// The model, which has noted it.
    Model,
    /// The task: what it names, which counts as done once it was used.
    Task,
}

/// How far a part of a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is still to come.
    Left,
    /// It is under way.
    Current,
    /// It is done.
    Done,
    /// It came to nothing.
    Failed,
}

/// A part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanPart {
    /// What.
    pub text: String,
    /// How far it is.
    pub standing: Standing,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Whose it is.
    pub by: PlanBy,
    /// Its parts, in order.
    pub parts: Vec<PlanPart>,
}

impl Plan {
    /// Parts with whether they are done.
    pub(crate) fn new(by: PlanBy, parts: impl IntoIterator<Item = (String, bool)>) -> Self {
        let standing = |done| if done { Standing::Done } else { Standing::Left };
        let part = |(text, done): (String, bool)| PlanPart {
            text: text.chars().take(TEXT).collect(),
            standing: standing(done),
        };
        Self { by, parts: parts.into_iter().take(PARTS).map(part).collect() }
    }

    /// The plan that a note holds: lines that each begin as a part of a list does, `- wash`, `2. wash` or
    /// `[x] washed`. A box with a cross in it, or a tick, is done.
    pub(crate) fn noted(note: &str) -> Option<Self> {
        let lines = note.lines().map(str::trim).filter(|line| !line.is_empty());
        let parts: Vec<Option<(String, bool)>> = lines.map(part).collect();
        let listed: Vec<(String, bool)> = parts.iter().flatten().cloned().collect();
        // A line before the list may say what it is.
        let words = parts.len() - listed.len();
        (listed.len() > 1 && words <= 1 && parts.last().is_some_and(Option::is_some))
            .then(|| Self::new(PlanBy::Model, listed))
    }
}

/// A line of a list, and whether it is ticked off.
fn part(line: &str) -> Option<(String, bool)> {
    let bare = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (bare.len() < line.len()).then(|| bare.strip_prefix(['.', ')'])).flatten();
    let marked = line.strip_prefix(['-', '*', '•']);
    let rest = numbered.or(marked).unwrap_or(line).trim_start();
    let boxed = [("[x]", true), ("[X]", true), ("[✓]", true), ("[ ]", false)];
    let ticked = boxed.iter().find_map(|(mark, done)| Some((rest.strip_prefix(mark)?, *done)));
    let (text, done) = match ticked {
        Some(found) => found,
        None if numbered.is_some() || marked.is_some() => (rest, false),
        None => return None,
    };
    let text = text.trim();
    (!text.is_empty()).then(|| (text.to_owned(), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_note_is_a_plan_and_other_notes_are_none() {
        let plan = Plan::noted("My plan:\n1. [x] open the form\n2) fill it in\n\n3. send it").unwrap();
        let parts: Vec<_> = plan.parts.iter().map(|p| (p.text.as_str(), p.standing)).collect();
        let want = [
            ("open the form", Standing::Done),
            ("fill it in", Standing::Left),
            ("send it", Standing::Left),
        ];
        assert_eq!((plan.by, parts.as_slice()), (PlanBy::Model, &want[..]));
        assert!(Plan::noted("[ ] a\n[X] b").is_some() && Plan::noted("- a\n- b").is_some());
        for note in ["the total is 12.50", "- only one", "a\nb\n- c\n- d", "2. a\nand more", "", "-\n-"]
        {
            assert_eq!(Plan::noted(note), None, "{note}");
        }
    }
}
