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
    let (mut found, sheets) = (Told::default(), sheets(tree));
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
        let kind = |bounds: ScreenRect| {
            let ruler = is_ruler(tree, node, &sheets).then_some(AreaKind::Ruler);
            Some((bounds, ruler.or_else(|| kind(tree, node, &bounds, paged))?))
        };
        found.areas.extend(seen.and_then(kind));
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
    if node.role == BusRole::DocumentWeb {
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
fn is_ruler(tree: &Tree, node: &Node, sheets: &[&Node]) -> bool {
    let along = |sheet: &Node| {
        let (ruler, sheet) = (node.bounds?, sheet.bounds?);
        let above = (ruler.x, ruler.width, ruler.bottom()) == (sheet.x, sheet.width, sheet.y);
        let beside = (ruler.y, ruler.height, ruler.right()) == (sheet.y, sheet.height, sheet.x);
        Some(above || beside)
    };
    let mut beside = sheets.iter().filter(|sheet| sheet.parent == node.parent);
    beside.any(|sheet| along(sheet) == Some(true)) && tree.children(node).next().is_none()
}

/// What the sheets are shown in.
fn sheets(tree: &Tree) -> Vec<&Node> {
    let vast = tree.nodes().filter(|table| table.is_vast);
    vast.filter_map(|table| tree.get(table.parent.as_ref()?)).collect()
}

const fn is_large(bounds: &ScreenRect) -> bool {
    bounds.width >= SMALLEST && bounds.height >= SMALLEST
}
