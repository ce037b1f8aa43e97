//! A frame in a size that a model's picture processor takes, with the exact way back to the screen.

use image::RgbImage;

use super::resize::{Filter, resize};
use crate::frame::Frame;
use crate::geometry::{Grid, Image, Mapping, Rect, Screen, Size};

/// Pictures more than so many times as long as wide are not taken.
const LONGEST: u32 = 200;

/// The sizes that a model takes: both sides a multiple of a number, and not too many or too few pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// What both sides are a multiple of, in pixels: two patches for Qwen-VL.
    pub factor: u32,
    /// Pixels that it has at least.
    pub least: u32,
    /// Pixels that it has at most.
    pub most: u32,
}

/// A frame as a model is given it.
#[derive(Debug)]
pub struct Fitted {
    /// The picture.
    pub pixels: RgbImage,
    /// From its pixels, in which the model answers, to the screen.
    pub mapping: Mapping<Grid, Screen>,
}

impl Fit {
    /// The size for a picture of size `of`, by the rule of Qwen-VL's processor (`smart_resize`): each side
    /// to the nearest multiple, and where that has too many or too few pixels, both sides by the same
    /// share. `None` for a picture that no size fits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the sides of a picture, which are not negative and small"
    )]
    pub fn size(&self, of: Size<Image>) -> Option<Size<Image>> {
        let (long, short) = (of.width.max(of.height), of.width.min(of.height));
        if short == 0 || self.factor == 0 || long / short > LONGEST {
            return None;
        }
        let factor = f64::from(self.factor);
        let whole = |parts: f64| ((parts as u32).max(1)).saturating_mul(self.factor);
        let each = |round: &dyn Fn(f64) -> f64| {
            Size::new(
                whole(round(f64::from(of.width) / factor)),
                whole(round(f64::from(of.height) / factor)),
            )
        };
        let nearest = each(&f64::round_ties_even);
        let area = f64::from(of.width) * f64::from(of.height);
        if nearest.area() > u64::from(self.most) {
            let by = (area / f64::from(self.most)).sqrt();
            let down = |side: u32| whole((f64::from(side) / by / factor).floor());
            return Some(Size::new(down(of.width), down(of.height)));
        }
        if nearest.area() < u64::from(self.least) {
            let by = (f64::from(self.least) / area).sqrt();
            let up = |side: u32| whole((f64::from(side) * by / factor).ceil());
            return Some(Size::new(up(of.width), up(of.height)));
        }
        Some(nearest)
    }

    /// `frame` in its size.
    pub fn frame(&self, frame: &Frame, filter: Filter) -> Option<Fitted> {
        let size = self.size(frame.size())?;
        let grid: Rect<Grid> = Rect::new(0, 0, size.width, size.height);
        let mapping = Mapping::new(grid, frame.bounds())?;
        Some(Fitted { pixels: resize(frame.pixels(), size, filter), mapping })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Monitor;
    use crate::geometry::Point;
    use proptest::prelude::*;

    const QWEN: Fit = Fit { factor: 28, least: 56 * 56, most: 1280 * 28 * 28 };

    #[test]
    fn sizes_are_those_of_the_reference() {
        let golden = include_str!("../../goldens/fit.txt");
        let mut count = 0;
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let n: Vec<u32> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
            let fit = Fit { factor: n[2], least: n[3], most: n[4] };
            assert_eq!(fit.size(Size::new(n[0], n[1])), Some(Size::new(n[5], n[6])), "{line}");
            count += 1;
        }
        assert!(count > 20);
    }

    #[test]
    fn what_cannot_fit_is_refused() {
        for (width, height) in [(0, 5), (5, 0), (4000, 10)] {
            assert_eq!(QWEN.size(Size::new(width, height)), None, "{width}x{height}");
        }
    }

    proptest! {
        #[test]
        fn every_pixel_leads_back_to_where_it_came_from(
            (w, h) in (28_u32..400, 28_u32..400), (x, y) in (-500..500, -500..500), (u, v) in (0.0..1.0, 0.0..1.0),
        ) {
            let bounds = Rect::new(x, y, w, h);
            let monitor = Monitor { name: "m".into(), bounds, scale: 1.25 };
            let frame = Frame::new(monitor, RgbImage::new(w, h));
            let fitted = QWEN.frame(&frame, Filter::Bicubic).unwrap();
            let (gw, gh) = fitted.pixels.dimensions();
            prop_assert!(gw % 28 == 0 && gh % 28 == 0);
            #[expect(clippy::cast_possible_truncation, reason = "a share of a small side")]
            let at = |share: f64, side: u32| (share * f64::from(side)) as i32;
            let on_grid = Point::new(at(u, gw), at(v, gh));
            let on_screen = fitted.mapping.forward(on_grid);
            prop_assert!(bounds.contains(on_screen));
            let again = fitted.mapping.inverse().forward(on_screen);
            let slack = |grid: u32, own: u32| i32::try_from(grid / own.max(1) + 1).unwrap();
            prop_assert!((again.x - on_grid.x).abs() <= slack(gw, w), "{on_grid} {again}");
            prop_assert!((again.y - on_grid.y).abs() <= slack(gh, h), "{on_grid} {again}");
        }
    }
}
