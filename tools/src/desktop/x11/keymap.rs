//! Which key, with which modifiers, makes a character on the keyboard as it is set up now. A
//! character that no key makes is put on a spare key; all that a text needs are put there in one go
//! and stay, because every change of the mapping makes the window manager and each program read it anew.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, Keycode, Keysym};

use super::link::{During, Link};
use super::ping;
use super::release::Held;
use super::spare_keys::{self, Pair};
use crate::desktop::DesktopError;
use crate::key::{Key, Modifier, NamedKey};

const WHAT: &str = "reading the keyboard's mapping";
/// The key that reaches the third level, AltGr on many keyboards.
const LEVEL_3: Keysym = 0xfe03;
/// The symbol of a character by its number is this much more than the number.
const UNICODE: Keysym = 0x0100_0000;
/// Spare keys left alone for other programs.
const LEFT_ALONE: usize = 1;
/// After this time every program has read what was typed.
const READ: Duration = Duration::from_secs(1);
/// The columns of the first layout, with the modifiers that reach them.
const COLUMNS: [(usize, bool, bool); 4] =
    [(0, false, false), (1, true, false), (4, false, true), (5, true, true)];

/// One key and the modifiers that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) code: Keycode,
    pub(super) shift: bool,
    pub(super) level3: bool,
}

#[derive(Debug)]
struct Spare {
    code: Keycode,
    /// What we put on it; zeros when it is empty.
    pair: Pair,
    /// When it was last wanted, counted in bindings.
    used: u64,
}

/// The mapping as it was when last read.
#[derive(Debug, Default)]
pub(super) struct Keymap {
    read: bool,
    strokes: HashMap<Keysym, Stroke>,
    characters: HashMap<char, Stroke>,
    spares: Vec<Spare>,
    turn: u64,
    /// When keys were last sent whose meaning we have changed, and to which window.
    typed: Option<(Instant, u32)>,
    /// The window whose program does not say whether it has read its keys.
    mute: Option<u32>,
}

impl Keymap {
    /// Reads the mapping if it is not known or has changed.
    pub(super) fn refresh(&mut self, link: &Link) -> Result<(), DesktopError> {
        link.attend()?;
        if link.keyboard_changed() || !self.read {
            let setup = link.wire.setup();
            let (first, last) = (setup.min_keycode, setup.max_keycode);
            let reply = link
                .wire
                .get_keyboard_mapping(first, last.saturating_sub(first).saturating_add(1))
                .during(WHAT)?
                .reply()
                .during(WHAT)?;
            self.take(first, usize::from(reply.keysyms_per_keycode), &reply.keysyms);
            self.read = true;
        }
        Ok(())
    }

    fn take(&mut self, first: Keycode, columns: usize, symbols: &[Keysym]) {
        let ours: HashMap<Keycode, (Pair, u64)> =
            self.spares.iter().map(|spare| (spare.code, (spare.pair, spare.used))).collect();
        (self.strokes, self.characters, self.spares) = Default::default();
        let keys: Vec<(Keycode, &[Keysym])> =
            (first..=Keycode::MAX).zip(symbols.chunks(columns.max(1))).collect();
        for (code, row) in &keys {
            let kept = ours.get(code).filter(|(pair, _)| *pair != [0, 0] && row.starts_with(pair));
            // Keycode 8 becomes 0 in the kernel's count, which many programs take for no key at all.
            if *code > 8 && (kept.is_some() || row.iter().all(|symbol| *symbol == 0)) {
                let (pair, used) = kept.copied().unwrap_or_default();
                self.spares.push(Spare { code: *code, pair, used });
            }
        }
        for (column, shift, level3) in COLUMNS {
            for (code, row) in &keys {
                if let Some(symbol) = row.get(column).filter(|symbol| **symbol != 0) {
                    self.learn(*symbol, Stroke { code: *code, shift, level3 });
                }
            }
        }
        if !self.strokes.contains_key(&LEVEL_3) {
            self.strokes.retain(|_, stroke| !stroke.level3);
            self.characters.retain(|_, stroke| !stroke.level3);
        }
        let usable = self.spares.len().saturating_sub(LEFT_ALONE);
        self.spares.truncate(usable);
    }

    fn learn(&mut self, symbol: Keysym, stroke: Stroke) {
        self.strokes.entry(symbol).or_insert(stroke);
        let keysym = xkeysym::Keysym::new(symbol);
        // What the keypad makes depends on Num Lock; Linefeed and the like are keys and no characters.
        let character = keysym.key_char().filter(|c| !c.is_control() && !keysym.is_keypad_key());
        if let Some(character) = character {
            self.characters.entry(character).or_insert(stroke);
        }
    }

    /// The key that makes `character`, if there is one now.
    pub(super) fn character(&self, character: char) -> Option<Stroke> {
        self.characters.get(&character).copied()
    }

    /// The key with that symbol, if there is one now.
    pub(super) fn symbol(&self, symbol: Keysym) -> Option<Stroke> {
        self.strokes.get(&symbol).copied()
    }

    /// The key for the third level.
    pub(super) fn level3(&self) -> Option<Keycode> {
        self.symbol(LEVEL_3).map(|stroke| stroke.code)
    }

    /// Whether a stroke is none at all or one of a spare key.
    pub(super) fn is_foreign(&self, stroke: Option<Stroke>) -> bool {
        stroke.is_none_or(|stroke| self.spares.iter().any(|spare| spare.code == stroke.code))
    }

    /// As many characters as can be on spare keys at once.
    pub(super) fn room(&self) -> usize {
        self.spares.len() * 2
    }

    /// Notes that keys were sent to this window whose meaning we have changed.
    pub(super) fn spares_were_used(&mut self, window: u32) {
        self.typed = Some((Instant::now(), window));
    }

    /// As long as spare keys should still keep their meaning: a program reads the meaning of a key
    /// when it gets to it, not when it was pressed.
    fn unread(&self) -> Option<(Duration, u32)> {
        let (when, window) = self.typed?;
        READ.checked_sub(when.elapsed()).map(|time| (time, window))
    }

    /// Waits until spare keys may lose their meaning. Blocks; for the end, where nothing is awaited.
    pub(super) fn wait_until_read(&self, link: &Link) {
        if let Some((time, window)) = self.unread()
            && let Err(fault) = ping::wait_at_the_end(link, window, self.mute, time)
        {
            tracing::debug!(%fault, "what was typed last may not have been read");
        }
    }

    /// Puts symbols that no key makes on spare keys, the least recently wanted ones first. Returns
    /// once the program that has the keyboard has heard of it.
    pub(super) async fn bind(
        &mut self,
        link: &Link,
        held: &Held,
        wanted: &[Keysym],
    ) -> Result<(), DesktopError> {
        let what = "putting characters on spare keys";
        self.turn += 1;
        for spare in &mut self.spares {
            if spare.pair.iter().any(|symbol| wanted.contains(symbol)) {
                spare.used = self.turn;
            }
        }
        let mut missing: Vec<Keysym> =
            wanted.iter().copied().filter(|symbol| !self.strokes.contains_key(symbol)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if wanted.len() > self.room() {
            return Err(DesktopError::failed(what, "the keyboard has too few spare keys"));
        }
        if let Some((_, window)) = self.unread() {
            ping::wait(link, window, &mut self.mute).await?;
        }
        let free = self.spares.iter().filter(|spare| spare.used < self.turn).count();
        if missing.len().div_ceil(2) > free {
            // Half used keys take up too much room: all are filled anew.
            self.spares.iter_mut().for_each(|spare| spare.used = 0);
            missing = wanted.to_vec();
        }
        self.spares.sort_by_key(|spare| spare.used);
        let mut changed: Vec<(Keycode, Pair)> = Vec::new();
        for (spare, symbols) in self.spares.iter_mut().zip(missing.chunks(2)) {
            let pair = match symbols {
                [plain, shifted] => [*plain, *shifted],
                symbols => [symbols.first().copied().unwrap_or_default(); 2],
            };
            (spare.pair, spare.used) = (pair, self.turn);
            changed.push((spare.code, pair));
        }
        let stays = |stroke: &Stroke| !changed.iter().any(|(code, _)| *code == stroke.code);
        self.strokes.retain(|_, stroke| stays(stroke));
        self.characters.retain(|_, stroke| stays(stroke));
        held.binds(&changed.iter().map(|(code, _)| *code).collect::<Vec<_>>());
        spare_keys::set(&link.wire, &changed).during(what)?;
        // A browser hears of the new meaning on one connection and of its keys on another.
        let window = ping::window_with_keyboard(link)?;
        ping::wait_for_answer(link, window, &mut self.mute).await?;
        for (code, [plain, shifted]) in changed {
            self.learn(plain, Stroke { code, shift: false, level3: false });
            self.learn(shifted, Stroke { code, shift: true, level3: false });
        }
        Ok(())
    }
}

/// The symbol that makes `character`; `None` for what is no character to type. Beyond Latin-1 it is
/// the symbol that holds the character's number: the older ones are read differently by different
/// programs, and a few by none.
pub(super) fn symbol_of(character: char) -> Option<Keysym> {
    match character {
        '\n' => Some(xkeysym::key::Return),
        '\t' => Some(xkeysym::key::Tab),
        character if character.is_control() => None,
        '\0'..='\u{ff}' => Some(character.into()),
        character => Some(UNICODE + u32::from(character)),
    }
}

/// The symbol of a key with a name, or of a modifier.
pub(super) fn symbol_of_key(key: Key) -> Option<Keysym> {
    use xkeysym::key;
    Some(match key {
        Key::Char(character) => symbol_of(character)?,
        Key::Function(n @ 1..=24) => key::F1 + u32::from(n) - 1,
        Key::Function(_) => return None,
        Key::Modifier(Modifier::Ctrl) => key::Control_L,
        Key::Modifier(Modifier::Shift) => key::Shift_L,
        Key::Modifier(Modifier::Alt) => key::Alt_L,
        Key::Modifier(Modifier::Super) => key::Super_L,
        Key::Named(named) => symbol_of_name(named),
    })
}

const fn symbol_of_name(named: NamedKey) -> Keysym {
    use xkeysym::key;
    match named {
        NamedKey::Enter => key::Return,
        NamedKey::Tab => key::Tab,
        NamedKey::Escape => key::Escape,
        NamedKey::Backspace => key::BackSpace,
        NamedKey::Delete => key::Delete,
        NamedKey::Insert => key::Insert,
        NamedKey::Space => key::space,
        NamedKey::Up => key::Up,
        NamedKey::Down => key::Down,
        NamedKey::Left => key::Left,
        NamedKey::Right => key::Right,
        NamedKey::Home => key::Home,
        NamedKey::End => key::End,
        NamedKey::PageUp => key::Page_Up,
        NamedKey::PageDown => key::Page_Down,
        NamedKey::Menu => key::Menu,
        NamedKey::CapsLock => key::Caps_Lock,
        NamedKey::NumLock => key::Num_Lock,
        NamedKey::ScrollLock => key::Scroll_Lock,
        NamedKey::PrintScreen => key::Print,
        NamedKey::Pause => key::Pause,
        NamedKey::KpEnter => key::KP_Enter,
        NamedKey::KpAdd => key::KP_Add,
        NamedKey::KpSubtract => key::KP_Subtract,
        NamedKey::KpMultiply => key::KP_Multiply,
        NamedKey::KpDivide => key::KP_Divide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keycode 9 makes a and A, 10 makes 7, { (AltGr) and nothing else, 11 is AltGr, 12 to 14 are spare.
    fn small() -> Keymap {
        let mut keymap = Keymap::default();
        let row = |symbols: [u32; 6]| symbols;
        let symbols = [
            row([0x61, 0x41, 0, 0, 0, 0]),
            row([0x37, 0x2f, 0, 0, 0x7b, 0]),
            row([LEVEL_3, 0, 0, 0, 0, 0]),
            row([0; 6]),
            row([0; 6]),
            row([0; 6]),
        ];
        keymap.take(9, 6, &symbols.concat());
        keymap
    }

    #[test]
    fn characters_are_found_on_every_level() {
        let keymap = small();
        for (character, want) in [
            ('a', Some((9, false, false))),
            ('A', Some((9, true, false))),
            ('/', Some((10, true, false))),
            ('{', Some((10, false, true))),
            ('é', None),
        ] {
            let stroke = keymap.character(character).map(|s| (s.code, s.shift, s.level3));
            assert_eq!(stroke, want, "{character}");
        }
        assert_eq!(keymap.room(), 4, "one spare key is left to others");
    }

    #[test]
    fn every_key_has_a_symbol_and_control_characters_have_none() {
        assert!(NamedKey::ALL.iter().all(|named| symbol_of_key(Key::Named(*named)).is_some()));
        assert_eq!(symbol_of_key(Key::Function(24)), Some(xkeysym::key::F24));
        assert_eq!(symbol_of('\u{1b}'), None);
        assert_eq!(symbol_of('\u{8}'), None);
        assert_eq!(symbol_of('é'), Some(0xe9));
        assert_eq!(symbol_of('中'), Some(0x0100_4e2d));
        assert_eq!(symbol_of('≡'), Some(0x0100_2261), "and not the older 0x8cf, which xterm drops");
    }
}
