//! Where things are whose program says it wrongly: each toolkit that does so has its own rule. What is put
//! elsewhere is remembered, so that one element read afresh and a point that is asked about go the same way.

use std::collections::HashMap;

use ::atspi::Role as BusRole;

use super::node::{Address, Node, Tree};
use super::programs::Program;
use super::{owner, scale, windows_of};
use crate::element::Window;
use crate::geometry::{Point, Rect, ScreenPoint, ScreenRect};

/// By so many px the sides of two things may differ that fill each other.
const ROUNDED: u32 = 2;

/// The way from where a program says that a thing is to where it is: first the factor, then the offset in
/// physical px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    factor: f64,
    by: (i32, i32),
}

impl Default for Place {
    fn default() -> Self {
        Self { factor: 1.0, by: (0, 0) }
    }
}

impl Place {
    /// Where it is, in physical px of the screen.
    pub(super) fn of(self, told: ScreenRect) -> ScreenRect {
        let side = |v: i32| whole((f64::from(v) * self.factor).round());
        let (left, top) = (side(told.x), side(told.y));
        let length = |from: i32, to: i32| side(to).saturating_sub(from).max(0).unsigned_abs();
        let (width, height) = (length(left, told.right()), length(top, told.bottom()));
        Rect::new(left, top, width, height).offset(self.by.0, self.by.1)
    }

    /// The point as its program counts.
    pub(super) fn back(self, point: ScreenPoint) -> ScreenPoint {
        // The pixel that it lies in, whichever part of that it is.
        let from = |v: i32, by: i32| whole((f64::from(v.saturating_sub(by)) / self.factor).floor());
        Point::new(from(point.x, self.by.0), from(point.y, self.by.1))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from a float stays within the integers")]
const fn whole(v: f64) -> i32 {
    v as i32
}

/// What was put elsewhere than its program says.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<Address, Place>);

impl Places {
    /// Nothing was.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The way of one object.
    pub(super) fn of(&self, at: &Address) -> Place {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// Remembers that one was put elsewhere.
    pub(super) fn put(&mut self, at: Address, place: Place) {
        self.0.insert(at, place);
    }

    /// Stretches what a program tells in larger pixels than those of the screen.
    pub(super) fn stretch(&mut self, tree: &mut Tree, program: &Program, windows: &[Window]) {
        let Some(scale) = scale::told(tree, program, windows) else { return };
        let place = Place { factor: scale.factor, by: (0, 0) };
        for at in scale.of {
            if let Some(bounds) = tree.get_mut(&at).and_then(|node| node.bounds.as_mut()) {
                *bounds = place.of(*bounds);
            }
            self.put(at, place);
        }
    }

    /// Moves what a program of GTK 4 shows to where it is: the places that it gives are those within its
    /// windows. Gives what was moved.
    pub(super) fn move_into_windows(
        &mut self,
        tree: &mut Tree,
        program: &Program,
        windows: &[Window],
    ) -> Vec<Address> {
        let own = windows_of(program, windows);
        let roots = tree.roots();
        let frames = roots.iter().flat_map(|root| tree.children(root)).filter(|frame| frame.shows());
        let placed: Vec<(Address, (i32, i32))> = frames
            .filter_map(|frame| {
                let (window, inside) = (owner(frame, &own)?.1.bounds, frame.bounds?);
                // Round the program's own part lies the frame of the window manager, which is as wide at
                // the bottom as at the sides.
                let side = i32::try_from(window.width.saturating_sub(inside.width) / 2).ok()?;
                let above = i32::try_from(window.height.saturating_sub(inside.height)).ok()?;
                let top = above.saturating_sub(side).max(0);
                let by = (window.x.saturating_add(side), window.y.saturating_add(top));
                Some((frame.address.clone(), by))
            })
            .collect();
        let mut moved = Vec::new();
        for (frame, by) in placed {
            moved.extend(self.shift(tree, &tree.below_but(&frame, |_, _| false), by));
        }
        moved
    }

    /// Places what LibreOffice says of its windows, which forgets that the menu bar stands above it all: the
    /// pane below the bar is as large as what holds it, and told at another place.
    pub(super) fn move_below_menus(&mut self, tree: &mut Tree) {
        let off = |pane: &Node| {
            let (inner, outer) = (pane.bounds?, tree.get(pane.parent.as_ref()?)?.bounds?);
            let by = (outer.x.saturating_sub(inner.x), outer.y.saturating_sub(inner.y));
            let same = (inner.width, inner.height) == (outer.width, outer.height);
            (same && by != (0, 0)).then(|| (pane.address.clone(), by))
        };
        let panes = tree.nodes().filter(|node| node.role == BusRole::RootPane && node.shows());
        let off: Vec<_> = panes.filter_map(off).collect();
        for (pane, by) in off {
            // What the toolkit draws within knows its place: it fills what holds it, and is told where that is.
            let is_right = |outer: &Node, inner: &Node| {
                let sides = outer.bounds.zip(inner.bounds);
                sides.is_some_and(|(outer, inner)| {
                    let near = |a: u32, b: u32| a.abs_diff(b) <= ROUNDED;
                    inner.origin() == outer.origin().offset(by.0, by.1)
                        && near(inner.width, outer.width)
                        && near(inner.height, outer.height)
                })
            };
            self.shift(tree, &tree.below_but(&pane, is_right), by);
        }
    }

    /// Moves these.
    fn shift(&mut self, tree: &mut Tree, of: &[Address], by: (i32, i32)) -> Vec<Address> {
        let mut moved = Vec::new();
        for at in of {
            if let Some(bounds) = tree.get_mut(at).and_then(|node| node.bounds.as_mut()) {
                *bounds = bounds.offset(by.0, by.1);
                let place = self.0.entry(at.clone()).or_default();
                place.by = (place.by.0.saturating_add(by.0), place.by.1.saturating_add(by.1));
                moved.push(at.clone());
            }
        }
        moved
    }
}
