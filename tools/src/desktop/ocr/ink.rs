//! The ink of a line: what differs from its ground. It says where the letters really are, where a wide
//! gap parts two texts that stand beside each other, and where a long line may be cut.

use image::{Rgb, RgbImage};

use super::pixels::Part;
use crate::geometry::Rect;

/// Steps of a channel by which ink differs from its ground.
const APART: u8 = 40;
/// The share of a line that its ground must have to be taken for one, in hundredths.
const GROUND: usize = 35;
/// A gap of so many heights parts two texts, in tenths.
const WIDE: usize = 11;
/// A line may be cut at a gap of so many heights, in tenths.
const CUT: usize = 2;
/// A line is cut when it is longer than so many heights.
const LONG: usize = 26;
/// Room around the ink that the network likes to have, in parts of the height.
const MARGIN: usize = 5;

/// One text of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// Where its ink is.
    pub(super) bounds: Part,
    /// What of it is read at once, from left to right.
    pub(super) chunks: Vec<Part>,
}

/// The texts of `line`, from left to right.
pub(super) fn texts(image: &RgbImage, line: &Part) -> Vec<Text> {
    let whole = || vec![Text { bounds: *line, chunks: vec![*line] }];
    let Some(ink) = Ink::of(image, line) else { return whole() };
    let Some((top, bottom)) = span(&ink.rows) else { return Vec::new() };
    let height = bottom - top;
    let margin = (height / MARGIN).max(2);
    let place = |from: usize, to: usize, margin: usize| {
        let (left, upper) = (from.saturating_sub(margin), top.saturating_sub(margin));
        let (right, lower) = ((to + margin).min(ink.columns.len()), (bottom + margin).min(ink.rows.len()));
        let at = |v: usize| i32::try_from(v).unwrap_or(i32::MAX);
        let long = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
        Rect::new(
            line.x.saturating_add(at(left)),
            line.y.saturating_add(at(upper)),
            long(right - left),
            long(lower - upper),
        )
    };
    let runs = inked(&ink.columns);
    let parted = parts(&runs, (height * WIDE / 10).max(8));
    let texts = parted.into_iter().filter_map(|runs| {
        let (from, to) = (runs.first()?.0, runs.last()?.1);
        let chunks = cut(runs, height).into_iter().map(|(from, to)| place(from, to, margin)).collect();
        Some(Text { bounds: place(from, to, 0), chunks })
    });
    texts.collect()
}

/// Which rows and columns of a line have ink.
struct Ink {
    rows: Vec<bool>,
    columns: Vec<bool>,
}

impl Ink {
    /// `None` where no colour is common enough to be the ground.
    fn of(image: &RgbImage, line: &Part) -> Option<Self> {
        let (width, height) = (line.width as usize, line.height as usize);
        let (x, y) = (usize::try_from(line.x).ok()?, usize::try_from(line.y).ok()?);
        let stride = image.width() as usize * 3;
        let rows = image.as_raw().chunks_exact(stride.max(3)).skip(y).take(height);
        let rows: Vec<&[u8]> =
            rows.filter_map(|row| row.get(x * 3..(x + width) * 3)).collect();
        let pixels = || rows.iter().flat_map(|row| row.as_chunks::<3>().0);
        let (ground, share) = ground(pixels().copied())?;
        if share * 100 < width * height * GROUND {
            return None;
        }
        let mut ink = Self { rows: vec![false; height], columns: vec![false; width] };
        for (row, has_ink) in rows.iter().zip(&mut ink.rows) {
            for (pixel, column) in row.as_chunks::<3>().0.iter().zip(&mut ink.columns) {
                let apart = pixel.iter().zip(ground.0).any(|(a, b)| a.abs_diff(b) > APART);
                *has_ink |= apart;
                *column |= apart;
            }
        }
        Some(ink)
    }
}

/// The most common colour, and how many pixels have it give or take a shade.
fn ground(pixels: impl Iterator<Item = [u8; 3]>) -> Option<(Rgb<u8>, usize)> {
    let mut counts: Vec<(u32, [u8; 3])> = vec![(0, [0; 3]); 1 << 12];
    for pixel in pixels {
        let key = pixel.iter().fold(0, |key, channel| key << 4 | usize::from(channel >> 4));
        if let Some((count, colour)) = counts.get_mut(key) {
            *count += 1;
            *colour = pixel;
        }
    }
    let (count, colour) = counts.into_iter().max_by_key(|(count, _)| *count)?;
    Some((Rgb(colour), count as usize))
}

/// From the first to behind the last that has ink.
fn span(inked: &[bool]) -> Option<(usize, usize)> {
    let first = inked.iter().position(|ink| *ink)?;
    Some((first, inked.iter().rposition(|ink| *ink)? + 1))
}

/// Columns with ink that follow each other.
fn inked(columns: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (x, _) in columns.iter().enumerate().filter(|(_, ink)| **ink) {
        match runs.last_mut() {
            Some((_, to)) if *to == x => *to = x + 1,
            _ => runs.push((x, x + 1)),
        }
    }
    runs
}

/// The runs, parted where the gap is at least `wide`.
fn parts(runs: &[(usize, usize)], wide: usize) -> Vec<&[(usize, usize)]> {
    runs.chunk_by(|left, right| right.0 - left.1 < wide).collect()
}

/// Cuts what is too long at its gaps, into pieces of about the same length.
fn cut(runs: &[(usize, usize)], height: usize) -> Vec<(usize, usize)> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Vec::new() };
    let (from, to) = (first.0, last.1);
    let count = (to - from).div_ceil((height * LONG).max(1));
    let each = (to - from).div_ceil(count.max(1));
    let gap = (height * CUT / 10).max(2);
    let mut pieces = Vec::new();
    let mut begin = from;
    for two in runs.windows(2) {
        let [left, right] = two else { continue };
        let due = left.1 - begin >= each * 9 / 10;
        if count > 1 && due && right.0 - left.1 >= gap {
            pieces.push((begin, left.1));
            begin = right.0;
        }
    }
    pieces.push((begin, to));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Black bars of 8 px by 10 on white, at these places of a line of 30 px.
    fn bars(width: u32, places: &[u32]) -> RgbImage {
        RgbImage::from_fn(width, 30, |x, y| {
            let black = (10..20).contains(&y) && places.iter().any(|p| (*p..p + 8).contains(&x));
            Rgb([if black { 0 } else { 250 }; 3])
        })
    }

    #[test]
    fn a_wide_gap_parts_two_texts() {
        let image = bars(200, &[20, 32, 100]);
        let found = texts(&image, &Rect::new(5, 2, 190, 28));
        let bounds: Vec<_> = found.iter().map(|text| text.bounds).collect();
        assert_eq!(bounds, [Rect::new(20, 10, 20, 10), Rect::new(100, 10, 8, 10)]);
        assert_eq!(found[0].chunks, [Rect::new(18, 8, 24, 14)]);
    }

    #[test]
    fn a_long_line_is_cut_at_gaps_only() {
        let places: Vec<u32> = (0..60).map(|n| 10 + n * 11).collect();
        let image = bars(700, &places);
        let found = texts(&image, &Rect::new(0, 0, 700, 30));
        assert_eq!((found.len(), found[0].chunks.len()), (1, 3));
        let total: u32 = found[0].chunks.iter().map(|chunk| chunk.width).sum();
        assert!((600..=680).contains(&total), "{found:?}");
        assert!(found[0].chunks.windows(2).all(|two| two[0].right() - 2 <= two[1].x + 2));
    }

    #[test]
    fn without_a_ground_the_line_is_taken_whole() {
        let noise = RgbImage::from_fn(40, 20, |x, y| {
            let n = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761).to_be_bytes();
            Rgb([n[0], n[1], n[2]])
        });
        let line = Rect::new(0, 0, 40, 20);
        assert_eq!(texts(&noise, &line), [Text { bounds: line, chunks: vec![line] }]);
        let plain = RgbImage::from_pixel(40, 20, Rgb([9; 3]));
        assert!(texts(&plain, &line).is_empty());
    }
}
