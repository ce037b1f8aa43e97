//! A screen that stands still. Reading the tree anew costs tens of milliseconds, and there is nothing to
//! read when nothing has happened. Pixels alone do not say so: a name may change unseen, and a page may show
//! before its browser tells of it. So a list is taken for what there is only after two full looks have
//! agreed on it while the screen stood still, only until something is done to the desktop, and only for a
//! moment.

use std::time::Duration;

use tokio::time::Instant;

use crate::desktop::curtain::Hidden;
use crate::element::Window;
use crate::frame::Frame;
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
        let before = before.filter(|before| before.shows(&seen.windows, &seen.hidden, &seen.frame));
        let since = before.as_ref().map_or(now, |before| before.since);
        let same = before.is_some_and(|before| same(&before.seen, seen));
        let agreed = whole && same && now - since >= QUIET;
        Self { seen: seen.clone(), since, read: now, agreed }
    }

    /// Whether the screen is as it was, and what was read of it can be taken for what there is.
    pub(super) fn holds(&self, windows: &[Window], hidden: &Hidden, frame: &Frame) -> bool {
        self.agreed && self.read.elapsed() < GOOD && self.shows(windows, hidden, frame)
    }

    fn shows(&self, windows: &[Window], hidden: &Hidden, frame: &Frame) -> bool {
        let seen = &self.seen;
        seen.windows == windows
            && seen.hidden == *hidden
            && seen.frame.monitor() == frame.monitor()
            && seen.frame.pixels() == frame.pixels()
    }

    /// The same once more, as an observation of its own.
    pub(super) fn again(&self) -> Observation {
        Observation { id: ObservationId::next(), ..self.seen.clone() }
    }
}

fn same(a: &Observation, b: &Observation) -> bool {
    a.elements == b.elements && a.focus == b.focus && a.gaps == b.gaps && a.more == b.more
}
