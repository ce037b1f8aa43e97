//! What the tree tells of parts of a window that are no things in the list: its pages, where it draws by
//! itself, and which pictures it only shows.

use ::atspi::Role as BusRole;

use super::list::inner_clip;
use super::node::{Node, Tree};
use super::{MAX_DEPTH, MAX_NODES};
use crate::desktop::area::AreaKind;
use crate::geometry::ScreenRect;

/// The areas below `roots` that show inside `clip`.
pub(super) fn areas(tree: &Tree, roots: &[&Node], clip: ScreenRect) -> Vec<(ScreenRect, AreaKind)> {
    let mut found = Vec::new();
    let mut open: Vec<(&Node, ScreenRect, usize)> = roots.iter().map(|root| (*root, clip, 0)).collect();
    let mut left = MAX_NODES;
    while let Some((node, clip, depth)) = open.pop() {
        let shows = node.role == BusRole::Application || node.shows();
        if left == 0 || depth > MAX_DEPTH || !shows {
            continue;
        }
        left -= 1;
        let seen = node.bounds.and_then(|bounds| bounds.intersect(&clip));
        found.extend(seen.zip(kind(tree, node)));
        let inside = inner_clip(node, clip);
        open.extend(tree.children(node).map(|child| (child, inside, depth + 1)));
    }
    found
}

fn kind(tree: &Tree, node: &Node) -> Option<AreaKind> {
    let is_leaf = || tree.children(node).next().is_none();
    if node.role == BusRole::DocumentWeb {
        // A page within a page is a part of that one.
        Some(AreaKind::Page)
    } else if matches!(node.role, BusRole::Canvas | BusRole::DrawingArea) {
        Some(AreaKind::Drawing)
    } else if node.role == BusRole::Image && is_leaf() {
        Some(AreaKind::Picture)
    } else {
        None
    }
}
