//! Pictures in another size, to the last bit as Pillow makes them: models that see were trained on what its
//! `Image.resize` gives, and other resizers are up to 19 grey levels off.
//!
//! Two passes, first along the rows, then along the columns, each rounded to whole grey levels, with
//! weights in fixed-point numbers of 22 bits after the point.

use std::f64::consts::PI;

use image::RgbImage;

use crate::geometry::{Image, Size};

/// Bits after the point of a weight: what is left of 32 beside 8 of the pixel and 2 for the sum.
const BITS: u32 = 32 - 8 - 2;

/// How neighbouring pixels are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// By their distance.
    Bilinear,
    /// By a cubic with -0.5, as Keys (1981) calls it.
    Bicubic,
    /// By the sinc function within three of its waves.
    Lanczos,
}

impl Filter {
    const fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        const A: f64 = -0.5;
        let x = distance.abs();
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Bilinear | Self::Bicubic | Self::Lanczos => 0.0,
        }
    }
}

/// What one pixel of the result is made of.
#[derive(Debug)]
struct Taps {
    from: usize,
    weights: Vec<i32>,
}

/// `image` in this size. Empty when either has no pixel.
pub fn resize(image: &RgbImage, to: Size<Image>, filter: Filter) -> RgbImage {
    let (width, height) = image.dimensions();
    if width == 0 || height == 0 || to.width == 0 || to.height == 0 {
        return RgbImage::new(0, 0);
    }
    let along = if to.width == width { image.clone() } else { along_rows(image, to.width, filter) };
    if to.height == height { along } else { along_columns(&along, to.height, filter) }
}

fn along_rows(image: &RgbImage, to: u32, filter: Filter) -> RgbImage {
    let taps = taps(image.width(), to, filter);
    let stride = image.width() as usize * 3;
    let mut all = Vec::with_capacity(to as usize * 3 * image.height() as usize);
    for row in image.as_raw().chunks_exact(stride) {
        let pixels = row.as_chunks::<3>().0;
        for tap in &taps {
            let near = pixels.get(tap.from..).unwrap_or_default();
            let mut sums = [1 << (BITS - 1); 3];
            for (pixel, weight) in near.iter().zip(&tap.weights) {
                for (sum, channel) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(*channel) * weight;
                }
            }
            all.extend(sums.map(grey));
        }
    }
    RgbImage::from_raw(to, image.height(), all).unwrap_or_default()
}

fn along_columns(image: &RgbImage, to: u32, filter: Filter) -> RgbImage {
    let stride = image.width() as usize * 3;
    let rows: Vec<&[u8]> = image.as_raw().chunks_exact(stride).collect();
    let mut all = Vec::with_capacity(stride * to as usize);
    let mut sums = vec![0_i32; stride];
    for tap in taps(image.height(), to, filter) {
        sums.fill(1 << (BITS - 1));
        for (row, weight) in rows.iter().skip(tap.from).zip(&tap.weights) {
            for (sum, channel) in sums.iter_mut().zip(*row) {
                *sum += i32::from(*channel) * weight;
            }
        }
        all.extend(sums.iter().map(|sum| grey(*sum)));
    }
    RgbImage::from_raw(image.width(), to, all).unwrap_or_default()
}

fn grey(sum: i32) -> u8 {
    u8::try_from((sum >> BITS).clamp(0, 255)).unwrap_or(u8::MAX)
}

/// What each of the `to` pixels along a side of `from` pixels is made of.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places along a side of a picture, cut to whole numbers as Pillow does"
)]
fn taps(from: u32, to: u32, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(from) / f64::from(to);
    let widened = scale.max(1.0);
    let reach = filter.support() * widened;
    let one = |at: u32| {
        let centre = (f64::from(at) + 0.5) * scale;
        let first = ((centre - reach + 0.5) as i64).max(0) as usize;
        let last = ((centre + reach + 0.5) as i64).min(i64::from(from)) as usize;
        let weights: Vec<f64> = (first..last)
            .map(|x| filter.weight(((x as f64) - centre + 0.5) * (1.0 / widened)))
            .collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |weight: &f64| {
            let share = if sum == 0.0 { *weight } else { *weight / sum };
            let scaled = share * f64::from(1_u32 << BITS);
            if share < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
        };
        Taps { from: first, weights: weights.iter().map(fixed).collect() }
    };
    (0..to).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The picture that `goldens/resize.py` begins with.
    fn picture(width: u32, height: u32) -> RgbImage {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24).to_le_bytes()[0]
        };
        let bytes = (0..width * height * 3).map(|_| next()).collect();
        RgbImage::from_raw(width, height, bytes).unwrap()
    }

    #[test]
    fn it_is_what_pillow_makes() {
        let golden = include_bytes!("../../goldens/resize.bin");
        let image = picture(23, 17);
        let mut rest = &golden[..];
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            for (width, height) in [(12, 9), (40, 31), (23, 8), (9, 17), (1, 1)] {
                let (want, after) = rest.split_at(width as usize * height as usize * 3);
                let made = resize(&image, Size::new(width, height), filter);
                assert_eq!(made.as_raw(), want, "{filter:?} {width}x{height}");
                rest = after;
            }
        }
        assert!(rest.is_empty());
    }

    proptest! {
        #[test]
        fn every_size_is_made(w in 0_u32..40, h in 0_u32..40, to_w in 0_u32..90, to_h in 0_u32..90) {
            let made = resize(&picture(w, h), Size::new(to_w, to_h), Filter::Bicubic);
            let none = [w, h, to_w, to_h].contains(&0);
            prop_assert_eq!(made.dimensions(), if none { (0, 0) } else { (to_w, to_h) });
        }
    }
}
