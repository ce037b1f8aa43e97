//! What is seen at one moment: the frame, the windows and the numbered list.

use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::desktop::curtain::Hidden;
use crate::element::{Element, ElementId, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};

/// Names one observation within one run of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObservationId(pub u64);

impl ObservationId {
    /// A number that no other observation of this process has.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The screen at one moment. Elements are in reading order, windows from front to back.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Its number.
    pub id: ObservationId,
    /// The picture of the monitor in use.
    pub frame: Frame,
    /// Top-level windows, the front one first.
    pub windows: Vec<Window>,
    /// What can be read or used, in reading order.
    pub elements: Vec<Element>,
    /// The element that has the keyboard.
    pub focus: Option<ElementId>,
    /// Where the pointer is.
    pub cursor: ScreenPoint,
    /// What could not be seen and why, one line each, for the person and for the log.
    pub gaps: Vec<String>,
    /// What holds more than it shows.
    pub more: Vec<More>,
    /// What must not be seen, nor used.
    pub hidden: Hidden,
}

/// A part of a window that holds more than it shows: where scrolling brings something into sight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each side is one of its own, in any combination")]
pub struct More {
    /// The window.
    pub window: WindowId,
    /// What it is called, where it is not the whole page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What shows of it, in screen pixels.
    pub bounds: ScreenRect,
    /// Whether there is more above.
    #[serde(default)]
    pub above: bool,
    /// Whether there is more below.
    #[serde(default)]
    pub below: bool,
    /// Whether there is more to the left.
    #[serde(default)]
    pub left: bool,
    /// Whether there is more to the right.
    #[serde(default)]
    pub right: bool,
}

impl Observation {
    /// The element with that number.
    pub fn element(&self, id: ElementId) -> Option<&Element> {
        self.elements.iter().find(|element| element.id == id)
    }

    /// The window with that number.
    pub fn window(&self, id: WindowId) -> Option<&Window> {
        self.windows.iter().find(|window| window.id == id)
    }

    /// The front window at `point`.
    pub fn window_at(&self, point: ScreenPoint) -> Option<&Window> {
        self.windows.iter().find(|window| window.bounds.contains(point))
    }

    /// The window that has the keyboard.
    pub fn focused_window(&self) -> Option<&Window> {
        self.windows.iter().find(|window| window.focused)
    }

    /// The smallest element at `point` that belongs to the front window there.
    pub fn element_at(&self, point: ScreenPoint) -> Option<&Element> {
        let window = self.window_at(point).map(|window| window.id);
        self.elements
            .iter()
            .filter(|element| element.bounds.contains(point))
            .filter(|element| element.window.is_none() || window.is_none() || element.window == window)
            .min_by_key(|element| element.bounds.area())
    }

    /// The part of the desktop that was seen.
    pub const fn bounds(&self) -> ScreenRect {
        self.frame.bounds()
    }
}
