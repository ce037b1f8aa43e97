//! One action drawn on a picture of the screen: the element, a ring where it lands, the way of a drag. And
//! a strip with words to go under such a picture.

use image::{GenericImage as _, RgbImage};

use super::canvas::{Canvas, Colour, glyph};
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const INK: Colour = [229, 0, 109];
const HALO: Colour = [255, 255, 255];
const PAPER: Colour = [20, 22, 26];
const LETTERS: Colour = [235, 235, 235];
/// Radius of the ring and width of its line, in px of the screen.
const RADIUS: i32 = 14;
const LINE: i32 = 3;
/// Side of a letter of the strip, and the space around its line, in px.
const LETTER: u32 = 16;
const PAD: u32 = 6;
/// Height of the strip in px.
pub const STRIP: u32 = LETTER + 2 * PAD;

/// What is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// The element that it is done to.
    pub bounds: Option<ScreenRect>,
    /// Where it lands.
    pub at: Option<ScreenPoint>,
    /// Where a drag goes from there.
    pub path: Vec<ScreenPoint>,
}

impl Sketch {
    /// Draws it on `picture`, which shows the part `region` of the screen in its own pixels.
    pub fn draw(&self, picture: RgbImage, region: ScreenRect) -> RgbImage {
        let mut canvas = Canvas { image: picture, region, clip: region };
        if let Some(bounds) = self.bounds {
            let around = |by: i32| {
                let more = by.unsigned_abs() * 2;
                let (x, y) = (bounds.x.saturating_sub(by), bounds.y.saturating_sub(by));
                Rect::new(x, y, bounds.width.saturating_add(more), bounds.height.saturating_add(more))
            };
            canvas.outline(&around(3), HALO);
            canvas.outline(&around(2), INK);
            canvas.outline(&around(1), INK);
        }
        let points: Vec<ScreenPoint> = self.at.iter().chain(&self.path).copied().collect();
        for pair in points.windows(2) {
            if let [from, to] = pair {
                line(&mut canvas, *from, *to);
            }
        }
        for end in self.at.iter().chain(self.path.last()) {
            ring(&mut canvas, *end);
        }
        canvas.image
    }
}

fn ring(canvas: &mut Canvas, at: ScreenPoint) {
    for (wide, colour) in [(LINE + 2, HALO), (LINE, INK)] {
        let (inner, outer) = (RADIUS - wide / 2, RADIUS + wide / 2);
        for dy in -outer..=outer {
            for dx in -outer..=outer {
                let far = dx * dx + dy * dy;
                if (inner * inner..=outer * outer).contains(&far) {
                    let dot = at.offset(dx, dy);
                    canvas.fill(&Rect::new(dot.x, dot.y, 1, 1), colour);
                }
            }
        }
    }
}

fn line(canvas: &mut Canvas, from: ScreenPoint, to: ScreenPoint) {
    let (dx, dy) = (i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y));
    // A drag that leaves the screen by far is drawn as far as anybody could see it.
    let dots = dx.abs().max(dy.abs()).clamp(1, 20_000);
    for dot in 0..=dots {
        let part = |origin: i32, way: i64| {
            i32::try_from(i64::from(origin) + way * dot / dots).unwrap_or(origin)
        };
        let (x, y) = (part(from.x, dx).saturating_sub(1), part(from.y, dy).saturating_sub(1));
        canvas.fill(&Rect::new(x, y, 3, 3), INK);
    }
}

/// `picture` on a ground of this size with a strip of `words` under it; whatever does not fit is cut.
pub fn captioned(picture: &RgbImage, width: u32, height: u32, words: &str) -> RgbImage {
    let region: ScreenRect = Rect::new(0, 0, width, height.saturating_add(STRIP));
    let image = RgbImage::from_pixel(width, height.saturating_add(STRIP), image::Rgb(PAPER));
    let mut canvas = Canvas { image, region, clip: region };
    let shown = image::imageops::crop_imm(
        picture,
        0,
        0,
        picture.width().min(width),
        picture.height().min(height),
    );
    // It was cut to fit.
    let _ = canvas.image.copy_from(&shown.to_image(), 0, 0);
    let zoom = LETTER / 8;
    let top = height.saturating_add(PAD).cast_signed();
    let fits = width.saturating_sub(2 * PAD) / LETTER;
    for (c, left) in words.chars().take(fits as usize).zip((PAD..).step_by(LETTER as usize)) {
        for (bits, row) in glyph(c).into_iter().zip(0..) {
            for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
                let (x, y) = ((left + bit * zoom).cast_signed(), top + row * zoom.cast_signed());
                canvas.fill(&Rect::new(x, y, zoom, zoom), LETTERS);
            }
        }
    }
    canvas.image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

    #[test]
    fn what_lies_outside_is_not_drawn_and_the_rest_is() {
        let region = Rect::new(100, 50, 200, 100);
        let blank = RgbImage::new(200, 100);
        let sketch = Sketch {
            bounds: Some(Rect::new(i32::MIN, i32::MAX - 3, u32::MAX, u32::MAX)),
            at: Some(Point::new(150, 80)),
            path: vec![Point::new(i32::MAX, i32::MIN), Point::new(190, 80)],
        };
        let drawn = sketch.draw(blank.clone(), region);
        assert_eq!(drawn.get_pixel(50 + RADIUS.unsigned_abs(), 30).0, INK);
        assert_eq!(drawn.get_pixel(90, 30 + RADIUS.unsigned_abs()).0, INK);
        assert_eq!(Sketch::default().draw(blank.clone(), region), blank);
    }

    #[test]
    fn words_stand_under_the_picture() {
        let picture = RgbImage::from_pixel(300, 20, image::Rgb([9, 9, 9]));
        let whole = captioned(&picture, 200, 40, "1 click");
        assert_eq!(whole.dimensions(), (200, 40 + STRIP));
        assert_eq!(whole.get_pixel(199, 19).0, [9, 9, 9]);
        assert_eq!(whole.get_pixel(0, 30).0, PAPER);
        assert!(whole.rows().skip(40).any(|mut row| row.any(|pixel| pixel.0 == LETTERS)));
    }
}
