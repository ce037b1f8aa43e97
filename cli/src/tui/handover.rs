//! The person's mouse and keyboard, put through to a display that they see only here, while they have taken it
//! over. Every key is meant for the display then, so only one is kept back: the one that gives it back.

use freehand_agent::supervision::Hub;
use freehand_tools::action::Button;
use freehand_tools::geometry::ScreenPoint;
use ratatui::crossterm::event::{
    DisableMouseCapture, EnableMouseCapture, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use ratatui::crossterm::execute;

use crate::console::{Hands, Touch};

/// The key that gives mouse and keyboard back, as the hints name it.
pub(super) const BACK: &str = "ctrl+g";

/// The way through, and whether the terminal tells of the mouse.
pub(super) struct Handover {
    hands: Hands,
    open: bool,
}

impl Handover {
    pub(super) fn to(display: String, hub: &Hub) -> Self {
        Self { hands: Hands::on(display, hub.clone()), open: false }
    }

    /// Opens or closes the way, as the person has the desktop or not.
    pub(super) fn set(&mut self, open: bool) -> std::io::Result<()> {
        if open == self.open {
            return Ok(());
        }
        self.open = open;
        if open {
            return execute!(std::io::stdout(), EnableMouseCapture);
        }
        self.hands.let_go();
        execute!(std::io::stdout(), DisableMouseCapture)
    }

    /// Whether what is pressed goes to the display.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn key(&self, key: KeyEvent) {
        if let Some(touch) = of_key(key) {
            self.hands.touch(touch);
        }
    }

    pub(super) fn paste(&self, text: &str) {
        self.hands.touch(Touch::Text { text: text.to_owned() });
    }

    /// The mouse was used over that pixel of the screen.
    pub(super) fn mouse(&self, event: MouseEvent, at: ScreenPoint) {
        let ScreenPoint { x, y, .. } = at;
        let button = |button| match button {
            MouseButton::Left => Button::Left,
            MouseButton::Right => Button::Right,
            MouseButton::Middle => Button::Middle,
        };
        self.hands.touch(match event.kind {
            MouseEventKind::Down(which) => Touch::Down { x, y, button: button(which) },
            MouseEventKind::Up(which) => Touch::Up { x, y, button: button(which) },
            MouseEventKind::Drag(_) | MouseEventKind::Moved => Touch::Move { x, y },
            MouseEventKind::ScrollUp => Touch::Scroll { dx: 0, dy: -1 },
            MouseEventKind::ScrollDown => Touch::Scroll { dx: 0, dy: 1 },
            MouseEventKind::ScrollLeft => Touch::Scroll { dx: -1, dy: 0 },
            MouseEventKind::ScrollRight => Touch::Scroll { dx: 1, dy: 0 },
        });
    }
}

/// Whether the key gives mouse and keyboard back.
pub(super) fn gives_back(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('g' | 'G'))
}

/// What a key of the terminal is on the display; `None` for what no keyboard there has.
#[expect(clippy::wildcard_enum_match_arm, reason = "media keys and the like are not put through")]
fn of_key(KeyEvent { code, modifiers, .. }: KeyEvent) -> Option<Touch> {
    let chord = modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER);
    let name = match code {
        KeyCode::Char(letter) if !chord => return Some(Touch::Text { text: letter.to_string() }),
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(letter) => letter.to_lowercase().to_string(),
        KeyCode::F(number) => format!("f{number}"),
        KeyCode::Enter => "enter".into(),
        KeyCode::Esc => "escape".into(),
        KeyCode::Tab | KeyCode::BackTab => "tab".into(),
        KeyCode::Backspace => "backspace".into(),
        KeyCode::Delete => "delete".into(),
        KeyCode::Insert => "insert".into(),
        KeyCode::Left => "left".into(),
        KeyCode::Right => "right".into(),
        KeyCode::Up => "up".into(),
        KeyCode::Down => "down".into(),
        KeyCode::Home => "home".into(),
        KeyCode::End => "end".into(),
        KeyCode::PageUp => "pageup".into(),
        KeyCode::PageDown => "pagedown".into(),
        _ => return None,
    };
    let shifted = modifiers.contains(KeyModifiers::SHIFT) || code == KeyCode::BackTab;
    let held = [
        (modifiers.contains(KeyModifiers::CONTROL), "ctrl+"),
        (modifiers.contains(KeyModifiers::ALT), "alt+"),
        (modifiers.contains(KeyModifiers::SUPER), "super+"),
        (shifted, "shift+"),
    ];
    let held: String = held.into_iter().filter_map(|(held, name)| held.then_some(name)).collect();
    Some(Touch::Chord { keys: held + &name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_they_are_on_the_display() {
        let (none, control, shift) = (KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::SHIFT);
        for (code, modifiers, want) in [
            (KeyCode::Char('é'), none, "é"),
            (KeyCode::Char('A'), shift, "A"),
            (KeyCode::Char('a'), control, "ctrl+a"),
            (KeyCode::BackTab, shift, "shift+tab"),
            (KeyCode::F(5), none, "f5"),
            (KeyCode::Right, control.union(shift), "ctrl+shift+right"),
            (KeyCode::Char(' '), control, "ctrl+space"),
        ] {
            let put = match of_key(KeyEvent::new(code, modifiers)) {
                Some(Touch::Text { text }) => text,
                Some(Touch::Chord { keys }) => {
                    keys.parse::<freehand_tools::key::Chord>().unwrap();
                    keys
                }
                other => panic!("{code:?}: {other:?}"),
            };
            assert_eq!(put, want);
        }
        assert!(of_key(KeyEvent::new(KeyCode::CapsLock, none)).is_none());
        assert!(gives_back(KeyEvent::new(KeyCode::Char('g'), control)));
    }
}
