//! The screen with a numbered box around each element, as the list numbers them: so that a person can
//! compare the list with the picture, and a model that sees can name what it means.
//!
//! Where the tags go is found out in [`tags`]: none lies on another, and a line leads to one that stands apart.

use image::RgbImage;

use super::canvas::{Canvas, Colour, glyph};
use super::tags::{self, LETTER, PAD};
use crate::element::{Element, ElementId};
use crate::frame::Frame;
use crate::geometry::{Point, Rect, ScreenPoint};

/// Told apart by most people with any colour vision, and dark enough for white digits.
const COLOURS: [Colour; 6] =
    [[200, 30, 45], [20, 90, 200], [10, 120, 60], [150, 50, 170], [170, 85, 0], [0, 115, 130]];
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];

/// A picture with numbers on it.
#[derive(Debug)]
pub struct Marked {
    /// The picture.
    pub pixels: RgbImage,
    /// Elements that show in it without their number, since there is no room for it.
    pub left_out: usize,
}

impl Marked {
    /// What has to be said of the picture, where something is missing in it.
    pub fn gap(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} more have no room for their number in the picture; the list has all",
                self.left_out
            )
        })
    }
}

/// The picture of `frame` with these elements marked by their numbers, and the pointer at `cursor`.
pub fn marked(frame: &Frame, elements: &[&Element], cursor: Option<ScreenPoint>) -> Marked {
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
) -> Marked {
    let mut canvas = Canvas { image: picture, region, clip: region };
    let boxes: Vec<(ElementId, Rect<S>)> =
        boxes.iter().filter_map(|(id, area)| Some((*id, area.intersect(&region)?))).collect();
    let tags = tags::places(&boxes, region, zoom);
    let all = || boxes.iter().zip(&tags).zip(COLOURS.iter().cycle());
    for (((_, area), _), colour) in all() {
        frame_in(&mut canvas, area, *colour, zoom);
    }
    for (((_, area), tag), colour) in all() {
        if let Some(tag) = tag {
            leader(&mut canvas, area, tag, *colour, zoom);
        }
    }
    for (((id, _), tag), colour) in all() {
        if let Some(tag) = tag {
            canvas.fill(tag, *colour);
            letters(&mut canvas, tag, &id.to_string(), zoom);
        }
    }
    if let Some(cursor) = cursor {
        arrow(&mut canvas, cursor, zoom);
    }
    let left_out = tags.iter().filter(|tag| tag.is_none()).count();
    Marked { pixels: canvas.image, left_out }
}

/// Pixels for one px of a letter: letters stay readable on a screen that scales.
pub(super) fn zoom(scale: f32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 8")]
    {
        scale.clamp(1.0, 8.0).round() as u32
    }
}

/// A line from a box to its tag, where that stands apart from it.
fn leader<S>(canvas: &mut Canvas<S>, area: &Rect<S>, tag: &Rect<S>, colour: Colour, zoom: u32) {
    let around = area.offset(-1, -1);
    let near =
        Rect::new(around.x, around.y, area.width.saturating_add(2), area.height.saturating_add(2));
    if near.intersect(tag).is_some() {
        return;
    }
    let (from, to) = (area.clamp(tag.center()), tag.center());
    let (across, down) = (to.x.saturating_sub(from.x), to.y.saturating_sub(from.y));
    let steps = across.abs().max(down.abs()).max(1);
    for step in 0..=steps {
        let part = |way: i32| i32::try_from(i64::from(way) * i64::from(step) / i64::from(steps));
        let at = from.offset(part(across).unwrap_or(0), part(down).unwrap_or(0));
        canvas.fill(&Rect::new(at.x, at.y, zoom, zoom), colour);
    }
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
            region: None,
        }
    }

    fn frame(scale: f32) -> Frame {
        let monitor = Monitor { name: "screen".into(), bounds: SCREEN, scale };
        let pixels = RgbImage::from_pixel(SCREEN.width, SCREEN.height, image::Rgb([240; 3]));
        Frame::new(monitor, pixels)
    }

    fn tag(element: &Element) -> ScreenRect {
        tags::places(&[(element.id, element.bounds)], SCREEN, 1)[0].unwrap()
    }

    #[test]
    fn the_digits_can_be_read_back() {
        let one = element(47, Rect::new(60, 100, 80, 30));
        let picture = marked(&frame(1.0), &[&one], None).pixels;
        let tag = tag(&one);
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
        let picture = marked(&frame(1.0), &[], Some(tip)).pixels;
        let (x, y) = ((tip.x - SCREEN.x).unsigned_abs(), (tip.y - SCREEN.y).unsigned_abs());
        assert_eq!(picture.get_pixel(x, y).0, BLACK);
        assert_eq!(picture.get_pixel(x, y - 1).0, [240; 3]);
    }

    #[test]
    fn a_line_leads_to_a_tag_that_stands_apart() {
        // Nine in a row without room between them: the numbers cannot all stand beside their boxes.
        let row: Vec<Element> = (0..30)
            .map(|at| {
                element(
                    100 + at,
                    Rect::new(100 + at.cast_signed() % 6 * 5, 100 + at.cast_signed() / 6 * 5, 4, 4),
                )
            })
            .collect();
        let all: Vec<&Element> = row.iter().collect();
        let marked = marked(&frame(1.0), &all, None);
        assert_eq!((marked.left_out, marked.gap()), (0, None));
        let boxes: Vec<_> = row.iter().map(|e| (e.id, e.bounds)).collect();
        let places = tags::places(&boxes, SCREEN, 1);
        let apart = |(at, tag): &(usize, &Option<ScreenRect>)| {
            let near = Rect::new(boxes[*at].1.x - 1, boxes[*at].1.y - 1, 6, 6);
            tag.unwrap().intersect(&near).is_none()
        };
        let (at, tag) = places.iter().enumerate().find(apart).unwrap();
        let (from, to) = (boxes[at].1.center(), tag.unwrap().center());
        let middle = Point::new(i32::midpoint(from.x, to.x), i32::midpoint(from.y, to.y));
        let colour = COLOURS[at % COLOURS.len()];
        let near = Rect::<crate::geometry::Screen>::around(middle, 3);
        let drawn = (near.x..near.right()).any(|x| {
            (near.y..near.bottom()).any(|y| {
                let (x, y) = ((x - SCREEN.x).unsigned_abs(), (y - SCREEN.y).unsigned_abs());
                marked.pixels.get_pixel(x, y).0 == colour
            })
        });
        assert!(drawn, "no line from {from} to {to}");
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
            let picture = marked(&frame(scale), &all, Some(ScreenPoint::new(pointer.0, pointer.1))).pixels;
            prop_assert_eq!(picture.dimensions(), (SCREEN.width, SCREEN.height));
        }
    }
}
