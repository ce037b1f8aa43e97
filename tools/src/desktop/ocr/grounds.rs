//! Where a line of text goes over from one ground to another, as from a page to a hint or a bubble that lies over its
//! end: what stands on two grounds are two texts. The ground of a column is the colour that most of it has, since
//! letters leave most of a column free.

use image::RgbImage;

use super::pixels::Part;
use crate::geometry::Rect;

/// Steps of a channel by which two grounds differ.
const APART: u8 = 24;
/// The least width of a ground, in tenths of the line's height.
const WIDE: usize = 10;

/// A stroke is at most as wide as the line's height by this.
const STROKE: usize = 4;

type Colour = [u8; 3];

/// The parts of `line` that have a ground of their own, from left to right.
pub(super) fn parts(image: &RgbImage, line: &Part) -> Vec<Part> {
    let columns = columns(image, line);
    let least = (line.height as usize * WIDE / 10).max(8);
    let mut runs: Vec<(usize, usize, Colour)> = Vec::new();
    for (x, colour) in columns.into_iter().enumerate() {
        match runs.last_mut() {
            Some((_, to, own)) if *to == x && !apart(*own, colour) => *to = x + 1,
            _ => runs.push((x, x + 1, colour)),
        }
    }
    // Strokes that go from the top to the bottom are no ground, nor is what is narrow.
    let mut parted = runs;
    for least in [line.height as usize / STROKE, least] {
        parted.retain(|(from, to, _)| to - from >= least);
        parted = joined(parted);
    }
    let end = parted.len().saturating_sub(1);
    let part = |(at, run): (usize, &(usize, usize, Colour))| {
        // What lies between two grounds is left with the one before.
        let from = if at == 0 { 0 } else { run.0 };
        let next = parted.get(at + 1).map(|next| next.0);
        let to = if at == end { line.width as usize } else { next.unwrap_or(run.1) };
        let place = |v: usize| i32::try_from(v).unwrap_or(i32::MAX);
        let width = u32::try_from(to - from).unwrap_or(line.width);
        Rect::new(line.x.saturating_add(place(from)), line.y, width, line.height)
    };
    if parted.len() < 2 { vec![*line] } else { parted.iter().enumerate().map(part).collect() }
}

/// Runs of one colour that follow each other as one.
fn joined(runs: Vec<(usize, usize, Colour)>) -> Vec<(usize, usize, Colour)> {
    let mut joined: Vec<(usize, usize, Colour)> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if !apart(last.2, run.2) => last.1 = run.1,
            _ => joined.push(run),
        }
    }
    joined
}

fn apart(a: Colour, b: Colour) -> bool {
    a.iter().zip(b).any(|(a, b)| a.abs_diff(b) > APART)
}

/// The most common colour of each column.
fn columns(image: &RgbImage, line: &Part) -> Vec<Colour> {
    let (Ok(x), Ok(y)) = (usize::try_from(line.x), usize::try_from(line.y)) else { return Vec::new() };
    let stride = image.width() as usize * 3;
    let rows = image.as_raw().chunks_exact(stride.max(3)).skip(y).take(line.height as usize);
    let rows: Vec<&[Colour]> = rows
        .filter_map(|row| row.get(x * 3..(x + line.width as usize) * 3))
        .map(|row| row.as_chunks::<3>().0)
        .collect();
    let most = |x: usize| {
        let mut counts: Vec<(usize, Colour)> = Vec::new();
        for colour in rows.iter().filter_map(|row| row.get(x)) {
            match counts.iter_mut().find(|(_, own)| !apart(*own, *colour)) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, *colour)),
            }
        }
        counts.into_iter().max_by_key(|(count, _)| *count).map_or([0; 3], |(_, colour)| colour)
    };
    (0..line.width as usize).map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn another_ground_at_the_end_of_a_line_is_a_part_of_its_own() {
        let line = Rect::new(10, 5, 180, 20);
        let image = |hint: [u8; 3]| {
            RgbImage::from_fn(200, 30, |x, y| {
                let ink = (10..20).contains(&y) && x % 9 < 3 || (70..74).contains(&x);
                let ground = if x < 100 { hint } else { [255; 3] };
                Rgb(if ink { [0; 3] } else { ground })
            })
        };
        // A letter stands where one goes over into the other.
        let want = [Rect::new(10, 5, 92, 20), Rect::new(102, 5, 88, 20)];
        assert_eq!(parts(&image([211, 226, 252]), &line), want);
        // A shade is no other ground, nor is a stroke or a narrow mark.
        assert_eq!(parts(&image([240; 3]), &line), [line]);
        let mark = RgbImage::from_fn(200, 30, |x, _| {
            Rgb(if (90..104).contains(&x) { [255, 255, 0] } else { [255; 3] })
        });
        assert_eq!(parts(&mark, &line), [line]);
        let low = Rect::new(10, 5, 180, 4);
        let narrow = RgbImage::from_fn(200, 30, |x, _| Rgb([if x < 16 { 90 } else { 255 }; 3]));
        assert_eq!(parts(&narrow, &low), [low]);
    }
}
