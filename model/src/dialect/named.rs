//! What the task names comes first. A small model loses track of which parts of a task it has done;
//! the words of the task and the names on the screen tell which are left, so the choice is narrowed
//! to those while there are any.

use freehand_tools::element::{Element, Role};

/// Which of the things that could be clicked are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// Only what the task names, without the buttons: they come when the rest is done.
    Named,
    /// Only the buttons that the task names: all else that it names is done.
    NamedButtons,
    /// Only closed tabs, sections and the like: what the task quotes is not in sight.
    Closed,
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

/// Whether `offer` holds `element`.
pub(super) fn offers(offer: Offer, task: &str, element: &Element) -> bool {
    match offer {
        Offer::Everything => true,
        Offer::Named => is_pickable(element.role) && says(task, &element.name),
        Offer::NamedButtons => element.role == Role::Button && says(task, &element.name),
        Offer::Closed => is_closed(element),
    }
}

/// Whether something may be found by opening it.
fn is_closed(element: &Element) -> bool {
    let shut = element.states.expanded == Some(false) || element.states.selected == Some(false);
    let opens = element.role == Role::Tab || element.states.expanded.is_some();
    opens && shut && element.role != Role::Dropdown
}

/// What the task quotes, which is often the name of what it is about.
fn quotes(task: &str) -> impl Iterator<Item = &str> {
    task.split('"').skip(1).step_by(2).filter(|quoted| !quoted.trim().is_empty())
}

/// What is offered of `left`, the things that can still be clicked; `done` says in words what was done.
pub(super) fn narrow<'a>(
    task: &str,
    left: impl Iterator<Item = &'a Element> + Clone,
    done: impl Iterator<Item = &'a str>,
) -> Offer {
    if left.clone().any(|element| offers(Offer::Named, task, element)) {
        return Offer::Named;
    }
    // The names of what was done stand in quotes.
    let by_name = done.flat_map(|did| did.split('"').skip(1).step_by(2)).any(|name| says(task, name));
    let mut left = left;
    let in_sight = |quoted: &str| left.clone().any(|e| e.role != Role::Text && says(&e.name, quoted));
    let out_of_sight = quotes(task).next().is_some() && !quotes(task).any(in_sight);
    if out_of_sight && left.clone().any(is_closed) {
        return Offer::Closed;
    }
    if by_name && left.any(|element| offers(Offer::NamedButtons, task, element)) {
        return Offer::NamedButtons;
    }
    Offer::Everything
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
