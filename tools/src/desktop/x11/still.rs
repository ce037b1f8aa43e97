//! A screen that stands still. Reading the tree anew costs tens of milliseconds, and there is nothing to
//! read when nothing has happened. Pixels alone do not say so: a name may change unseen, and a page may show
//! before its browser tells of it. So a list is taken for what there is only after two full looks have
//! agreed on it while the screen stood still, only until something is done to the desktop, and only for a
//! moment.

use std::time::Duration;

use tokio::time::Instant;

use crate::desktop::curtain::Hidden;
use crate::element::Window;
use crate::frame::{Frame, Monitor};
use crate::observation::{Observation, ObservationId};

/// How long the pixels must have been the same: programs tell what they show a little after they show it.
const QUIET: Duration = Duration::from_millis(500);
/// As long as a list is taken for what there is before all of it is read again.
const GOOD: Duration = Duration::from_secs(3);

/// What was seen, while it may still be so.
#[derive(Debug)]
pub(super) struct Still {
    seen: Observation,
    /// When the screen was first seen as it is.
    since: Instant,
    /// When all of it was read.
    read: Instant,
    /// Whether the look before saw the same.
    agreed: bool,
}

impl Still {
    /// What `seen` is after `before`. It is not `whole` while something of it is not told or not read yet.
    pub(super) fn after(before: Option<Self>, seen: &Observation, whole: bool) -> Self {
        let now = Instant::now();
        let is_same = |before: &Self| {
            before.is_about(&seen.windows, &seen.hidden, seen.frame.monitor())
                && before.shows(&seen.frame)
        };
        let before = before.filter(is_same);
        let since = before.as_ref().map_or(now, |before| before.since);
        let same = before.is_some_and(|before| same(&before.seen, seen));
        let agreed = whole && same && now - since >= QUIET;
        Self { seen: seen.clone(), since, read: now, agreed }
    }

    /// Whether what was read can be taken for what there is, if no pixel has changed.
    pub(super) fn holds(&self, windows: &[Window], hidden: &Hidden, monitor: &Monitor) -> bool {
        let is_fresh = self.agreed && self.read.elapsed() < GOOD;
        is_fresh && self.is_about(windows, hidden, monitor)
    }

    /// Whether the screen has looked like that.
    pub(super) fn shows(&self, frame: &Frame) -> bool {
        self.seen.frame.pixels() == frame.pixels()
    }

    fn is_about(&self, windows: &[Window], hidden: &Hidden, monitor: &Monitor) -> bool {
        let seen = &self.seen;
        seen.windows == windows && seen.hidden == *hidden && seen.frame.monitor() == monitor
    }

    /// The same once more, as an observation of its own.
    pub(super) fn again(&self) -> Observation {
        Observation { id: ObservationId::next(), ..self.seen.clone() }
    }
}

fn same(a: &Observation, b: &Observation) -> bool {
    a.elements == b.elements && a.focus == b.focus && a.gaps == b.gaps && a.more == b.more
}
