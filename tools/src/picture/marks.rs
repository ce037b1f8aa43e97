//! The screen with a numbered box around each element, as the list numbers them: so that a person can
//! compare the list with the picture, and a model that sees can name what it means.
//!
//! A tag stands at the edge of its box where it covers no other tag and as little of the other boxes
//! as can be; on a crowded screen rather inside of its own box than nowhere.

use image::RgbImage;

use super::canvas::{Canvas, Colour, glyph};
use crate::element::{Element, ElementId};
use crate::frame::Frame;
use crate::geometry::{Point, Rect, ScreenPoint};

/// Told apart by most people with any colour vision, and dark enough for white digits.
const COLOURS: [Colour; 6] =
    [[200, 30, 45], [20, 90, 200], [10, 120, 60], [150, 50, 170], [170, 85, 0], [0, 115, 130]];
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
/// Sides of a letter, and the space around it, in px of the screen at scale 1.
const LETTER: u32 = 8;
const PAD: u32 = 1;

/// The picture of `frame` with these elements marked by their numbers, and the pointer at `cursor`.
pub fn marked(frame: &Frame, elements: &[&Element], cursor: Option<ScreenPoint>) -> RgbImage {
    let boxes: Vec<_> = elements.iter().map(|element| (element.id, element.bounds)).collect();
    draw(frame.pixels().clone(), frame.bounds(), zoom(frame.monitor().scale), &boxes, cursor)
}

/// `picture`, which shows `region`, with these boxes marked, in letters so many times as large as the
/// smallest, and the pointer at `cursor`.
pub(super) fn draw<S>(
    picture: RgbImage,
    region: Rect<S>,
    zoom: u32,
    boxes: &[(ElementId, Rect<S>)],
    cursor: Option<Point<S>>,
) -> RgbImage {
    let mut canvas = Canvas { image: picture, region, clip: region };
    let boxes: Vec<(ElementId, Rect<S>)> =
        boxes.iter().filter_map(|(id, area)| Some((*id, area.intersect(&region)?))).collect();
    let tags = places(&boxes, region, zoom);
    let colours = COLOURS.iter().cycle();
    for ((_, area), colour) in boxes.iter().zip(colours.clone()) {
        frame_in(&mut canvas, area, *colour, zoom);
    }
    for (((id, _), tag), colour) in boxes.iter().zip(&tags).zip(colours) {
        canvas.fill(tag, *colour);
        letters(&mut canvas, tag, &id.to_string(), zoom);
    }
    if let Some(cursor) = cursor {
        arrow(&mut canvas, cursor, zoom);
    }
    canvas.image
}

/// Pixels for one px of a letter: letters stay readable on a screen that scales.
pub(super) fn zoom(scale: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 8")]
    {
        scale.clamp(1.0, 8.0).round() as u32
    }
}

/// Where the tag of each box goes.
fn places<S>(boxes: &[(ElementId, Rect<S>)], region: Rect<S>, zoom: u32) -> Vec<Rect<S>> {
    let mut taken: Vec<Rect<S>> = Vec::new();
    for (at, (id, area)) in boxes.iter().enumerate() {
        let digits = u32::try_from(id.to_string().len()).unwrap_or(1);
        let (width, height) = (digits * LETTER * zoom + 2 * PAD * zoom, (LETTER + 2 * PAD) * zoom);
        let cost = |tag: &Rect<S>| {
            let shared = |other: &Rect<S>| other.intersect(tag).map_or(0, |shared| shared.area());
            let tags: u64 = taken.iter().map(shared).sum();
            let others = boxes.iter().enumerate().filter(|(other, _)| *other != at);
            let covered: u64 = others.map(|(_, (_, area))| shared(area)).sum();
            let cut = tag.area() - shared(&region).min(tag.area());
            (tags.saturating_add(cut), covered + shared(area) / 2)
        };
        let tag = candidates(area, width, height).into_iter().min_by_key(cost);
        taken.push(tag.unwrap_or_else(|| Rect::new(area.x, area.y, width, height)));
    }
    taken
}

/// Outside of the box at its corners and sides, then inside of it.
fn candidates<S>(area: &Rect<S>, width: u32, height: u32) -> [Rect<S>; 12] {
    let (w, h) = (width.cast_signed(), height.cast_signed());
    let (left, right) = (area.x, area.right().saturating_sub(w));
    let (top, bottom) = (area.y, area.bottom().saturating_sub(h));
    let middle = area.center().offset(-w / 2, -h / 2);
    let at = |x: i32, y: i32| Rect::new(x, y, width, height);
    [
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

fn frame_in<S>(canvas: &mut Canvas<S>, area: &Rect<S>, colour: Colour, zoom: u32) {
    for inset in 0..zoom {
        let by = inset.cast_signed();
        let width = area.width.saturating_sub(2 * inset);
        let height = area.height.saturating_sub(2 * inset);
        if width > 0 && height > 0 {
            canvas.outline(&Rect::new(area.x + by, area.y + by, width, height), colour);
        }
    }
}

fn letters<S>(canvas: &mut Canvas<S>, tag: &Rect<S>, text: &str, zoom: u32) {
    let z = zoom.cast_signed();
    let pad = PAD.cast_signed() * z;
    let step = (LETTER * zoom) as usize;
    for (c, x) in text.chars().zip((tag.x.saturating_add(pad)..).step_by(step)) {
        for (bits, row) in glyph(c).into_iter().zip(0..) {
            for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
                let (px, py) = (x.saturating_add(bit * z), tag.y.saturating_add(pad + row * z));
                canvas.fill(&Rect::new(px, py, zoom, zoom), WHITE);
            }
        }
    }
}

/// An arrow with its tip at `tip`; captures do not hold the pointer.
fn arrow<S>(canvas: &mut Canvas<S>, tip: Point<S>, zoom: u32) {
    let z = zoom.cast_signed();
    for row in 0..12_i32 {
        let wide = if row < 9 { row + 1 } else { 12 - row };
        let y = tip.y.saturating_add(row * z);
        let width = wide.unsigned_abs() * zoom;
        canvas.fill(&Rect::new(tip.x, y, width + 2 * zoom, zoom), WHITE);
        canvas.fill(&Rect::new(tip.x, y, width, zoom), BLACK);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::element::{ElementKey, Role, Source, States};
    use crate::frame::Monitor;
    use crate::geometry::ScreenRect;

    const SCREEN: ScreenRect = Rect::new(-40, 10, 320, 200);

    fn element(id: u32, bounds: ScreenRect) -> Element {
        Element {
            id: ElementId(id),
            key: ElementKey(id.to_string()),
            role: Role::Button,
            name: String::new(),
            value: None,
            description: None,
            looks: None,
            options: Vec::new(),
            actions: Vec::new(),
            states: States::default(),
            bounds,
            source: Source::Accessibility,
            window: None,
            within: None,
        }
    }

    fn frame(scale: f32) -> Frame {
        let monitor = Monitor { name: "screen".into(), bounds: SCREEN, scale };
        let pixels = RgbImage::from_pixel(SCREEN.width, SCREEN.height, image::Rgb([240; 3]));
        Frame::new(monitor, pixels)
    }

    fn tags(elements: &[Element]) -> Vec<ScreenRect> {
        let boxes: Vec<(ElementId, ScreenRect)> =
            elements.iter().filter_map(|e| Some((e.id, e.bounds.intersect(&SCREEN)?))).collect();
        places(&boxes, SCREEN, 1)
    }

    #[test]
    fn tags_in_a_grid_of_buttons_neither_overlap_nor_leave_the_screen() {
        let grid = (0..24).map(|at| {
            let (column, row) = (at % 6, at / 6);
            element(
                u32::try_from(at).unwrap() + 1,
                Rect::new(SCREEN.x + column * 52, SCREEN.y + row * 48, 50, 46),
            )
        });
        let tags = tags(&grid.collect::<Vec<_>>());
        for (at, tag) in tags.iter().enumerate() {
            assert_eq!(tag.intersect(&SCREEN), Some(*tag), "cut: {tag}");
            let overlaps = tags.iter().skip(at + 1).any(|other| other.intersect(tag).is_some());
            assert!(!overlaps, "{tag} overlaps another");
        }
    }

    #[test]
    fn the_digits_can_be_read_back() {
        let one = element(47, Rect::new(60, 100, 80, 30));
        let picture = marked(&frame(1.0), &[&one], None);
        let tag = tags(std::slice::from_ref(&one))[0];
        for (c, column) in "47".chars().zip([0, 8]) {
            let read: Vec<u8> = (0..8)
                .map(|row| {
                    (0..8).fold(0, |bits, bit| {
                        let x = tag.x - SCREEN.x + 1 + column + bit;
                        let y = tag.y - SCREEN.y + 1 + row;
                        let lit = picture.get_pixel(x.unsigned_abs(), y.unsigned_abs()).0 == WHITE;
                        bits | u8::from(lit) << bit
                    })
                })
                .collect();
            assert_eq!(read, glyph(c), "{c}");
        }
    }

    #[test]
    fn the_pointer_is_drawn_where_it_is() {
        let tip = ScreenPoint::new(20, 60);
        let picture = marked(&frame(1.0), &[], Some(tip));
        let (x, y) = ((tip.x - SCREEN.x).unsigned_abs(), (tip.y - SCREEN.y).unsigned_abs());
        assert_eq!(picture.get_pixel(x, y).0, BLACK);
        assert_eq!(picture.get_pixel(x, y - 1).0, [240; 3]);
    }

    proptest! {
        #[test]
        fn any_boxes_can_be_marked(
            boxes in prop::collection::vec((any::<i32>(), any::<i32>(), any::<u32>(), any::<u32>()), 0..8),
            scale in 0.1_f32..20.0,
            pointer in any::<(i32, i32)>(),
        ) {
            let elements: Vec<Element> = (1..)
                .zip(boxes)
                .map(|(id, (x, y, w, h))| element(id, Rect::new(x, y, w, h)))
                .collect();
            let all: Vec<&Element> = elements.iter().collect();
            let picture = marked(&frame(scale), &all, Some(ScreenPoint::new(pointer.0, pointer.1)));
            prop_assert_eq!(picture.dimensions(), (SCREEN.width, SCREEN.height));
        }
    }
}
