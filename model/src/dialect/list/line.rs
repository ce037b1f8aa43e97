//! One element as one line of the list. Untrusted words stand in quotes that they cannot end, with whatever is
//! hidden in them written out, so that no name on the screen can fake a line of the list.

use freehand_tools::element::{Element, Role};
use freehand_tools::quote::named;
use freehand_tools::visible::written;

use super::task::ordinal;

/// Options of a dropdown that are written out.
const MAX_OPTIONS: usize = 30;
/// Characters of one name or value that are written out.
const MAX_WORDS: usize = 160;
/// Characters of a hint that are written out.
const MAX_HINT: usize = 60;
/// Letters of a name up to which it says little: `B`, `H1`.
const LITTLE: usize = 2;

/// One element in one line; `place` is its number among its like where that is asked for, and `twin` says
/// that another of the same name stands on the screen.
pub(super) fn line(element: &Element, place: Option<usize>, twin: bool) -> String {
    let place = place.map(|place| format!("{} ", ordinal(place))).unwrap_or_default();
    let mut line = format!("[{}] {place}{}", element.id, element.role.word());
    if !element.name.is_empty() {
        line.push(' ');
        line.push_str(&named(&element.name, MAX_WORDS));
    }
    if let Some(hint) = hint(element) {
        line.push_str(" hint=");
        line.push_str(&named(hint, MAX_HINT));
    }
    if let Some(looks) = &element.looks {
        line.push_str(&format!(" (looks: {})", written(looks, MAX_WORDS)));
    }
    if let Some(value) = element.value.as_deref().filter(|v| !v.trim().is_empty()) {
        line.push_str(" value=");
        line.push_str(&named(value, MAX_WORDS));
    } else if element.takes_text() && !element.is_protected() && element.holds().is_none_or(is_blank) {
        line.push_str(" (empty)");
    }
    if let Some(within) = element.within.as_ref().filter(|_| twin) {
        line.push_str(" in ");
        line.push_str(&named(within, 40));
    }
    for word in states(element) {
        line.push_str(" (");
        line.push_str(word);
        line.push(')');
    }
    if !element.options.is_empty() {
        line.push_str(" options: ");
        let options: Vec<String> =
            element.options.iter().take(MAX_OPTIONS).map(|option| named(option, 40)).collect();
        line.push_str(&options.join(", "));
    }
    line
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// What a person gets to read while the pointer rests on it, where its name alone says little. A sign of
/// Chinese or Japanese is a word.
fn hint(element: &Element) -> Option<&str> {
    let says_little = element.name.is_ascii() && element.name.len() <= LITTLE;
    let is_meant = says_little && element.role.takes_clicks() && element.role != Role::Cell;
    let hint = element.description.as_deref().filter(|hint| !hint.trim().is_empty());
    hint.filter(|hint| is_meant && !hint.eq_ignore_ascii_case(&element.name))
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
