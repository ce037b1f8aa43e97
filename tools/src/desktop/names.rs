//! Which number belongs to which text: the same text at about the same place of the same window keeps
//! its own from look to look.

use crate::desktop::counter::Counter;
use crate::element::{ElementId, ElementKey, WindowId};
use crate::geometry::{ScreenPoint, ScreenRect};

/// How far in px a text may have moved inside of its window.
const NEAR: i32 = 24;
/// Texts that were not seen for so many looks are forgotten.
const MEMORY: u64 = 50;

#[derive(Debug)]
struct Known {
    id: ElementId,
    window: Option<WindowId>,
    text: String,
    /// Where it begins, from the corner of its window.
    place: ScreenPoint,
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

impl Names {
    /// Takes its numbers from where those of all elements come from.
    pub(super) const fn new(counter: Counter, found: &'static str) -> Self {
        Self { counter, found, known: Vec::new(), look: 0 }
    }

    /// The number and the key of each text of one look.
    pub(super) fn assign(&mut self, texts: &[Wanted<'_>]) -> Vec<(ElementId, ElementKey)> {
        self.look += 1;
        let ids: Vec<ElementId> = texts.iter().map(|text| self.one(text)).collect();
        let look = self.look;
        self.known.retain(|known| look - known.seen < MEMORY);
        ids.into_iter().map(|id| (id, ElementKey(format!("{}:{id}", self.found)))).collect()
    }

    fn one(&mut self, text: &Wanted<'_>) -> ElementId {
        let place = text.bounds.origin().offset(-text.corner.x, -text.corner.y);
        let far = |known: &Known| {
            let (x, y) = (known.place.x.saturating_sub(place.x), known.place.y.saturating_sub(place.y));
            x.saturating_abs().max(y.saturating_abs())
        };
        let look = self.look;
        let same = self
            .known
            .iter_mut()
            .filter(|known| known.seen < look && known.window == text.window && known.text == text.text)
            .filter(|known| far(known) <= NEAR)
            .min_by_key(|known| far(known));
        if let Some(known) = same {
            (known.place, known.seen) = (place, look);
            return known.id;
        }
        let id = self.counter.next();
        let known = Known { id, window: text.window, text: text.text.to_owned(), place, seen: look };
        self.known.push(known);
        id
    }
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
        assert_eq!(ids(&[wanted("Save", 1, 0, 10), wanted("Saved", 1, 0, 95)]), [1, 3]);
        // Its window has moved, and it with it.
        assert_eq!(ids(&[wanted("Save", 1, 300, 310)]), [1]);
        // Another window, and another place.
        assert_eq!(ids(&[wanted("Save", 2, 0, 10), wanted("Save", 1, 300, 340)]), [4, 5]);
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
