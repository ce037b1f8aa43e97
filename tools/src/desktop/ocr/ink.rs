//! The ink of a line: what differs from its ground. It says where the letters really are, where a wide
//! gap or the side of a button parts two texts that stand beside each other, and where a long line may be
//! cut.

use image::{Rgb, RgbImage};

use super::pixels::Part;
use super::{grounds, sides};
use crate::geometry::Rect;

/// Steps of a channel by which ink differs from its ground.
const APART: u8 = 40;
/// The share of a line that its ground must have to be taken for one, in hundredths.
const GROUND: usize = 35;
/// Rows without ink that set off the ends of another line's letters.
const APART_ROWS: usize = 3;
/// A row of ink from end to end, in hundredths of its length.
const FULL: usize = 92;
/// A gap of so many heights of the tallest letter parts two texts, in tenths.
const WIDE: usize = 13;
/// A line may be cut at a gap of so many heights, in tenths: between words.
const CUT: usize = 4;
/// A line is cut when it is longer than so many heights.
const LONG: usize = 50;
/// Columns beside a side in which the round corner of its box may lie.
const ROUND: usize = 4;
/// Room around the ink that the network likes to have, in tenths of the height. More of it makes the ink
/// smaller, and a line shorter to read.
const MARGIN: usize = 3;

/// One text of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// Where its ink is.
    pub(super) bounds: Part,
    /// What of it is read at once, from left to right.
    pub(super) chunks: Vec<Part>,
}

/// The texts of `line`, from left to right. Where it goes over from one ground to another, as from a page to a hint that
/// lies over it, they are two.
pub(super) fn texts(image: &RgbImage, line: &Part) -> Vec<Text> {
    grounds::parts(image, line).iter().flat_map(|part| texts_on(image, part)).collect()
}

fn texts_on(image: &RgbImage, line: &Part) -> Vec<Text> {
    let Some(ink) = Ink::of(image, line) else {
        return vec![Text { bounds: *line, chunks: vec![*line] }];
    };
    ink.boxes().into_iter().flat_map(|columns| ink.texts(line, columns)).collect()
}

/// Columns of `line` with ink that follow each other; `to` lies behind the last.
pub(super) fn runs(image: &RgbImage, line: &Part) -> Vec<(usize, usize)> {
    let Some(ink) = Ink::of(image, line) else { return Vec::new() };
    let mut columns = ink.within((0, ink.rules.len()), ink.rows).0;
    let (left, right) = ink.columns;
    for (x, column) in columns.iter_mut().enumerate() {
        *column &= (left..right).contains(&x) && !ink.is_rule(x);
    }
    inked(&columns)
}

/// Where a line has ink.
struct Ink {
    /// Its pixels, row by row.
    marks: Vec<Vec<bool>>,
    /// Which columns are the sides of boxes.
    rules: Vec<bool>,
    /// The columns and rows that have this ground: from, and to behind the last.
    columns: (usize, usize),
    rows: (usize, usize),
}

impl Ink {
    /// `None` where no colour is common enough to be the ground.
    fn of(image: &RgbImage, line: &Part) -> Option<Self> {
        let (width, height) = (line.width as usize, line.height as usize);
        let (x, y) = (usize::try_from(line.x).ok()?, usize::try_from(line.y).ok()?);
        let stride = image.width() as usize * 3;
        let rows = image.as_raw().chunks_exact(stride.max(3)).skip(y).take(height);
        let rows: Vec<&[u8]> = rows.filter_map(|row| row.get(x * 3..(x + width) * 3)).collect();
        let pixels = || rows.iter().flat_map(|row| row.as_chunks::<3>().0);
        let (ground, share) = ground(pixels().copied())?;
        if share * 100 < width * height * GROUND {
            return None;
        }
        let apart = |pixel: &[u8; 3]| pixel.iter().zip(ground.0).any(|(a, b)| a.abs_diff(b) > APART);
        let marks: Vec<Vec<bool>> =
            rows.iter().map(|row| row.as_chunks::<3>().0.iter().map(apart).collect()).collect();
        let count = |row: &Vec<bool>| row.iter().filter(|ink| **ink).count();
        let own = between_edges(&marks.iter().map(count).collect::<Vec<_>>(), width, height);
        let sides = sides::sides(image, line, &apart);
        // A label that stands beside a field is no higher than it.
        let inside = sides.iter().fold(own, |own, side| {
            let (top, bottom) = (side.top.saturating_sub(y), side.bottom.saturating_sub(y));
            (own.0.max(top.min(height / 2)), own.1.min(bottom.max(height / 2)))
        });
        let is_side = |at: usize| sides.iter().any(|side| side.left <= x + at && x + at < side.right);
        let rules: Vec<bool> = (0..width).map(is_side).collect();
        let mut counts = vec![0; width];
        for row in marks.iter().take(inside.1).skip(inside.0) {
            // The side of a box has a text on either hand.
            let all = counts.iter_mut().zip(row).zip(&rules);
            all.for_each(|((count, ink), rule)| *count += usize::from(*ink && !rule));
        }
        let columns = between_edges(&counts, inside.1.saturating_sub(inside.0), height);
        Some(Self { marks, rules, columns, rows: inside })
    }

    /// The columns between the sides of boxes, from left to right: from, and to behind the last.
    fn boxes(&self) -> Vec<(usize, usize)> {
        let (left, right) = self.columns;
        let free = (0..self.rules.len())
            .map(|x| (left..right).contains(&x) && !self.is_rule(x))
            .collect::<Vec<_>>();
        inked(&free)
    }

    fn is_rule(&self, x: usize) -> bool {
        self.rules.get(x).copied().unwrap_or(false)
    }

    /// Which of these columns have ink in these rows, and how much each of the rows has in them.
    fn within(&self, (from, to): (usize, usize), rows: (usize, usize)) -> (Vec<bool>, Vec<usize>) {
        let mut columns = vec![false; to - from];
        let mut counts = vec![0; self.marks.len()];
        let all = self.marks.iter().zip(&mut counts).take(rows.1).skip(rows.0);
        for (row, count) in all {
            for (column, ink) in columns.iter_mut().zip(row.get(from..to).unwrap_or_default()) {
                *column |= *ink;
                *count += usize::from(*ink);
            }
        }
        (columns, counts)
    }

    /// How high the ink of the tallest of these runs of columns is, which lie behind `from`: of a letter mostly, and not of a line,
    /// where one letter reaches up and another down.
    fn tallest(&self, runs: &[(usize, usize)], from: usize, rows: (usize, usize)) -> usize {
        let high = |(left, right): &(usize, usize)| {
            let counts = self.within((from + left, from + right), rows).1;
            let inked: Vec<bool> = counts.iter().map(|count| *count > 0).collect();
            span(&inked).map_or(0, |(top, bottom)| bottom - top)
        };
        runs.iter().map(high).max().unwrap_or(0)
    }

    /// The texts in these columns. Beside a side lies the upper and the lower edge of its box, and its round corners.
    fn texts(&self, line: &Part, (from, to): (usize, usize)) -> Vec<Text> {
        let beside = [from.checked_sub(1), Some(to)].map(|x| x.is_some_and(|x| self.is_rule(x)));
        let mut rows = self.rows;
        if beside.contains(&true) {
            let counts = self.within((from, to), rows).1;
            let own = counts.get(rows.0..rows.1).unwrap_or_default();
            let (first, last) = between_edges(own, to - from, own.len());
            rows = (rows.0 + first, rows.0 + last);
        }
        let mut columns = self.within((from, to), rows).0;
        let quarter = (rows.1 - rows.0) / 4;
        let middle = self.within((from, to), (rows.0 + quarter, rows.1 - quarter)).0;
        let mut corner = |at: usize| {
            if let Some(column) = columns.get_mut(at).filter(|_| middle.get(at) == Some(&false)) {
                *column = false;
            }
        };
        for at in 0..ROUND.min(to - from) {
            beside[0].then(|| corner(at));
            beside[1].then(|| corner(to - from - 1 - at));
        }
        let has_ink = |(y, row): (usize, &Vec<bool>)| {
            let mut marks = row.iter().skip(from).zip(&columns);
            (rows.0..rows.1).contains(&y) && marks.any(|(ink, column)| *ink && *column)
        };
        let inked_rows: Vec<bool> = self.marks.iter().enumerate().map(has_ink).collect();
        let Some((top, bottom)) = band(&inked_rows, rows) else { return Vec::new() };
        let height = bottom - top;
        let margin = ((height * MARGIN + 5) / 10).max(2);
        // The side of a box is read as a letter.
        let first = if beside[0] { from } else { 0 };
        let last = if beside[1] { to } else { line.width as usize };
        let place = |left: usize, right: usize, margin: usize| {
            let (left, right) =
                ((from + left).saturating_sub(margin).max(first), (from + right + margin).min(last));
            let (upper, lower) = (top.saturating_sub(margin).max(rows.0), (bottom + margin).min(rows.1));
            let at = |v: usize| i32::try_from(v).unwrap_or(i32::MAX);
            let long = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
            Rect::new(
                line.x.saturating_add(at(left)),
                line.y.saturating_add(at(upper)),
                long(right - left),
                long(lower - upper),
            )
        };
        let runs = inked(&columns);
        let wide = (self.tallest(&runs, from, rows) * WIDE / 10).max(8);
        let texts = parts(&runs, wide).into_iter().filter_map(|runs| {
            let (left, right) = (runs.first()?.0, runs.last()?.1);
            // A rule, a frame's side or a speck.
            if right - left < 2 || height < 3 {
                return None;
            }
            let chunks =
                cut(runs, height).into_iter().map(|(left, right)| place(left, right, margin)).collect();
            Some(Text { bounds: place(left, right, 0), chunks })
        });
        texts.collect()
    }
}

/// What lies between the edges of another ground, or the lines of a frame, at either side: rows or columns
/// that are ink from end to end. `reach` is how far in px they are looked for.
fn between_edges(counts: &[usize], all: usize, reach: usize) -> (usize, usize) {
    let full = |count: &usize| *count * 100 >= all * FULL;
    let reach = reach.min(counts.len() * 2 / 5);
    let first = counts.iter().take(reach).rposition(full).map_or(0, |at| at + 1);
    let last = counts.iter().rev().take(reach).rposition(full).map_or(0, |at| at + 1);
    (first, counts.len() - last)
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

/// The rows of the line itself: without those at its upper or lower end that are set off from it, since they are no
/// more than the ends of the next line's letters.
fn band(rows: &[bool], own: (usize, usize)) -> Option<(usize, usize)> {
    let (mut from, mut to) = span(rows)?;
    let runs = inked(rows);
    let high = runs.iter().map(|(from, to)| to - from).max()?;
    let low = |run: &(usize, usize)| (run.1 - run.0) * 2 < high;
    if let [first, second, ..] = runs.as_slice()
        && first.0 == own.0
        && low(first)
        && second.0 - first.1 >= APART_ROWS
    {
        from = second.0;
    }
    if let [.., second, last] = runs.as_slice()
        && last.1 == own.1
        && low(last)
        && last.0 - second.1 >= APART_ROWS
    {
        to = second.1;
    }
    Some((from, to))
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
        if pieces.len() + 1 < count && due && right.0 - left.1 >= gap {
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
        assert_eq!(found[0].chunks, [Rect::new(17, 7, 26, 16)]);
    }

    #[test]
    fn a_gap_is_wide_beside_letters_and_not_beside_a_line_of_which_one_reaches_down() {
        // The second letter stands 6 px lower than the first, and the third 13 px behind it.
        let mut image = bars(100, &[20, 32, 53]);
        (32..40).for_each(|x| (10..16).for_each(|y| image.put_pixel(x, y, Rgb([250; 3]))));
        (32..40).for_each(|x| (20..26).for_each(|y| image.put_pixel(x, y, Rgb([0; 3]))));
        let found = texts(&image, &Rect::new(5, 2, 90, 28));
        let bounds: Vec<_> = found.iter().map(|text| text.bounds).collect();
        assert_eq!(bounds, [Rect::new(20, 10, 20, 16), Rect::new(53, 10, 8, 16)]);
    }

    #[test]
    fn the_ends_of_the_next_line_are_left_out() {
        let mut image = bars(100, &[20, 32]);
        let below = |image: &mut RgbImage, y| (20..40).for_each(|x| image.put_pixel(x, y, Rgb([0; 3])));
        (24..27).for_each(|y| below(&mut image, y));
        let line = |height| Rect::new(5, 4, 90, height);
        assert_eq!(texts(&image, &line(23))[0].bounds, Rect::new(20, 10, 20, 10));
        // What does not reach the end belongs to it.
        assert_eq!(texts(&image, &line(25))[0].bounds, Rect::new(20, 10, 20, 17));
    }

    #[test]
    fn a_long_line_is_cut_at_gaps_only() {
        // Words of two letters, 3 px apart, with 6 px between two words.
        let places: Vec<u32> = (0..60).flat_map(|n| [10 + n * 25, 21 + n * 25]).collect();
        let image = bars(1600, &places);
        let found = texts(&image, &Rect::new(0, 0, 1600, 30));
        assert_eq!((found.len(), found[0].chunks.len()), (1, 3), "{found:?}");
        for chunk in &found[0].chunks {
            let inside = places.iter().filter(|p| {
                chunk.contains(crate::geometry::Point::new(i32::try_from(**p).unwrap(), 12))
            });
            assert!(inside.count() % 2 == 0, "a word is cut: {chunk}");
        }
    }

    #[test]
    fn another_ground_above_or_below_is_no_ink() {
        let mut image = bars(100, &[20, 32]);
        for y in (0..6).chain(23..30) {
            (0..100).for_each(|x| image.put_pixel(x, y, Rgb([60; 3])));
        }
        // The sides of a frame.
        (0..30).for_each(|y| [4, 5, 96].into_iter().for_each(|x| image.put_pixel(x, y, Rgb([60; 3]))));
        let found = texts(&image, &Rect::new(0, 0, 100, 30));
        assert_eq!(found[0].bounds, Rect::new(20, 10, 20, 10));
        assert_eq!(found[0].chunks, [Rect::new(17, 7, 26, 16)]);
    }

    #[test]
    fn the_side_of_a_button_parts_two_texts() {
        let mut image = bars(140, &[10, 22, 50, 62]);
        for x in 44..110 {
            for y in [5, 25] {
                image.put_pixel(x, y, Rgb([60; 3]));
            }
        }
        for y in 6..25 {
            for x in [43, 110] {
                image.put_pixel(x, y, Rgb([60; 3]));
            }
        }
        let found = texts(&image, &Rect::new(0, 2, 120, 27));
        let bounds: Vec<_> = found.iter().map(|text| text.bounds).collect();
        assert_eq!(bounds, [Rect::new(10, 10, 20, 10), Rect::new(50, 10, 20, 10)]);
        // A letter alone, however high, is no side.
        let mut image = bars(140, &[10, 22, 50, 62]);
        (5..25).for_each(|y| image.put_pixel(43, y, Rgb([60; 3])));
        assert_eq!(texts(&image, &Rect::new(0, 2, 120, 27)).len(), 1);
    }

    #[test]
    fn the_side_of_a_box_that_is_cut_off_parts_two_texts_too() {
        let mut image = bars(140, &[10, 22, 50, 62]);
        (44..130).for_each(|x| image.put_pixel(x, 27, Rgb([60; 3])));
        (0..27).for_each(|y| image.put_pixel(43, y, Rgb([60; 3])));
        let line = Rect::new(0, 2, 120, 25);
        assert_eq!(texts(&image, &line).len(), 2);
        // A letter on what the whole line is underlined with is no side.
        (0..130).for_each(|x| image.put_pixel(x, 27, Rgb([60; 3])));
        assert_eq!(texts(&image, &line).len(), 1);
    }

    /// A label and a box with a text in it, whose edge is so many px wide and `high` px from edge to edge.
    fn labelled(edge: u32, high: u32) -> RgbImage {
        let top = 40 - high / 2;
        RgbImage::from_fn(200, 80, |x, y| {
            let bar = (35..45).contains(&y) && [10, 22, 60, 72].iter().any(|p| (*p..p + 8).contains(&x));
            let whole = (43..180).contains(&x) && (top..top + high).contains(&y);
            let inner =
                (43 + edge..180 - edge).contains(&x) && (top + edge..top + high - edge).contains(&y);
            // The corners are round.
            let corner = edge > 1 && x == 43 + edge && (y == top + edge || y == top + high - edge - 1);
            Rgb([if bar || whole && !inner || corner { 0 } else { 250 }; 3])
        })
    }

    #[test]
    fn a_label_and_the_text_in_its_box_stand_apart_however_high_their_line_is_found() {
        for (edge, high, line) in [
            (1, 20, Rect::new(0, 28, 120, 24)),
            (1, 20, Rect::new(0, 14, 120, 52)),
            (2, 20, Rect::new(0, 24, 120, 32)),
            (5, 42, Rect::new(0, 14, 120, 52)),
        ] {
            let found = texts(&labelled(edge, high), &line);
            let bounds: Vec<_> = found.iter().map(|text| text.bounds).collect();
            assert_eq!(bounds, [Rect::new(10, 35, 20, 10), Rect::new(60, 35, 20, 10)], "{edge} {high}");
            // Nothing of the box is read with them.
            let (label, inside) = (found[0].chunks[0], found[1].chunks[0]);
            let edge = i32::try_from(edge).unwrap();
            assert!(label.right() <= 43 && inside.x >= 43 + edge, "{found:?}");
        }
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
