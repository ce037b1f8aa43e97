//! A picture of the screen in tiles that know when they last changed, so that any number of viewers, each
//! as quick as its line, are sent only what is new to them and never what is old.

use std::sync::Arc;

use freehand_tools::frame::{Frame, Monitor};
use freehand_tools::geometry::{Rect, ScreenRect};
use image::RgbImage;

/// Side of a tile in px: small enough that a caret costs little, large enough that a whole screen is
/// some dozens.
const SIDE: u32 = 128;

#[derive(Default)]
struct Tile {
    /// The version in which it last changed.
    version: u64,
    /// As a PNG file, once somebody has wanted it.
    file: Option<Arc<[u8]>>,
}

/// One tile as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    /// Where, in px of the picture.
    pub(super) place: [u32; 4],
    /// The PNG file.
    pub(super) file: Arc<[u8]>,
}

/// The picture.
pub(super) struct Tiles {
    bounds: ScreenRect,
    pixels: RgbImage,
    parts: Vec<Tile>,
    version: u64,
}

impl Tiles {
    /// Nothing is seen yet.
    pub(super) fn empty() -> Self {
        let bounds = Rect::new(0, 0, 0, 0);
        Self { bounds, pixels: RgbImage::new(0, 0), parts: Vec::new(), version: 0 }
    }

    /// The part of the desktop that it shows, in screen pixels.
    pub(super) const fn bounds(&self) -> ScreenRect {
        self.bounds
    }

    /// All of it.
    pub(super) const fn pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// Grows with every change.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes in what `frame` shows of the screen at `bounds`; whether anything is new.
    pub(super) fn take(&mut self, bounds: ScreenRect, frame: &Frame) -> bool {
        if bounds != self.bounds {
            self.bounds = bounds;
            self.pixels = RgbImage::new(bounds.width, bounds.height);
            let count = self.columns() * bounds.height.div_ceil(SIDE);
            let version = self.version + 1;
            self.parts = (0..count).map(|_| Tile { version, file: None }).collect();
            self.version = version;
        }
        let next = self.version + 1;
        let mut changed = false;
        for at in 0..self.parts.len() {
            let Some(place) = self.place(at) else { continue };
            let on_screen = Rect::new(
                bounds.x.saturating_add_unsigned(place.x),
                bounds.y.saturating_add_unsigned(place.y),
                place.width,
                place.height,
            );
            let Some(part) = frame.crop(&on_screen) else { continue };
            let x = part.bounds().x.abs_diff(bounds.x);
            let y = part.bounds().y.abs_diff(bounds.y);
            if self.paint(x, y, part.pixels()) {
                changed = true;
                if let Some(tile) = self.parts.get_mut(at) {
                    *tile = Tile { version: next, file: None };
                }
            }
        }
        if changed {
            self.version = next;
        }
        changed
    }

    /// The tiles that changed after `version`.
    pub(super) fn since(&mut self, version: u64) -> Vec<Sent> {
        let mut new = Vec::new();
        for at in 0..self.parts.len() {
            let Some(place) = self.place(at) else { continue };
            let Some(tile) = self.parts.get_mut(at).filter(|tile| tile.version > version) else {
                continue;
            };
            if tile.file.is_none() {
                tile.file = png(&self.pixels, place);
            }
            let Place { x, y, width, height } = place;
            new.extend(tile.file.clone().map(|file| Sent { place: [x, y, width, height], file }));
        }
        new
    }

    const fn columns(&self) -> u32 {
        self.bounds.width.div_ceil(SIDE)
    }

    fn place(&self, at: usize) -> Option<Place> {
        let (at, columns) = (u32::try_from(at).ok()?, self.columns());
        let (x, y) = (at.checked_rem(columns)? * SIDE, at.checked_div(columns)? * SIDE);
        let width = SIDE.min(self.bounds.width.checked_sub(x)?);
        let height = SIDE.min(self.bounds.height.checked_sub(y)?);
        Some(Place { x, y, width, height })
    }

    /// Paints `part` with its top left corner at `x`, `y`; whether it looks otherwise than before.
    fn paint(&mut self, x: u32, y: u32, part: &RgbImage) -> bool {
        let stride = self.pixels.width() as usize * 3;
        let (left, bytes) = (x as usize * 3, part.width() as usize * 3);
        let pixels: &mut [u8] = &mut self.pixels;
        let rows = pixels.chunks_exact_mut(stride).skip(y as usize);
        let mut changed = false;
        for (old, new) in rows.zip(part.as_raw().chunks_exact(bytes)) {
            if let Some(old) = old.get_mut(left..left + bytes)
                && old != new
            {
                old.copy_from_slice(new);
                changed = true;
            }
        }
        changed
    }
}

/// Of a tile, in px of the picture.
#[derive(Clone, Copy)]
struct Place {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

fn png(pixels: &RgbImage, place: Place) -> Option<Arc<[u8]>> {
    let Place { x, y, width, height } = place;
    let part = image::imageops::crop_imm(pixels, x, y, width, height).to_image();
    let monitor = Monitor { name: String::new(), bounds: Rect::new(0, 0, width, height), scale: 1.0 };
    let file = Frame::new(monitor, part).to_png();
    file.inspect_err(|error| tracing::warn!(%error, "a part of the screen is not shown"))
        .ok()
        .map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const SCREEN: ScreenRect = Rect::new(-10, 5, 300, 200);

    fn frame(bounds: ScreenRect, dots: &[(u32, u32)]) -> Frame {
        let mut pixels = RgbImage::new(bounds.width, bounds.height);
        for (x, y) in dots {
            pixels.put_pixel(*x, *y, Rgb([255, 0, 0]));
        }
        Frame::new(Monitor { name: "s".into(), bounds, scale: 1.0 }, pixels)
    }

    fn places(tiles: &mut Tiles, version: u64) -> Vec<[u32; 4]> {
        tiles.since(version).into_iter().map(|sent| sent.place).collect()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let mut tiles = Tiles::empty();
        tiles.take(SCREEN, &frame(SCREEN, &[]));
        assert_eq!(places(&mut tiles, 0).len(), 6);
        let first = tiles.version();
        assert!(!tiles.take(SCREEN, &frame(SCREEN, &[])));
        assert_eq!(places(&mut tiles, first), [] as [[u32; 4]; 0]);
        // The last column and row are cut.
        assert!(tiles.take(SCREEN, &frame(SCREEN, &[(299, 199)])));
        assert_eq!(places(&mut tiles, first), [[256, 128, 44, 72]]);
        let latest = tiles.version();
        assert_eq!(places(&mut tiles, latest), [] as [[u32; 4]; 0]);
    }

    #[test]
    fn a_part_of_the_screen_lands_where_it_was() {
        let mut tiles = Tiles::empty();
        tiles.take(SCREEN, &frame(SCREEN, &[]));
        let first = tiles.version();
        let part = Rect::new(110, 15, 40, 20);
        assert!(tiles.take(SCREEN, &frame(part, &[(10, 2)])));
        assert_eq!(tiles.pixels.get_pixel(130, 12), &Rgb([255, 0, 0]));
        assert_eq!(places(&mut tiles, first), [[128, 0, 128, 128]]);
    }

    #[test]
    fn another_size_is_another_picture() {
        let mut tiles = Tiles::empty();
        tiles.take(SCREEN, &frame(SCREEN, &[]));
        let smaller = Rect::new(0, 0, 64, 64);
        tiles.take(smaller, &frame(smaller, &[]));
        assert_eq!(places(&mut tiles, 0), [[0, 0, 64, 64]]);
    }
}
