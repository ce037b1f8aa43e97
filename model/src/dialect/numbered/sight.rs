//! Whether what the task is about shows on the screen, and what may bring it there: closed tabs and
//! sections, and what leads to the next page. Looking for something is a routine, and a small model loses
//! its way in it.

use freehand_tools::element::{Element, Role};

use super::named::says;
use super::quotes::quotes;

/// Names of what shows the next page or more of the same.
const ONWARD: [&str; 24] = [
    ">",
    ">>",
    "»",
    "›",
    "→",
    "▶",
    "next",
    "next page",
    "more",
    "show more",
    "load more",
    "older",
    "weiter",
    "nächste",
    "mehr",
    "mehr anzeigen",
    "suivant",
    "plus",
    "siguiente",
    "más",
    "avanti",
    "successivo",
    "次へ",
    "下一页",
];

/// Whether something may be found by opening it.
pub(super) fn is_closed(element: &Element) -> bool {
    let shut = element.states.expanded == Some(false) || element.states.selected == Some(false);
    let opens = element.role == Role::Tab || element.states.expanded.is_some();
    opens && shut && element.role != Role::Dropdown
}

/// Whether it shows the next page.
pub(super) fn leads_on(element: &Element) -> bool {
    let name = element.name.trim().to_lowercase();
    matches!(element.role, Role::Link | Role::Button | Role::Clickable)
        && ONWARD.contains(&name.as_str())
}

/// Whether the task is about something that is nowhere on a screen that shows `all`. Where a field is
/// empty, the names in the task may be what is to be filled in.
pub(super) fn is_out_of_sight(task: &str, all: &[&Element], done: &[&str]) -> bool {
    let shows = |name: &str| {
        let texts = |e: &&Element| {
            says(&e.name, name)
                || e.value.as_deref().is_some_and(|value| says(value, name))
                || e.options.iter().any(|option| says(option, name))
        };
        all.iter().any(texts) || done.iter().any(|did| says(did, name))
    };
    let quoted: Vec<&str> = quotes(task).collect();
    if !quoted.is_empty() {
        let readable = |name: &str| all.iter().any(|e| e.role != Role::Text && says(&e.name, name));
        return !quoted.iter().any(|name| readable(name) || done.iter().any(|did| says(did, name)));
    }
    let fields =
        all.iter().any(|e| e.role.takes_text() && e.value.as_deref().unwrap_or_default().is_empty());
    let named = proper_names(task);
    !fields && named.iter().any(|name| !shows(name))
}

/// Whether somebody or something that the task calls by name stands on the screen, with nothing in quotes
/// that may have to be found first.
pub(super) fn is_in_sight(task: &str, all: &[&Element]) -> bool {
    let shows = |name: &&str| all.iter().any(|element| says(&element.name, name));
    quotes(task).next().is_none() && proper_names(task).iter().any(shows)
}

/// Whether it leads to a page by its number, or back.
pub(super) fn is_page_number(element: &Element) -> bool {
    let name = element.name.trim();
    let back = matches!(name, "<" | "<<" | "«" | "‹" | "←");
    element.role == Role::Link && (back || name.chars().count() < 3 && name.parse::<u16>().is_ok())
}

/// Words with a capital within a sentence: names of people, places, products.
pub(super) fn proper_names(task: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut begins = true;
    for word in task.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        if !begins && bare.chars().count() > 1 && bare.chars().next().is_some_and(char::is_uppercase) {
            names.push(bare);
        }
        begins = word.ends_with(['.', '!', '?', ':', ';']);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_a_capital_within_a_sentence() {
        for (task, names) in [
            ("Find Ada in the list. Then call her.", &["Ada"][..]),
            ("Open Bob's file", &["Bob"]),
            ("Press a key", &[]),
            ("call (Mr Tanaka)", &["Mr", "Tanaka"]),
        ] {
            assert_eq!(proper_names(task), names, "{task}");
        }
    }
}
