//! Typing. Each character is a key of the keyboard as it is set up, with Shift or AltGr; what no key
//! makes goes on spare keys, all that fit at once. The keys are sent in small lots and nothing is
//! held down between two lots, so typing can be broken off anywhere.

use std::collections::HashSet;

use x11rb::protocol::xproto::{KEY_PRESS_EVENT, KEY_RELEASE_EVENT, Keycode, Keysym};
use x11rb::protocol::xtest::ConnectionExt as _;

use super::keyboard;
use super::keymap::{self, Keymap, Stroke};
use super::link::{During, Link};
use super::locks;
use super::ping;
use super::release::{self, Held};
use crate::desktop::DesktopError;

const WHAT: &str = "typing";
/// Keys sent before the server is waited for.
const LOT: usize = 16;
/// A longer text is a mistake.
const LONGEST: usize = 100_000;

/// Types `text` into whatever has the keyboard.
pub(super) async fn write(
    link: &Link,
    held: &Held,
    keymap: &mut Keymap,
    text: &str,
) -> Result<(), DesktopError> {
    let text: Vec<(char, Keysym)> = symbols(text)?;
    let alarm = release::alarm();
    let _aside = locks::put_aside(link)?;
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        keymap.refresh(link)?;
        let (batch, later) = rest.split_at(batch(rest, keymap));
        let foreign = foreign(batch, keymap);
        keymap.bind(link, held, &foreign).await?;
        let window = ping::window_with_keyboard(link)?;
        let strokes: Option<Vec<Stroke>> = batch.iter().map(|one| stroke(keymap, *one)).collect();
        let strokes = strokes
            .ok_or_else(|| DesktopError::failed(WHAT, "the keyboard changed meanwhile; try again"))?;
        for lot in strokes.chunks(LOT) {
            if release::alarm() != alarm {
                return Err(DesktopError::failed(WHAT, "it was broken off"));
            }
            send(link, held, keymap, lot)?;
            tokio::task::yield_now().await;
        }
        if !foreign.is_empty() {
            keymap.spares_were_used(window);
        }
        rest = later;
    }
    Ok(())
}

fn symbols(text: &str) -> Result<Vec<(char, Keysym)>, DesktopError> {
    if text.chars().count() > LONGEST {
        return Err(DesktopError::failed(WHAT, format!("the text is longer than {LONGEST} characters")));
    }
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .map(|character| {
            keymap::symbol_of(character).map(|symbol| (character, symbol)).ok_or_else(|| {
                let code = u32::from(character);
                DesktopError::failed(WHAT, format!("U+{code:04X} is no character that can be typed"))
            })
        })
        .collect()
}

fn stroke(keymap: &Keymap, (character, symbol): (char, Keysym)) -> Option<Stroke> {
    keymap.character(character).or_else(|| keymap.symbol(symbol))
}

/// The symbols on spare keys that these characters need, whether they are there yet or not.
fn foreign(text: &[(char, Keysym)], keymap: &Keymap) -> Vec<Keysym> {
    let mut seen = HashSet::new();
    text.iter()
        .filter(|one| keymap.is_foreign(stroke(keymap, **one)))
        .map(|(_, symbol)| *symbol)
        .filter(|symbol| seen.insert(*symbol))
        .collect()
}

/// How many characters can be typed before spare keys must change their meaning.
fn batch(text: &[(char, Keysym)], keymap: &Keymap) -> usize {
    let mut seen = HashSet::new();
    let room = keymap.room().max(1);
    text.iter()
        .position(|one| {
            let foreign = keymap.is_foreign(stroke(keymap, *one));
            foreign && seen.insert(one.1) && seen.len() > room
        })
        .unwrap_or(text.len())
}

fn send(link: &Link, held: &Held, keymap: &Keymap, lot: &[Stroke]) -> Result<(), DesktopError> {
    let modifiers = [keyboard::shift(keymap), keymap.level3()];
    let mut down = [false; 2];
    for stroke in lot {
        shape(link, held, modifiers, &mut down, [stroke.shift, stroke.level3])?;
        held.key_down(stroke.code);
        fake(link, KEY_PRESS_EVENT, stroke.code)?;
        fake(link, KEY_RELEASE_EVENT, stroke.code)?;
        held.key_up(stroke.code);
    }
    shape(link, held, modifiers, &mut down, [false; 2])?;
    link.sync()
}

/// Presses and lets go of modifiers until they are as wanted.
fn shape(
    link: &Link,
    held: &Held,
    modifiers: [Option<Keycode>; 2],
    down: &mut [bool; 2],
    wanted: [bool; 2],
) -> Result<(), DesktopError> {
    for ((code, down), wanted) in modifiers.into_iter().zip(down).zip(wanted) {
        if *down == wanted {
            continue;
        }
        let code = code.ok_or_else(|| DesktopError::failed(WHAT, "the keyboard has no Shift key"))?;
        if wanted {
            held.key_down(code);
            fake(link, KEY_PRESS_EVENT, code)?;
        } else {
            fake(link, KEY_RELEASE_EVENT, code)?;
            held.key_up(code);
        }
        *down = wanted;
    }
    Ok(())
}

fn fake(link: &Link, kind: u8, code: Keycode) -> Result<(), DesktopError> {
    link.wire.xtest_fake_input(kind, code, x11rb::CURRENT_TIME, link.root, 0, 0, 0).during(WHAT)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_not_typed() {
        assert!(symbols("a\u{1b}[31m").is_err());
        assert!(symbols("\u{8}").is_err());
        let line: Vec<char> = symbols("a\r\nb\rc\td").unwrap().iter().map(|one| one.0).collect();
        assert_eq!(line, ['a', '\n', 'b', '\n', 'c', '\t', 'd']);
        assert!(symbols(&"a".repeat(LONGEST + 1)).is_err());
    }
}
