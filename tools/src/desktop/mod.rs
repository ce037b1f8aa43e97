//! The one thin seam to a desktop: see, point, type, copy, launch. Everything else is made of these.
//!
//! Whatever changes the desktop asks for a [`Redeemed`] permit, so code without one cannot move the
//! mouse: it does not compile. Only [`Desktop::release`] needs none, since it only lets go.

use async_trait::async_trait;
use thiserror::Error;

use crate::action::Button;
use crate::element::{Element, ElementKey, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::key::{Chord, Key};
use crate::observation::Observation;
use crate::permit::Redeemed;

#[cfg(target_os = "linux")]
pub mod accessibility;
pub mod appearance;
mod area;
mod cache;
mod counter;
pub mod curtain;
pub mod discreet;
mod names;
pub mod ocr;
mod order;
pub mod presence;
mod region;
pub mod simulated;
pub(crate) mod uncovered;
pub mod veil;
mod vision;
#[cfg(target_os = "linux")]
pub mod x11;

/// One movement of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerInput {
    /// Put the pointer there.
    MoveTo(ScreenPoint),
    /// Press a button and keep it down.
    Down(Button),
    /// Let a button go.
    Up(Button),
    /// Press and release a button so often, quickly enough to count as a double or triple click.
    Click(Button, u8),
    /// Turn the wheel: notches to the right, notches down.
    Scroll(i32, i32),
}

/// By what the person at the desk stops a run. Only real devices count, never what is injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSign {
    /// Keys that are pressed together.
    pub chord: Chord,
    /// Whether pushing the pointer into the top left corner counts.
    pub corner: bool,
}

/// One act on the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyboardInput {
    /// Press a key and keep it down.
    Down(Key),
    /// Let a key go.
    Up(Key),
    /// Press a chord and let it go.
    Tap(Chord),
    /// Type a text into whatever has the keyboard.
    Text(String),
}

/// One use of the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipboardUse {
    /// Read the text.
    Read,
    /// Replace the text.
    Write(String),
}

/// What is opened or brought forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A program, with its arguments; no shell reads it.
    App(Vec<String>),
    /// An address.
    Url(String),
    /// A window that is there already.
    Window(WindowId),
}

/// What is under a point right now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hit {
    /// The front window there.
    pub window: Option<Window>,
    /// The element there.
    pub element: Option<Element>,
    /// The window that has the keyboard.
    pub keyboard: Option<Window>,
}

/// Why a desktop could not be seen or used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DesktopError {
    /// There is no display to connect to.
    #[error("no display: {reason}; {hint}")]
    NoDisplay {
        /// What was tried.
        reason: String,
        /// What to do next.
        hint: String,
    },
    /// The display was there and is gone.
    #[error("the display is gone: {0}; see what became of the X server, and try again")]
    Lost(String),
    /// The platform or the session cannot do it.
    #[error("{what} is not possible here: {reason}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// Why it is not possible, and what would help.
        reason: String,
    },
    /// One operation failed; the desktop is still there.
    #[error("{what} failed: {reason}")]
    Failed {
        /// What was tried.
        what: String,
        /// What went wrong.
        reason: String,
    },
}

impl DesktopError {
    /// One operation failed.
    #[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` and literals take")]
    pub fn failed(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Failed { what: what.into(), reason: reason.to_string() }
    }

    /// Whether the run cannot go on.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::NoDisplay { .. } | Self::Lost(_))
    }
}

/// A desktop that can be seen and used.
#[async_trait]
pub trait Desktop: Send {
    /// Looks at everything: frame, windows, elements.
    async fn observe(&mut self) -> Result<Observation, DesktopError>;

    /// The pixels alone, quickly; `region` in screen pixels, or the whole monitor in use.
    async fn capture(&mut self, region: Option<ScreenRect>) -> Result<Frame, DesktopError>;

    /// What is under `point` and what has the keyboard, right now. With `expected`, that element is
    /// read afresh, and it is the answer when it is still there and covers the point, if one is given.
    async fn element_at(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
    ) -> Result<Hit, DesktopError>;

    /// Waits for less than a second until the program with the keyboard answers: it may be busy with what was just
    /// done to it, and a look has no time to wait for that. One that hangs is not waited for again and again.
    async fn ready(&mut self) -> Result<(), DesktopError> {
        Ok(())
    }

    /// The address of the page in which an element stands, as its program tells it and not as anything on
    /// the screen does; `None` where it stands in none, or nobody tells.
    async fn page_of(&mut self, _: &ElementKey) -> Result<Option<String>, DesktopError> {
        Ok(None)
    }

    /// The address that a link leads to, as its program tells it; `None` where nobody tells.
    async fn link_of(&mut self, _: &ElementKey) -> Result<Option<String>, DesktopError> {
        Ok(None)
    }

    /// What can be done with an element, in the words of its program, such as `click`; nothing where nobody
    /// tells. A look does not ask this of everything, since it is one question more for each.
    async fn actions_of(&mut self, _: &ElementKey) -> Result<Vec<String>, DesktopError> {
        Ok(Vec::new())
    }

    /// Moves the mouse. Returns once the window system has taken it.
    async fn pointer(&mut self, permit: &Redeemed, input: PointerInput) -> Result<(), DesktopError>;

    /// Uses the keyboard. Returns once the window system has taken it.
    async fn keyboard(&mut self, permit: &Redeemed, input: KeyboardInput) -> Result<(), DesktopError>;

    /// Reads (`Some`) or replaces (`None`) the text of the clipboard.
    async fn clipboard(
        &mut self,
        permit: &Redeemed,
        usage: ClipboardUse,
    ) -> Result<Option<String>, DesktopError>;

    /// Opens a program or an address, or brings a window to the front.
    async fn launch(&mut self, permit: &Redeemed, what: Launch) -> Result<(), DesktopError>;

    /// Whether what was launched last still runs, so that a window of it may still come.
    fn launched_runs(&self) -> bool {
        false
    }

    /// Whether `window` only says that its program is starting. It goes away by itself.
    fn is_splash(&self, _: WindowId) -> Result<bool, DesktopError> {
        Ok(false)
    }

    /// Lets go of every key and button that is held. Must work at any moment, and twice.
    fn release(&mut self);
}
