//! What `--json` prints: a look as a record keeps it, and where it was taken.

use freehand_agent::trajectory::Seen;
use freehand_tools::frame::Monitor;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::observation::Observation;
use schemars::JsonSchema;
use serde::Serialize;

use crate::display::Opened;

/// One look at a display, or at a part of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Look {
    /// The display's name.
    display: String,
    /// The monitor that was looked at.
    monitor: Shown,
    #[serde(flatten)]
    seen: Seen,
}

/// A monitor.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    /// What `--monitor` chooses it by, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<usize>,
    /// Its name, as the system gives it.
    name: String,
    /// Physical pixels for each logical pixel, 1 where the system does not scale.
    scale: f32,
    /// The whole of it, in screen pixels.
    bounds: ScreenRect,
}

impl Look {
    /// What was seen there.
    pub(super) fn of(opened: &Opened, seen: &Observation) -> Self {
        let Monitor { name, scale, bounds } = seen.frame.monitor().clone();
        let holds = |one: &Monitor| one.name == name && one.bounds.intersect(&bounds) == Some(bounds);
        let at = opened.monitors.iter().position(holds);
        let whole = at.and_then(|at| opened.monitors.get(at)).map_or(bounds, |one| one.bounds);
        let monitor = Shown { number: at.map(|at| at + 1), name, scale, bounds: whole };
        Self { display: opened.name.clone(), monitor, seen: Seen::from(seen) }
    }
}
