//! One picture of one monitor. Pixels are shared, compared and stored by their digest, and turned
//! into a PNG only when somebody wants a file.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::geometry::{Image, Mapping, Rect, Screen, ScreenRect, Size};

/// The blake3 hash of a frame's size and pixels: equal digests are equal pictures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The first 16 hex digits, enough to name a file.
    pub fn short(&self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        blake3::Hash::from_hex(&text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a digest of 64 hex digits")))
    }
}

/// What a frame shows: one monitor, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    /// Name as the system gives it, for example `screen` or `HDMI-1`.
    pub name: String,
    /// The part of the desktop that the frame shows, in screen pixels.
    pub bounds: ScreenRect,
    /// Physical pixels for each logical pixel, 1.0 where the system does not scale.
    pub scale: f32,
}

/// The pixels of one monitor, or of a part of one, at one moment. Cheap to clone.
#[derive(Clone)]
pub struct Frame {
    monitor: Monitor,
    pixels: Arc<RgbImage>,
    digest: Arc<OnceLock<Digest>>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("monitor", &self.monitor)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

impl Frame {
    /// A frame of `monitor` made of `pixels`, one pixel of the image for one of the screen.
    pub fn new(monitor: Monitor, pixels: RgbImage) -> Self {
        Self { monitor, pixels: Arc::new(pixels), digest: Arc::new(OnceLock::new()) }
    }

    /// The same with its pixels changed by `paint`.
    pub(crate) fn painted(mut self, paint: impl FnOnce(&mut RgbImage)) -> Self {
        paint(Arc::make_mut(&mut self.pixels));
        Self { digest: Arc::default(), ..self }
    }

    /// The same with these parts of the screen black.
    #[must_use]
    pub fn blackened(self, places: &[ScreenRect]) -> Self {
        let shown: Vec<ScreenRect> =
            places.iter().filter_map(|place| place.intersect(&self.bounds())).collect();
        if shown.is_empty() {
            return self;
        }
        let origin = self.bounds().origin();
        let from = |v: i32, origin: i32| u32::try_from(v.saturating_sub(origin)).unwrap_or(0);
        self.painted(|pixels| {
            for place in shown {
                let (left, top) = (from(place.x, origin.x), from(place.y, origin.y));
                for y in top..(top + place.height).min(pixels.height()) {
                    for x in left..(left + place.width).min(pixels.width()) {
                        pixels.put_pixel(x, y, Rgb([0; 3]));
                    }
                }
            }
        })
    }

    /// What it shows.
    pub const fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// The part of the desktop that it shows, in screen pixels.
    pub const fn bounds(&self) -> ScreenRect {
        self.monitor.bounds
    }

    /// Its size in image pixels.
    pub fn size(&self) -> Size<Image> {
        Size::new(self.pixels.width(), self.pixels.height())
    }

    /// The pixels themselves.
    pub fn pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// The digest of size and pixels; computed once, when first asked for.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&self.pixels.width().to_le_bytes());
            hasher.update(&self.pixels.height().to_le_bytes());
            hasher.update(self.pixels.as_raw());
            Digest(*hasher.finalize().as_bytes())
        })
    }

    /// The way from this frame's pixels to the screen; `None` for an empty frame.
    pub fn mapping(&self) -> Option<Mapping<Image, Screen>> {
        Mapping::new(Rect::of_size(self.size()), self.monitor.bounds)
    }

    /// The part that shows `region` of the screen, or `None` when it shows none of it.
    pub fn crop(&self, region: &ScreenRect) -> Option<Frame> {
        let shared = self.monitor.bounds.intersect(region)?;
        let x = u32::try_from(shared.x - self.monitor.bounds.x).ok()?;
        let y = u32::try_from(shared.y - self.monitor.bounds.y).ok()?;
        let (stride, width) = (self.pixels.width() as usize * 3, shared.width as usize * 3);
        let rows = self.pixels.as_raw().chunks_exact(stride.max(1));
        let rows = rows.skip(y as usize).take(shared.height as usize);
        let from = x as usize * 3;
        let pixels: Vec<&[u8]> = rows.filter_map(|row| row.get(from..from + width)).collect();
        let part = RgbImage::from_raw(shared.width, shared.height, pixels.concat())?;
        let monitor = Monitor { bounds: shared, ..self.monitor.clone() };
        Some(Frame::new(monitor, part))
    }

    /// The frame as a PNG file, quickly made rather than small.
    pub fn to_png(&self) -> Result<Vec<u8>, image::ImageError> {
        png(&self.pixels)
    }

    /// The fraction (0 to 1) of pixels inside `region` that are not the same in `other`; 1 when the
    /// two frames do not both show the region at the same size.
    pub fn difference(&self, other: &Frame, region: &ScreenRect) -> f32 {
        let (Some(a), Some(b)) = (self.crop(region), other.crop(region)) else { return 1.0 };
        if a.monitor.bounds != b.monitor.bounds {
            return 1.0;
        }
        let changed = a.pixels.pixels().zip(b.pixels.pixels()).filter(|(p, q)| p != q).count();
        #[expect(clippy::cast_precision_loss, reason = "a ratio of pixel counts")]
        {
            changed as f32 / a.bounds().area().max(1) as f32
        }
    }
}

/// These pixels as a PNG file, quickly made rather than small.
pub fn png(pixels: &RgbImage) -> Result<Vec<u8>, image::ImageError> {
    let mut file = Cursor::new(Vec::with_capacity(pixels.as_raw().len() / 8));
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive).write_image(
        pixels.as_raw(),
        pixels.width(),
        pixels.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(shade: u8) -> Frame {
        let monitor = Monitor { name: "screen".into(), bounds: Rect::new(-4, 0, 8, 6), scale: 1.0 };
        Frame::new(monitor, RgbImage::from_pixel(8, 6, image::Rgb([shade; 3])))
    }

    #[test]
    fn equal_pixels_have_equal_digests() {
        assert_eq!(frame(7).digest(), frame(7).digest());
        assert_ne!(frame(7).digest(), frame(8).digest());
        let text = serde_json::to_string(&frame(7).digest()).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), frame(7).digest());
    }

    #[test]
    fn crops_by_screen_coordinates() {
        let part = frame(7).crop(&Rect::new(-1, 2, 100, 100)).unwrap();
        assert_eq!(part.bounds(), Rect::new(-1, 2, 5, 4));
        assert!(frame(7).crop(&Rect::new(4, 0, 1, 1)).is_none());
    }

    #[test]
    fn parts_are_blackened_by_screen_coordinates() {
        let black = frame(7).blackened(&[Rect::new(-9, 1, 7, 2), Rect::new(90, 0, 5, 5)]);
        assert_ne!(black.digest(), frame(7).digest());
        let shades: Vec<u8> = (0..4).map(|x| black.pixels().get_pixel(x, 2).0[0]).collect();
        assert_eq!(shades, [0, 0, 7, 7]);
        assert_eq!(black.pixels().get_pixel(0, 3).0[0], 7);
        assert_eq!(frame(7).blackened(&[]).digest(), frame(7).digest());
    }

    #[test]
    fn a_png_holds_the_same_pixels() {
        let png = frame(9).to_png().unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().to_rgb8(), *frame(9).pixels());
    }

    #[test]
    fn differences_are_fractions() {
        let everywhere = Rect::new(-4, 0, 8, 6);
        assert!(frame(1).difference(&frame(1), &everywhere).abs() < f32::EPSILON);
        assert!((frame(1).difference(&frame(2), &everywhere) - 1.0).abs() < f32::EPSILON);
    }
}
