//! What of a page lies under something else or out of the sight of what scrolls it. The tree does not
//! say that. But it says where all things are, which leaves few in doubt, and a browser can be asked what
//! lies at a point. It answers with a guess at first and exactly a moment later, so the question is put
//! again, and the answer is kept as long as everything stays in its place. Where the middle is hidden, the
//! largest part beside what hides it may still be reached, and stands for the thing then.

use std::collections::HashMap;
use std::time::Duration;

use ::atspi::Role as BusRole;
use tokio::time::{Instant, sleep};

use super::bus::Bus;
use super::draft::Draft;
use super::node::{Address, Node, Tree, is_block};
use super::placing::Places;
use super::roles::{is_control, role};
use crate::desktop::uncovered;
use crate::geometry::ScreenRect;

/// As long as the questions of one look may take; what is still in doubt then is asked at the next.
const PATIENCE: Duration = Duration::from_millis(150);
/// As long as a browser takes to find out what is at a point.
pub(super) const MOMENT: Duration = Duration::from_millis(15);
/// Sides in px of what can still be clicked when a part of it is cut off.
const LEAST: u32 = 4;
/// Levels that a control is made of.
const INSIDE: usize = 4;
/// An answer is asked for again after so many looks: the browser may have been slower than that.
const LASTS: u32 = 8;

/// What is in doubt: an object and what may hide it, each where it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Doubt {
    at: Address,
    bounds: ScreenRect,
    /// The page that it stands in.
    page: Address,
    by: Address,
    edge: ScreenRect,
    /// Whether `by` holds it and may cut it off; otherwise `by` may lie over it.
    is_within: bool,
    /// What is left of it when it does.
    rest: Option<ScreenRect>,
}

/// What became of a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// A click on its middle reaches it.
    Open,
    /// A click on what is left of it does.
    Cut,
    /// It cannot be reached.
    Hidden,
}

/// An answer, for how many looks it has been believed, and whether it was given twice.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    finding: Finding,
    age: u32,
    is_sure: bool,
}

impl Verdict {
    /// What was found now, after `before`. That a thing is open is said at once, and may be the guess of a slow browser;
    /// the rest was asked twice.
    fn after(before: Option<&Self>, finding: Finding) -> Self {
        Self { finding, age: 0, is_sure: before.is_some() || finding != Finding::Open }
    }

    const fn is_believed(self) -> bool {
        self.is_sure && self.age < LASTS
    }
}

/// What was found out at earlier looks.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    known: HashMap<Doubt, Verdict>,
}

/// The showing objects of a tree in its order, each with the place of the last one below it.
struct Order<'t> {
    tree: &'t Tree,
    nodes: Vec<&'t Node>,
    last: Vec<usize>,
    place: HashMap<&'t Address, usize>,
}

impl<'t> Order<'t> {
    fn of(tree: &'t Tree, showing: &'t [Address]) -> Self {
        let nodes: Vec<&Node> = showing.iter().filter_map(|at| tree.get(at)).collect();
        let place: HashMap<&Address, usize> =
            nodes.iter().enumerate().map(|(place, node)| (&node.address, place)).collect();
        let mut last: Vec<usize> = (0..nodes.len()).collect();
        for (at, node) in nodes.iter().enumerate().rev() {
            let end = last.get(at).copied().unwrap_or(at);
            let parent = node.parent.as_ref().and_then(|parent| place.get(parent));
            if let Some(above) = parent.filter(|parent| **parent < at).and_then(|at| last.get_mut(*at)) {
                *above = (*above).max(end);
            }
        }
        Self { tree, nodes, last, place }
    }

    fn holds(&self, outer: usize, inner: usize) -> bool {
        outer <= inner && self.last.get(outer).is_some_and(|last| inner <= *last)
    }

    /// The objects that hold this one, from the inside.
    fn above(&self, node: &'t Node) -> impl Iterator<Item = &'t Node> {
        let up = |node: &&'t Node| self.tree.get(node.parent.as_ref()?);
        std::iter::successors(up(&node), up).take(super::MAX_DEPTH)
    }

    /// The page that it stands in, and no frame within that.
    fn page(&self, node: &'t Node) -> Option<&'t Node> {
        self.above(node).filter(|node| node.role == BusRole::DocumentWeb).last()
    }

    /// What may hide it: what holds it and does not reach it, or what comes after it and lies there too.
    fn doubt(&self, draft: &Draft) -> Option<Doubt> {
        let place = *self.place.get(&draft.address)?;
        let node = *self.nodes.get(place)?;
        let middle = draft.bounds.center();
        let page = self.page(node)?;
        let doubt = |by: &Node, edge, is_within, rest| Doubt {
            at: draft.address.clone(),
            bounds: draft.bounds,
            page: page.address.clone(),
            by: by.address.clone(),
            edge,
            is_within,
            rest,
        };
        for holder in self.above(node).filter(|holder| is_block(holder.role)) {
            if let Some(edge) = holder.bounds.filter(|edge| !edge.is_empty() && !edge.contains(middle)) {
                let rest = draft.bounds.intersect(&edge);
                let rest = rest.filter(|rest| rest.width >= LEAST && rest.height >= LEAST);
                return Some(doubt(holder, edge, true, rest));
            }
        }
        let end = *self.last.get(*self.place.get(&page.address)?)?;
        let after = self.nodes.get(self.last.get(place)? + 1..=end)?;
        after.iter().rev().find_map(|over| {
            let edge = over.bounds.filter(|edge| edge.contains(middle))?;
            // On a larger thing that can be used a smaller one may lie, and a button too.
            let may_cover = if draft.role.takes_clicks() {
                lies_over(over.role) || is_control(role(over))
            } else {
                lies_over(over.role) && edge.area() >= draft.bounds.area()
            };
            may_cover.then(|| doubt(over, edge, false, self.beside(draft, over, node)))
        })
    }

    /// What is left of a thing beside the whole of what lies over it: `over` may be a part of a box, and the
    /// box a part of a ground that fills the page and is not seen.
    fn beside(&self, draft: &Draft, over: &'t Node, under: &Node) -> Option<ScreenRect> {
        let own = *self.place.get(&under.address)?;
        let apart = |node: &&Node| self.place.get(&node.address).is_some_and(|at| !self.holds(*at, own));
        let whole = std::iter::once(over).chain(self.above(over).take_while(apart));
        let left = |node: &Node| uncovered::enough(draft.role, draft.bounds, &[node.bounds?]);
        whole.filter_map(left).last()
    }

    /// Whether `hit`, which lies on top at a point of it, means that a click does not reach it. Between the words
    /// of what lies over it a browser names what holds both, which says nothing.
    fn misses(&self, doubt: &Doubt, hit: &Address) -> Option<bool> {
        let (own, hit) = (*self.place.get(&doubt.at)?, *self.place.get(hit)?);
        let labels = |label: &&Node| label.role == BusRole::Label;
        let label =
            self.above(self.nodes.get(own)?).find(labels).and_then(|l| self.place.get(&l.address));
        let reached = self.holds(own, hit) || label.is_some_and(|label| self.holds(*label, hit));
        // What holds it lies behind it, unless it has cut it off.
        if !reached && !doubt.is_within && self.holds(hit, own) { None } else { Some(!reached) }
    }
}

impl Verdicts {
    /// The drafts of one program without those that are cut off, and with what of them is; what is covered is but an
    /// echo.
    pub(super) async fn apply(
        &mut self,
        bus: &Bus,
        (tree, places): (&Tree, &Places),
        drafts: Vec<Draft>,
    ) -> Vec<Draft> {
        let showing = tree.showing();
        let order = Order::of(tree, &showing);
        let end = Instant::now() + PATIENCE;
        let doubts: Vec<Option<Doubt>> =
            drafts.iter().map(|draft| if draft.is_echo { None } else { order.doubt(draft) }).collect();
        // What was never asked and what can be used first, since time may not be enough for all.
        for (again, uses) in [(false, true), (false, false), (true, true), (true, false)] {
            let meant =
                drafts.iter().zip(&doubts).filter(|(draft, _)| draft.role.takes_clicks() == uses);
            for doubt in meant.filter_map(|(_, doubt)| doubt.as_ref()) {
                let before = self.known.get(doubt);
                let is_due = before.map_or(!again, |before| again && !before.is_believed());
                if is_due && Instant::now() < end {
                    let finding = find((bus, places), &order, doubt).await;
                    self.known.insert(doubt.clone(), Verdict::after(before, finding));
                }
            }
        }
        let seen = drafts.into_iter().zip(doubts).filter_map(|(draft, doubt)| {
            let verdict = doubt.as_ref().and_then(|doubt| self.known.get(doubt));
            match verdict.map_or(Finding::Open, |verdict| verdict.finding) {
                Finding::Open => Some(draft),
                Finding::Cut => Some(Draft { bounds: doubt?.rest?, ..draft }),
                // It may be seen through what lies over it.
                Finding::Hidden if !doubt?.is_within => Some(Draft { is_echo: true, ..draft }),
                Finding::Hidden => None,
            }
        });
        seen.collect()
    }

    /// Forgets the answers that are too old; called once a look.
    pub(super) fn age(&mut self) {
        self.known.retain(|_, verdict| {
            verdict.age += 1;
            verdict.age < 2 * LASTS
        });
    }
}

/// Asks the browser about one doubt. Where it says nothing, the thing is there; of one whose middle is hidden the rest
/// is believed only on its word, since that may lie under a scroll bar, of which nobody tells.
async fn find(bus: (&Bus, &Places), order: &Order<'_>, doubt: &Doubt) -> Finding {
    if reaches(bus, order, doubt, (doubt.bounds, 1)).await != Some(false) {
        return Finding::Open;
    }
    match doubt.rest {
        Some(rest) if reaches(bus, order, doubt, (rest, 2)).await == Some(true) => Finding::Cut,
        _ => Finding::Hidden,
    }
}

/// Whether a click on the middle of `part` reaches what is in doubt, as it is told so many times. Asked twice before
/// the answer is no, since a slow browser still guesses, and hiding what is there is the worse mistake. Where the
/// answer says nothing, another point is asked about.
async fn reaches(
    (bus, places): (&Bus, &Places),
    order: &Order<'_>,
    doubt: &Doubt,
    (part, times): (ScreenRect, usize),
) -> Option<bool> {
    let known = |at: &Address| order.place.contains_key(at);
    let third = |side: u32| i32::try_from(side / 3).unwrap_or(0);
    let aside = part.origin().offset(third(part.width), third(part.height));
    for point in [part.center(), aside] {
        let point = places.of(&doubt.page).back(point);
        let _guess = bus.at_point(&doubt.page, point).await;
        let (mut missed, mut met) = (0, 0);
        while missed < 2 && met < times {
            sleep(MOMENT).await;
            let Some(hit) = bus.at_point(&doubt.page, point).await else { break };
            // What a control is made of is not looked at otherwise.
            let hit = if known(&hit) {
                Some(hit)
            } else {
                bus.above(&hit, INSIDE).await.into_iter().map(|(at, _)| at).find(known)
            };
            match hit.and_then(|hit| order.misses(doubt, &hit)) {
                Some(true) => missed += 1,
                Some(false) => met += 1,
                None => break,
            }
        }
        if missed == 2 || met == times {
            return Some(met == times);
        }
    }
    None
}

/// Whether it may lie over what comes before it. Pieces of text do not, though their boxes may.
const fn lies_over(role: BusRole) -> bool {
    is_block(role)
        || matches!(
            role,
            BusRole::Dialog
                | BusRole::Alert
                | BusRole::Form
                | BusRole::List
                | BusRole::Table
                | BusRole::InternalFrame
                | BusRole::ToolBar
        )
}

/// Which of the drafts are in doubt, and what is left of them if it is justified.
#[cfg(test)]
pub(super) fn doubts(tree: &Tree, drafts: &[Draft]) -> Vec<(bool, Option<ScreenRect>)> {
    let showing = tree.showing();
    let order = Order::of(tree, &showing);
    let doubts = drafts.iter().map(|draft| order.doubt(draft));
    doubts.map(|doubt| (doubt.is_some(), doubt.and_then(|doubt| doubt.rest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_a_thing_is_open_is_believed_when_it_is_said_twice() {
        let first = Verdict::after(None, Finding::Open);
        assert!(!first.is_believed(), "a slow browser guesses");
        let second = Verdict::after(Some(&first), Finding::Open);
        assert!(second.is_believed());
        assert!(!Verdict { age: LASTS, ..second }.is_believed(), "long ago");
        assert!(Verdict::after(None, Finding::Hidden).is_believed(), "it was asked twice");
        assert!(Verdict::after(Some(&first), Finding::Hidden).is_believed());
    }
}
