//! What a program tells of parts of its windows that are no things in the list themselves.

use crate::element::WindowId;
use crate::geometry::ScreenRect;

/// A part of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    /// The window.
    pub(super) window: WindowId,
    /// What shows of it, in screen pixels.
    pub(super) bounds: ScreenRect,
    /// What it is.
    pub(super) kind: AreaKind,
}

/// What a part of a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AreaKind {
    /// A page, beside which the browser has its own bars.
    Page,
    /// Where a program draws by itself, and tells nothing of what.
    Drawing,
    /// What the window manager draws round it.
    Bar,
    /// The names of the columns or rows of a sheet along its edge.
    Ruler,
    /// A picture that was not drawn by the program: a photo, a logo.
    Picture,
    /// A text that is known and yet in no list: the label of a field, what shows through the ground of a dialog.
    Echo,
}
