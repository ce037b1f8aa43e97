//! What keys do: some are a press on what has the keyboard, some send, delete or close wherever they go.

use freehand_tools::action::Action;
use freehand_tools::element::Role;
use freehand_tools::key::{Chord, Key, KeySequence, Modifier, NamedKey};

use super::{Findings, Risk};
use crate::place;

/// How a title says that something is not saved.
const UNSAVED: &[&str] = &["*", "•", "●"];
const UNSAVED_WORDS: &[&str] = &[
    "modified",
    "unsaved",
    "not saved",
    "geändert",
    "nicht gespeichert",
    "modifié",
    "modificado",
    "modificato",
];

impl Findings {
    pub(super) fn keys(&mut self, action: &Action, keys: &KeySequence) {
        for chord in keys.chords() {
            self.chord(action, chord);
        }
    }

    fn chord(&mut self, action: &Action, chord: &Chord) {
        let enter = matches!(chord.key, Key::Named(NamedKey::Enter | NamedKey::KpEnter));
        let held = chord.modifiers.as_slice();
        let text = action.target.element.as_ref().is_some_and(|element| element.role.takes_text());
        match (held, chord.key) {
            ([], _) if enter && place::is_address_bar(&action.target) => {
                let entered = action.setting.entered.as_ref().map(|entered| entered.text.trim());
                if let Some(typed) = entered.filter(|typed| !typed.is_empty()) {
                    self.opened(typed);
                    self.unclear.push(format!("whether `{typed}` is all that stands there"));
                } else {
                    self.unclear.push("the address that stands there".into());
                }
                self.add(Risk::Address, "Return in the field for the address opens what stands there");
            }
            ([], Key::Named(NamedKey::Space)) if !text => self.pressed(action),
            ([], _) if enter => self.returned(action),
            ([Modifier::Ctrl | Modifier::Super], _) if enter => {
                self.add(Risk::Send, "many programs send with that key");
            }
            ([] | [Modifier::Shift], Key::Named(NamedKey::Delete)) if !text => {
                self.add(Risk::Delete, "the Delete key deletes what is chosen");
            }
            ([Modifier::Alt], Key::Function(4))
            | ([Modifier::Ctrl], Key::Char('q' | 'Q' | 'w' | 'W')) => {
                self.closed(action);
            }
            ([Modifier::Ctrl, Modifier::Alt], Key::Named(NamedKey::Delete | NamedKey::Backspace)) => {
                self.add(Risk::Discard, "that key ends the session");
            }
            ([Modifier::Ctrl, Modifier::Alt], Key::Char('t' | 'T'))
            | ([Modifier::Alt], Key::Function(2)) => {
                self.add(Risk::Run, "that key opens a place for commands");
            }
            _ => {}
        }
    }

    /// Return presses the button that has the keyboard, or the one that the dialog has chosen.
    fn returned(&mut self, action: &Action) {
        match &action.target.element {
            Some(element) if element.role.takes_text() => self.written(action),
            Some(element) if element.role != Role::Dialog => self.pressed(action),
            _ => self.assented(action),
        }
    }

    fn closed(&mut self, action: &Action) {
        let Some(window) = &action.target.window else { return };
        let title = window.title.to_lowercase();
        let unsaved = UNSAVED
            .iter()
            .any(|sign| title.trim().starts_with(sign) || title.contains(&format!(" {sign}")))
            || UNSAVED_WORDS.iter().any(|word| place::mentions(&title, word));
        if unsaved {
            self.add(Risk::Discard, format!("`{}` says that it is not saved", window.title));
        }
    }
}
