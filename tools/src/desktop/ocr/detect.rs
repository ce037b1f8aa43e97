//! Where lines of text are. The network gives for each pixel how likely it belongs to the middle of a
//! line; pixels that hang together are one line, and a line is as much larger than its middle as the
//! network was trained to make it. Text on a screen is level, so lines are upright rectangles.
//!
//! A large picture is looked at in bands that overlap, which keeps the memory small; a line belongs to
//! the band that holds its middle.

use std::sync::Arc;

use image::RgbImage;
use rten::ThreadPool;

use super::network::Network;
use super::pixels::{Part, Planes};
use crate::desktop::DesktopError;
use crate::geometry::{Rect, Size};

/// How likely a pixel must belong to a line.
const PIXEL: f32 = 0.3;
/// How likely the pixels of a line must be on average.
const LINE: f32 = 0.5;
/// By how much a line is larger than its middle: its area by its circumference, times this.
const UNCLIP: f32 = 1.6;
/// Sides of a middle below this many pixels are specks.
const SPECK: usize = 3;
/// Pieces of a line touch when the gap between them is at most its height by this.
const TOUCH: i64 = 4;
/// The network halves its input so often that its sides must be multiples of this.
const MULTIPLE: usize = 32;
/// Pixels that are looked at at once.
const BAND: usize = 1 << 20;
/// Rows that two bands share; lines up to half of it in height are never cut.
const OVERLAP: usize = 96;

/// The lines of `image`, from top to bottom.
pub(super) fn lines(
    network: &Network,
    image: &RgbImage,
    threads: &Arc<ThreadPool>,
) -> Result<Vec<Part>, DesktopError> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut found = Vec::new();
    for band in bands(width, height) {
        let (padded, high) = (width.next_multiple_of(MULTIPLE), band.rows().next_multiple_of(MULTIPLE));
        let mut planes = Planes::grey(1, padded, high);
        let part = Rect::new(0, coordinate(band.from), image.width(), side(band.rows()));
        planes.draw(0, image, &part, Size::new(part.width, part.height));
        let ([_, _, rows, columns], likely) = network.run::<4>(planes, threads)?;
        if (rows, columns) != (high, padded) {
            return Err(network.fault(&"it gives another size than it was given"));
        }
        let map = Map { width: padded, likely: &likely };
        let lines = map.blobs().into_iter().filter_map(|blob| blob.line(width, band.rows()));
        let lines = lines.map(|line| line.offset(0, coordinate(band.from)));
        found.extend(lines.filter(|line| band.owns(line)));
    }
    let mut lines = joined(found);
    lines.sort_by_key(|line| (line.y, line.x));
    Ok(lines)
}

/// Lines of small letters come in pieces, word by word: what touches on one row is one line.
fn joined(mut pieces: Vec<Part>) -> Vec<Part> {
    pieces.sort_by_key(|piece| (piece.x, piece.y));
    let mut lines: Vec<Part> = Vec::new();
    for piece in pieces {
        let goes_on = |line: &Part| {
            let (least, most) = (line.height.min(piece.height), line.height.max(piece.height));
            let shared = line.bottom().min(piece.bottom()).saturating_sub(line.y.max(piece.y));
            let shared = u32::try_from(shared).unwrap_or(0);
            let gap = i64::from(piece.x) - i64::from(line.right());
            shared * 10 >= least * 7 && most * 10 <= least * 17 && gap * TOUCH <= i64::from(least)
        };
        match lines.iter_mut().rev().find(|line| goes_on(line)) {
            Some(line) => *line = line.union(&piece),
            None => lines.push(piece),
        }
    }
    lines
}

/// Rows that are looked at at once, and those of them whose lines count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    from: usize,
    to: usize,
    own: (usize, usize),
}

impl Band {
    const fn rows(&self) -> usize {
        self.to - self.from
    }

    fn owns(&self, line: &Part) -> bool {
        usize::try_from(line.center().y).is_ok_and(|y| (self.own.0..self.own.1).contains(&y))
    }
}

fn bands(width: usize, height: usize) -> Vec<Band> {
    let most = (BAND / width.max(1)).max(2 * OVERLAP);
    let count = if height <= most { 1 } else { height.div_ceil(most - OVERLAP) };
    let each = height.div_ceil(count.max(1));
    let band = |i: usize| {
        let own = (i * each, ((i + 1) * each).min(height));
        let from = own.0.saturating_sub(OVERLAP / 2);
        Band { from, to: (own.1 + OVERLAP / 2).min(height), own }
    };
    (0..count).map(band).filter(|band| band.own.0 < band.own.1).collect()
}

/// What the network says of each pixel.
struct Map<'a> {
    width: usize,
    likely: &'a [f32],
}

/// Pixels that hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Blob {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    sum: f32,
    count: f32,
}

/// Likely pixels of one row that follow each other.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
    blob: usize,
}

impl Map<'_> {
    fn blobs(&self) -> Vec<Blob> {
        let mut blobs: Vec<Blob> = Vec::new();
        let mut same: Vec<usize> = Vec::new();
        let mut above: Vec<Run> = Vec::new();
        for (y, row) in self.likely.chunks_exact(self.width.max(1)).enumerate() {
            let mut runs = Vec::new();
            for (from, to) in likely_runs(row) {
                let blob = blobs.len();
                let values = row.get(from..to).unwrap_or_default();
                let sum = values.iter().sum();
                let count = f32::from(u16::try_from(to - from).unwrap_or(u16::MAX));
                blobs.push(Blob { left: from, right: to, top: y, bottom: y + 1, sum, count });
                same.push(blob);
                for other in above.iter().filter(|run| run.from <= to && from <= run.to) {
                    join(&mut same, other.blob, blob);
                }
                runs.push(Run { from, to, blob });
            }
            above = runs;
        }
        for blob in (0..blobs.len()).rev() {
            let root = root(&same, blob);
            if root != blob
                && let (Some(part), Some(whole)) = (blobs.get(blob).copied(), blobs.get_mut(root))
            {
                whole.take(&part);
            }
        }
        let roots = blobs.iter().enumerate().filter(|(at, _)| same.get(*at) == Some(at));
        roots.map(|(_, blob)| *blob).collect()
    }
}

/// Where pixels are likely; a gap of one pixel is none.
fn likely_runs(row: &[f32]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (x, _) in row.iter().enumerate().filter(|(_, likely)| **likely > PIXEL) {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 >= x => *to = x + 1,
            _ => runs.push((x, x + 1)),
        }
    }
    runs
}

fn root(same: &[usize], mut at: usize) -> usize {
    while let Some(&up) = same.get(at).filter(|up| **up != at) {
        at = up;
    }
    at
}

fn join(same: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(same, a), root(same, b));
    if let Some(higher) = same.get_mut(a.max(b)) {
        *higher = a.min(b);
    }
}

impl Blob {
    fn take(&mut self, other: &Self) {
        self.left = self.left.min(other.left);
        self.right = self.right.max(other.right);
        self.top = self.top.min(other.top);
        self.bottom = self.bottom.max(other.bottom);
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The line that it is the middle of, cut to the picture.
    fn line(&self, width: usize, height: usize) -> Option<Part> {
        let (wide, high) = (self.right - self.left, self.bottom - self.top);
        if wide < SPECK || high < SPECK || self.sum < LINE * self.count {
            return None;
        }
        let [w, h] = [wide, high].map(|v| f32::from(u16::try_from(v).unwrap_or(u16::MAX)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels")]
        let grow = (w * h * UNCLIP / (2.0 * (w + h))).round() as usize;
        let (left, top) = (self.left.saturating_sub(grow), self.top.saturating_sub(grow));
        let (right, bottom) = ((self.right + grow).min(width), (self.bottom + grow).min(height));
        let size = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let line = Rect::new(coordinate(left), coordinate(top), side(size.0), side(size.1));
        (!line.is_empty()).then_some(line)
    }
}

fn coordinate(v: usize) -> i32 {
    i32::try_from(v).unwrap_or(i32::MAX)
}

fn side(v: usize) -> u32 {
    u32::try_from(v).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs(rows: &[&str]) -> Vec<Blob> {
        let likely: Vec<f32> =
            rows.iter().flat_map(|row| row.chars().map(|c| if c == '.' { 0.0 } else { 0.9 })).collect();
        Map { width: rows[0].len(), likely: &likely }.blobs()
    }

    #[test]
    fn what_hangs_together_is_one_line() {
        let found = blobs(&["##..##..", "..##....", "........", ".....##.", "....#..."]);
        let edges: Vec<_> = found.iter().map(|b| (b.left, b.top, b.right, b.bottom)).collect();
        assert_eq!(edges, [(0, 0, 6, 2), (4, 3, 7, 5)]);
        assert!((found[0].count - 6.0).abs() < 1e-6);
        // A gap of one pixel is none, and two arms meet at the end.
        assert_eq!(blobs(&["##.##"]).len(), 1);
        assert_eq!(blobs(&["#..#", "#..#", "####"]).len(), 1);
        assert!(blobs(&["...."]).is_empty());
    }

    #[test]
    fn a_line_is_larger_than_its_middle_and_stays_in_the_picture() {
        let blob = Blob { left: 10, right: 50, top: 2, bottom: 7, sum: 180.0, count: 200.0 };
        assert_eq!(blob.line(100, 100), Some(Rect::new(6, 0, 48, 11)));
        assert_eq!(blob.line(52, 9), Some(Rect::new(6, 0, 46, 9)));
        assert_eq!(Blob { sum: 60.0, ..blob }.line(100, 100), None);
        assert_eq!(Blob { bottom: 4, ..blob }.line(100, 100), None);
    }

    #[test]
    fn pieces_that_touch_on_one_row_are_one_line() {
        let pieces = vec![
            Rect::new(10, 10, 40, 16),
            Rect::new(80, 11, 20, 16),
            Rect::new(52, 12, 25, 14),
            Rect::new(120, 10, 30, 16),
            Rect::new(52, 24, 25, 16),
            Rect::new(101, 0, 20, 60),
        ];
        let mut lines = joined(pieces);
        lines.sort_by_key(|line| (line.y, line.x));
        assert_eq!(
            lines,
            [
                Rect::new(101, 0, 20, 60),
                Rect::new(10, 10, 90, 17),
                Rect::new(120, 10, 30, 16),
                Rect::new(52, 24, 25, 16),
            ]
        );
    }

    #[test]
    fn bands_cover_every_row_once() {
        for (width, height) in [(1, 1), (1280, 800), (3840, 2160), (200_000, 500), (64, 100_000)] {
            let bands = bands(width, height);
            let owned: usize = bands.iter().map(|band| band.own.1 - band.own.0).sum();
            assert_eq!(owned, height, "{width}x{height}: {bands:?}");
            assert!(bands.windows(2).all(|two| two[0].own.1 == two[1].own.0));
            assert!(bands.iter().all(|b| b.from <= b.own.0 && b.own.1 <= b.to && b.to <= height));
        }
        assert_eq!(bands(640, 400).len(), 1);
    }
}
