//! How many pixels of the screen one of a program's own is. Where a desktop is set to large letters, toolkits
//! count in larger pixels and tell all places in these; Chromium tells those of its pages in the screen's, and
//! those of its own bars in its own. X says how large the windows are, and that gives the factor away.

use ::atspi::Role as BusRole;

use super::node::{Address, Node, Tree};
use super::programs::Program;
use super::windows_of;
use crate::element::Window;
use crate::geometry::ScreenRect;

/// Factors that toolkits are set to, in hundredths.
const FACTORS: [u32; 9] = [100, 125, 150, 175, 200, 225, 250, 300, 400];
/// By how much a window may be wider than what its program tells of it, and by how much narrower, in px: its
/// borders, or a shadow that the program counts.
const SIDES: u32 = 24;
/// The same for its height: there is a title as well.
const TITLE: u32 = 90;
/// By how much wider than what holds it a page is, in px, before the two are counted otherwise.
const WIDER: u32 = 8;

/// A factor, and what is to be multiplied with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) factor: f64,
    pub(super) of: Vec<Address>,
}

/// What of a program is told in pixels that are not the screen's; `None` where all is told in those.
pub(super) fn told(tree: &Tree, program: &Program, windows: &[Window]) -> Option<Scale> {
    if let Some(factor) = by_page(tree) {
        return Some(Scale { factor, of: outside_of_pages(tree) });
    }
    let factor = by_window(tree, program, windows)?;
    Some(Scale { factor, of: tree.nodes().map(|node| node.address.clone()).collect() })
}

/// The factor between a page and what holds it, which is as wide.
fn by_page(tree: &Tree) -> Option<f64> {
    let widths = |page: &Node| {
        // A frame within a page is told in the screen's pixels as the page is, and may be drawn larger.
        let holder =
            tree.get(page.parent.as_ref()?).filter(|holder| holder.role != BusRole::InternalFrame);
        let (holder, page) = (holder?.bounds?.width, page.bounds?.width);
        (holder > WIDER && page > holder.saturating_add(WIDER)).then_some((page, holder))
    };
    let pages = tree.nodes().filter(|node| node.role == BusRole::DocumentWeb && node.shows());
    let (page, holder) = pages.filter_map(widths).max()?;
    // Scales are set in steps of a twentieth at least; what is between comes from rounding.
    Some((f64::from(page) / f64::from(holder) * 20.0).round() / 20.0)
}

/// The factor between the windows and what the program tells of them, by those that bear their titles.
fn by_window(tree: &Tree, program: &Program, windows: &[Window]) -> Option<f64> {
    let own = windows_of(program, windows);
    let frames = tree.roots().into_iter().flat_map(|root| tree.children(root));
    let mut votes: Vec<u32> = Vec::new();
    for frame in frames.filter(|frame| frame.shows() && !frame.name.trim().is_empty()) {
        let titled = own.iter().find(|(_, window)| window.title == frame.name);
        votes.extend(titled.zip(frame.bounds).and_then(|((_, window), told)| {
            FACTORS.into_iter().find(|factor| fits(&window.bounds, &told, *factor))
        }));
    }
    let count = |factor: &u32| votes.iter().filter(|other| *other == factor).count();
    let most = votes.iter().copied().max_by_key(|factor| (count(factor), std::cmp::Reverse(*factor)))?;
    (most != 100).then_some(f64::from(most) / 100.0)
}

/// Whether a window is as large as what is told of it, at this factor.
fn fits(window: &ScreenRect, told: &ScreenRect, factor: u32) -> bool {
    let stretched = |side: u32| u64::from(side) * u64::from(factor) / 100;
    let near = |side: u32, told: u32, more: u32| {
        let (side, told) = (u64::from(side), stretched(told));
        side <= told + u64::from(more) && told <= side + u64::from(SIDES)
    };
    near(window.width, told.width, SIDES) && near(window.height, told.height, TITLE)
}

/// All but the pages and what is in them.
fn outside_of_pages(tree: &Tree) -> Vec<Address> {
    let mut found = Vec::new();
    let mut open: Vec<&Node> = tree.roots();
    let mut seen = std::collections::HashSet::new();
    while let Some(node) = open.pop() {
        if node.role != BusRole::DocumentWeb && seen.insert(&node.address) {
            found.push(node.address.clone());
            open.extend(tree.children(node));
        }
    }
    found
}
