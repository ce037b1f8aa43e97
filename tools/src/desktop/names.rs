//! Which number belongs to which text: the same text at about the same place of the same window keeps
//! its own from look to look, one that was read a little differently keeps it at its place, and what has been
//! scrolled takes it along.

use std::collections::HashMap;

use crate::desktop::counter::Counter;
use crate::element::{ElementId, ElementKey, WindowId};
use crate::geometry::{ScreenPoint, ScreenRect};

/// How far in px a text may have moved inside of its window.
const NEAR: i32 = 24;
/// How far in px it may be from where it would have been scrolled to.
const SCROLLED: u32 = 3;
/// So many texts of a window that all moved alike have been scrolled.
const VOTES: usize = 2;
/// Texts that were not seen for so many looks are forgotten.
const MEMORY: u64 = 50;
/// The share of their letters that two readings of one text have in common, in tenths.
const ALIKE: usize = 6;

#[derive(Debug)]
struct Known {
    id: ElementId,
    window: Option<WindowId>,
    text: String,
    /// Where it is, from the corner of its window.
    place: ScreenRect,
    seen: u64,
}

/// The numbers of texts.
#[derive(Debug)]
pub(super) struct Names {
    counter: Counter,
    /// How they are found, which begins their keys.
    found: &'static str,
    known: Vec<Known>,
    look: u64,
}

/// A text that wants a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) window: Option<WindowId>,
    /// Where the window begins.
    pub(super) corner: ScreenPoint,
    pub(super) text: &'a str,
    pub(super) bounds: ScreenRect,
}

impl Wanted<'_> {
    fn place(&self) -> ScreenRect {
        self.bounds.offset(self.corner.x.saturating_neg(), self.corner.y.saturating_neg())
    }
}

impl Names {
    /// Takes its numbers from where those of all elements come from.
    pub(super) const fn new(counter: Counter, found: &'static str) -> Self {
        Self { counter, found, known: Vec::new(), look: 0 }
    }

    /// The number and the key of each text of one look.
    pub(super) fn assign(&mut self, texts: &[Wanted<'_>]) -> Vec<(ElementId, ElementKey)> {
        self.look += 1;
        let (scrolled, last) = (self.scrolled(texts), self.look - 1);
        let mut ids: Vec<Option<ElementId>> = vec![None; texts.len()];
        let moved = |text: &Wanted<'_>| scrolled.get(&text.window).copied();
        self.pass(texts, &mut ids, &|known, text| {
            let same = known.seen == last && known.text == text.text;
            let (across, down) = moved(text).filter(|_| same)?;
            let far = far(&known.place.offset(across, down), &text.place());
            (far.unsigned_abs() <= SCROLLED).then_some(far)
        });
        self.pass(texts, &mut ids, &|known, text| {
            let far = far(&known.place, &text.place());
            (known.text == text.text && far <= NEAR).then_some(far)
        });
        self.pass(texts, &mut ids, &|known, text| {
            let same = known.seen == last && same_place(&known.place, &text.place());
            (same && alike(&known.text, text.text)).then_some(0)
        });
        let look = self.look;
        self.known.retain(|known| look - known.seen < MEMORY);
        let one = |(text, id): (&Wanted<'_>, Option<ElementId>)| id.unwrap_or_else(|| self.fresh(text));
        let ids: Vec<ElementId> = texts.iter().zip(ids).map(one).collect();
        ids.into_iter().map(|id| (id, ElementKey(format!("{}:{id}", self.found)))).collect()
    }

    /// Gives the texts without a number that of the known one of their window which `fits` best.
    fn pass(
        &mut self,
        texts: &[Wanted<'_>],
        ids: &mut [Option<ElementId>],
        fits: &dyn Fn(&Known, &Wanted<'_>) -> Option<i32>,
    ) {
        let look = self.look;
        for (text, id) in texts.iter().zip(ids).filter(|(_, id)| id.is_none()) {
            let free = self.known.iter_mut().filter(|k| k.seen < look && k.window == text.window);
            let fitting = free.filter_map(|known| Some((fits(known, text)?, known)));
            if let Some((_, known)) = fitting.min_by_key(|(far, _)| *far) {
                (known.place, known.seen) = (text.place(), look);
                if known.text != text.text {
                    text.text.clone_into(&mut known.text);
                }
                *id = Some(known.id);
            }
        }
    }

    fn fresh(&mut self, text: &Wanted<'_>) -> ElementId {
        let id = self.counter.next();
        let (window, place) = (text.window, text.place());
        self.known.push(Known { id, window, text: text.text.to_owned(), place, seen: self.look });
        id
    }

    /// By how much the texts of each window have been scrolled since the last look: those that stand there
    /// once in both say it, where enough of them say the same.
    fn scrolled(&self, texts: &[Wanted<'_>]) -> HashMap<Option<WindowId>, (i32, i32)> {
        let last = self.look - 1;
        let before = self.known.iter().filter(|known| known.seen == last);
        let before = once(before.map(|known| ((known.window, &*known.text), known.place)));
        let now = once(texts.iter().map(|text| ((text.window, text.text), text.place())));
        let mut moves: HashMap<Option<WindowId>, Vec<(i32, i32)>> = HashMap::new();
        for (key, place) in &now {
            let Some(old) = before.get(key) else { continue };
            let by = (place.x.saturating_sub(old.x), place.y.saturating_sub(old.y));
            let (across, down) = (by.0.unsigned_abs(), by.1.unsigned_abs());
            // Straight along one side, and not where it was.
            if across.min(down) <= SCROLLED && across.max(down) > SCROLLED {
                moves.entry(key.0).or_default().push(by);
            }
        }
        let agreed = |all: Vec<(i32, i32)>| {
            let near =
                |a: &(i32, i32), b: &(i32, i32)| a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)) <= SCROLLED;
            let votes = |by: &(i32, i32)| all.iter().filter(|other| near(by, other)).count();
            let best = all.iter().copied().max_by_key(|by| (votes(by), *by))?;
            (votes(&best) >= VOTES).then_some(best)
        };
        moves.into_iter().filter_map(|(window, all)| Some((window, agreed(all)?))).collect()
    }
}

/// What comes only once.
fn once<K: std::hash::Hash + Eq, V>(all: impl Iterator<Item = (K, V)>) -> HashMap<K, V> {
    let mut found: HashMap<K, Option<V>> = HashMap::new();
    for (key, value) in all {
        found.entry(key).and_modify(|twice| *twice = None).or_insert(Some(value));
    }
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
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
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn wanted(text: &str, window: u64, corner: i32, x: i32) -> Wanted<'_> {
        Wanted {
            window: Some(WindowId(window)),
            corner: ScreenPoint::new(corner, 0),
            text,
            bounds: Rect::new(x, 40, 50, 12),
        }
    }

    #[test]
    fn numbers_stay_with_their_texts() {
        let mut names = Names::new(Counter::default(), "ocr");
        let mut ids = |texts: &[Wanted<'_>]| -> Vec<u32> {
            names.assign(texts).into_iter().map(|(id, _)| id.0).collect()
        };
        assert_eq!(ids(&[wanted("Save", 1, 0, 10), wanted("Save", 1, 0, 90)]), [1, 2]);
        // Moved a little, and the other one is gone.
        assert_eq!(ids(&[wanted("Save", 1, 0, 95)]), [2]);
        assert_eq!(ids(&[wanted("Save", 1, 0, 10), wanted("Open", 1, 0, 95)]), [1, 3]);
        // Its window has moved, and it with it.
        assert_eq!(ids(&[wanted("Save", 1, 300, 310)]), [1]);
        // Another window, and another place.
        assert_eq!(ids(&[wanted("Save", 2, 0, 10), wanted("Save", 1, 300, 340)]), [4, 5]);
    }

    fn row(text: &str, y: i32) -> Wanted<'_> {
        Wanted { bounds: Rect::new(10, y, 80, 12), ..wanted(text, 1, 0, 0) }
    }

    #[test]
    fn what_is_read_a_little_differently_keeps_its_number() {
        let mut names = Names::new(Counter::default(), "ocr");
        let mut id = |text: &str, x: i32| names.assign(&[wanted(text, 1, 0, x)])[0].0.0;
        assert_eq!([id("Save as...", 10), id("Saveas..", 11), id("Save as...", 10)], [1, 1, 1]);
        assert_eq!([id("Delete", 10), id("Save as...", 50)], [2, 3]);
    }

    #[test]
    fn what_is_scrolled_takes_its_number_along() {
        let mut names = Names::new(Counter::default(), "ocr");
        let mut ids = |texts: &[Wanted<'_>]| -> Vec<u32> {
            names.assign(texts).into_iter().map(|(id, _)| id.0).collect()
        };
        let rows = |from: i32, names: &[&'static str]| -> Vec<Wanted<'static>> {
            let each = names
                .iter()
                .zip(0..)
                .flat_map(|(name, at)| [row(name, from + at * 40), row("Edit", from + 20 + at * 40)]);
            std::iter::once(row("Title", 0)).chain(each).collect()
        };
        assert_eq!(ids(&rows(20, &["Anna", "Boris", "Carla"])), [1, 2, 3, 4, 5, 6, 7]);
        // By a row: what is called alike is not mistaken for its neighbour, and the title stays.
        assert_eq!(ids(&rows(20, &["Boris", "Carla", "Dora"])), [1, 4, 5, 6, 7, 8, 9]);
        assert_eq!(ids(&rows(120, &["Boris", "Carla", "Dora"])), [1, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn numbers_are_shared_with_all_elements() {
        let counter = Counter::default();
        let mut names = Names::new(counter.clone(), "ocr");
        assert_eq!(counter.next(), ElementId(1));
        assert_eq!(names.assign(&[wanted("a", 1, 0, 0)])[0].0, ElementId(2));
        assert_eq!(counter.next(), ElementId(3));
    }
}
