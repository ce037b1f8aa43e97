//! What the tree tells of parts of a window that are no things in the list: its pages, where it draws by
//! itself, which pictures it only shows, and what holds more than it shows.

use ::atspi::Role as BusRole;

use super::beyond::Beyond;
use super::draft::clean;
use super::list::inner_clip;
use super::node::{Node, Tree};
use super::roles::role;
use super::{MAX_DEPTH, MAX_NODES};
use crate::desktop::area::AreaKind;
use crate::element::Role;
use crate::geometry::ScreenRect;

/// Sides in px of the smallest area to draw in.
const SMALLEST: u32 = 48;

/// Where the walk is.
#[derive(Debug, Clone, Copy)]
struct Place {
    clip: ScreenRect,
    depth: usize,
    paged: bool,
}

/// What is told of the parts of one window.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) areas: Vec<(ScreenRect, AreaKind)>,
    /// What holds more than it shows; a page has no name.
    pub(super) more: Vec<(ScreenRect, Option<String>, Beyond)>,
}

/// The areas below `roots` that show inside `clip`.
pub(super) fn areas(tree: &Tree, roots: &[&Node], clip: ScreenRect) -> Told {
    let mut found = Told::default();
    let mut open: Vec<(&Node, Place)> =
        roots.iter().map(|root| (*root, Place { clip, depth: 0, paged: false })).collect();
    let mut left = MAX_NODES;
    while let Some((node, Place { clip, depth, paged })) = open.pop() {
        let shows = node.role == BusRole::Application || node.shows();
        if left == 0 || depth > MAX_DEPTH || !shows {
            continue;
        }
        left -= 1;
        let seen = node.bounds.and_then(|bounds| bounds.intersect(&clip));
        found.areas.extend(seen.and_then(|bounds| Some((bounds, kind(tree, node, &bounds, paged)?))));
        if let Some(bounds) = seen.filter(|_| node.beyond.is_any()) {
            let name = Some(clean(&node.name)).filter(|name| !name.is_empty());
            let name = name.filter(|_| node.role != BusRole::DocumentWeb);
            found.more.push((bounds, name, node.beyond));
        }
        let paged = paged || node.role == BusRole::DocumentWeb;
        let inside = Place { clip: inner_clip(node, clip), depth: depth + 1, paged };
        open.extend(tree.children(node).map(|child| (child, inside)));
    }
    found
}

fn kind(tree: &Tree, node: &Node, bounds: &ScreenRect, paged: bool) -> Option<AreaKind> {
    let is_leaf = || tree.children(node).next().is_none();
    if is_leaf() && is_ruler(tree, node) {
        Some(AreaKind::Ruler)
    } else if node.role == BusRole::DocumentWeb {
        // A page within a page is a part of that one.
        Some(AreaKind::Page)
    } else if !paged
        && is_leaf()
        && role(node) == Role::Group
        && node.name.is_empty()
        && is_large(bounds)
    {
        // What a program makes by itself is to its toolkit a box with nothing in it.
        Some(AreaKind::Drawing)
    } else if matches!(node.role, BusRole::Canvas | BusRole::DrawingArea)
        || paged && node.role == BusRole::DocumentFrame
        || node.is_drawn && is_large(bounds)
    {
        Some(AreaKind::Drawing)
    } else if node.role == BusRole::Image && is_leaf() {
        Some(AreaKind::Picture)
    } else {
        None
    }
}

/// Whether it lies along the edge of a sheet that stands beside it. What is written there the sheet tells with
/// its cells.
fn is_ruler(tree: &Tree, node: &Node) -> bool {
    let along = |sheet: &Node| {
        let (ruler, sheet) = (node.bounds?, sheet.bounds?);
        let above = (ruler.x, ruler.width, ruler.bottom()) == (sheet.x, sheet.width, sheet.y);
        let beside = (ruler.y, ruler.height, ruler.right()) == (sheet.y, sheet.height, sheet.x);
        Some(above || beside)
    };
    let holder = node.parent.as_ref().and_then(|parent| tree.get(parent));
    let mut beside = holder.into_iter().flat_map(|holder| tree.children(holder));
    beside.any(|other| {
        let holds_sheet = || tree.children(other).any(|table| table.is_vast);
        along(other) == Some(true) && holds_sheet()
    })
}

const fn is_large(bounds: &ScreenRect) -> bool {
    bounds.width >= SMALLEST && bounds.height >= SMALLEST
}
