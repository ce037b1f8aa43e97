//! What an object is called: by its program, by its label, by what stands in it, by its hint. A control
//! without a name is one that nobody can ask for.

use ::atspi::Role as BusRole;

use super::draft::clean;
use super::node::{Node, Tree};
use super::roles::{is_control, role};
use super::value::{parts, value};
use crate::element::Role;

/// Levels below an object whose words are taken for it.
const DEPTH: usize = 8;
/// Parts of an author's name that say what it is made of and not what it is for.
const FILLERS: [&str; 26] = [
    "active",
    "area",
    "box",
    "btn",
    "button",
    "clickable",
    "col",
    "container",
    "content",
    "default",
    "div",
    "fa",
    "glyphicon",
    "icon",
    "image",
    "img",
    "inner",
    "item",
    "left",
    "link",
    "right",
    "small",
    "span",
    "ui",
    "widget",
    "wrapper",
];

/// The name of `node`, or nothing.
pub(super) fn name(tree: &Tree, node: &Node) -> String {
    let own = clean(&node.name);
    // A sign says less than the words that a person gets to see when the pointer rests on it.
    let description = clean(&node.description);
    if !own.is_empty() && !speaks(&own) && speaks(&description) {
        return description;
    }
    // Some are called by what is chosen in them or by where they stand, which is their value.
    let kind = role(node);
    let is_value = kind == Role::Dropdown && value(tree, node, kind).0.as_ref() == Some(&own)
        || is_number(kind, &own);
    if !own.is_empty() && !is_value {
        return own;
    }
    if let Some(label) = node.labelled_by.as_ref().and_then(|at| tree.get(at)) {
        let named = label_words(tree, label);
        if !named.is_empty() {
            return named;
        }
    }
    if node.role == BusRole::DateEditor {
        let parts: Vec<String> = parts(tree, node).iter().map(|part| clean(&part.name)).collect();
        return parts.join("/");
    }
    let inside =
        if kind.takes_text() || kind == Role::Dropdown { String::new() } else { words(tree, node, 0) };
    if !inside.is_empty() {
        return inside;
    }
    let hint = node.hint.as_deref().filter(|hint| !hint.is_empty()).unwrap_or(&node.description);
    Some(clean(hint)).filter(|hint| !is_number(kind, hint)).unwrap_or_default()
}

/// Whether this is what a slider or the like stands at, and no name of it.
pub(super) fn is_number(kind: Role, name: &str) -> bool {
    matches!(kind, Role::Slider | Role::Spinner)
        && name.trim_end_matches(['%', ' ']).replace(',', ".").parse::<f64>().is_ok()
}

fn speaks(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// What its author called it in code, for what has no name: a person does not see it, but it often says
/// what the picture on it shows.
pub(super) fn calling(node: &Node) -> Option<String> {
    node.calling.as_deref().map(spoken).filter(|words| !words.is_empty())
}

/// What a label says, without what it holds besides words: often the very field that it names.
pub(super) fn label_words(tree: &Tree, label: &Node) -> String {
    let own = clean(&label.name);
    if !own.is_empty() {
        return own;
    }
    let parts = tree.children(label).filter(|child| !is_control(role(child)));
    let said = |child: &Node| {
        let own = clean(&child.name);
        if own.is_empty() { words(tree, child, 1) } else { own }
    };
    clean(&parts.map(said).collect::<Vec<_>>().join(" "))
}

/// The words in it, in order.
pub(super) fn words(tree: &Tree, node: &Node, depth: usize) -> String {
    let mut all = Vec::new();
    for child in tree.children(node).filter(|_| depth < DEPTH) {
        let own =
            if child.name.is_empty() { child.text.as_deref().unwrap_or_default() } else { &child.name };
        let said = clean(own);
        all.push(if said.is_empty() { words(tree, child, depth + 1) } else { said });
    }
    all.retain(|word| !word.is_empty());
    clean(&all.join(" "))
}

/// The telling words of a name that an author gave in code, such as `ui-icon ui-icon-trash`.
fn spoken(calling: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in calling.split(|c: char| !c.is_alphanumeric()).flat_map(camels) {
        let word = word.to_lowercase();
        let tells = word.chars().count() > 2 && word.chars().all(char::is_alphabetic);
        if tells && !FILLERS.contains(&word.as_str()) && !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(3);
    clean(&words.join(" "))
}

/// The parts of `closeThick`.
fn camels(word: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = word
        .char_indices()
        .zip(word.chars().skip(1))
        .filter(|((_, a), b)| a.is_lowercase() && b.is_uppercase())
        .map(|((at, a), _)| at + a.len_utf8())
        .collect();
    cuts.insert(0, 0);
    cuts.push(word.len());
    cuts.iter().zip(cuts.iter().skip(1)).filter_map(|(from, to)| word.get(*from..*to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authors_call_things_is_spoken() {
        for (calling, expected) in [
            ("ui-icon ui-icon-trash", "trash"),
            ("btn btn-default closeThick", "close thick"),
            ("icon", ""),
            ("x1 a-b 42", ""),
            ("reply reply", "reply"),
        ] {
            assert_eq!(spoken(calling), expected, "{calling}");
        }
    }
}
