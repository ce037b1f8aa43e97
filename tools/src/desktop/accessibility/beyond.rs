//! What a program holds beyond what it shows: where scrolling brings something into sight. Pages tell of
//! what lies outside of them with where it is; toolkits tell where their scroll bars stand.

use std::collections::{HashMap, HashSet};

use ::atspi::{Role as BusRole, State};
use futures_util::future::join_all;

use super::bus::Bus;
use super::node::{Address, Node, Tree};
use super::roles::{is_control, role};
use crate::geometry::ScreenRect;

/// Of the hidden children of one object, so many from each end are asked where they are.
const ENDS: usize = 2;
/// Objects that are asked at most.
const MOST: usize = 48;
/// The place in a list of actions where a browser that can scroll something says so.
const SCROLLS: i32 = 2;
/// How far in px something must lie beyond an edge.
const SLACK: i32 = 2;

/// In which directions there is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a direction of its own")]
pub(super) struct Beyond {
    pub(super) above: bool,
    pub(super) below: bool,
    pub(super) left: bool,
    pub(super) right: bool,
}

impl Beyond {
    pub(super) fn is_any(self) -> bool {
        self != Self::default()
    }

    fn and(self, other: Self) -> Self {
        Self {
            above: self.above || other.above,
            below: self.below || other.below,
            left: self.left || other.left,
            right: self.right || other.right,
        }
    }

    /// Where `thing` lies beside `shown`; nowhere when a part of it is inside.
    fn of(thing: &ScreenRect, shown: &ScreenRect) -> Self {
        Self {
            above: thing.bottom() <= shown.y.saturating_add(SLACK),
            below: thing.y >= shown.bottom().saturating_sub(SLACK),
            left: thing.right() <= shown.x.saturating_add(SLACK),
            right: thing.x >= shown.right().saturating_sub(SLACK),
        }
    }
}

/// What is asked, before anything is known but the tree.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Something that does not show, with what it stands in and the page around that.
    outside: Vec<(Address, Address, Option<Address>)>,
    /// A scroll bar, with what it scrolls.
    bars: Vec<(Address, Address)>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    places: Vec<Option<ScreenRect>>,
    /// Where each bar stands, and where its end is.
    stands: Vec<Option<(f64, f64)>>,
    scrolls: HashMap<Address, bool>,
    /// The bodies of pages, over whose edges things reach that the page scrolls to.
    bodies: HashSet<Address>,
}

impl Suspects {
    /// Among the children of what is looked at.
    pub(super) fn among<'a>(tree: &'a Tree, looked_at: impl Iterator<Item = &'a Node>) -> Self {
        let mut suspects = Self::default();
        for node in looked_at.filter(|node| !is_control(role(node))) {
            let bars =
                tree.children(node).filter(|child| child.role == BusRole::ScrollBar && child.has_value);
            suspects.bars.extend(bars.map(|bar| (bar.address.clone(), node.address.clone())));
            let hidden: Vec<&Node> = tree
                .children(node)
                .filter(|child| {
                    let may_show = child.is(State::Visible) && child.has_place;
                    !child.shows() && may_show && child.role != BusRole::ScrollBar
                })
                .collect();
            if hidden.is_empty() || suspects.outside.len() >= MOST || node.role == BusRole::Menu {
                continue;
            }
            let page = page_around(tree, node);
            let last = hidden.iter().skip(ENDS).rev().take(ENDS);
            for child in hidden.iter().take(ENDS).chain(last) {
                suspects.outside.push((child.address.clone(), node.address.clone(), page.clone()));
            }
        }
        suspects.bars.truncate(MOST);
        suspects
    }

    /// Asks all of them at once.
    pub(super) async fn ask(&self, bus: &Bus, tree: &Tree) -> Answers {
        let outside: Vec<Address> = self.outside.iter().map(|(child, _, _)| child.clone()).collect();
        let owners: HashSet<&Address> = self
            .outside
            .iter()
            .flat_map(|(_, parent, page)| [Some(parent), page.as_ref()])
            .flatten()
            .collect();
        let scrolls = owners.into_iter().map(|owner| async move {
            let acts = tree.get(owner).is_some_and(|owner| owner.has_action);
            let action = async |number| if acts { bus.action(owner, number).await } else { None };
            let (second, third) = tokio::join!(action(1), action(SCROLLS));
            let says = third.is_some_and(|action| action.starts_with("scroll"));
            // Another browser does not say what scrolls, and scrolls all its pages.
            let silent = second.is_none_or(|second| second != "showContextMenu");
            let is_page = self.outside.iter().any(|(_, _, page)| page.as_ref() == Some(owner));
            (owner.clone(), says || silent && is_page)
        });
        let parents: HashSet<&Address> = self
            .outside
            .iter()
            .filter(|(_, parent, page)| {
                page.is_some() && tree.get(parent).is_some_and(|parent| parent.parent == *page)
            })
            .map(|(_, parent, _)| parent)
            .collect();
        let bodies = parents
            .into_iter()
            .map(|parent| async move { bus.attributes(parent).await.is_body.then(|| parent.clone()) });
        let stands = self.bars.iter().map(|(bar, _)| bus.range(bar));
        let (places, scrolls, stands, bodies) =
            tokio::join!(bus.extents(&outside), join_all(scrolls), join_all(stands), join_all(bodies));
        let (scrolls, bodies) = (scrolls.into_iter().collect(), bodies.into_iter().flatten().collect());
        Answers { places, stands, scrolls, bodies }
    }

    /// What has more, once the places of all objects are known.
    pub(super) fn settle(&self, tree: &Tree, answers: &Answers) -> HashMap<Address, Beyond> {
        let mut found: HashMap<Address, Beyond> = HashMap::new();
        let mut add = |owner: &Address, beyond: Beyond| {
            if !beyond.is_any() {
                return;
            }
            let entry = found.entry(owner.clone()).or_default();
            *entry = entry.and(beyond);
        };
        let shown = |at: &Address| tree.get(at)?.bounds.filter(|bounds| !bounds.is_empty());
        for ((_, parent, page), place) in self.outside.iter().zip(&answers.places) {
            let Some(place) = place.filter(|place| !place.is_empty()) else { continue };
            for owner in [Some(parent), page.as_ref()].into_iter().flatten() {
                let Some(shown) = shown(owner) else { continue };
                let beyond = Beyond::of(&place, &shown);
                let scrolls = answers.scrolls.get(owner).copied().unwrap_or(false);
                if !beyond.is_any() || !scrolls && answers.bodies.contains(owner) {
                    continue;
                }
                // What an author has put away lies to the left of where anything begins.
                let is_near = page.as_ref() != Some(owner)
                    && i64::from(shown.x) - i64::from(place.right()) < i64::from(shown.width);
                let left = beyond.left && (is_near || reaches_left(tree, owner, shown));
                if scrolls && page.is_some() {
                    add(owner, Beyond { left, ..beyond });
                }
                break;
            }
        }
        for ((bar, owner), stands) in self.bars.iter().zip(&answers.stands) {
            let (Some((now, end)), Some(bar)) = (stands, tree.get(bar)) else { continue };
            let (before, after) = (*now >= 1.0, *now + 1.0 <= *end);
            let beyond = if bar.is(State::Horizontal) {
                Beyond { left: before, right: after, ..Beyond::default() }
            } else {
                Beyond { above: before, below: after, ..Beyond::default() }
            };
            add(owner, beyond);
        }
        found
    }
}

/// Whether something that shows goes on beyond the left edge, as it does where one can scroll there.
fn reaches_left(tree: &Tree, owner: &Address, shown: ScreenRect) -> bool {
    let below = tree.below_but(owner, |_, child| !child.shows());
    below.iter().filter(|at| *at != owner).filter_map(|at| tree.get(at)?.bounds).any(|bounds| {
        bounds.x < shown.x.saturating_sub(SLACK) && bounds.right() > shown.x.saturating_add(SLACK)
    })
}

/// The innermost page that an object stands in.
fn page_around(tree: &Tree, node: &Node) -> Option<Address> {
    let mut at = Some(node);
    for _ in 0..super::MAX_DEPTH {
        let node = at?;
        if node.role == BusRole::DocumentWeb {
            return Some(node.address.clone());
        }
        at = node.parent.as_ref().and_then(|parent| tree.get(parent));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    #[test]
    fn what_lies_outside_has_a_direction() {
        let shown = Rect::new(0, 0, 100, 100);
        for (thing, words) in [
            (Rect::new(0, 200, 10, 10), "below"),
            (Rect::new(0, -20, 10, 10), "above"),
            (Rect::new(100, 20, 10, 10), "right"),
            (Rect::new(-30, 20, 10, 10), "left"),
            (Rect::new(20, 20, 10, 10), ""),
            (Rect::new(20, 95, 10, 10), ""),
        ] {
            let beyond = Beyond::of(&thing, &shown);
            let all = [
                (beyond.above, "above"),
                (beyond.below, "below"),
                (beyond.left, "left"),
                (beyond.right, "right"),
            ];
            let said: Vec<&str> = all.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            assert_eq!(said.join(" "), words, "{thing}");
        }
    }
}
