//! Pixels as the networks take them: planes of blue, green and red between -1 and 1, at any scale.

use image::RgbImage;

use crate::geometry::{Image, Rect, Size};

/// A part of a picture in image pixels.
pub(super) type Part = Rect<Image>;

/// Input of a network: pictures of one size, one after the other.
#[derive(Debug)]
pub(super) struct Planes {
    count: usize,
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Planes {
    /// Room for `count` pictures of this size, all of them grey.
    pub(super) fn grey(count: usize, width: usize, height: usize) -> Self {
        Self { count, width, height, values: vec![0.0; count * 3 * width * height] }
    }

    /// Number of pictures, of planes, of rows and of columns.
    pub(super) const fn shape(&self) -> [usize; 4] {
        [self.count, 3, self.height, self.width]
    }

    /// All values, picture by picture and plane by plane.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Draws `part` of `image` into the picture number `at`, scaled to `size`, at its top left corner.
    pub(super) fn draw(&mut self, at: usize, image: &RgbImage, part: &Part, size: Size<Image>) {
        let (wide, high) = (size.width as usize, size.height as usize);
        let columns = Step::all(part.x, part.width, image.width(), size.width);
        let rows = Step::all(part.y, part.height, image.height(), size.height);
        let (width, area) = (self.width, self.width * self.height);
        let line = image.width() as usize * 3;
        let row_of = |y: usize| image.as_raw().get(y * line..(y + 1) * line).unwrap_or_default();
        let Some(picture) = self.values.get_mut(at * 3 * area..(at + 1) * 3 * area) else { return };
        for (y, row) in rows.iter().enumerate().take(high.min(self.height)) {
            let (above, below) = (row_of(row.near), row_of(row.far));
            for (channel, plane) in picture.chunks_exact_mut(area).enumerate() {
                let Some(out) = plane.get_mut(y * width..y * width + wide.min(width)) else { continue };
                // The networks were trained on blue first.
                let channel = 2 - channel;
                for (value, column) in out.iter_mut().zip(&columns) {
                    let read =
                        |row: &[u8], x: usize| f32::from(row.get(x * 3 + channel).copied().unwrap_or(0));
                    let top = column.between(read(above, column.near), read(above, column.far));
                    let bottom = column.between(read(below, column.near), read(below, column.far));
                    *value = row.between(top, bottom) / 127.5 - 1.0;
                }
            }
        }
    }
}

/// Where one pixel of a scaled picture comes from: between two of the original.
#[derive(Debug, Clone, Copy)]
struct Step {
    near: usize,
    far: usize,
    share: f32,
}

impl Step {
    /// The steps along one side: `to` pixels out of the `length` that begin at `from`, none beyond `end`.
    fn all(from: i32, length: u32, end: u32, to: u32) -> Vec<Self> {
        let last = i64::from(end).saturating_sub(1);
        let place = |i: i64| usize::try_from((i64::from(from) + i).clamp(0, last.max(0))).unwrap_or(0);
        let scale = f64::from(length) / f64::from(to.max(1));
        let step = |i: u32| {
            let at = ((f64::from(i) + 0.5) * scale - 0.5).max(0.0);
            #[expect(clippy::cast_possible_truncation, reason = "a place inside of a picture")]
            let (near, share) = (at.floor() as i64, at.fract() as f32);
            let far = (near + 1).min(i64::from(length).saturating_sub(1));
            Self { near: place(near), far: place(far), share }
        };
        (0..to).map(step).collect()
    }

    fn between(self, near: f32, far: f32) -> f32 {
        near + (far - near) * self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn blue_comes_first_and_white_is_one() {
        let image = RgbImage::from_pixel(2, 2, Rgb([0, 127, 255]));
        let mut planes = Planes::grey(1, 3, 2);
        planes.draw(0, &image, &Rect::new(0, 0, 2, 2), Size::new(2, 2));
        assert_eq!(planes.shape(), [1, 3, 2, 3]);
        let values = planes.into_values();
        assert!((values[0] - 1.0).abs() < 1e-6 && values[2].abs() < 1e-6, "{values:?}");
        assert!((values[12] + 1.0).abs() < 1e-6, "{values:?}");
    }

    #[test]
    fn scaled_pixels_lie_between_their_neighbours() {
        let image = RgbImage::from_fn(2, 1, |x, _| Rgb([if x == 0 { 0 } else { 255 }; 3]));
        let mut planes = Planes::grey(1, 4, 1);
        planes.draw(0, &image, &Rect::new(0, 0, 2, 1), Size::new(4, 1));
        let values = planes.into_values();
        let plane = &values[..4];
        assert!(plane.windows(2).all(|two| two[0] <= two[1]), "{plane:?}");
        assert!((plane[0] + 1.0).abs() < 1e-6 && (plane[3] - 1.0).abs() < 1e-6, "{plane:?}");
    }

    #[test]
    fn nothing_is_read_outside_of_the_picture() {
        let image = RgbImage::from_pixel(1, 1, Rgb([255; 3]));
        let mut planes = Planes::grey(1, 8, 8);
        planes.draw(0, &image, &Rect::new(-5, -5, 40, 40), Size::new(8, 8));
        planes.draw(7, &image, &Rect::new(0, 0, 1, 1), Size::new(8, 8));
        assert!(planes.into_values().iter().all(|value| (*value - 1.0).abs() < 1e-6));
    }
}
