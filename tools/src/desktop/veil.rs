//! Freehand's own windows on the desktop that it works on. They are for the person: the pictures show what
//! lies beneath them, and the lists know nothing of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::element::WindowId;
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};

/// One window of Freehand's own, in screen pixels.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) window: WindowId,
    pub(crate) bounds: ScreenRect,
    /// What it covers.
    pub(crate) covers: Vec<ScreenRect>,
    /// Where it takes clicks.
    pub(crate) takes: Option<ScreenRect>,
    /// What was there when it came, for what no window tells of.
    pub(crate) before: Option<Frame>,
}

/// All that is Freehand's own on one display.
#[derive(Debug, Default)]
pub(crate) struct Veiled {
    /// The windows that show.
    pub(crate) own: Vec<Own>,
    /// A window that nobody sees, with the look of the empty desktop.
    pub(crate) ground: Option<WindowId>,
    /// Where a compositing manager draws the whole screen.
    pub(crate) overlay: Option<WindowId>,
    /// Whether windows may be seen through, since a compositing manager is at work.
    pub(crate) blends: bool,
}

impl Veiled {
    /// From now on `own` is there, or another one in its place.
    pub(crate) fn put(&mut self, own: Own) {
        self.take(own.window);
        self.own.push(own);
    }

    /// It is there no longer.
    pub(crate) fn take(&mut self, window: WindowId) {
        self.own.retain(|own| own.window != window);
    }

    /// Whether it is one of Freehand's own.
    pub(crate) fn knows(&self, window: WindowId) -> bool {
        [self.ground, self.overlay].contains(&Some(window))
            || self.own.iter().any(|own| own.window == window)
    }

    /// Where a click would land on one of them.
    pub(crate) fn takes(&self) -> Vec<ScreenRect> {
        self.own.iter().filter_map(|own| own.takes).collect()
    }

    /// The one that would take a click at `point`.
    pub(crate) fn at(&self, point: ScreenPoint) -> Option<&Own> {
        self.own.iter().find(|own| own.takes.is_some_and(|takes| takes.contains(point)))
    }
}

/// Shared by what shows the windows and by what must not see them. Cheap to clone; every copy is the same.
#[derive(Debug, Clone, Default)]
pub struct Veil(Arc<Mutex<Veiled>>);

impl Veil {
    /// While this is held no window comes or goes, so a picture and what is known of it fit together.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Veiled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
