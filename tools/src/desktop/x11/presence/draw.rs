//! The look of the strip and of the ring. Letters come from a font of our own, so that every server shows
//! them; each character has a cell to itself, so that no text can reach out of its place.

use image::RgbImage;

use crate::desktop::presence::{Mood, Words};
use crate::geometry::{Rect, ScreenRect};
use crate::picture::canvas::{Canvas, Colour, glyph};

/// All in px, before they are scaled.
const HEIGHT: u32 = 30;
const WIDEST: u32 = 960;
const MARGIN: u32 = 10;
const CELL: u32 = 8;
const STOP: u32 = 60;
/// The ring's outer and inner radius.
const OUTER: i32 = 28;
const INNER: i32 = 23;

const GROUND: Colour = [24, 24, 28];
const BRIGHT: Colour = [245, 245, 245];
const FAINT: Colour = [165, 165, 175];
const RED: Colour = [200, 40, 40];
/// The colour of the ring.
pub(super) const AMBER: Colour = [255, 150, 0];

/// The size of the strip on a monitor that is so wide.
pub(super) fn size(monitor: u32, scale: u32) -> (u32, u32) {
    ((WIDEST * scale).min(monitor), HEIGHT * scale)
}

/// The part of a strip of this size that stops, from its top left corner.
pub(super) fn stop_part(width: u32, scale: u32) -> ScreenRect {
    let wide = (STOP * scale).min(width);
    Rect::new(offset(width - wide), 0, wide, HEIGHT * scale)
}

/// The strip.
pub(super) fn strip(words: &Words, width: u32, scale: u32) -> RgbImage {
    let whole = Rect::new(0, 0, width, HEIGHT * scale);
    let image = RgbImage::new(whole.width, whole.height);
    let mut canvas = Canvas { image, region: whole, clip: whole };
    canvas.fill(&whole, GROUND);
    let (title, colour) = match words.mood {
        Mood::Working => ("Freehand is at work", [70, 180, 110]),
        Mood::Asking => ("Freehand asks", AMBER),
        Mood::Held => ("Freehand waits", [120, 150, 220]),
        Mood::Stopped => ("Freehand has stopped", RED),
    };
    canvas.fill(&Rect::new(0, 0, 4 * scale, whole.height), colour);
    let stop = stop_part(width, scale);
    let cells = (width.saturating_sub(stop.width) / scale).saturating_sub(2 * MARGIN) / CELL;
    let cells = cells as usize;
    let hint = fit(&words.hint, cells.saturating_sub(title.len() + 2));
    let left = cells
        .saturating_sub(title.len() + 2 + if hint.is_empty() { 0 } else { hint.chars().count() + 2 });
    let mut pen = Pen { canvas: &mut canvas, scale };
    pen.write(title, 0, colour);
    pen.write(&fit(&words.text, left), title.len() + 2, BRIGHT);
    pen.write(&hint, cells.saturating_sub(hint.chars().count()), FAINT);
    canvas.fill(&stop, RED);
    let mut pen = Pen { canvas: &mut canvas, scale };
    pen.write_at("Stop", stop.x.saturating_add_unsigned((STOP - 4 * CELL) / 2 * scale), BRIGHT);
    canvas.image
}

/// The parts of a ring in a square of this side.
pub(super) fn ring(scale: u32) -> (u32, Vec<ScreenRect>) {
    let scale = i32::try_from(scale).unwrap_or(1);
    let (outer, inner) = (OUTER * scale, INNER * scale);
    let reach = |radius: i32, y: i32| (radius * radius - y * y).max(0).isqrt();
    let mut parts = Vec::new();
    for y in -outer..outer {
        let (far, near) = (reach(outer, y), reach(inner, y));
        let length = |from: i32, to: i32| u32::try_from(to - from).unwrap_or(0);
        if y.abs() >= inner {
            parts.push(Rect::new(outer - far, y + outer, length(-far, far), 1));
        } else {
            parts.push(Rect::new(outer - far, y + outer, length(near, far), 1));
            parts.push(Rect::new(outer + near, y + outer, length(near, far), 1));
        }
    }
    parts.retain(|part| !part.is_empty());
    (outer.unsigned_abs() * 2, parts)
}

/// `text` in so many cells; what is cut off is marked.
fn fit(text: &str, cells: usize) -> String {
    if text.chars().count() <= cells {
        return text.to_owned();
    }
    text.chars().take(cells.saturating_sub(1)).chain((cells > 0).then_some('…')).collect()
}

struct Pen<'c> {
    canvas: &'c mut Canvas,
    scale: u32,
}

impl Pen<'_> {
    /// Writes from the cell with this number.
    fn write(&mut self, text: &str, cell: usize, colour: Colour) {
        let cell = u32::try_from(cell).unwrap_or(u32::MAX);
        self.write_at(
            text,
            offset(MARGIN.saturating_add(cell.saturating_mul(CELL)) * self.scale),
            colour,
        );
    }

    fn write_at(&mut self, text: &str, x: i32, colour: Colour) {
        let (wide, high) = (self.scale, 2 * self.scale);
        let top = (HEIGHT - 16) / 2 * self.scale;
        for (c, cell) in text.chars().zip(0_u32..) {
            for (bits, row) in shape(c).into_iter().zip(0_u32..) {
                for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                    let from = x.saturating_add_unsigned((cell * CELL + column) * wide);
                    self.canvas.fill(&Rect::new(from, offset(top + row * high), wide, high), colour);
                }
            }
        }
    }
}

/// The shape of a character; signs that the font lacks and text is full of look like their plain ones.
fn shape(c: char) -> [u8; 8] {
    match c {
        '…' => [0, 0, 0, 0, 0, 0, 0b0100_1001, 0],
        '–' | '—' | '−' => glyph('-'),
        '‘' | '’' => glyph('\''),
        '“' | '”' | '„' => glyph('"'),
        other => glyph(other),
    }
}

fn offset(px: u32) -> i32 {
    i32::try_from(px).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words { mood: Mood::Working, text: text.into(), hint: "ctrl+alt+escape stops".into() }
    }

    #[test]
    fn a_text_keeps_to_its_place() {
        let empty = strip(&words(""), 960, 1);
        for text in ["x".repeat(10_000), "\u{202e}\u{1b}[2J\n中🎉".into(), "click \"OK\"".into()] {
            let drawn = strip(&words(&text), 960, 1);
            let differs: Vec<u32> = drawn
                .enumerate_pixels()
                .filter(|(x, y, pixel)| empty.get_pixel(*x, *y) != *pixel)
                .map(|(x, _, _)| x)
                .collect();
            let (first, last) = (differs.iter().min().unwrap(), differs.iter().max().unwrap());
            assert!(*first >= 10 + 21 * 8 && *last < 960 - 60 - 10 - 22 * 8, "{first} {last}");
        }
    }

    #[test]
    fn a_narrow_monitor_has_a_strip_too() {
        for width in [1, 40, 80, 200, 400] {
            assert_eq!(strip(&words("click"), width, 1).width(), width);
            assert!(stop_part(width, 2).width <= width);
        }
    }

    #[test]
    fn a_ring_is_round_and_open() {
        let (side, parts) = ring(2);
        assert_eq!(side, 112);
        let covered =
            |x: i32, y: i32| parts.iter().any(|part| part.contains(crate::geometry::Point::new(x, y)));
        assert!(covered(56, 1) && covered(1, 56) && covered(110, 56));
        assert!(!covered(56, 56) && !covered(1, 1) && !covered(56, 20));
    }
}
