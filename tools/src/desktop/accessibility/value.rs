//! What an object holds: the text of a field, the number of a slider, the choice of a dropdown, the parts
//! of a date. What a password field holds is never asked for.

use ::atspi::{Role as BusRole, State};

use super::draft::clean;
use super::naming::{label_words, words};
use super::node::{Node, Tree};
use crate::element::Role;

/// Options of one dropdown.
const MAX_OPTIONS: usize = 50;
/// Levels below a date in which its parts stand.
const PARTS_DEPTH: usize = 6;

/// What `node` holds, and what else it could.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else holds a value")]
pub(super) fn value(tree: &Tree, node: &Node, kind: Role) -> (Option<String>, Vec<String>) {
    let text = || node.text.as_deref().map(clean).filter(|text| !text.is_empty());
    let number = || node.value.map(|v| v.to_string());
    let single = match kind {
        Role::Dropdown => return choice(tree, node),
        Role::Moment => moment(tree, node),
        Role::Textbox if node.role == BusRole::DocumentText => {
            Some(words(tree, node, 0)).filter(|words| !words.is_empty()).or_else(text)
        }
        Role::Textbox => text(),
        Role::Spinner => text().or_else(number),
        Role::Slider | Role::Progress => number(),
        _ => None,
    };
    (single, Vec::new())
}

/// The choice of a dropdown and its options.
fn choice(tree: &Tree, node: &Node) -> (Option<String>, Vec<String>) {
    let mut options = Vec::new();
    let mut chosen = node.chosen.as_ref().and_then(|at| tree.get(at)).map(|node| clean(&node.name));
    collect(tree, node, &mut options, &mut chosen, 0);
    // Of one that is switched off no option says that it is chosen.
    let place = node.stands_at.filter(|(_, count)| *count == options.len()).map(|(place, _)| place);
    let chosen = chosen.or_else(|| options.get(place?.checked_sub(1)?).cloned());
    let shown = clean(&node.name);
    // Once opened, some dropdowns keep their options in a window of their own.
    let label = node.labelled_by.as_ref().and_then(|at| tree.get(at));
    let is_label = label.is_some_and(|label| label_words(tree, label) == shown);
    let own =
        options.contains(&shown) || (options.is_empty() && node.labelled_by.is_some() && !is_label);
    let chosen = chosen.or_else(|| own.then_some(shown));
    (chosen, options)
}

fn collect(
    tree: &Tree,
    node: &Node,
    options: &mut Vec<String>,
    chosen: &mut Option<String>,
    depth: usize,
) {
    for child in tree.children(node) {
        let entry = matches!(
            child.role,
            BusRole::MenuItem | BusRole::ListItem | BusRole::RadioMenuItem | BusRole::TableCell
        );
        if entry && options.len() < MAX_OPTIONS {
            let name = clean(&child.name);
            if child.is(State::Selected) || child.is(State::Checked) {
                *chosen = Some(name.clone());
            }
            if !name.is_empty() {
                options.push(name);
            }
        } else if depth < 4 {
            collect(tree, child, options, chosen, depth + 1);
        }
    }
}

/// The parts of a date or a time, which are filled one after another.
pub(super) fn parts<'a>(tree: &'a Tree, node: &Node) -> Vec<&'a Node> {
    let mut found = Vec::new();
    collect_parts(tree, node, 0, &mut found);
    found
}

fn collect_parts<'a>(tree: &'a Tree, node: &Node, depth: usize, found: &mut Vec<&'a Node>) {
    for child in tree.children(node).filter(|_| depth < PARTS_DEPTH) {
        if child.role == BusRole::SpinButton {
            found.push(child);
        } else {
            collect_parts(tree, child, depth + 1, found);
        }
    }
}

/// What the parts of a date or a time hold, `?` for those that are empty; nothing where all are.
fn moment(tree: &Tree, node: &Node) -> Option<String> {
    let parts = parts(tree, node);
    // A part that is empty says that it holds a single zero.
    let filled = |text: &String| text != "0" && text.chars().any(char::is_alphanumeric);
    let said =
        |part: &&Node| part.text.as_deref().map(clean).filter(filled).unwrap_or_else(|| "?".into());
    let values: Vec<String> = parts.iter().map(said).collect();
    values.iter().any(|value| value != "?").then(|| values.join(" "))
}
