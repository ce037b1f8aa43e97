//! Where the numbers of marked boxes go: at the edge of the box, where the tag covers no other and as little of the
//! other boxes as can be; on a crowded screen a little apart from it, and where even that has no room, nowhere.
//! Two numbers on each other cannot be read, so that never happens.

use crate::element::ElementId;
use crate::geometry::Rect;

/// Sides of a letter, and the space around it, in px of the screen at scale 1.
pub(super) const LETTER: u32 = 8;
pub(super) const PAD: u32 = 1;
/// Rings around a box in which there may be room for its tag, each one tag further away.
const RINGS: i32 = 6;

/// The place of the tag of each box that lies in `region`; none for one without room.
pub(super) fn places<S>(
    boxes: &[(ElementId, Rect<S>)],
    region: Rect<S>,
    zoom: u32,
) -> Vec<Option<Rect<S>>> {
    let mut taken: Vec<Rect<S>> = Vec::new();
    let mut found = vec![None; boxes.len()];
    // The smallest have the fewest places.
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by_key(|at| boxes.get(*at).map(|(_, area)| area.area()));
    for at in order {
        let Some((id, area)) = boxes.get(at) else { continue };
        let digits = u32::try_from(id.to_string().len()).unwrap_or(1);
        let (width, height) = (digits * LETTER * zoom + 2 * PAD * zoom, (LETTER + 2 * PAD) * zoom);
        let is_free = |tag: &Rect<S>| {
            region.intersect(tag) == Some(*tag)
                && !taken.iter().any(|other| other.intersect(tag).is_some())
        };
        let cost = |tag: &Rect<S>| {
            let shared = |other: &Rect<S>| other.intersect(tag).map_or(0, |shared| shared.area());
            let others = boxes.iter().enumerate().filter(|(other, _)| *other != at);
            others.map(|(_, (_, area))| shared(area)).sum::<u64>() + shared(area) / 2
        };
        let best = |tags: Vec<Rect<S>>| tags.into_iter().filter(is_free).min_by_key(cost);
        let tag = best(beside(area, width, height))
            .or_else(|| (1..=RINGS).find_map(|ring| best(apart(area, width, height, ring))));
        taken.extend(tag);
        if let Some(place) = found.get_mut(at) {
            *place = tag;
        }
    }
    found
}

/// Outside of the box at its corners and sides, then inside of it.
fn beside<S>(area: &Rect<S>, width: u32, height: u32) -> Vec<Rect<S>> {
    let (w, h) = (width.cast_signed(), height.cast_signed());
    let (left, right) = (area.x, area.right().saturating_sub(w));
    let (top, bottom) = (area.y, area.bottom().saturating_sub(h));
    let middle = area.center().offset(-w / 2, -h / 2);
    let at = |x: i32, y: i32| Rect::new(x, y, width, height);
    vec![
        at(left.saturating_sub(w), top),
        at(left, top.saturating_sub(h)),
        at(right, top.saturating_sub(h)),
        at(area.right(), top),
        at(left, area.bottom()),
        at(right, area.bottom()),
        at(left.saturating_sub(w), middle.y),
        at(area.right(), middle.y),
        at(left, top),
        at(right, top),
        at(right, bottom),
        at(middle.x, middle.y),
    ]
}

/// All around the middle of the box, so many tags away from it.
fn apart<S>(area: &Rect<S>, width: u32, height: u32, ring: i32) -> Vec<Rect<S>> {
    let (w, h) = (width.cast_signed(), height.cast_signed());
    let corner = area.center().offset(-w / 2, -h / 2);
    let side = |away: i32, length: i32| away.saturating_mul(length + 1);
    let spots = (-ring..=ring).flat_map(|down| (-ring..=ring).map(move |across| (across, down)));
    spots
        .filter(|(across, down)| across.abs().max(down.abs()) == ring)
        .map(|(across, down)| {
            let at = corner.offset(side(across, w), side(down, h));
            Rect::new(at.x, at.y, width, height)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Screen, ScreenRect};

    const SCREEN: ScreenRect = Rect::new(-40, 10, 1280, 800);

    fn grid(
        columns: i32,
        rows: i32,
        corner: (i32, i32),
        side: (i32, i32),
    ) -> Vec<(ElementId, ScreenRect)> {
        let boxes = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        let (width, height) = (side.0.unsigned_abs() - 2, side.1.unsigned_abs() - 2);
        let place = |(column, row)| {
            Rect::new(corner.0 + column * side.0, corner.1 + row * side.1, width, height)
        };
        (1..).zip(boxes).map(|(id, at)| (ElementId(id), place(at))).collect()
    }

    /// How many have a tag. None may be cut or lie on another.
    fn told(boxes: &[(ElementId, Rect<Screen>)], region: ScreenRect) -> usize {
        let tags: Vec<ScreenRect> = places(boxes, region, 1).into_iter().flatten().collect();
        for tag in &tags {
            assert_eq!(tag.intersect(&region), Some(*tag), "cut: {tag}");
        }
        let overlaps = |(at, tag): (usize, &ScreenRect)| {
            tags.iter().skip(at + 1).filter(|other| other.intersect(tag).is_some()).count()
        };
        assert_eq!(tags.iter().enumerate().map(overlaps).sum::<usize>(), 0, "tags lie on others");
        tags.len()
    }

    #[test]
    fn tags_neither_overlap_nor_leave_the_screen_however_crowded_it_is() {
        let small: ScreenRect = Rect::new(-40, 10, 320, 200);
        assert_eq!(told(&grid(6, 4, (-40, 10), (52, 48)), small), 24);
        // A table of 683 things, each too small for a number.
        let mut table = grid(31, 22, (300, 200), (16, 14));
        table.push((ElementId(683), Rect::new(290, 190, 700, 400)));
        let most = told(&table, SCREEN);
        assert!((600..=683).contains(&most), "{most}");
        // Where there is no room at all, some go without.
        let most = told(&grid(31, 22, (-40, 10), (10, 9)), small);
        assert!((150..683).contains(&most), "{most}");
        assert_eq!(told(&[(ElementId(1), Rect::new(0, 20, 4, 4))], Rect::new(0, 20, 4, 4)), 0);
    }
}
