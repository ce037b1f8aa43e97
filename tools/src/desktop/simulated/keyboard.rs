//! The keyboard: everything goes to the window and the widget that have it, as on a real desktop,
//! and text that nobody takes is lost and said to be lost.

use super::Simulated;
use super::event::SimEvent;
use super::field::{Field, Shape};
use super::script::Cue;
use super::widget::{Kind, Widget};
use crate::desktop::KeyboardInput;
use crate::element::WindowId;
use crate::key::{Chord, Key, Modifier, NamedKey};

impl Simulated {
    pub(super) fn keys(&mut self, input: KeyboardInput) {
        match input {
            KeyboardInput::Down(key) => {
                self.journal.push(SimEvent::KeyDown(key));
                if !self.keys.contains(&key) {
                    self.keys.push(key);
                }
                if !matches!(key, Key::Modifier(_)) {
                    self.stroke(Vec::new(), key);
                }
            }
            KeyboardInput::Up(key) => {
                self.journal.push(SimEvent::KeyUp(key));
                self.keys.retain(|held| *held != key);
            }
            KeyboardInput::Tap(chord) => self.stroke(chord.modifiers, chord.key),
            KeyboardInput::Text(text) => self.type_text(&text),
        }
    }

    fn stroke(&mut self, mut modifiers: Vec<Modifier>, key: Key) {
        modifiers.extend(self.modifiers());
        modifiers.sort_unstable();
        modifiers.dedup();
        let chord = Chord { modifiers, key };
        let window = self.scene.active().map(|w| (w.id, w.title.clone()));
        let title = window.as_ref().map(|(_, title)| title.clone());
        self.journal.push(SimEvent::Chord { window: title, chord: chord.clone() });
        if let Some((id, title)) = window
            && !self.window_chord(&title, &chord)
            && let Some(number) = self.scene.window(id).and_then(|w| w.focus)
        {
            self.widget_chord(id, number, &chord);
        }
        self.cue(&Cue::Pressed(chord));
    }

    /// Chords that the window takes before its widgets; whether it took this one.
    fn window_chord(&mut self, title: &str, chord: &Chord) -> bool {
        match (chord.modifiers.as_slice(), chord.key) {
            ([Modifier::Alt], Key::Function(4)) => self.close_window(title),
            ([Modifier::Alt], Key::Named(NamedKey::Tab)) => {
                if let Some(next) = self.scene.windows.get(1).map(|w| w.title.clone()) {
                    self.raise_window(&next);
                }
            }
            ([], Key::Named(NamedKey::Tab)) => self.step_focus(1),
            ([Modifier::Shift], Key::Named(NamedKey::Tab)) => self.step_focus(-1),
            ([], Key::Named(NamedKey::Escape)) => {
                return self.scene.active.is_some_and(|id| self.fold(id, None));
            }
            _ => return false,
        }
        true
    }

    fn step_focus(&mut self, step: isize) {
        let Some(window) = self.scene.active() else { return };
        let stops: Vec<u32> = window.shown().filter(|w| w.takes_focus()).map(|w| w.number).collect();
        let at = stops.iter().position(|stop| Some(*stop) == window.focus);
        let next = match at {
            Some(at) => at.checked_add_signed(step).unwrap_or(stops.len().saturating_sub(1)),
            None => 0,
        };
        window.focus = stops.get(next).or_else(|| stops.first()).copied();
        if let Some(Widget { kind: Kind::Field(field), .. }) = window.focused()
            && field.shape != Shape::Lines
        {
            field.select_all();
        }
    }

    fn widget_chord(&mut self, window: WindowId, number: u32, chord: &Chord) {
        use NamedKey::{Down, Enter, KpEnter, Space, Up};
        let Some(widget) = self.scene.window_mut(window).and_then(|w| w.widget_mut(number)) else {
            return;
        };
        if widget.disabled {
            return;
        }
        let name = widget.name.clone();
        let plain = chord.modifiers.is_empty();
        match (&mut widget.kind, chord.key) {
            (Kind::Terminal { lines, input }, Key::Named(Enter | KpEnter)) => {
                let line = input.text();
                input.set("");
                lines.push(line.clone());
                let window = self.scene.active().map(|w| w.title.clone()).unwrap_or_default();
                self.journal.push(SimEvent::Committed { window, line });
            }
            (Kind::Field(field), Key::Named(Enter | KpEnter)) if field.shape == Shape::Lines => {
                field.insert("\n");
            }
            (Kind::Field(field) | Kind::Terminal { input: field, .. }, _) if !is_enter(chord) => {
                let (clip, copied) = edit(field, chord, &self.clipboard);
                if copied {
                    self.journal.push(SimEvent::Copied(name));
                }
                self.clipboard = clip;
            }
            (
                Kind::Button { .. } | Kind::Link { .. } | Kind::Dropdown { .. },
                Key::Named(Enter | KpEnter),
            ) if plain => {
                self.activate(window, number, None);
            }
            (_, Key::Named(Enter | KpEnter)) if plain => self.press_default(window),
            (Kind::Link { .. } | Kind::List { .. } | Kind::Slider { .. }, Key::Named(Space)) => {}
            (_, Key::Named(Space)) if plain => self.activate(window, number, None),
            (_, Key::Named(Up)) => self.step_choice(window, number, -1),
            (_, Key::Named(Down)) => self.step_choice(window, number, 1),
            (_, Key::Named(NamedKey::PageDown)) => widget.scroll(5),
            (_, Key::Named(NamedKey::PageUp)) => widget.scroll(-5),
            _ => {}
        }
    }

    fn press_default(&mut self, window: WindowId) {
        let is_default = |w: &&Widget| matches!(w.kind, Kind::Button { is_default: true });
        let found = self.scene.window(window).and_then(|w| w.shown().find(is_default).map(|w| w.number));
        if let Some(number) = found {
            self.activate(window, number, None);
        }
    }

    fn step_choice(&mut self, window: WindowId, number: u32, step: isize) {
        let Some(widget) = self.scene.window_mut(window).and_then(|w| w.widget_mut(number)) else {
            return;
        };
        if let Kind::Slider { value } = &mut widget.kind {
            *value = value.saturating_add_signed(-i32::try_from(step).unwrap_or(0)).min(100);
        }
        let Some((all, chosen)) = widget.choices() else { return };
        let last = all.len().saturating_sub(1);
        let next = chosen.map_or(0, |at| at.saturating_add_signed(step).min(last));
        let was_open = matches!(widget.kind, Kind::Dropdown { open: true, .. });
        self.activate(window, number, Some(next));
        let Some(widget) = self.scene.window_mut(window).and_then(|w| w.widget_mut(number)) else {
            return;
        };
        if let Kind::Dropdown { open, .. } = &mut widget.kind {
            // The arrows move in an open list without closing it.
            *open = was_open;
        }
        widget.show_entry(next);
    }

    fn type_text(&mut self, text: &str) {
        let shortcut = |m: &Modifier| *m != Modifier::Shift;
        let held = self.modifiers().iter().any(shortcut);
        let mut run = String::new();
        for c in text.chars() {
            let key = match c {
                '\n' | '\r' => Key::Named(NamedKey::Enter),
                '\t' => Key::Named(NamedKey::Tab),
                c if held => Key::Char(c),
                ' ' if !self.takes_text() => Key::Named(NamedKey::Space),
                c => {
                    run.push(c);
                    continue;
                }
            };
            self.flush(&mut run);
            self.stroke(Vec::new(), key);
        }
        self.flush(&mut run);
    }

    fn takes_text(&mut self) -> bool {
        self.scene.active().and_then(|w| w.focused()).is_some_and(|widget| text_of(widget).is_some())
    }

    /// Gives the text to whatever has the keyboard.
    fn flush(&mut self, run: &mut String) {
        if run.is_empty() {
            return;
        }
        let text = std::mem::take(run);
        let upper = self.modifiers().contains(&Modifier::Shift);
        let text = if upper { text.to_uppercase() } else { text };
        let window = self.scene.active().map(|w| w.title.clone());
        let mut field = None;
        if let Some(widget) = self.scene.active().and_then(|w| w.focused())
            && let Some(input) = text_of(widget)
        {
            input.insert(&text);
            field = Some(widget.name.clone());
        }
        self.journal.push(SimEvent::Typed { window, field, text });
    }
}

fn text_of(widget: &mut Widget) -> Option<&mut Field> {
    let (Kind::Field(field) | Kind::Terminal { input: field, .. }) = &mut widget.kind else {
        return None;
    };
    (!widget.disabled).then_some(field)
}

fn is_enter(chord: &Chord) -> bool {
    matches!(chord.key, Key::Named(NamedKey::Enter | NamedKey::KpEnter))
}

/// Edits a field; the clipboard afterwards, and whether the field put something there.
fn edit(field: &mut Field, chord: &Chord, clipboard: &str) -> (String, bool) {
    let extend = chord.holds(Modifier::Shift);
    let ctrl = chord.holds(Modifier::Ctrl);
    let mut clip = None;
    match chord.key {
        Key::Char(c) if ctrl => match c.to_ascii_lowercase() {
            'a' => field.select_all(),
            // A field for a secret gives nothing away.
            'c' | 'x' if field.shape != Shape::Secret => {
                clip = field.selected();
                if c.eq_ignore_ascii_case(&'x') && clip.is_some() {
                    field.delete();
                }
            }
            'v' => field.insert(clipboard),
            _ => {}
        },
        Key::Char(c) if !chord.holds(Modifier::Alt) && !chord.holds(Modifier::Super) => {
            let text = if extend { c.to_uppercase().to_string() } else { c.to_string() };
            field.insert(&text);
        }
        Key::Named(named) => edit_named(field, named, extend, ctrl),
        Key::Char(_) | Key::Function(_) | Key::Modifier(_) => {}
    }
    let copied = clip.is_some();
    (clip.unwrap_or_else(|| clipboard.to_owned()), copied)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most named keys do nothing in a field")]
fn edit_named(field: &mut Field, key: NamedKey, extend: bool, ctrl: bool) {
    let (line, column) = field.position();
    match key {
        NamedKey::Backspace => field.backspace(),
        NamedKey::Delete => field.delete(),
        NamedKey::Left => field.left(extend),
        NamedKey::Right => field.right(extend),
        NamedKey::Home if ctrl => field.go(0, extend),
        NamedKey::End if ctrl => field.go(field.end(), extend),
        NamedKey::Home => field.go(field.index_of(line, 0), extend),
        NamedKey::End => field.go(field.index_of(line, usize::MAX), extend),
        NamedKey::Up if line > 0 => field.go(field.index_of(line - 1, column), extend),
        NamedKey::Down => field.go(field.index_of(line + 1, column), extend),
        NamedKey::Space => field.insert(" "),
        _ => {}
    }
}
