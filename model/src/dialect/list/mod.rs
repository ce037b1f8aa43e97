//! The screen as a short numbered list: what a text-only model sees, one line an element or a row.

use std::collections::HashMap;

use freehand_tools::element::{Element, Role, Source, Window, WindowId};
use freehand_tools::observation::Observation;
use freehand_tools::quote::named;

use self::line::line;

mod beyond;
mod diff;
mod line;
pub(super) mod task;

pub use self::diff::{Change, changes};

/// Characters of a list that a model is shown and that a record keeps.
pub const BUDGET: usize = 6_000;
/// What a reader of a page does not need: the browser's own bars.
const TOOLBAR: &str = "toolbar";

/// The windows that matter now: the one with the keyboard, and pop-ups in front of it. All of them
/// when none has the keyboard.
pub fn active_windows(seen: &Observation) -> Vec<&Window> {
    match seen.windows.iter().position(|window| window.focused) {
        Some(at) => seen.windows.iter().take(at + 1).collect(),
        None => seen.windows.iter().collect(),
    }
}

/// The elements that are listed, in order: those of the active windows, without the browser's bars.
pub fn listed(seen: &Observation) -> Vec<&Element> {
    let active: Vec<WindowId> = active_windows(seen).iter().map(|window| window.id).collect();
    let shown = |e: &&Element| {
        e.window.is_none_or(|id| active.contains(&id))
            && e.within.as_deref() != Some(TOOLBAR)
            && !matches!(e.role, Role::Scrollbar | Role::Frame | Role::Document)
    };
    seen.elements.iter().filter(shown).collect()
}

/// What goes first where there is not room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Can be used.
    Usable,
    /// Can only be read.
    Readable,
    /// Is known by its look alone.
    Seen,
}

impl Rank {
    fn of(element: &Element) -> Self {
        match element.source {
            Source::Vision => Self::Seen,
            _ if element.role.takes_clicks() && element.role != Role::Cell => Self::Usable,
            Source::Accessibility | Source::Ocr => Self::Readable,
        }
    }
}

/// The elements as lines, each with how much it matters. The cells of one row of a
/// table stand on one line, since they mean something only together.
fn rows(elements: &[&Element], counts: bool) -> Vec<(Rank, String)> {
    let mut lines: Vec<(Rank, String)> = Vec::new();
    let mut before: Option<&Element> = None;
    let mut places: HashMap<Role, usize> = HashMap::new();
    let twin = |element: &Element| {
        let same = |other: &&&Element| other.role == element.role && other.name == element.name;
        elements.iter().filter(same).nth(1).is_some()
    };
    for element in elements {
        let place = places.entry(element.role).or_insert(0);
        *place += 1;
        let alone = !elements.iter().any(|other| other.role == element.role && other.id != element.id);
        let said = line(element, Some(*place).filter(|_| counts && !alone), twin(element));
        let rank = Rank::of(element);
        match (before, lines.last_mut()) {
            (Some(left), Some((used, text)))
                if same_row(left, element, twin(left) && left.role.takes_clicks() || twin(element)) =>
            {
                *used = (*used).min(rank);
                text.push_str(" | ");
                text.push_str(&said);
            }
            _ => lines.push((rank, said)),
        }
        before = Some(element);
    }
    lines
}

/// Whether two neighbours mean something only together: cells of a row, a caption and what it names, a
/// control that another row has too and what stands beside it.
fn same_row(left: &Element, right: &Element, twins: bool) -> bool {
    let cell = |e: &Element| matches!(e.role, Role::Cell | Role::Header);
    let captions = left.role == Role::Text && left.name.ends_with(':');
    let middle = right.bounds.center().y;
    let level = left.bounds.y <= middle && middle < left.bounds.bottom();
    level && ((cell(left) && cell(right)) || captions || twins)
}

/// The whole screen as text, at most about `budget` characters, with a line that says what was left
/// out, and lines that say where more can be scrolled to. What can be used goes before what can only be
/// read, and that before what is known by its look alone. What only says the `task` again is left out,
/// and where the task counts, so does the list.
pub fn screen(seen: &Observation, task: &str, budget: usize) -> String {
    let mut text = String::new();
    let active = active_windows(seen);
    for window in &active {
        if !window.title.is_empty() {
            text.push_str(&format!("Window {}\n", named(&window.title, 60)));
        }
    }
    let elements: Vec<&Element> = listed(seen).into_iter().filter(|e| !task::echoes(task, e)).collect();
    let lines = rows(&elements, task::counts(task));
    let ids: Vec<WindowId> = active.iter().map(|window| window.id).collect();
    let beyond = beyond::lines(seen, &ids, &elements);
    let spoken: usize = beyond.iter().map(|line| line.len() + 1).sum();
    let mut room = budget.saturating_sub(text.len() + spoken);
    let mut keep = vec![false; lines.len()];
    for rank in [Rank::Usable, Rank::Readable, Rank::Seen] {
        for (kept, (own, line)) in keep.iter_mut().zip(&lines) {
            if *own == rank && line.len() < room {
                *kept = true;
                room -= line.len() + 1;
            }
        }
    }
    for (_, (_, line)) in keep.iter().zip(&lines).filter(|(kept, _)| **kept) {
        text.push_str(line);
        text.push('\n');
    }
    let left_out = keep.iter().filter(|kept| !**kept).count();
    if left_out > 0 {
        text.push_str(&format!("({left_out} more not shown)\n"));
    }
    for line in beyond {
        text.push_str(&line);
        text.push('\n');
    }
    if lines.is_empty() {
        text.push_str("(nothing that can be read)\n");
    }
    text
}

#[cfg(test)]
mod tests;
