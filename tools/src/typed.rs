//! What was typed into each window and not entered yet. A command that comes in several parts, or with
//! its Return in a step of its own, is judged as the line that it is.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::action::{Action, ActionKind, Button};
use crate::element::WindowId;
use crate::key::{Chord, Key, Modifier, NamedKey};
use crate::setting::Entered;

/// Bytes of a line that are remembered; what is longer is not sure.
const LONGEST: usize = 32 * 1024;

/// Whether a permit was used. The gate holds one end, the permit the other.
pub(crate) type Used = Arc<AtomicBool>;

/// A line that stands at a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    text: String,
    unsure: bool,
}

/// What an allowed action leaves behind once it is done.
#[derive(Debug)]
struct Coming {
    used: Used,
    window: Option<(WindowId, Line)>,
    clipboard: Option<String>,
}

/// The lines of all windows, and the text that the agent has put on the clipboard.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    lines: BTreeMap<WindowId, Line>,
    clipboard: Option<String>,
    coming: Vec<Coming>,
}

impl Typed {
    /// The lines that `action` would enter.
    pub(crate) fn entered(&mut self, action: &Action) -> Option<Entered> {
        self.catch_up();
        self.after(action).and_then(|(_, entered)| entered)
    }

    /// What stands on the line that `action` goes on with.
    pub(crate) fn begun(&mut self, action: &Action) -> Option<String> {
        self.catch_up();
        let target = Some(&action.target).filter(|target| !target.is_protected())?;
        let line = self.lines.get(&target.window.as_ref()?.id)?;
        (!line.text.is_empty()).then(|| line.text.clone())
    }

    /// Remembers an action that is allowed; it counts once its permit is used.
    pub(crate) fn expect(&mut self, action: &Action, used: Used) {
        let window = self.after(action).map(|(line, _)| line);
        let mut clipboard = None;
        if let ActionKind::WriteClipboard { text } = &action.kind {
            clipboard = Some(text.clone());
        }
        if window.is_some() || clipboard.is_some() {
            self.coming.push(Coming { used, window, clipboard });
        }
    }

    fn catch_up(&mut self) {
        for Coming { used, window, clipboard } in take(&mut self.coming) {
            let done = used.load(Ordering::SeqCst);
            // A permit that is still about may be used at any moment.
            let open = !done && Arc::strong_count(&used) > 1;
            if let Some((id, mut line)) = window.filter(|_| done || open) {
                line.unsure |= open;
                self.lines.insert(id, line);
            }
            if let Some(text) = clipboard.filter(|_| done || open) {
                self.clipboard = done.then_some(text);
            }
        }
    }

    /// How the line of the action's window would stand, and what would be entered on the way.
    fn after(&self, action: &Action) -> Option<((WindowId, Line), Option<Entered>)> {
        // A secret is no command, and is remembered nowhere.
        let target = Some(&action.target).filter(|target| !target.is_protected())?;
        let window = target.window.as_ref()?.id;
        let mut line = self.lines.get(&window).cloned().unwrap_or_default();
        let mut entered = None;
        match &action.kind {
            ActionKind::TypeText { text, submit, clear } => {
                line.unsure |= *clear && !line.text.is_empty();
                line.text(text, &mut entered);
                if *submit {
                    line.enter(&mut entered);
                }
            }
            ActionKind::PressKeys { keys, times, .. } => {
                for chord in (0..*times).flat_map(|_| keys.chords()) {
                    line.chord(chord, self.clipboard.as_deref(), &mut entered);
                }
            }
            ActionKind::Click { button: Button::Middle, .. } | ActionKind::Drag { .. } => {
                line.unsure = true;
            }
            ActionKind::Click { .. }
            | ActionKind::Move
            | ActionKind::Scroll { .. }
            | ActionKind::SelectOption { .. }
            | ActionKind::Wait { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::OpenApp { .. }
            | ActionKind::OpenUrl { .. }
            | ActionKind::FocusWindow
            | ActionKind::ReadClipboard
            | ActionKind::WriteClipboard { .. }
            | ActionKind::Note { .. }
            | ActionKind::AskUser { .. }
            | ActionKind::Finish { .. } => return None,
        }
        Some(((window, line), entered))
    }
}

impl Line {
    fn push(&mut self, c: char) {
        if self.text.len() < LONGEST {
            self.text.push(c);
        } else {
            self.unsure = true;
        }
    }

    fn text(&mut self, text: &str, entered: &mut Option<Entered>) {
        for c in text.chars() {
            match c {
                '\n' | '\r' => self.enter(entered),
                c => {
                    // A tab completes, and others do what nobody sees.
                    self.unsure |= c.is_control();
                    self.push(c);
                }
            }
        }
    }

    fn enter(&mut self, entered: &mut Option<Entered>) {
        let Self { text, unsure } = take(self);
        match entered {
            None => *entered = Some(Entered { text, unsure }),
            Some(before) => {
                before.text.push('\n');
                before.text.push_str(&text);
                before.unsure |= unsure;
            }
        }
    }

    fn chord(&mut self, chord: &Chord, clipboard: Option<&str>, entered: &mut Option<Entered>) {
        match (chord.modifiers.as_slice(), chord.key) {
            (_, Key::Modifier(_)) => {}
            ([], Key::Char(c)) => self.push(c),
            ([Modifier::Shift], Key::Char(c)) if c.is_alphabetic() => {
                c.to_uppercase().for_each(|c| self.push(c));
            }
            ([], Key::Named(NamedKey::Space)) => self.push(' '),
            (_, Key::Named(NamedKey::Enter | NamedKey::KpEnter))
            | ([Modifier::Ctrl], Key::Char('j' | 'J' | 'm' | 'M')) => self.enter(entered),
            ([], Key::Named(NamedKey::Backspace)) => {
                self.unsure |= self.text.pop().is_none();
            }
            ([Modifier::Ctrl], Key::Char('c' | 'C')) => *self = Self::default(),
            ([Modifier::Ctrl, Modifier::Shift], Key::Char('v' | 'V'))
            | ([Modifier::Shift], Key::Named(NamedKey::Insert)) => {
                // Another program may have put something else there since.
                self.unsure = true;
                self.text(clipboard.unwrap_or_default(), entered);
            }
            // Enters what stands there and fetches the next line from the history.
            ([Modifier::Ctrl], Key::Char('o' | 'O')) => {
                self.enter(entered);
                self.unsure = true;
            }
            _ => self.unsure = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::action::{Basis, EffectClass, Target, TargetElement, TargetWindow};
    use crate::call::ToolCall;
    use crate::element::{ElementId, ElementKey, Role, Source};
    use crate::geometry::Rect;
    use crate::observation::ObservationId;
    use crate::setting::Setting;

    fn line(keys: &[&str], clipboard: Option<&str>) -> (Line, Option<Entered>) {
        let (mut line, mut entered) = (Line::default(), None);
        for keys in keys {
            let keys: crate::key::KeySequence = keys.parse().unwrap();
            for chord in keys.chords() {
                line.chord(chord, clipboard, &mut entered);
            }
        }
        (line, entered)
    }

    #[test]
    fn keys_make_a_line() {
        for (keys, text, unsure) in [
            (&["l", "s", "enter"][..], Some("ls"), false),
            (&["r m space x", "ctrl+j"], Some("rm x"), false),
            (&["l s backspace", "enter"], Some("l"), false),
            (&["r m", "ctrl+c", "l s enter"], Some("ls"), false),
            (&["up", "enter"], Some(""), true),
            (&["l tab", "enter"], Some("l"), true),
            (&["backspace", "enter"], Some(""), true),
            (&["ctrl+shift+v", "enter"], Some("a;b"), true),
            (&["l s"], None, false),
        ] {
            let (_, entered) = line(keys, Some("a;b"));
            assert_eq!(entered.as_ref().map(|e| e.text.as_str()), text, "{keys:?}");
            assert_eq!(entered.is_some_and(|e| e.unsure), unsure, "{keys:?}");
        }
        let (_, unknown) = line(&["shift+insert", "enter"], None);
        assert!(unknown.unwrap().unsure);
    }

    fn in_window(id: u64, kind: ActionKind) -> Action {
        let window = TargetWindow { id: WindowId(id), app: "xterm".into(), title: "sh".into() };
        Action {
            call: ToolCall::new("test", json!({})),
            kind,
            target: Target { window: Some(window), ..Target::default() },
            effects: EffectClass::Input,
            summary: "a test".into(),
            basis: Basis {
                observation: ObservationId(1),
                frame: serde_json::from_value(json!("00".repeat(32))).unwrap(),
            },
            setting: Setting::default(),
        }
    }

    fn typing(id: u64, text: &str) -> Action {
        in_window(id, ActionKind::TypeText { text: text.into(), submit: false, clear: false })
    }

    fn pressing(id: u64) -> Action {
        let keys = "Return".parse().unwrap();
        in_window(id, ActionKind::PressKeys { keys, hold_ms: 0, times: 1 })
    }

    fn done() -> Used {
        Arc::new(AtomicBool::new(true))
    }

    #[test]
    fn a_line_in_parts_is_entered_whole_and_in_its_window_alone() {
        let mut typed = Typed::default();
        typed.expect(&typing(1, "r"), done());
        assert_eq!(typed.entered(&typing(1, "m x")), None);
        assert_eq!((typed.begun(&pressing(1)), typed.begun(&pressing(2))), (Some("r".into()), None));
        typed.expect(&typing(1, "m x"), done());
        assert_eq!(typed.entered(&pressing(2)), Some(Entered::default()));
        let whole = Entered { text: "rm x".into(), unsure: false };
        assert_eq!(typed.entered(&pressing(1)), Some(whole.clone()));
        typed.expect(&pressing(1), done());
        assert_eq!(typed.entered(&pressing(1)), Some(Entered::default()));
        let two = typed.entered(&typing(1, "a\nb\n")).unwrap();
        assert_eq!(two.text, "a\nb");
    }

    #[test]
    fn what_was_allowed_and_not_done_does_not_count() {
        let mut typed = Typed::default();
        typed.expect(&typing(1, "echo "), Used::default());
        typed.expect(&typing(1, "rm x"), done());
        assert_eq!(typed.entered(&pressing(1)).unwrap().text, "rm x");
    }

    #[test]
    fn what_may_still_be_done_leaves_the_line_unsure() {
        let mut typed = Typed::default();
        let open = Used::default();
        typed.expect(&typing(1, "echo "), Arc::clone(&open));
        assert!(typed.entered(&pressing(1)).unwrap().unsure);
    }

    #[test]
    fn a_secret_is_remembered_nowhere() {
        let mut secret = typing(1, "hunter2");
        secret.target.element = Some(TargetElement {
            id: ElementId(1),
            key: ElementKey("k".into()),
            role: Role::Password,
            name: "Password".into(),
            looks: None,
            within: None,
            source: Source::Accessibility,
            bounds: Rect::new(0, 0, 1, 1),
        });
        let mut typed = Typed::default();
        typed.expect(&secret, done());
        assert_eq!(typed.entered(&pressing(1)), Some(Entered::default()));
    }

    proptest! {
        #[test]
        fn text_is_the_same_in_any_parts(text in "[a-z \n]{0,20}", at in 0_usize..20) {
            let (before, after) = text.split_at(at.min(text.len()));
            let (mut whole, mut parts) = (Line::default(), Line::default());
            let (mut from_whole, mut from_parts) = (None, None);
            whole.text(&text, &mut from_whole);
            parts.text(before, &mut from_parts);
            parts.text(after, &mut from_parts);
            prop_assert_eq!((whole, from_whole), (parts, from_parts));
        }
    }
}
