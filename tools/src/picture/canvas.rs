//! Filling, framing and lettering parts of a picture by the coordinates of the region that it shows: all that
//! the drawing here needs. Whatever falls outside of the picture is not drawn.

use font8x8::UnicodeFonts as _;
use image::{Rgb, RgbImage};

use crate::geometry::{Rect, Screen};

/// Red, green and blue.
pub(crate) type Colour = [u8; 3];

/// A picture of one region of the space `S`; what falls outside of it or of `clip` is not drawn.
pub(crate) struct Canvas<S = Screen> {
    pub(crate) image: RgbImage,
    pub(crate) region: Rect<S>,
    pub(crate) clip: Rect<S>,
}

impl<S> Canvas<S> {
    pub(crate) fn fill(&mut self, area: &Rect<S>, colour: Colour) {
        let Some(area) = area.intersect(&self.clip).and_then(|a| a.intersect(&self.region)) else {
            return;
        };
        let from = |v: i32, origin: i32| v.saturating_sub(origin).max(0).unsigned_abs() as usize;
        let (x, y) = (from(area.x, self.region.x), from(area.y, self.region.y));
        for row in self.image.rows_mut().skip(y).take(area.height as usize) {
            row.skip(x).take(area.width as usize).for_each(|pixel| *pixel = Rgb(colour));
        }
    }

    pub(crate) fn outline(&mut self, area: &Rect<S>, colour: Colour) {
        let Rect { x, y, width, height, .. } = *area;
        for side in [
            Rect::new(x, y, width, 1),
            Rect::new(x, area.bottom() - 1, width, 1),
            Rect::new(x, y, 1, height),
            Rect::new(area.right() - 1, y, 1, height),
        ] {
            self.fill(&side, colour);
        }
    }
}

/// The shape of a character; one that the font lacks gets a box with its number's bits in it, so that
/// different characters never look the same.
pub(crate) fn glyph(c: char) -> [u8; 8] {
    let fonts = [font8x8::BASIC_FONTS.get(c), font8x8::LATIN_FONTS.get(c), font8x8::GREEK_FONTS.get(c)];
    let [_, a, b, d] = u32::from(c).to_be_bytes();
    fonts.into_iter().flatten().next().unwrap_or([255, a, 255, b, 255, d, 255, 255])
}
