//! What the task names comes first. A small model loses track of which parts of a task it has done; the
//! words of the task and the names on the screen tell which are left, so the choice is narrowed to those
//! while there are any, and to the ways on while what the task is about is not in sight.

use std::collections::HashMap;

use freehand_tools::element::{Element, ElementId, Role};
use freehand_tools::geometry::ScreenRect;

use super::quotes::quotes;
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

/// Of elements whose names have words in common, those that the task means, because it says every word of
/// them, and those that it does not: of `Buy red kettle` and `Buy blue kettle` the first, where the blue one
/// is wanted.
pub(super) fn rivals(task: &str, elements: &[&Element]) -> (Vec<ElementId>, Vec<ElementId>) {
    let rivals = elements.iter().filter(|element| element.role.takes_clicks());
    let named = rivals.map(|element| (*element, element.name.to_lowercase()));
    let all: Vec<(&Element, String)> = named.filter(|(_, name)| name.trim().contains(' ')).collect();
    let said = |name: &str| name.split_whitespace().all(|word| says(task, word));
    let (meant, others): (Vec<_>, Vec<_>) = all.iter().partition(|(_, name)| said(name));
    let rival = |(one, its): &(&Element, String), (other, name): &(&Element, String)| {
        let words = || name.split_whitespace();
        let shares = its.split_whitespace().any(|word| words().any(|other| other == word));
        one.role == other.role && its.split_whitespace().count() == words().count() && shares
    };
    let with = |one: &&&(&Element, String), group: &[&(&Element, String)]| {
        group.iter().any(|other| rival(one, other))
    };
    let ids = |group: &[&(&Element, String)], against: &[&(&Element, String)]| {
        group.iter().filter(|one| with(one, against)).map(|(element, _)| element.id).collect()
    };
    (ids(&meant, &others), ids(&others, &meant))
}

/// The same for elements that are called the same, by what stands beside them: the task says it of one.
pub(super) fn twins(task: &str, elements: &[&Element]) -> (Vec<ElementId>, Vec<ElementId>) {
    let mut kinds: HashMap<(Role, &str), Vec<usize>> = HashMap::new();
    for (at, element) in elements.iter().enumerate() {
        if matches!(element.role, Role::Button | Role::Link) && !element.name.is_empty() {
            kinds.entry((element.role, element.name.as_str())).or_default().push(at);
        }
    }
    let (mut meant, mut beaten) = (Vec::new(), Vec::new());
    for at in kinds.into_values().filter(|at| at.len() > 1) {
        let says_of = |place: &&usize| {
            let own = elements.get(**place).map(|element| element.bounds);
            let mut texts = own.into_iter().flat_map(|own| beside(elements, own));
            texts.any(|text| {
                let whole = text.contains(' ') && says(task, text);
                whole || quotes(task).chain(sight::proper_names(task)).any(|name| says(text, name))
            })
        };
        let (one, others): (Vec<_>, Vec<_>) = at.iter().partition(says_of);
        let id = |at: &&usize| elements.get(**at).map(|element| element.id);
        if let [only] = one.as_slice() {
            meant.extend(id(only));
            beaten.extend(others.iter().filter_map(id));
        }
    }
    (meant, beaten)
}

/// The texts in the same line as `own`.
fn beside<'e>(elements: &[&'e Element], own: ScreenRect) -> impl Iterator<Item = &'e str> {
    let texts = elements.iter().filter(|element| !element.role.takes_clicks());
    let level = texts.filter(move |element| {
        let (top, bottom) = (i64::from(own.y), i64::from(own.y) + i64::from(own.height));
        (top..bottom).contains(&i64::from(element.bounds.center().y))
    });
    level.map(|element| element.name.as_str())
}

/// Whether `text` says all words of `name`, in whatever order.
fn says_words(text: &str, name: &str) -> bool {
    says(text, name) || name.contains(' ') && name.split_whitespace().all(|word| says(text, word))
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
        Offer::NamedButtons => element.role == Role::Button && says_words(task, &element.name),
        Offer::Closed => sight::is_closed(element),
        Offer::Onward => sight::leads_on(element),
    }
}

/// Whether the task names it, as a button or in quotes, and it was not used yet.
pub(super) fn is_left(task: &str, element: &Element, done: &[&str]) -> bool {
    let quoted = || quotes(task).any(|quoted| quoted.trim().eq_ignore_ascii_case(element.name.trim()));
    let button = element.role == Role::Button && says_words(task, &element.name);
    let meant = button || is_pickable(element.role) && quoted();
    let rests = element.states.checked == Some(true) || element.states.disabled;
    // The names of what was done stand in quotes; an address says nothing.
    let used = |did: &&str| quotes(did).any(|name| says(name, &element.name));
    meant && !rests && !done.iter().any(used)
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
