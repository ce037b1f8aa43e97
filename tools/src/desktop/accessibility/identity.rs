//! The numbers of the list: given in the order in which elements are first seen, kept as long as the
//! element lives, and never given twice while it does.

use std::collections::HashMap;

use crate::desktop::counter::Counter;
use crate::element::{ElementId, ElementKey, Role};
use crate::geometry::ScreenRect;

/// How an element looks to somebody who does not know its address.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Looks {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) bounds: ScreenRect,
}

#[derive(Debug)]
struct Known {
    id: ElementId,
    looks: Looks,
    last_seen: u64,
}

/// Which number belongs to which element.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    known: HashMap<ElementKey, Known>,
    counter: Counter,
    round: u64,
}

/// Elements that were not seen for so many rounds are forgotten.
const MEMORY: u64 = 50;
/// How far in px an element may have moved that a program has made anew.
const NEAR: i32 = 24;

impl Numbers {
    /// Takes its numbers from where those of all elements come from.
    pub(super) fn from(counter: Counter) -> Self {
        Self { counter, ..Self::default() }
    }

    /// The numbers for one reading of the screen, in its order.
    pub(super) fn assign(&mut self, keys: &[(ElementKey, Looks)]) -> Vec<ElementId> {
        self.round += 1;
        let present: std::collections::HashSet<&ElementKey> = keys.iter().map(|(key, _)| key).collect();
        let mut ids = Vec::with_capacity(keys.len());
        for (key, looks) in keys {
            let id = match self.known.get(key) {
                Some(known) => known.id,
                None => self.heir(looks, &present).unwrap_or_else(|| self.counter.next()),
            };
            let known = Known { id, looks: looks.clone(), last_seen: self.round };
            self.known.insert(key.clone(), known);
            ids.push(id);
        }
        let round = self.round;
        self.known.retain(|_, known| round - known.last_seen < MEMORY);
        ids
    }

    /// The number of an element, if it has one.
    pub(super) fn of(&self, key: &ElementKey) -> Option<ElementId> {
        self.known.get(key).map(|known| known.id)
    }

    /// The number of an element that has just gone from the same place: web pages make their nodes
    /// anew where nothing has changed for the one who looks.
    fn heir(
        &mut self,
        looks: &Looks,
        present: &std::collections::HashSet<&ElementKey>,
    ) -> Option<ElementId> {
        let near = |a: &ScreenRect, b: &ScreenRect| {
            (a.x.saturating_sub(b.x)).abs() <= NEAR && (a.y.saturating_sub(b.y)).abs() <= NEAR
        };
        let gone = self.known.iter().find(|(key, known)| {
            known.last_seen + 1 == self.round
                && !present.contains(key)
                && known.looks.role == looks.role
                && known.looks.name == looks.name
                && near(&known.looks.bounds, &looks.bounds)
        })?;
        let (key, id) = (gone.0.clone(), gone.1.id);
        self.known.remove(&key);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn element(key: &str, name: &str, x: i32) -> (ElementKey, Looks) {
        let looks = Looks { role: Role::Button, name: name.into(), bounds: Rect::new(x, 0, 9, 9) };
        (ElementKey(key.into()), looks)
    }

    #[test]
    fn numbers_stay_with_their_elements() {
        let mut numbers = Numbers::default();
        let id = ElementId;
        assert_eq!(numbers.assign(&[element("a", "A", 0), element("b", "B", 50)]), [id(1), id(2)]);
        assert_eq!(numbers.assign(&[element("b", "B", 90), element("c", "C", 0)]), [id(2), id(3)]);
        // Made anew at the same place with the same name: the same number.
        assert_eq!(numbers.assign(&[element("d", "B", 91), element("c", "C", 0)]), [id(2), id(3)]);
        // Somewhere else: another element.
        assert_eq!(numbers.assign(&[element("e", "B", 300)]), [id(4)]);
    }
}
