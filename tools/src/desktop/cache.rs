//! What was read before, by the digest of the pixels: the same pixels say the same.

use std::collections::HashMap;

use image::RgbImage;

use crate::geometry::{Image, Rect};

/// A part of a picture in image pixels.
type Part = Rect<Image>;

/// The hash of the pixels of a part of a picture, and of its size.
pub(super) type Digest = blake3::Hash;

/// The digest of `part` of `image`; `None` when it does not lie inside.
pub(super) fn digest(image: &RgbImage, part: &Part) -> Option<Digest> {
    let (x, y) = (usize::try_from(part.x).ok()?, usize::try_from(part.y).ok()?);
    let (width, height) = (part.width as usize, part.height as usize);
    let line = image.width() as usize * 3;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&part.width.to_le_bytes());
    hasher.update(&part.height.to_le_bytes());
    for row in y..y + height {
        let pixels = image.as_raw().get(row * line..(row + 1) * line)?;
        hasher.update(pixels.get(x * 3..(x + width) * 3)?);
    }
    Some(hasher.finalize())
}

/// Remembers the newest of what it is given.
#[derive(Debug)]
pub(super) struct Cache<V> {
    entries: HashMap<Digest, (u64, V)>,
    clock: u64,
    most: usize,
}

impl<V: Clone> Cache<V> {
    /// Room for `most` entries.
    pub(super) fn new(most: usize) -> Self {
        Self { entries: HashMap::new(), clock: 0, most }
    }

    /// What is known of these pixels.
    pub(super) fn get(&mut self, digest: &Digest) -> Option<V> {
        self.clock += 1;
        let (used, value) = self.entries.get_mut(digest)?;
        *used = self.clock;
        Some(value.clone())
    }

    /// Remembers it. When there is no room, the half that was not used for longest is forgotten.
    pub(super) fn put(&mut self, digest: Digest, value: V) {
        if self.entries.len() >= self.most {
            let mut used: Vec<u64> = self.entries.values().map(|(used, _)| *used).collect();
            used.sort_unstable();
            let middle = used.get(used.len() / 2).copied().unwrap_or(self.clock);
            self.entries.retain(|_, (used, _)| *used >= middle && self.most > 1);
        }
        self.clock += 1;
        self.entries.insert(digest, (self.clock, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn the_same_pixels_have_the_same_digest_wherever_they_are() {
        let image = RgbImage::from_fn(40, 20, |x, y| Rgb([u8::from(x % 20 == 3 && y % 10 == 4); 3]));
        let at = |x, y, w| digest(&image, &Rect::new(x, y, w, 10));
        assert_eq!(at(0, 0, 20), at(20, 10, 20));
        assert_ne!(at(0, 0, 20), at(1, 0, 20));
        assert_ne!(at(0, 0, 20), at(0, 0, 19));
        assert!(at(30, 0, 20).is_none() && at(-1, 0, 5).is_none() && at(0, 11, 5).is_none());
    }

    #[test]
    fn the_newest_is_remembered() {
        let mut cache = Cache::new(4);
        let key = |n: u8| blake3::hash(&[n]);
        for n in 0..4 {
            cache.put(key(n), n);
        }
        assert_eq!(cache.get(&key(0)), Some(0));
        cache.put(key(9), 9);
        let left: Vec<u8> = (0..10).filter(|n| cache.get(&key(*n)).is_some()).collect();
        assert_eq!(left, [0, 3, 9]);
        let mut one = Cache::new(1);
        one.put(key(1), 1);
        one.put(key(2), 2);
        assert_eq!((one.get(&key(1)), one.get(&key(2))), (None, Some(2)));
    }
}
