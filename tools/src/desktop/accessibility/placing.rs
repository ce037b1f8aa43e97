//! Where things are whose program says it wrongly: each toolkit that does so has its own rule, and what is
//! moved is remembered, so that one element read afresh is moved as well.

use ::atspi::Role as BusRole;

use super::node::{Address, Node, Tree};
use super::programs::Program;
use super::{owner, windows_of};
use crate::element::Window;

/// Moves what a program of GTK 4 shows to where it is: the places that it gives are those within its
/// windows. Gives how far each object was moved.
pub(super) fn place_in_windows(
    tree: &mut Tree,
    program: &Program,
    windows: &[Window],
) -> Vec<(Address, (i32, i32))> {
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
            Some((frame.address.clone(), (window.x.saturating_add(side), window.y.saturating_add(top))))
        })
        .collect();
    placed.into_iter().flat_map(|(frame, by)| moved(tree, &frame, by)).collect()
}

/// Places what LibreOffice says of its windows, which forgets that the menu bar stands above it all: the pane
/// below the bar is as large as what holds it, and told at another place.
pub(super) fn below_their_menus(tree: &mut Tree) -> Vec<(Address, (i32, i32))> {
    let off = |pane: &Node| {
        let (inner, outer) = (pane.bounds?, tree.get(pane.parent.as_ref()?)?.bounds?);
        let by = (outer.x.saturating_sub(inner.x), outer.y.saturating_sub(inner.y));
        let same = (inner.width, inner.height) == (outer.width, outer.height);
        (same && by != (0, 0)).then(|| (pane.address.clone(), by))
    };
    let panes = tree.nodes().filter(|node| node.role == BusRole::RootPane && node.shows());
    let off: Vec<_> = panes.filter_map(off).collect();
    off.into_iter().flat_map(|(pane, by)| moved(tree, &pane, by)).collect()
}

/// Moves an object and all below it.
fn moved(tree: &mut Tree, at: &Address, by: (i32, i32)) -> Vec<(Address, (i32, i32))> {
    let mut moved = Vec::new();
    for at in tree.below(at) {
        if let Some(bounds) = tree.get_mut(&at).and_then(|node| node.bounds.as_mut()) {
            *bounds = bounds.offset(by.0, by.1);
            moved.push((at, by));
        }
    }
    moved
}
