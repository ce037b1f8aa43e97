//! Freehand's own windows on the desktop that it works on. They are for the person: the pictures show what
//! lies beneath them, and the lists know nothing of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::element::WindowId;
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};

/// As long as a compositing manager may show a window that has gone: most let it fade for a third of a
/// second, on a machine that has time for it.
const FADES: Duration = Duration::from_secs(2);

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
    /// Those that have gone, and when, while they may be seen still.
    leaving: Vec<(Own, Instant)>,
    /// A window that nobody sees, with the look of the empty desktop.
    pub(crate) ground: Option<WindowId>,
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
        self.leaving.retain(|(_, since)| since.elapsed() < FADES);
        let gone = self.own.extract_if(.., |own| own.window == window).map(|own| (own, Instant::now()));
        if self.blends {
            self.leaving.extend(gone);
        } else {
            gone.for_each(drop);
        }
    }

    /// All that may be seen in `area`.
    pub(crate) fn in_sight(&self, area: &ScreenRect) -> Vec<&Own> {
        let leaving = self.leaving.iter().filter(|(_, since)| since.elapsed() < FADES);
        let all = leaving.map(|(own, _)| own).chain(&self.own);
        all.filter(|own| own.bounds.intersect(area).is_some()).collect()
    }

    /// Whether it is one of Freehand's own.
    pub(crate) fn knows(&self, window: WindowId) -> bool {
        self.ground == Some(window) || self.own.iter().any(|own| own.window == window)
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
    /// Whether a compositing manager draws the screen, so that what is closed may be seen a little longer.
    /// Known while something of Freehand's own shows.
    pub fn is_composed(&self) -> bool {
        self.hold().blends
    }

    /// While this is held no window comes or goes, so a picture and what is known of it fit together.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Veiled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
