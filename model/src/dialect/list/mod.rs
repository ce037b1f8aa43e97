//! The screen as a short numbered list: what a text-only model sees, one line an element or a row.

use std::collections::HashMap;

use freehand_tools::element::{Element, Region, Role, Source, Window, WindowId};
use freehand_tools::observation::Observation;
use freehand_tools::quote::named;

use self::line::line;

mod beyond;
mod diff;
mod line;
pub(super) mod task;
mod tokens;

pub use self::diff::{Change, changes};

/// Tokens, about, of a list that a model is shown and that a record keeps.
pub const BUDGET: usize = 2_500;
/// The part of it that is kept for what can only be read, as far as there is such: one sentence says what hundreds of
/// buttons are for.
const READABLE: usize = 4;
/// Kinds of what is left out that are told.
const KINDS: usize = 3;
/// Elements of a part of a window that is named to a person.
const REGION: usize = 3;
/// What a reader of a page does not need: the browser's own bars.
const TOOLBAR: &str = "toolbar";

/// The windows that matter now, of those that the frame shows: the one with the keyboard, and pop-ups in front of
/// it. All of them when none of them has the keyboard.
pub fn active_windows(seen: &Observation) -> Vec<&Window> {
    let mut windows = in_frame(seen);
    if let Some(at) = windows.iter().position(|window| window.focused) {
        windows.truncate(at + 1);
    }
    windows
}

fn in_frame(seen: &Observation) -> Vec<&Window> {
    let frame = seen.bounds();
    seen.windows.iter().filter(|window| window.bounds.intersect(&frame).is_some()).collect()
}

/// The elements that are listed, in order: those of the active windows, without the browser's bars.
pub fn listed(seen: &Observation) -> Vec<&Element> {
    let active: Vec<WindowId> = active_windows(seen).iter().map(|window| window.id).collect();
    let shown = |e: &&Element| e.window.is_none_or(|id| active.contains(&id)) && is_meant(e);
    seen.elements.iter().filter(shown).collect()
}

/// The windows of the frame whose elements are not listed because another one has the keyboard, and how many
/// each has.
pub fn passed_over(seen: &Observation) -> Vec<(&Window, usize)> {
    let behind = in_frame(seen).into_iter().skip(active_windows(seen).len());
    let count = |window: &Window| {
        seen.elements.iter().filter(|e| e.window == Some(window.id) && is_meant(e)).count()
    };
    behind.map(|window| (window, count(window))).filter(|(_, count)| *count > 0).collect()
}

fn is_meant(element: &Element) -> bool {
    element.within.as_deref() != Some(TOOLBAR)
        && !matches!(element.role, Role::Scrollbar | Role::Frame | Role::Document)
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

/// One line of the list.
struct Row<'e> {
    rank: Rank,
    window: Option<WindowId>,
    /// What the first of its elements stands in.
    region: Option<&'e Region>,
    roles: Vec<Role>,
    text: String,
}

/// The elements as lines. The cells of one row of a table stand on one line, since they mean something
/// only together.
fn rows<'e>(elements: &[&'e Element], counts: bool) -> Vec<Row<'e>> {
    let mut lines: Vec<Row<'_>> = Vec::new();
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
            (Some(left), Some(row))
                if same_row(left, element, twin(left) && left.role.takes_clicks() || twin(element)) =>
            {
                row.rank = row.rank.min(rank);
                row.roles.push(element.role);
                row.text.push_str(" | ");
                row.text.push_str(&said);
            }
            _ => {
                let (window, region) = (element.window, element.region.as_ref());
                lines.push(Row { rank, window, region, roles: vec![element.role], text: said });
            }
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
    left.window == right.window && level && ((cell(left) && cell(right)) || captions || twins)
}

/// The whole screen as text, window by window, at most about `budget` tokens, with a line that says what was left
/// out, and lines that say where more can be scrolled to. What can be used goes before what can only be
/// read, for which a quarter is kept, and that before what is known by its look alone. What only says the `task` again is left out,
/// and where the task counts, so does the list.
pub fn screen(seen: &Observation, task: &str, budget: usize) -> String {
    written(seen, task, budget, &|rows| rows.iter().map(|row| row.text.clone()).collect())
}

/// The same for a person: things that stand together in a part of their window are set apart, below a line that
/// names the part. A model does not read it so: it would pay for each line, and what it gains is not known.
pub fn grouped(seen: &Observation, budget: usize) -> String {
    written(seen, "", budget, &in_regions)
}

/// Rows that follow each other in one part of the window, from so many elements on, below the name of that part.
fn in_regions(rows: &[&Row<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    for run in rows.chunk_by(|a, b| a.region == b.region) {
        let region = run.first().and_then(|row| row.region);
        let count: usize = run.iter().map(|row| row.roles.len()).sum();
        let Some(region) = region.filter(|_| count >= REGION) else {
            lines.extend(run.iter().map(|row| row.text.clone()));
            continue;
        };
        let name =
            if region.name.is_empty() { String::new() } else { format!(" {}", named(&region.name, 60)) };
        lines.push(format!("{}{name}:", region.kind.word()));
        lines.extend(run.iter().map(|row| format!("  {}", row.text)));
    }
    lines
}

fn written(
    seen: &Observation,
    task: &str,
    budget: usize,
    write: &dyn Fn(&[&Row<'_>]) -> Vec<String>,
) -> String {
    let active = active_windows(seen);
    let elements: Vec<&Element> = listed(seen).into_iter().filter(|e| !task::echoes(task, e)).collect();
    let lines = rows(&elements, task::counts(task));
    let ids: Vec<WindowId> = active.iter().map(|window| window.id).collect();
    let beyond = beyond::lines(seen, &ids, &elements);
    let titles: Vec<String> = active.iter().map(|window| title(window)).collect();
    let spoken: usize = titles.iter().chain(&beyond).map(|line| tokens::estimate(line)).sum();
    let kept = fitting(&lines, budget.saturating_sub(spoken));
    let mut text: Vec<String> = Vec::new();
    let several = active.len() > 1;
    let those = |such: &dyn Fn(&Row<'_>) -> bool| -> Vec<String> {
        let rows: Vec<&Row<'_>> = kept.iter().copied().filter(|row| such(row)).collect();
        write(&rows)
    };
    for (window, title) in active.iter().zip(titles) {
        text.extend(Some(title).filter(|title| !title.is_empty()));
        text.extend(those(&|row| several && row.window == Some(window.id)));
    }
    text.extend(those(&|row| !several || row.window.is_none()));
    text.extend(left_out(&lines, &kept));
    text.extend(beyond);
    if lines.is_empty() {
        text.push("(nothing that can be read)".into());
    }
    text.join("\n") + "\n"
}

fn title(window: &Window) -> String {
    if window.title.is_empty() { String::new() } else { format!("Window {}", named(&window.title, 60)) }
}

/// Those that there is room for, in their order.
fn fitting<'r, 'e>(lines: &'r [Row<'e>], room: usize) -> Vec<&'r Row<'e>> {
    let sizes: Vec<usize> = lines.iter().map(|row| tokens::estimate(&row.text) + 1).collect();
    let of = |rank: Rank| lines.iter().zip(&sizes).filter(move |(row, _)| row.rank == rank);
    let readable: usize = of(Rank::Readable).map(|(_, size)| size).sum();
    let kept_free = readable.min(room / READABLE);
    let mut left = room;
    let mut keep = vec![false; lines.len()];
    for (rank, free) in
        [(Rank::Usable, kept_free), (Rank::Readable, 0), (Rank::Usable, 0), (Rank::Seen, 0)]
    {
        let own = keep.iter_mut().zip(lines).zip(&sizes).filter(|((_, row), _)| row.rank == rank);
        for ((kept, _), size) in own {
            if !*kept && size + free <= left {
                *kept = true;
                left -= size;
            }
        }
    }
    lines.iter().zip(keep).filter_map(|(row, kept)| kept.then_some(row)).collect()
}

/// How much of the rows there was no room for, and of which kinds, the most first.
fn left_out(all: &[Row<'_>], kept: &[&Row<'_>]) -> Option<String> {
    let mut counts: Vec<(Role, usize)> = Vec::new();
    let mut kept = kept.iter().peekable();
    for row in all {
        if kept.next_if(|shown| std::ptr::eq(**shown, row)).is_some() {
            continue;
        }
        for role in &row.roles {
            match counts.iter_mut().find(|(known, _)| known == role) {
                Some((_, count)) => *count += 1,
                None => counts.push((*role, 1)),
            }
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let sum: usize = counts.iter().map(|(_, count)| count).sum();
    let kinds = counts.iter().take(KINDS).map(|(role, count)| format!("{} {count}", role.word()));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    (sum > 0).then(|| format!("({sum} more not shown: {kinds})"))
}

#[cfg(test)]
mod tests;
