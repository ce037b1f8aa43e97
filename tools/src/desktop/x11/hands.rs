//! enigo's connection for single keys, buttons and the wheel, with a record of what it holds down.
//! Everything is noted before it is pressed, so that nothing can stay down unknown.

use std::fmt;
use std::sync::Arc;

use enigo::{Axis, Coordinate, Direction, Enigo, InputResult, Keyboard, Mouse, Settings};
use tokio::time::Instant;
use x11rb::protocol::xproto::Keycode;

use super::aside::Aside;
use super::link::{Link, Place};
use super::release::{self, Held};
use crate::action::Button;
use crate::desktop::DesktopError;
use crate::geometry::ScreenPoint;

/// Presses and lets go.
pub(super) struct Hands {
    /// It waits for the server for ever.
    enigo: Aside<Enigo>,
    held: Arc<Held>,
    /// How often everything had been let go at the last look at the screen. `None` for a person, who is
    /// broken off by nobody.
    heard: Option<u64>,
    /// When and where a button was last pressed.
    pub(super) clicked: Option<(Instant, ScreenPoint)>,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Hands {
    /// Connects enigo to the display of `link`.
    pub(super) fn on(link: &Link, held: Arc<Held>) -> Result<Self, DesktopError> {
        let settings = Settings {
            // The server would wait this long inside each click.
            linux_delay: 0,
            x11_display: Some(link.place.name.clone()),
            release_keys_when_dropped: false,
            ..Settings::default()
        };
        let what = "connecting the mouse and the keyboard";
        let enigo = Enigo::new(&settings).map_err(|fault| DesktopError::failed(what, fault))?;
        let enigo = Aside::put("hands", enigo).map_err(|fault| DesktopError::failed(what, fault))?;
        Ok(Self { enigo, held, heard: None, clicked: None })
    }

    /// Whoever acts has just looked at the screen: what was let go until now is over.
    pub(super) fn begin(&mut self) {
        self.heard = Some(release::alarm());
    }

    /// An error once everything was let go since then: whatever goes on does so no further.
    pub(super) fn go_on(&self, what: &str) -> Result<(), DesktopError> {
        match self.heard {
            Some(heard) if heard != release::alarm() => {
                Err(DesktopError::failed(what, "it was broken off"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What it holds down.
    pub(super) const fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Presses a key or lets it go.
    pub(super) fn key(
        &mut self,
        link: &Link,
        code: Keycode,
        direction: Direction,
    ) -> Result<(), DesktopError> {
        if direction != Direction::Release {
            self.go_on("pressing a key")?;
            self.held.key_down(code);
        }
        self.tell(link, "pressing a key", move |enigo| enigo.raw(code.into(), direction))?;
        if direction != Direction::Press {
            self.held.key_up(code);
        }
        Ok(())
    }

    /// Presses a button or lets it go.
    pub(super) fn button(
        &mut self,
        link: &Link,
        button: Button,
        direction: Direction,
    ) -> Result<(), DesktopError> {
        if direction != Direction::Release {
            self.go_on("pressing a mouse button")?;
            self.held.button_down(number(button));
        }
        let pressed = named(button);
        self.tell(link, "pressing a mouse button", move |enigo| enigo.button(pressed, direction))?;
        if direction != Direction::Press {
            self.held.button_up(number(button));
        }
        Ok(())
    }

    /// Puts the pointer somewhere.
    pub(super) fn move_to(&mut self, link: &Link, point: ScreenPoint) -> Result<(), DesktopError> {
        self.go_on("moving the pointer")?;
        self.tell(link, "moving the pointer", move |enigo| {
            enigo.move_mouse(point.x, point.y, Coordinate::Abs)
        })
    }

    /// Turns the wheel: notches to the right, notches down.
    pub(super) fn scroll(&mut self, link: &Link, right: i32, down: i32) -> Result<(), DesktopError> {
        for (notches, axis) in [(right, Axis::Horizontal), (down, Axis::Vertical)] {
            self.go_on("turning the wheel")?;
            self.tell(link, "turning the wheel", move |enigo| enigo.scroll(notches, axis))?;
        }
        Ok(())
    }

    /// Has enigo do it. It does not say whether the server is gone or stands still; our own connection does.
    fn tell(
        &self,
        link: &Link,
        what: &str,
        act: impl FnOnce(&mut Enigo) -> InputResult<()> + Send + 'static,
    ) -> Result<(), DesktopError> {
        let fault = match self.enigo.ask(Place::PATIENCE, act) {
            Some(Ok(())) => return Ok(()),
            Some(Err(fault)) => fault.to_string(),
            None => "the X server took too long".into(),
        };
        link.sync()?;
        Err(DesktopError::failed(what, fault))
    }
}

const fn named(button: Button) -> enigo::Button {
    match button {
        Button::Left => enigo::Button::Left,
        Button::Middle => enigo::Button::Middle,
        Button::Right => enigo::Button::Right,
        Button::Back => enigo::Button::Back,
        Button::Forward => enigo::Button::Forward,
    }
}

/// The number that X11 gives a button.
pub(super) const fn number(button: Button) -> u8 {
    match button {
        Button::Left => 1,
        Button::Middle => 2,
        Button::Right => 3,
        Button::Back => 8,
        Button::Forward => 9,
    }
}
