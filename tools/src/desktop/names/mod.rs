//! Which number belongs to what was found in the pixels, a text or a shape: the same at about the same place of the same
//! window keeps its own from look to look, one that was read a little differently keeps it at its place, and
//! what has been scrolled takes it along. A field keeps it when something is written into it, though the
//! first look finds a shape there and the next a text that stands on it.

use std::collections::HashMap;

use super::counter::Counter;
use crate::element::{Element, ElementId, ElementKey, Source, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{ScreenPoint, ScreenRect};

mod scroll;

use scroll::{SCROLLED, Shift};

/// How far in px a thing may have moved inside of its window.
const NEAR: i32 = 24;
/// Things that were not seen for so many looks are forgotten.
const MEMORY: u64 = 50;
/// How far in px a shape may be from where it was when it comes back: many look the same.
const BACK: i32 = 3;
/// A shape may be gone for so many looks, while a hint comes up over it, and come back with another look.
const FADING: u64 = 3;
/// So many things may have become another at their place, where so many times as many are as they were.
const FEW: usize = 4;
const MANY: usize = 4;
/// How far in px two texts may begin from each other in one field.
const INDENT: u32 = 8;
/// The share of their letters that two readings of one text have in common, in tenths.
const ALIKE: usize = 6;

#[derive(Debug, Clone)]
struct Known {
    id: ElementId,
    is: Mark,
    /// Where it is by now, if it was there at the last look and has been scrolled along with its window.
    after: Option<Mark>,
    /// The look at which it was last seen.
    seen: u64,
    /// The last look of which it is not known that it was not there: one that did not see all does not tell.
    there: u64,
}

/// A thing as it is found at one look.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    window: Option<WindowId>,
    source: Source,
    /// What it says or looks like.
    words: String,
    /// Where it is, from the corner of its window.
    place: ScreenRect,
    /// The same of the shape that it stands on, where there is one.
    ground: ScreenRect,
}

impl Mark {
    fn of(element: &Element, look: Look<'_>) -> Self {
        let window = look.windows.iter().find(|window| Some(window.id) == element.window);
        let corner = window.map_or(ScreenPoint::new(0, 0), |window| window.bounds.origin());
        let from =
            |bounds: &ScreenRect| bounds.offset(corner.x.saturating_neg(), corner.y.saturating_neg());
        let holds = |ground: &&ScreenRect| {
            let shared = ground.intersect(&element.bounds).map_or(0, |shared| shared.area());
            shared * 10 >= element.bounds.area() * 7
        };
        let own = || look.grounds.iter().filter(holds).min_by_key(|ground| ground.area());
        let ground = Some(element.source).filter(|source| *source != Source::Vision).and_then(|_| own());
        Self {
            window: element.window,
            source: element.source,
            words: element.key.0.clone(),
            place: from(&element.bounds),
            ground: from(ground.unwrap_or(&element.bounds)),
        }
    }

    fn called(&self) -> (Option<WindowId>, Source, &str) {
        (self.window, self.source, &self.words)
    }

    fn says(&self, other: &Self) -> bool {
        self.called() == other.called()
    }

    fn moved(&self, (across, down): (i32, i32)) -> Self {
        let by = |place: &ScreenRect| place.offset(across, down);
        Self { place: by(&self.place), ground: by(&self.ground), ..self.clone() }
    }

    /// Whether the other is it, read otherwise or with more of it.
    fn is_read_as(&self, now: &Self) -> bool {
        let more = || {
            let is_text = self.source == Source::Ocr;
            is_text && grown(&self.place, &now.place) && begins(&self.words, &now.words)
        };
        let same = same_place(&self.place, &now.place) && alike(&self.words, &now.words);
        self.source == now.source && (same || more())
    }

    /// Whether both are shapes with the same sides, as one under the pointer is, or one that a hint lies over.
    fn is_redrawn_as(&self, now: &Self) -> bool {
        let (a, b) = (&self.place, &now.place);
        let corners = far(a, b).max(a.right().saturating_sub(b.right()).saturating_abs());
        let shapes = self.source == Source::Vision && now.source == Source::Vision;
        shapes && corners.max(a.bottom().saturating_sub(b.bottom()).saturating_abs()) <= BACK
    }

    /// Whether one is a shape, and the other the text on it.
    fn is_filled_as(&self, now: &Self) -> bool {
        self.source != now.source && same_place(&self.ground, &now.ground)
    }

    /// Whether one is the part of the other that an edge of what is scrolled leaves.
    fn is_cut_as(&self, now: &Self) -> bool {
        let (a, b) = (&self.ground, &now.ground);
        let near = |a: i32, b: i32| a.abs_diff(b) <= SCROLLED;
        let level = near(a.x, b.x) && near(a.right(), b.right());
        let upright = near(a.y, b.y) && near(a.bottom(), b.bottom());
        let cut = level && (near(a.y, b.y) || near(a.bottom(), b.bottom()))
            || upright && (near(a.x, b.x) || near(a.right(), b.right()));
        let is_text = self.source == Source::Ocr && now.source == Source::Ocr;
        cut && (!is_text || alike(&self.words, &now.words))
    }

    /// Whether it stands where the other does, or two texts begin there.
    fn is_in_place_of(&self, now: &Self) -> bool {
        let (a, b) = (&self.place, &now.place);
        let is_text = self.source == Source::Ocr && now.source == Source::Ocr;
        let low = a.height.min(b.height) / 2;
        let begins = a.x.abs_diff(b.x) <= INDENT && a.center().y.abs_diff(b.center().y) <= low;
        same_place(&self.ground, &now.ground) || is_text && begins
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
            let by = scrolled.get(&known.is.window).filter(|_| known.there == last);
            known.after = by.map(|by| known.is.moved(*by));
        }
        let ids = self.find(marks);
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
    fn find(&mut self, marks: &[Mark]) -> Vec<Option<ElementId>> {
        let last = self.look - 1;
        let stays = |known: &Known, fits: &dyn Fn(&Mark) -> bool| {
            let stays = known.there == last && fits(&known.is);
            (stays || known.after.as_ref().is_some_and(fits)).then_some(0)
        };
        let mut ids: Vec<Option<ElementId>> = vec![None; marks.len()];
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.after.as_ref().filter(|old| old.says(now))?.place, &now.place);
            (far.unsigned_abs() <= SCROLLED).then_some(far)
        });
        self.pass(marks, &mut ids, &|known, now| {
            known.after.as_ref().is_some_and(|old| old.is_cut_as(now)).then_some(0)
        });
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.is.place, &now.place);
            let reach = if known.after.is_some() { BACK } else { NEAR };
            (known.there == last && known.is.says(now) && far <= reach).then_some(far)
        });
        self.pass(marks, &mut ids, &|known, now| stays(known, &|old| old.is_read_as(now)));
        self.pass(marks, &mut ids, &|known, now| {
            let recent = last.saturating_sub(known.there) <= FADING;
            (recent && known.is.is_redrawn_as(now)).then_some(0)
        });
        self.pass(marks, &mut ids, &|known, now| stays(known, &|old| old.is_filled_as(now)));
        // What was not there at the last look comes back.
        self.pass(marks, &mut ids, &|known, now| {
            let far = far(&known.is.place, &now.place);
            let reach = if now.source == Source::Vision { BACK } else { NEAR };
            (known.there < last && known.is.says(now) && far <= reach).then_some(far)
        });
        self.few(marks, &mut ids);
        ids
    }

    /// Where nearly all of a window is as it was, what is in the place of something else is that thing, which has
    /// changed: a button under the pointer, a field with another text.
    fn few(&mut self, marks: &[Mark], ids: &mut [Option<ElementId>]) {
        let last = self.look - 1;
        let is_in_place = |known: &Known, now: &Mark| {
            let moved = || known.after.as_ref().is_some_and(|old| old.is_in_place_of(now));
            known.there == last && (known.is.is_in_place_of(now) || moved())
        };
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

/// How far apart their corners are.
fn far(a: &ScreenRect, b: &ScreenRect) -> i32 {
    let (x, y) = (a.x.saturating_sub(b.x), a.y.saturating_sub(b.y));
    x.saturating_abs().max(y.saturating_abs())
}

/// Whether one lies nearly where the other does.
fn same_place(a: &ScreenRect, b: &ScreenRect) -> bool {
    let shared = a.intersect(b).map_or(0, |shared| shared.area());
    shared * 10 >= a.union(b).area() * 6
}

/// Whether the smaller lies in the larger, nearly all of it.
fn grown(a: &ScreenRect, b: &ScreenRect) -> bool {
    let shared = a.intersect(b).map_or(0, |shared| shared.area());
    shared * 10 >= a.area().min(b.area()) * 7
}

/// Whether one says what the other begins with.
fn begins(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (a, b) = (letters(a), letters(b));
    !a.is_empty() && !b.is_empty() && (a.starts_with(&b) || b.starts_with(&a))
}

/// Whether two readings are of one text.
fn alike(a: &str, b: &str) -> bool {
    let mut counts: HashMap<char, i32> = HashMap::new();
    a.chars().for_each(|c| *counts.entry(c).or_default() += 1);
    let mut shared = 0;
    for c in b.chars() {
        if let Some(count) = counts.get_mut(&c).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    shared * 20 >= (a.chars().count() + b.chars().count()) * ALIKE
}

#[cfg(test)]
mod tests;
