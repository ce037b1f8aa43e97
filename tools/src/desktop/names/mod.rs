//! Which number belongs to what was found in the pixels, a text or a shape: the same at about the same place of the same
//! window keeps its own from look to look, one that was read a little differently keeps it at its place, and
//! what has been scrolled takes it along. A field keeps it when something is written into it, though the
//! first look finds a shape there and the next a text that stands on it.

use std::collections::HashMap;

use super::counter::Counter;
use crate::element::{Element, ElementId, ElementKey, Source, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::ScreenRect;

mod mark;
mod scroll;

use mark::{BACK, Mark, far};
use scroll::{SCROLLED, Scrolls, Shift};

/// How far in px a thing may have moved inside of its window.
const NEAR: i32 = 24;
/// Things that were not seen for so many looks are forgotten.
const MEMORY: u64 = 50;
/// A shape may be gone for so many looks, while a hint comes up over it, and come back with another look.
const FADING: u64 = 3;
/// So many things may have become another at their place, where so many times as many are as they were.
const FEW: usize = 4;
const MANY: usize = 4;

#[derive(Debug, Clone)]
struct Known {
    id: ElementId,
    /// As it was last seen; where it would be by now if its window has been scrolled since.
    is: Mark,
    /// Where it is by now, if it was there at the last look and has been scrolled along with its window.
    after: Option<Mark>,
    /// The look at which it was last seen.
    seen: u64,
    /// The last look of which it is not known that it was not there: one that did not see all does not tell.
    there: u64,
}

impl Known {
    /// As it should be found now.
    fn expected(&self) -> &Mark {
        self.after.as_ref().unwrap_or(&self.is)
    }
}

/// The numbers of what was found in the pixels.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    counter: Counter,
    known: Vec<Known>,
    look: u64,
    /// The picture of the last look that saw all.
    frame: Option<Frame>,
}

/// What a look was like, beside the elements that it found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) frame: &'a Frame,
    pub(super) windows: &'a [Window],
    /// Shapes that are not listed, since a text stands on them.
    pub(super) grounds: &'a [ScreenRect],
    /// Whether all has been looked at.
    pub(super) whole: bool,
}

impl Names {
    /// Takes its numbers from where those of all elements come from.
    pub(super) const fn new(counter: Counter) -> Self {
        Self { counter, known: Vec::new(), look: 0, frame: None }
    }

    /// Gives the elements of one look that were found in the pixels their numbers, and keys that stay with these. Until
    /// then their keys say what they look like.
    pub(super) fn assign(&mut self, elements: &mut [Element], look: Look<'_>) {
        let found = |element: &&mut Element| element.source != Source::Accessibility;
        let mut own: Vec<&mut Element> = elements.iter_mut().filter(found).collect();
        let marks: Vec<Mark> = own.iter().map(|element| Mark::of(element, look)).collect();
        let ids = self.numbers(&marks, look);
        for (element, id) in own.iter_mut().zip(ids) {
            (element.id, element.key) = (id, ElementKey(format!("pixels:{id}")));
        }
    }

    fn numbers(&mut self, marks: &[Mark], look: Look<'_>) -> Vec<ElementId> {
        self.look += 1;
        let last = self.look - 1;
        let before: Vec<&Mark> = self.known.iter().filter(|k| k.there == last).map(|k| &k.is).collect();
        let shift = self.frame.as_ref().map(|before| Shift { before, now: look.frame });
        let scrolled = scroll::by(&before, marks, shift, look.windows);
        for known in &mut self.known {
            let scrolled = scrolled.get(&known.is.window).filter(|own| own.takes(&known.is.place));
            let after = scrolled.map(|own| known.is.moved(own.by));
            match after {
                Some(after) if known.there < last => known.is = after,
                after => known.after = after,
            }
        }
        let ids = self.find(marks, &scrolled);
        for known in &mut self.known {
            if let Some(gone) = known.after.take().filter(|_| known.seen < self.look) {
                known.is = gone;
            }
        }
        let now = self.look;
        self.known.retain(|known| now - known.seen < MEMORY);
        if look.whole {
            self.frame = Some(look.frame.clone());
        } else {
            self.known.iter_mut().filter(|k| k.there == last).for_each(|known| known.there = now);
        }
        let one = |(mark, id): (&Mark, Option<ElementId>)| id.unwrap_or_else(|| self.fresh(mark));
        marks.iter().zip(ids).map(one).collect()
    }

    /// The numbers of what is known, the surest first.
    fn find(&mut self, marks: &[Mark], scrolled: &Scrolls) -> Vec<Option<ElementId>> {
        let last = self.look - 1;
        let stays = |known: &Known, fits: &dyn Fn(&Mark) -> bool| {
            (known.there == last && fits(known.expected())).then_some(0)
        };
        let mut ids: Vec<Option<ElementId>> = vec![None; marks.len()];
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.after.as_ref().filter(|old| old.says(now))?.place, &now.place);
            (far.unsigned_abs() <= SCROLLED).then_some(far)
        });
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.is.place, &now.place);
            let reach = if known.after.is_some() { BACK } else { NEAR };
            (known.there == last && known.is.says(now) && far <= reach).then_some(far)
        });
        self.pass(marks, &mut ids, &|known, now| {
            let across = scrolled.get(&now.window)?.is_across();
            known.after.as_ref().is_some_and(|old| old.is_cut_as(now, across)).then_some(0)
        });
        self.pass(marks, &mut ids, &|known, now| stays(known, &|old| old.is_part_of(now)));
        self.pass(marks, &mut ids, &|known, now| stays(known, &|old| old.is_read_as(now)));
        self.pass(marks, &mut ids, &|known, now| {
            let recent = last.saturating_sub(known.there) <= FADING;
            (recent && known.expected().is_redrawn_as(now)).then_some(0)
        });
        self.pass(marks, &mut ids, &|known, now| stays(known, &|old| old.is_filled_as(now)));
        self.pass(marks, &mut ids, &|known, now| {
            let round = scrolled.get(&now.window).filter(|own| !own.is_across())?.round?;
            known.after.as_ref()?.is_tip_as(&known.is, now, &round)
        });
        // What was not there at the last look comes back where it was. Elsewhere it is another that says the same.
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.is.place, &now.place);
            (known.there < last && known.is.says(now) && far <= BACK).then_some(far)
        });
        self.few(marks, &mut ids);
        ids
    }

    /// Where nearly all of a window is as it was, what is in the place of something else is that thing, which has
    /// changed: a button under the pointer, a field with another text.
    fn few(&mut self, marks: &[Mark], ids: &mut [Option<ElementId>]) {
        let last = self.look - 1;
        let is_in_place =
            |known: &Known, now: &Mark| known.there == last && known.expected().is_in_place_of(now);
        let mut counts: HashMap<Option<WindowId>, (usize, usize)> = HashMap::new();
        for (mark, id) in marks.iter().zip(ids.iter()) {
            let (stays, other) = counts.entry(mark.window).or_default();
            let free = || self.known.iter().filter(|known| known.seen < self.look);
            if id.is_some() {
                *stays += 1;
            } else if free().any(|known| known.is.window == mark.window && is_in_place(known, mark)) {
                *other += 1;
            }
        }
        let few = |window: Option<WindowId>| {
            let (stays, other) = counts.get(&window).copied().unwrap_or_default();
            other <= FEW && other * MANY <= stays
        };
        self.pass(marks, ids, &|known, now| (few(now.window) && is_in_place(known, now)).then_some(0));
    }

    /// Gives what has no number yet that of a known thing of its window that `fits`, the best of all pairs first.
    fn pass(
        &mut self,
        marks: &[Mark],
        ids: &mut [Option<ElementId>],
        fits: &dyn Fn(&Known, &Mark) -> Option<i32>,
    ) {
        let look = self.look;
        let mut pairs: Vec<(i32, usize, usize)> = Vec::new();
        for (at, mark) in marks.iter().enumerate().filter(|(at, _)| ids.get(*at) == Some(&None)) {
            for (old, known) in self.known.iter().enumerate() {
                if known.seen < look && known.is.window == mark.window {
                    pairs.extend(fits(known, mark).map(|far| (far, at, old)));
                }
            }
        }
        pairs.sort_unstable();
        for (_, at, old) in pairs {
            let (Some(mark), Some(id), Some(known)) =
                (marks.get(at), ids.get_mut(at), self.known.get_mut(old))
            else {
                continue;
            };
            if id.is_none() && known.seen < look {
                (known.is, known.seen, known.there) = (mark.clone(), look, look);
                *id = Some(known.id);
            }
        }
    }

    fn fresh(&mut self, mark: &Mark) -> ElementId {
        let id = self.counter.next();
        self.known.push(Known { id, is: mark.clone(), after: None, seen: self.look, there: self.look });
        id
    }
}

#[cfg(test)]
mod tests;
