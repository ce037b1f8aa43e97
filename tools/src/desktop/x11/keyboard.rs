//! Chords and single keys, by the names of [`crate::key`]. A letter in a chord with Ctrl, Alt or
//! Super is the key and not the capital: `ctrl+L` presses Shift only if the chord names it.

use enigo::Direction;
use x11rb::protocol::xproto::{Keycode, Keysym};

use super::hands::Hands;
use super::keymap::{self, Keymap, Stroke};
use super::link::Link;
use super::locks;
use super::ping;
use crate::desktop::DesktopError;
use crate::key::{Chord, Key, Modifier};

/// The keys that were pressed and not yet let go.
#[derive(Debug, Default)]
pub(super) struct Pressed(Vec<(Key, Vec<Keycode>)>);

impl Pressed {
    /// Presses a key and keeps it down, with the modifiers that it needs.
    pub(super) async fn down(
        &mut self,
        link: &Link,
        hands: &mut Hands,
        keymap: &mut Keymap,
        key: Key,
    ) -> Result<(), DesktopError> {
        link.sync()?;
        let codes = codes(link, hands, keymap, &[key]).await?;
        for code in &codes {
            hands.key(link, *code, Direction::Press)?;
        }
        self.0.push((key, codes));
        Ok(())
    }

    /// Lets a key go that was pressed with [`Pressed::down`]; one that is not down stays as it is.
    pub(super) fn up(&mut self, link: &Link, hands: &mut Hands, key: Key) -> Result<(), DesktopError> {
        link.sync()?;
        let Some(at) = self.0.iter().rposition(|(held, _)| *held == key) else { return Ok(()) };
        let (_, codes) = self.0.remove(at);
        codes.iter().rev().try_for_each(|code| hands.key(link, *code, Direction::Release))
    }

    /// Nothing is down any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Presses a chord and lets it go in reverse.
pub(super) async fn tap(
    link: &Link,
    hands: &mut Hands,
    keymap: &mut Keymap,
    chord: &Chord,
) -> Result<(), DesktopError> {
    link.sync()?;
    let mut keys: Vec<Key> = chord.modifiers.iter().map(|modifier| Key::Modifier(*modifier)).collect();
    keys.push(bare(chord));
    let codes = codes(link, hands, keymap, &keys).await?;
    // Caps Lock itself must reach the keyboard as it is.
    let aside = if matches!(chord.key, Key::Char(_)) { locks::put_aside(link)? } else { None };
    let mut pressed = Ok(());
    let mut down = 0;
    for code in &codes {
        pressed = hands.key(link, *code, Direction::Press);
        down += 1;
        if pressed.is_err() {
            break;
        }
    }
    for code in codes.iter().take(down).rev() {
        hands.key(link, *code, Direction::Release)?;
    }
    drop(aside);
    pressed?;
    link.sync()
}

/// The key of the chord, with a letter made small where the capital is not meant.
fn bare(chord: &Chord) -> Key {
    let Key::Char(letter) = chord.key else { return chord.key };
    let mut small = letter.to_lowercase();
    match (small.next(), small.next()) {
        (Some(small), None) if !chord.modifiers.is_empty() => Key::Char(small),
        _ => chord.key,
    }
}

/// The keys to press, in this order, each once.
async fn codes(
    link: &Link,
    hands: &Hands,
    keymap: &mut Keymap,
    keys: &[Key],
) -> Result<Vec<Keycode>, DesktopError> {
    keymap.refresh(link)?;
    let missing =
        |key: Key| DesktopError::failed("pressing a key", format!("the keyboard has no key `{key}`"));
    let mut codes: Vec<Keycode> = Vec::new();
    for key in keys {
        let symbol = keymap::symbol_of_key(*key).ok_or_else(|| missing(*key))?;
        let found = find(keymap, *key, symbol);
        if keymap.is_foreign(found) {
            // On a spare key a modifier would not modify anything.
            if matches!(key, Key::Modifier(_)) {
                return Err(missing(*key));
            }
            keymap.bind(link, hands.held(), &[symbol]).await?;
            keymap.spares_were_used(ping::window_with_keyboard(link)?);
        }
        let stroke = find(keymap, *key, symbol).ok_or_else(|| missing(*key))?;
        let shift = if stroke.shift { shift(keymap) } else { None };
        let level3 = if stroke.level3 { keymap.level3() } else { None };
        for code in shift.into_iter().chain(level3).chain([stroke.code]) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    Ok(codes)
}

/// The key that shifts.
pub(super) fn shift(keymap: &Keymap) -> Option<Keycode> {
    let symbol = keymap::symbol_of_key(Key::Modifier(Modifier::Shift))?;
    keymap.symbol(symbol).map(|stroke| stroke.code)
}

fn find(keymap: &Keymap, key: Key, symbol: Keysym) -> Option<Stroke> {
    if let Key::Char(character) = key {
        return keymap.character(character).or_else(|| keymap.symbol(symbol));
    }
    // A modifier or a key with a name must be reached without another modifier.
    keymap.symbol(symbol).filter(|stroke| !stroke.shift && !stroke.level3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_chords_are_small() {
        for (text, want) in [
            ("ctrl+L", Key::Char('l')),
            ("ctrl+shift+L", Key::Char('l')),
            ("L", Key::Char('L')),
            ("ctrl++", Key::Char('+')),
            ("alt+ß", Key::Char('ß')),
        ] {
            assert_eq!(bare(&text.parse().unwrap()), want, "{text}");
        }
    }
}
