//! Where what was found in the pixels stands in the list: in its window, where a person reads it.

use crate::element::{Element, Window, WindowId};
use crate::geometry::ScreenRect;

/// Puts it behind all of its window that a person reads before it, and the window's elements where those of
/// the windows behind it begin.
pub(super) fn insert(elements: &mut Vec<Element>, fresh: Element, windows: &[Window]) {
    let depth = |id: Option<WindowId>| {
        windows.iter().position(|window| Some(window.id) == id).unwrap_or(windows.len())
    };
    let own = depth(fresh.window);
    let behind = |other: &Element| {
        let there = depth(other.window);
        there > own || there == own && is_read_before(&fresh, other)
    };
    let at = elements.iter().position(behind).unwrap_or(elements.len());
    elements.insert(at, fresh);
}

/// Whether a person reads `a` before `b`: in a row above it, or left of it.
fn is_read_before(a: &Element, b: &Element) -> bool {
    let level = |a: &ScreenRect, b: &ScreenRect| {
        let middle = b.center().y;
        a.y <= middle && middle < a.bottom()
    };
    if level(&a.bounds, &b.bounds) || level(&b.bounds, &a.bounds) {
        return a.bounds.x < b.bounds.x;
    }
    a.bounds.y < b.bounds.y
}
