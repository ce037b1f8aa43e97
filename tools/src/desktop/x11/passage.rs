//! The person's own mouse and keyboard, put through to a display from somewhere else. This is not the
//! agent's input: no model has a say in it, so no permit is asked for, and it is worth exactly as much
//! as the check of whoever opens it that a person has taken over. No tool and no part of the loop may
//! hold one; the decision behind it is ADR 0011.
//!
//! It goes through the same hands as the agent's, so that whatever is held down is known and let go.

use std::sync::Arc;

use enigo::Direction;

use super::hands::Hands;
use super::keyboard;
use super::keymap::Keymap;
use super::link::{Link, Place};
use super::pointer;
use super::release::Held;
use super::text;
use crate::action::Button;
use crate::desktop::DesktopError;
use crate::geometry::ScreenPoint;
use crate::key::Chord;

/// One act of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonalInput {
    /// The pointer goes there.
    Move(ScreenPoint),
    /// A button goes down there.
    Down(ScreenPoint, Button),
    /// A button comes up there.
    Up(ScreenPoint, Button),
    /// The wheel is turned: notches to the right, notches down.
    Scroll(i32, i32),
    /// A text is typed.
    Text(String),
    /// A chord is pressed and let go.
    Chord(Chord),
}

/// The way through to one display.
#[derive(Debug)]
pub struct Passage {
    link: Link,
    hands: Hands,
    keymap: Keymap,
}

impl Passage {
    /// Opens a way to `display`, a name as in `DISPLAY`.
    pub fn open(display: &str) -> Result<Self, DesktopError> {
        let link = Link::open(Place { name: display.to_owned(), cookie: None })?;
        let held = Held::on(link.place.clone());
        let hands = Hands::on(&link, held)?;
        Ok(Self { link, hands, keymap: Keymap::default() })
    }

    /// Does what the person does.
    pub async fn put_through(&mut self, input: PersonalInput) -> Result<(), DesktopError> {
        let Self { link, hands, keymap } = self;
        link.sync()?;
        match input {
            PersonalInput::Move(point) => hands.move_to(link, point),
            PersonalInput::Down(point, button) => {
                hands.move_to(link, point)?;
                pointer::press(link, hands, button, Direction::Press).await
            }
            PersonalInput::Up(point, button) => {
                hands.move_to(link, point)?;
                pointer::press(link, hands, button, Direction::Release).await
            }
            PersonalInput::Scroll(right, down) => hands.scroll(link, right, down),
            PersonalInput::Text(words) => {
                let held = Arc::clone(hands.held());
                text::write(link, &held, keymap, &words).await
            }
            PersonalInput::Chord(chord) => keyboard::tap(link, hands, keymap, &chord).await,
        }
    }

    /// Lets go of everything that the person holds down.
    pub fn let_go(&self) {
        self.hands.held().let_go(&self.link.wire, self.link.root);
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.let_go();
        self.keymap.wait_until_read(&self.link);
        self.hands.held().unbind(&self.link.wire);
    }
}
