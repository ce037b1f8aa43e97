//! What the person sees of the agent on their own display: a strip that says what it is about to do and how
//! to stop it, and a ring where it will click.
//!
//! Both are for the person alone. What is in the [`Veil`] is in no picture and in no list, and no click of
//! the agent is let through to it. Only the part of the strip that says `Stop` takes clicks; through the
//! rest, and through the ring, they fall. ADR 0017 says why it is done so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::beneath;
use super::link::Place;
use crate::desktop::DesktopError;
use crate::desktop::presence::Words;
use crate::desktop::veil::Veil;
use crate::geometry::ScreenPoint;

mod draw;
mod face;
mod panes;
mod watcher;

use face::Face;
use watcher::Watcher;

/// Shows strip and ring as long as it lives.
#[derive(Debug)]
pub struct Presence {
    face: Arc<Mutex<Face>>,
    stops: watch::Receiver<bool>,
    // Ends before its windows do.
    _watcher: Watcher,
}

impl Presence {
    /// Shows them on `display`, a name as in `DISPLAY`; whoever looks through `veil` does not see them.
    pub fn open(display: &str, veil: &Veil) -> Result<Self, DesktopError> {
        let place = Place { name: display.to_owned(), cookie: None };
        let face = Face::open(place.clone(), veil.clone())?;
        let (strip, root, composed) = (face.strip(), face.root(), beneath::composed(face.screen()));
        let face = Arc::new(Mutex::new(face));
        let (stopped, stops) = watch::channel(false);
        let watcher = Watcher::start(&place, (root, strip, &composed), Arc::clone(&face), stopped)?;
        held(&face).show()?;
        Ok(Self { face, stops, _watcher: watcher })
    }

    /// Lets the strip say this.
    pub fn say(&self, words: Words) -> Result<(), DesktopError> {
        held(&self.face).say(words)
    }

    /// Shows the ring around `point`, or takes it away.
    pub fn ring(&self, point: Option<ScreenPoint>) -> Result<(), DesktopError> {
        held(&self.face).ring(point)
    }

    /// Becomes true once the person has pressed `Stop`, and stays so. What is injected does not count.
    pub fn stops(&self) -> watch::Receiver<bool> {
        self.stops.clone()
    }
}

fn held(face: &Mutex<Face>) -> MutexGuard<'_, Face> {
    face.lock().unwrap_or_else(PoisonError::into_inner)
}
