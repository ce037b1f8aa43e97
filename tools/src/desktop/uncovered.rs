//! What is left of a thing that others lie over: the largest part of it that nothing touches. It stands in the list
//! for the thing as long as there is enough of it, so that the middle of what is listed is where a click
//! arrives.

use std::cmp::Reverse;

use crate::element::Role;
use crate::geometry::{Rect, ScreenRect};

/// Parts that are kept in mind while the covers are laid on one by one.
const MOST: usize = 32;
/// Sides in px of a part that a person still hits.
const LEAST: u32 = 8;

/// The largest part of `whole` that none of `covers` touches.
pub(crate) fn largest<'c>(
    whole: ScreenRect,
    covers: impl IntoIterator<Item = &'c ScreenRect>,
) -> Option<ScreenRect> {
    let mut free = vec![whole];
    for cover in covers {
        if free.iter().any(|part| part.intersect(cover).is_some()) {
            free = free.iter().flat_map(|part| beside(part, cover)).collect();
            free.sort_by_key(|part| Reverse(part.area()));
            free.truncate(MOST);
        }
    }
    free.first().copied()
}

/// What shows of a thing of this kind beneath `covers`, where that is enough: of what can be used a part that can be
/// hit, of what can only be read the middle or half of it.
pub(super) fn enough<'c>(
    role: Role,
    whole: ScreenRect,
    covers: impl IntoIterator<Item = &'c ScreenRect> + Clone,
) -> Option<ScreenRect> {
    let left = largest(whole, covers.clone())?;
    let is_enough = if role.takes_clicks() {
        left.width >= LEAST.min(whole.width) && left.height >= LEAST.min(whole.height)
    } else {
        let middle = whole.center();
        left.area() * 2 >= whole.area() || !covers.into_iter().any(|cover| cover.contains(middle))
    };
    is_enough.then_some(left)
}

/// What is left of `part` at each side of `cover`.
fn beside(part: &ScreenRect, cover: &ScreenRect) -> Vec<ScreenRect> {
    let Some(hidden) = part.intersect(cover) else { return vec![*part] };
    let gap = |end: i32, start: i32| end.saturating_sub(start).max(0).unsigned_abs();
    let mut strips = vec![
        Rect::new(part.x, part.y, gap(hidden.x, part.x), part.height),
        Rect::new(hidden.right(), part.y, gap(part.right(), hidden.right()), part.height),
        Rect::new(part.x, part.y, part.width, gap(hidden.y, part.y)),
        Rect::new(part.x, hidden.bottom(), part.width, gap(part.bottom(), hidden.bottom())),
    ];
    strips.retain(|strip| !strip.is_empty());
    strips
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::Point;

    const ROW: ScreenRect = Rect::new(0, 0, 100, 20);

    #[test]
    fn the_largest_part_beside_what_lies_over_it_is_left() {
        for (covers, want) in [
            (&[Rect::new(200, 0, 10, 10)][..], Some(ROW)),
            (&[Rect::new(60, -5, 100, 50)], Some(Rect::new(0, 0, 60, 20))),
            (&[Rect::new(-5, -5, 30, 50)], Some(Rect::new(25, 0, 75, 20))),
            (&[Rect::new(0, 0, 100, 5)], Some(Rect::new(0, 5, 100, 15))),
            // Between two, which no one of them leaves as the largest.
            (&[Rect::new(-5, -5, 65, 50), Rect::new(80, 0, 50, 50)], Some(Rect::new(60, 0, 20, 20))),
            (&[Rect::new(40, 0, 30, 20), Rect::new(0, -5, 38, 50)], Some(Rect::new(70, 0, 30, 20))),
            (&[Rect::new(-1, -1, 200, 200)], None),
        ] {
            assert_eq!(largest(ROW, covers), want, "{covers:?}");
        }
    }

    #[test]
    fn what_can_be_hit_or_read_is_enough() {
        let middle = [Rect::new(30, 0, 40, 20)];
        assert_eq!(enough(Role::Button, ROW, &middle), Some(Rect::new(0, 0, 30, 20)));
        assert_eq!(enough(Role::Text, ROW, &middle), None);
        let end = [Rect::new(45, 0, 55, 20)];
        assert_eq!(enough(Role::Text, ROW, &end), None);
        let end = [Rect::new(55, 0, 55, 20)];
        assert_eq!(enough(Role::Text, ROW, &end), Some(Rect::new(0, 0, 55, 20)));
        let most = [Rect::new(7, 0, 100, 20)];
        assert_eq!(enough(Role::Button, ROW, &most), None);
        let flat = Rect::new(0, 0, 100, 4);
        assert_eq!(enough(Role::Slider, flat, &middle), Some(Rect::new(0, 0, 30, 4)));
    }

    proptest! {
        #[test]
        fn what_is_left_lies_within_and_under_nothing(
            covers in prop::collection::vec((-40..140_i32, -20..40_i32, 1..90_u32, 1..30_u32), 0..9),
        ) {
            let covers: Vec<ScreenRect> =
                covers.into_iter().map(|(x, y, w, h)| Rect::new(x, y, w, h)).collect();
            let free = |at: Point<_>| !covers.iter().any(|cover| cover.contains(at));
            match largest(ROW, &covers) {
                Some(left) => {
                    prop_assert_eq!(left.intersect(&ROW), Some(left));
                    prop_assert!(covers.iter().all(|cover| cover.intersect(&left).is_none()));
                }
                None => prop_assert!((0..100).all(|x| (0..20).all(|y| !free(Point::new(x, y))))),
            }
        }
    }
}
