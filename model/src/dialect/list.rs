//! The screen as a short numbered list: what a text-only model sees.
//!
//! One line an element. Untrusted words stand in quotes with quotes and control characters taken out,
//! so that no name on the screen can fake a line of the list.

use freehand_tools::element::{Element, Role, Window, WindowId};
use freehand_tools::observation::Observation;

/// Options of a dropdown that are written out.
const MAX_OPTIONS: usize = 30;
/// Characters of one name or value that are written out.
const MAX_WORDS: usize = 160;
/// What a reader of a page does not need: the browser's own bars.
const TOOLBAR: &str = "toolbar";

/// A text from the screen, made harmless and cut to `max` characters.
pub fn quoted(text: &str, max: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(max) + 2);
    clean.push('"');
    let mut count = 0;
    for c in text.chars() {
        if count >= max {
            clean.push('…');
            break;
        }
        count += 1;
        clean.push(match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        });
    }
    clean.push('"');
    clean
}

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

/// One element in one line; `twin` says that another of the same name stands on the screen.
pub fn line(element: &Element, twin: bool) -> String {
    let mut line = format!("[{}] {}", element.id, element.role.word());
    if !element.name.is_empty() {
        line.push(' ');
        line.push_str(&quoted(&element.name, MAX_WORDS));
    }
    if let Some(looks) = &element.looks {
        line.push_str(&format!(" (looks: {looks})"));
    }
    if let Some(value) = element.value.as_deref().filter(|v| !v.trim().is_empty()) {
        line.push_str(" value=");
        line.push_str(&quoted(value, MAX_WORDS));
    } else if element.role.takes_text() && !element.is_protected() {
        line.push_str(" (empty)");
    }
    if let Some(within) = element.within.as_ref().filter(|_| twin) {
        line.push_str(" in ");
        line.push_str(&quoted(within, 40));
    }
    for word in states(element) {
        line.push_str(" (");
        line.push_str(word);
        line.push(')');
    }
    if !element.options.is_empty() {
        line.push_str(" options: ");
        let options: Vec<String> =
            element.options.iter().take(MAX_OPTIONS).map(|option| quoted(option, 40)).collect();
        line.push_str(&options.join(", "));
    }
    line
}

fn states(element: &Element) -> Vec<&'static str> {
    let s = &element.states;
    let mut words = Vec::new();
    match s.checked {
        Some(true) => words.push("checked"),
        Some(false) => words.push("not checked"),
        None => {}
    }
    match (s.selected, element.role) {
        (Some(true), Role::Tab) => words.push("open"),
        (Some(false), Role::Tab) => words.push("closed"),
        (Some(true), _) => words.push("selected"),
        _ => {}
    }
    match s.expanded {
        Some(true) if element.role != Role::Dropdown => words.push("open"),
        Some(false) if element.role != Role::Dropdown => words.push("closed"),
        _ => {}
    }
    if s.has_menu {
        words.push("opens a menu");
    }
    if s.disabled {
        words.push("disabled");
    }
    if s.focused && element.role.takes_text() {
        words.push("has the cursor");
    }
    words
}

/// The elements as lines, each with whether something in it can be used. The cells of one row of a
/// table stand on one line, since they mean something only together.
fn rows(elements: &[&Element]) -> Vec<(bool, String)> {
    let mut lines: Vec<(bool, String)> = Vec::new();
    let mut before: Option<&Element> = None;
    let twin = |element: &Element| {
        let same = |other: &&&Element| other.role == element.role && other.name == element.name;
        elements.iter().filter(same).nth(1).is_some()
    };
    for element in elements {
        let usable = element.role.takes_clicks() && element.role != Role::Cell;
        match (before, lines.last_mut()) {
            (Some(left), Some((used, text)))
                if same_row(left, element, twin(left) && left.role.takes_clicks() || twin(element)) =>
            {
                *used |= usable;
                text.push_str(" | ");
                text.push_str(&line(element, twin(element)));
            }
            _ => lines.push((usable, line(element, twin(element)))),
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
/// out. What can be used goes before what can only be read.
pub fn screen(seen: &Observation, budget: usize) -> String {
    let mut text = String::new();
    let active = active_windows(seen);
    for window in &active {
        if !window.title.is_empty() {
            text.push_str(&format!("Window {}\n", quoted(&window.title, 60)));
        }
    }
    let lines = rows(&listed(seen));
    let mut room = budget.saturating_sub(text.len());
    let mut keep = vec![false; lines.len()];
    for useful in [true, false] {
        for (kept, (usable, line)) in keep.iter_mut().zip(&lines) {
            if *usable == useful && line.len() < room {
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
    if lines.is_empty() {
        text.push_str("(nothing that can be read)\n");
    }
    text
}
