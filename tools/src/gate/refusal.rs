//! A no that was given before, and whether something is the same in other words. Whoever was refused may not
//! ask until somebody is tired: the same deed is refused without a question. Other text for the same field is
//! another deed, and so is what heeds the reason that the person gave; both are asked a few times.

use std::collections::BTreeSet;
use std::mem::discriminant;

use crate::action::{Action, ActionKind, EffectClass, Target};
use crate::gate::scope::{Stakes, opened};
use crate::key::{Chord, Key, Modifier, NamedKey};

/// How near two places must be, in screen pixels, to be one where no program says what is there.
const NEAR: i32 = 24;
/// How often one thing, or whatever is done at one place, may be refused before it is not asked again.
const ENOUGH: usize = 3;
/// Of how many words of two texts one must be common to both for them to be one text in other words.
const ALIKE: usize = 2;

/// A no that was given before.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    effects: EffectClass,
    kind: ActionKind,
    target: Target,
    stakes: Stakes,
    reason: String,
    said: Option<String>,
    /// Whether something was changed in that window since.
    went_on: bool,
    /// Whether the person has since said a yes that lasts to the like of it: then only itself is refused.
    overtaken: bool,
}

/// What the refusals of a run say of an action.
pub(super) enum Again<'a> {
    /// Nothing: it is none of what was refused.
    New,
    /// It is the same, which was refused for this reason.
    Same(&'a str),
    /// It is the like of what was refused, and may be what the person wants instead.
    Other,
}

/// Whether `action` is among what was refused.
pub(super) fn again<'a>(refusals: &'a [Refusal], action: &Action, stakes: &Stakes) -> Again<'a> {
    let alike: Vec<&Refusal> =
        refusals.iter().filter(|refusal| refusal.covers(action, stakes)).collect();
    let about = |refusal: &&Refusal| !refusal.overtaken && refusal.is_about(action);
    let mut here = refusals.iter().filter(about);
    if let Some(refusal) = here.nth(ENOUGH - 1) {
        return Again::Same(&refusal.reason);
    }
    let is_final = |refusal: &&&Refusal| alike.len() >= ENOUGH || !refusal.is_heeded(action, stakes);
    match alike.iter().find(is_final) {
        Some(refusal) => Again::Same(&refusal.reason),
        None if alike.iter().all(|refusal| refusal.overtaken) && !refusals.iter().any(|r| about(&r)) => {
            Again::New
        }
        None => Again::Other,
    }
}

impl Refusal {
    pub(super) fn new(action: &Action, stakes: &Stakes, reason: &str, said: Option<&str>) -> Self {
        Self {
            effects: action.effects,
            kind: action.kind.clone(),
            target: action.target.clone(),
            stakes: stakes.clone(),
            reason: reason.to_owned(),
            said: said.map(str::to_owned),
            went_on: false,
            overtaken: false,
        }
    }

    /// The person has said a yes that lasts to `action`, though they were told of this no.
    pub(super) fn is_overtaken_by(&mut self, action: &Action, stakes: &Stakes) {
        self.overtaken |= self.is_about(action) || self.covers(action, stakes);
    }

    /// Something else was allowed since.
    pub(super) fn goes_on(&mut self, action: &Action) {
        let changes = matches!(action.effects, EffectClass::Input | EffectClass::BlindInput);
        self.went_on |= changes && same_window(&self.target, &action.target);
    }

    /// Whether `action` would do anything at all where that was refused.
    fn is_about(&self, action: &Action) -> bool {
        matches!(self.effects, EffectClass::Input | EffectClass::BlindInput)
            && self.effects == action.effects
            && same_window(&self.target, &action.target)
            && same_place(&self.target, &action.target)
    }

    /// Whether `action` is what was refused, in other words.
    fn covers(&self, action: &Action, stakes: &Stakes) -> bool {
        let common = |a: &BTreeSet<String>, b: &BTreeSet<String>| !a.is_disjoint(b);
        if common(&self.stakes.anywhere, &stakes.anywhere) {
            return true;
        }
        if !same_window(&self.target, &action.target) {
            return false;
        }
        common(&self.stakes.here, &stakes.here)
            || self.effects == action.effects && self.is_same_deed(action, stakes)
    }

    fn is_same_deed(&self, action: &Action, stakes: &Stakes) -> bool {
        // Another command is another deed, and says so by what is at stake.
        if self.stakes.command.is_some() || stakes.command.is_some() {
            return self.stakes.command == stakes.command;
        }
        match action.effects {
            EffectClass::Launch => opened(&self.kind) == opened(&action.kind),
            EffectClass::Nothing => discriminant(&self.kind) == discriminant(&action.kind),
            EffectClass::Input | EffectClass::BlindInput => {
                same_place(&self.target, &action.target) && same_input(&self.kind, &action.kind)
            }
            EffectClass::ReadClipboard | EffectClass::WriteClipboard => {
                same_place(&self.target, &action.target)
            }
        }
    }

    /// Whether `action`, the like of it, may be what the person wants instead: another text, or the same press
    /// after something was changed there. Without a reason nothing is wanted instead.
    fn is_heeded(&self, action: &Action, stakes: &Stakes) -> bool {
        let Some(said) = &self.said else { return false };
        match wording(&action.kind, stakes) {
            Some(new) => is_other(wording(&self.kind, &self.stakes).unwrap_or_default(), new, said),
            None => self.went_on,
        }
    }
}

/// Whether one input to a place is the other in other words. Other text for a field is what a person who
/// said no may well want; a button that is pressed in another way is not.
fn same_input(one: &ActionKind, other: &ActionKind) -> bool {
    match (written(one), written(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => match (one, other) {
            (ActionKind::PressKeys { keys: a, .. }, ActionKind::PressKeys { keys: b, .. }) => {
                a == b || presses(one) && presses(other)
            }
            (ActionKind::PressKeys { .. }, _) => presses(one),
            (_, ActionKind::PressKeys { .. }) => presses(other),
            (_, _) => true,
        },
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// What is written, by text or key by key, whatever spaces, signs and capitals it has.
fn written(kind: &ActionKind) -> Option<String> {
    let text: String = if let ActionKind::TypeText { text, .. } = kind {
        text.clone()
    } else if let ActionKind::PressKeys { keys, .. } = kind {
        keys.chords().iter().map(letter).collect::<Option<_>>()?
    } else {
        return None;
    };
    let bare = bare(&text);
    // A text of signs alone is what it is.
    Some(if bare.is_empty() { text } else { bare })
}

/// What a chord writes, where it is a letter.
fn letter(chord: &Chord) -> Option<char> {
    let is_plain = chord.modifiers.iter().all(|held| *held == Modifier::Shift);
    if let (Key::Char(c), true) = (chord.key, is_plain) { Some(c) } else { None }
}

/// Whether it presses what it lands on, as Enter and the space bar do.
fn presses(kind: &ActionKind) -> bool {
    let ActionKind::PressKeys { keys, .. } = kind else { return true };
    let press = |chord: &Chord| {
        chord.modifiers.is_empty()
            && matches!(chord.key, Key::Named(NamedKey::Enter | NamedKey::KpEnter | NamedKey::Space))
    };
    keys.chords().iter().all(press)
}

/// The text that an action is about.
fn wording<'a>(kind: &'a ActionKind, stakes: &'a Stakes) -> Option<&'a str> {
    if let Some(command) = &stakes.command {
        return Some(command);
    }
    match kind {
        ActionKind::TypeText { text, .. } | ActionKind::WriteClipboard { text } => Some(text),
        ActionKind::SelectOption { option } => Some(option),
        ActionKind::OpenApp { .. } | ActionKind::OpenUrl { .. } => opened(kind),
        ActionKind::Click { .. }
        | ActionKind::Move
        | ActionKind::Drag { .. }
        | ActionKind::Scroll { .. }
        | ActionKind::PressKeys { .. }
        | ActionKind::FocusWindow
        | ActionKind::ReadClipboard
        | ActionKind::Wait { .. }
        | ActionKind::Zoom { .. }
        | ActionKind::Note { .. }
        | ActionKind::AskUser { .. }
        | ActionKind::Finish { .. } => None,
    }
}

/// Whether `new` is another text than `old`: it differs in a word of what was `said`, or in most words.
fn is_other(old: &str, new: &str, said: &str) -> bool {
    let ([old_words, new_words, said], [old, new]) = ([old, new, said].map(words), [old, new].map(bare));
    if old_words.symmetric_difference(&new_words).any(|word| said.contains(word)) {
        return true;
    }
    let common = old_words.intersection(&new_words).count();
    let parted = old.contains(&new) || new.contains(&old);
    (old.is_empty() || !parted) && common * ALIKE < old_words.union(&new_words).count()
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A window that was closed and opened again is the same.
fn same_window(one: &Target, other: &Target) -> bool {
    match (&one.window, &other.window) {
        (Some(one), Some(other)) => {
            one.id == other.id || (&one.app, &one.title) == (&other.app, &other.title)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn same_place(one: &Target, other: &Target) -> bool {
    match (&one.element, &other.element) {
        (Some(a), Some(b)) => {
            let named = !a.name.is_empty();
            a.key == b.key || named && (a.role, &a.name, &a.within) == (b.role, &b.name, &b.within)
        }
        (Some(element), None) => other.point.is_some_and(|point| element.bounds.contains(point)),
        (None, Some(element)) => one.point.is_some_and(|point| element.bounds.contains(point)),
        (None, None) => match (one.point, other.point) {
            (Some(a), Some(b)) => (a.x - b.x).abs() <= NEAR && (a.y - b.y).abs() <= NEAR,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::is_other;

    #[test]
    fn another_text_is_known_from_the_same_in_other_words() {
        for (old, new, said, other) in [
            ("Ada", "Grace", "use Grace instead", true),
            ("Ada", "Grace", "not that one", true),
            ("Dear Ada, I quit. Yours", "Dear Grace, I quit. Yours", "write to Grace", true),
            ("Dear Ada, I quit. Yours", "Dear Alan, I quit. Yours", "write to Grace", false),
            ("Ada", "Ada Lovelace", "with the Lovelace", true),
            ("Ada", "A d a", "no", false),
            ("Ada", "ada!", "somebody else", false),
            ("Ada", "Dear Ada of ours", "somebody else", false),
            ("rm -f ~/a.txt", "/bin/rm -rf ~/a.txt", "keep it", false),
            ("rm -rf build", "cargo clean", "keep it", true),
            ("", "Grace", "type it", true),
            ("Ada", "", "leave it empty", false),
        ] {
            assert_eq!(is_other(old, new, said), other, "{old} | {new} | {said}");
        }
    }
}
