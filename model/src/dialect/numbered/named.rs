//! What the task names comes first. A small model loses track of which parts of a task it has done; the
//! words of the task and the names on the screen tell which are left, so the choice is narrowed to those
//! while there are any, and to the ways on while what the task is about is not in sight.

use freehand_tools::element::{Element, Role};

use super::sight;

/// Which of the things that could be clicked are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// Only what the task names, without the buttons: they come when the rest is done.
    Named,
    /// Only the buttons that the task names: all else that it names is done.
    NamedButtons,
    /// Only closed tabs, sections and the like: what the task is about is not in sight.
    Closed,
    /// Only what shows the next page: the same, where nothing is closed.
    Onward,
    /// Everything but what leads away: what the task is about is in sight.
    Here,
    /// Everything: the task does not go by the names on the screen.
    Everything,
}

/// Whether `text` says `name`, as whole words and whatever the case.
pub(super) fn says(text: &str, name: &str) -> bool {
    let name = name.trim().to_lowercase();
    if name.chars().count() < 2 {
        return false;
    }
    let text = text.to_lowercase();
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(&name).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|t| t.chars().next());
        !joins(before) && !joins(after)
    })
}

/// Whether it is one of the things that a task picks out by name.
const fn is_pickable(role: Role) -> bool {
    matches!(
        role,
        Role::Checkbox
            | Role::Radio
            | Role::Toggle
            | Role::Link
            | Role::Tab
            | Role::Option
            | Role::ListItem
            | Role::MenuItem
            | Role::TreeItem
            | Role::Clickable
    )
}

/// Words of a look that say little.
const VAGUE: [&str; 5] = ["box", "shape", "line", "light", "dark"];

/// Whether the task says its name or, where it has none, its colour or its form.
fn is_named(task: &str, element: &Element) -> bool {
    let looks = element.looks.as_deref().unwrap_or_default();
    says(task, &element.name)
        || looks.split([' ', ',']).any(|word| !VAGUE.contains(&word) && says(task, word))
}

/// Whether `offer` holds `element`.
pub(super) fn offers(offer: Offer, task: &str, element: &Element) -> bool {
    match offer {
        Offer::Everything => true,
        Offer::Here => !sight::leads_on(element) && !sight::is_page_number(element),
        Offer::Named => is_pickable(element.role) && is_named(task, element),
        Offer::NamedButtons => element.role == Role::Button && says(task, &element.name),
        Offer::Closed => sight::is_closed(element),
        Offer::Onward => sight::leads_on(element),
    }
}

/// Whether the task names it, as a button or in quotes, and it was not used yet.
pub(super) fn is_left(task: &str, element: &Element, done: &[&str]) -> bool {
    let quoted =
        || sight::quotes(task).any(|quoted| quoted.trim().eq_ignore_ascii_case(element.name.trim()));
    let button = element.role == Role::Button && says(task, &element.name);
    let meant = button || is_pickable(element.role) && quoted();
    let rests = element.states.checked == Some(true) || element.states.disabled;
    meant && !rests && !done.iter().any(|did| says(did, &element.name))
}

/// What is offered of `left`, the things that can still be clicked on a screen that shows `all`; `done`
/// says in words what was done.
pub(super) fn narrow(task: &str, left: &[&Element], all: &[&Element], done: &[&str]) -> Offer {
    let any = |offer| left.iter().any(|element| offers(offer, task, element));
    if any(Offer::Named) {
        return Offer::Named;
    }
    if sight::is_out_of_sight(task, all, done) {
        if any(Offer::Closed) {
            return Offer::Closed;
        }
        if any(Offer::Onward) {
            return Offer::Onward;
        }
    }
    // The names of what was done stand in quotes.
    let mut names = done.iter().flat_map(|did| did.split('"').skip(1).step_by(2));
    if names.any(|name| says(task, name)) && any(Offer::NamedButtons) {
        return Offer::NamedButtons;
    }
    if sight::is_in_sight(task, all) { Offer::Here } else { Offer::Everything }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        for (text, name, want) in [
            ("Tick \"Extra sugar\" and go", "extra sugar", true),
            ("Tick sugar", "sug", false),
            ("Press OK.", "ok", true),
            ("Go to Bö", "Bö", true),
            ("anything", "", false),
            ("a b c", "a", false),
        ] {
            assert_eq!(says(text, name), want, "{text} / {name}");
        }
    }
}
