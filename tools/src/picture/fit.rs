//! A frame in a size that a model's picture processor takes, with the exact way back to the screen.

use image::RgbImage;

use super::marks::{Marked, draw, zoom};
use super::resize::{Filter, resize};
use crate::element::Element;
use crate::frame::Frame;
use crate::geometry::{Grid, Image, Mapping, Point, Rect, Screen, ScreenPoint, ScreenRect, Size};

/// Pictures more than so many times as long as wide are not taken.
const LONGEST: u32 = 200;
/// A part of the screen is enlarged at most so many times: nothing more is to be seen then.
const CLOSEST: u32 = 8;

/// The sizes that a model takes: both sides a multiple of a number, neither too long, and not too many or
/// too few pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// What both sides are a multiple of, in pixels: two patches for Qwen-VL.
    pub factor: u32,
    /// Pixels that it has at least.
    pub least: u32,
    /// Pixels that it has at most.
    pub most: u32,
    /// Pixels along its longer side at most.
    pub longest: u32,
}

/// What models of any kind take: no multiple is asked for, and nothing is too small.
pub const ANY: Fit = Fit { factor: 1, least: 1, most: 1_150_000, longest: 1568 };

/// A frame as a model is given it.
#[derive(Debug)]
pub struct Fitted {
    /// The picture.
    pub pixels: RgbImage,
    /// From its pixels, in which the model answers, to the screen.
    pub mapping: Mapping<Grid, Screen>,
    /// Its pixels for a logical pixel of the screen.
    scale: f32,
}

impl Fitted {
    /// The picture with these elements marked by their numbers, and the pointer at `cursor`. They are drawn
    /// in its own pixels: numbers that are made smaller with the rest cannot be read.
    pub fn marked(&self, elements: &[&Element], cursor: Option<ScreenPoint>) -> Marked {
        let (width, height) = self.pixels.dimensions();
        let (region, screen) = (Rect::new(0, 0, width, height), self.mapping.to());
        let here = self.mapping.inverse();
        let place = |area: &ScreenRect| {
            let shown = area.intersect(&screen)?;
            let from = here.forward(shown.origin());
            let to = here.forward(Point::new(shown.right() - 1, shown.bottom() - 1));
            Some(Rect::new(from.x, from.y, from.x.abs_diff(to.x) + 1, from.y.abs_diff(to.y) + 1))
        };
        let boxes: Vec<_> =
            elements.iter().filter_map(|element| Some((element.id, place(&element.bounds)?))).collect();
        let cursor = cursor.filter(|cursor| screen.contains(*cursor)).map(|at| here.forward(at));
        draw(self.pixels.clone(), region, zoom(self.scale), &boxes, cursor)
    }
}

impl Fit {
    /// The size for a picture of size `of`, by the rule of Qwen-VL's processor (`smart_resize`): each side
    /// to the nearest multiple, and where that is too long, or has too many or too few pixels, both sides by
    /// the same share. `None` for a picture that no size fits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
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
        let by_area = (area / f64::from(self.most)).sqrt();
        let by_side = f64::from(long) / f64::from(self.longest);
        if by_side > by_area && nearest.width.max(nearest.height) > self.longest {
            // In whole numbers, so that the longest side comes out as it is.
            let scaled = |side: u32| u64::from(side) * u64::from(self.longest) / u64::from(long);
            let down = |side: u32| whole((scaled(side) / u64::from(self.factor)) as f64);
            return Some(Size::new(down(of.width), down(of.height)));
        }
        if nearest.area() > u64::from(self.most) {
            let down = |side: u32| whole((f64::from(side) / by_area / factor).floor());
            return Some(Size::new(down(of.width), down(of.height)));
        }
        if nearest.area() < u64::from(self.least) {
            let by = (f64::from(self.least) / area).sqrt();
            let up = |side: u32| whole((f64::from(side) * by / factor).ceil());
            return Some(Size::new(up(of.width), up(of.height)));
        }
        Some(nearest)
    }

    /// The size for a part of the screen that is looked at closely: as many times as large as fits, in whole
    /// numbers, and from there to the nearest size that a model takes.
    pub fn close_size(&self, of: Size<Image>) -> Option<Size<Image>> {
        let times = |by: u32| Size::new(of.width.saturating_mul(by), of.height.saturating_mul(by));
        let fits = |size: &Size<Image>| {
            size.area() <= u64::from(self.most) && size.width.max(size.height) <= self.longest
        };
        let largest = (2..=CLOSEST).map(times).take_while(fits).last();
        self.size(largest.unwrap_or(of))
    }

    /// `frame` in its size.
    pub fn frame(&self, frame: &Frame, filter: Filter) -> Option<Fitted> {
        Self::resized(frame, self.size(frame.size())?, filter)
    }

    /// `part`, which shows a part of the screen, enlarged as far as it goes.
    pub fn close(&self, part: &Frame, filter: Filter) -> Option<Fitted> {
        Self::resized(part, self.close_size(part.size())?, filter)
    }

    fn resized(frame: &Frame, size: Size<Image>, filter: Filter) -> Option<Fitted> {
        let grid: Rect<Grid> = Rect::new(0, 0, size.width, size.height);
        let mapping = Mapping::new(grid, frame.bounds())?;
        #[expect(clippy::cast_precision_loss, reason = "a ratio of sides of pictures")]
        let share = size.width as f32 / frame.bounds().width as f32;
        let scale = frame.monitor().scale * share;
        Some(Fitted { pixels: resize(frame.pixels(), size, filter), mapping, scale })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::element::{ElementId, ElementKey, Role, Source, States};
    use crate::frame::Monitor;
    use proptest::prelude::*;

    const QWEN: Fit = Fit { factor: 28, least: 56 * 56, most: 1280 * 28 * 28, longest: u32::MAX };

    #[test]
    fn sizes_are_those_of_the_reference() {
        let golden = include_str!("../../goldens/fit.txt");
        let mut count = 0;
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let n: Vec<u32> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
            let fit = Fit { factor: n[2], least: n[3], most: n[4], longest: u32::MAX };
            assert_eq!(fit.size(Size::new(n[0], n[1])), Some(Size::new(n[5], n[6])), "{line}");
            count += 1;
        }
        assert!(count > 20);
    }

    #[test]
    fn no_side_is_too_long() {
        let fit = Fit { longest: 784, ..QWEN };
        for ((width, height), expected) in [
            ((1280, 800), (784, 476)),
            ((800, 1280), (476, 784)),
            ((5120, 1440), (784, 196)),
            ((780, 500), (784, 504)),
        ] {
            let size = fit.size(Size::new(width, height));
            assert_eq!(size, Some(Size::new(expected.0, expected.1)), "{width}x{height}");
        }
    }

    #[test]
    fn marks_stand_where_their_elements_came_to_be_and_stay_sharp() {
        let bounds = Rect::new(-100, 50, 1920, 1080);
        let monitor = Monitor { name: "m".into(), bounds, scale: 1.0 };
        let frame = Frame::new(monitor, RgbImage::from_pixel(1920, 1080, image::Rgb([240; 3])));
        let fitted = QWEN.frame(&frame, Filter::Bicubic).unwrap();
        assert_eq!(fitted.pixels.dimensions(), (1316, 728));
        let one = Element {
            id: ElementId(47),
            key: ElementKey("47".into()),
            role: Role::Button,
            name: "Save".into(),
            value: None,
            description: None,
            looks: None,
            options: Vec::new(),
            actions: Vec::new(),
            states: States::default(),
            bounds: Rect::new(-100 + 960, 50 + 540, 96, 54),
            source: Source::Accessibility,
            window: None,
            within: None,
            region: None,
        };
        let marked = fitted.marked(&[&one], None).pixels;
        let drawn: Vec<(u32, u32)> = marked
            .enumerate_pixels()
            .filter(|(x, y, pixel)| fitted.pixels.get_pixel(*x, *y) != *pixel)
            .map(|(x, y, _)| (x, y))
            .collect();
        // The box, and a tag of 18 by 10 px beside it.
        assert!(drawn.contains(&(658, 364)) && drawn.contains(&(723, 400)), "{drawn:?}");
        let inside = |(x, y): &(u32, u32)| (658 - 18..=723 + 18).contains(x) && (354..=410).contains(y);
        assert!(drawn.iter().all(inside), "{drawn:?}");
        let colours: BTreeSet<[u8; 3]> = drawn.iter().map(|(x, y)| marked.get_pixel(*x, *y).0).collect();
        assert_eq!(colours.len(), 2, "a colour and white, and nothing between: {colours:?}");
    }

    #[test]
    fn a_small_part_is_enlarged_and_leads_back() {
        for (fit, (width, height), expected) in [
            (ANY, (300, 200), (1200, 800)),
            (ANY, (40, 30), (320, 240)),
            (ANY, (900, 700), (900, 700)),
            (ANY, (3136, 800), (1568, 400)),
            (QWEN, (300, 200), (1204, 812)),
            (Fit { longest: 784, ..QWEN }, (300, 100), (588, 196)),
        ] {
            let size = fit.close_size(Size::new(width, height));
            assert_eq!(size, Some(Size::new(expected.0, expected.1)), "{width}x{height}");
        }
        let bounds = Rect::new(-100, 50, 300, 200);
        let monitor = Monitor { name: "m".into(), bounds, scale: 1.0 };
        let pixels = RgbImage::from_fn(300, 200, |x, _| image::Rgb([if x < 150 { 0 } else { 250 }; 3]));
        let close = ANY.close(&Frame::new(monitor, pixels), Filter::Bicubic).unwrap();
        assert_eq!(close.pixels.get_pixel(590, 7).0, [0; 3]);
        assert_eq!(close.pixels.get_pixel(609, 7).0, [250; 3]);
        for (x, y) in [(0, 0), (3, 3), (4, 4), (599, 400), (600, 403), (1199, 799)] {
            let want = Point::new(-100 + x / 4, 50 + y / 4);
            assert_eq!(close.mapping.forward(Point::new(x, y)), want, "({x}, {y})");
        }
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
