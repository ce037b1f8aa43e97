//! What is not as it was between two looks at a screen, in the same words as the list: what came, what
//! went, what became something else.

use std::collections::HashMap;
use std::fmt;

use freehand_tools::element::{Element, ElementId, Window};
use freehand_tools::observation::Observation;
use freehand_tools::quote::named;
use freehand_tools::visible::written;

use super::line::line;
use super::listed;

/// Characters of a title that are written out.
const TITLE: usize = 60;
/// Characters of a line that says what cannot be seen.
const GAP: usize = 200;

/// One difference, as a line of the list, the title of a window or what cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Was not there before.
    Came(String),
    /// Is not there any more.
    Went(String),
    /// Reads so now.
    Became(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Came(line) => write!(f, "+ {line}"),
            Self::Went(line) => write!(f, "- {line}"),
            Self::Became(line) => write!(f, "~ {line}"),
        }
    }
}

/// What is listed now and was not, and the other way round; windows first, each in the order of its screen. What
/// cannot be seen stands before the elements, in parentheses: it may be why they went.
pub fn changes(before: &Observation, now: &Observation) -> Vec<Change> {
    let mut all = compare(
        before.windows.iter().map(|window| (window.id, title(window))),
        now.windows.iter().map(|window| (window.id, title(window))),
    );
    all.extend(compare(gaps(before), gaps(now)));
    all.extend(compare(lines(before), lines(now)));
    all
}

fn gaps(seen: &Observation) -> impl Iterator<Item = (&str, String)> {
    seen.gaps.iter().map(|gap| (gap.as_str(), format!("(cannot see everything: {})", written(gap, GAP))))
}

fn title(window: &Window) -> String {
    format!("window {} of {}", named(&window.title, TITLE), named(&window.app, TITLE))
}

fn lines(seen: &Observation) -> impl Iterator<Item = (ElementId, String)> {
    listed(seen).into_iter().map(|element: &Element| (element.id, line(element, None, false)))
}

fn compare<Id: Copy + Eq + std::hash::Hash>(
    before: impl Iterator<Item = (Id, String)>,
    now: impl Iterator<Item = (Id, String)>,
) -> Vec<Change> {
    let (before, now): (Vec<_>, Vec<_>) = (before.collect(), now.collect());
    let old: HashMap<Id, &String> = before.iter().map(|(id, line)| (*id, line)).collect();
    let stays: HashMap<Id, &String> = now.iter().map(|(id, line)| (*id, line)).collect();
    let went = before.iter().filter(|(id, _)| !stays.contains_key(id));
    let came = now.iter().filter_map(|(id, line)| match old.get(id) {
        None => Some(Change::Came(line.clone())),
        Some(other) => (*other != line).then(|| Change::Became(line.clone())),
    });
    went.map(|(_, line)| Change::Went(line.clone())).chain(came).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pairs: &[(u32, &str)]) -> impl Iterator<Item = (u32, String)> {
        pairs.iter().map(|(id, line)| (*id, (*line).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn what_came_went_and_became_something_else_is_told_by_its_number() {
        let before = [(1, "a"), (2, "b"), (3, "c")];
        let now = [(3, "c"), (2, "b, ticked"), (4, "d")];
        let lines: Vec<String> =
            compare(all(&before), all(&now)).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["- a", "~ b, ticked", "+ d"]);
        assert!(compare(all(&before), all(&before)).is_empty());
    }
}
