//! The sides of buttons and fields that stand in a line of text: upright strokes that have the edge of a box at
//! both ends. No letter has arms that long.

use image::RgbImage;

use super::pixels::Part;

/// How many rows above and below a line a side is followed.
const REACH: usize = 8;
/// A side is at least so high, in tenths of the line, which is found too high where it ends in a box.
const HIGH: usize = 4;
/// The edges at its ends are at least so long, in tenths of its height.
const LONG: usize = 15;
/// The same of the one edge of a box that is cut off.
const CUT: usize = 30;
/// Of a column next to it so much at most is ink, in hundredths.
const CLEAR: usize = 30;
/// The part of a side that the corner at either end takes, as one of so many.
const CORNER: usize = 5;
/// Columns of the widest side of a low box; of a higher one as many times fewer than it is high.
const THIN: usize = 3;
const THINNER: usize = 8;

/// One side, by its columns and rows in the picture; right and bottom lie behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
}

/// The sides in `line`, from left to right, by what `is_ink`.
pub(super) fn sides(image: &RgbImage, line: &Part, is_ink: &dyn Fn(&[u8; 3]) -> bool) -> Vec<Side> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let ink = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        x < width
            && image.as_raw().get(at..at + 3).and_then(|p| p.first_chunk::<3>()).is_some_and(is_ink)
    };
    let coordinate = |v: i32| usize::try_from(v).unwrap_or(0);
    let (from, to) = (coordinate(line.y).saturating_sub(REACH), coordinate(line.bottom()) + REACH);
    let rows = (from, to.min(height));
    let least = (line.height as usize * HIGH / 10).max(8);
    let mut sides: Vec<Side> = Vec::new();
    for x in coordinate(line.x)..coordinate(line.right()).min(width) {
        let Some((top, bottom)) = stroke(&ink, x, rows).filter(|(from, to)| to - from >= least) else {
            continue;
        };
        match sides.last_mut() {
            Some(side) if side.right == x && side.top.abs_diff(top) <= 2 => side.right = x + 1,
            _ => sides.push(Side { left: x, right: x + 1, top, bottom }),
        }
    }
    let is_box = |side: &Side| has_edges(&ink, side) || is_cut(&ink, side, line.height as usize);
    let is_thin = |side: &Side| side.right - side.left <= THIN.max((side.bottom - side.top) / THINNER);
    sides.retain(|side| is_thin(side) && is_clear(&ink, side) && is_box(side));
    sides
}

/// The longest upright stroke in a column.
fn stroke(
    ink: &dyn Fn(usize, usize) -> bool,
    x: usize,
    (from, to): (usize, usize),
) -> Option<(usize, usize)> {
    let (mut best, mut begin) = (None::<(usize, usize)>, None);
    for y in from..=to {
        match (y < to && ink(x, y), begin) {
            (true, None) => begin = Some(y),
            (false, Some(top)) => {
                begin = None;
                if best.is_none_or(|(from, to)| y - top > to - from) {
                    best = Some((top, y));
                }
            }
            _ => {}
        }
    }
    best
}

/// Whether nothing stands right beside it, between the corners.
fn is_clear(ink: &dyn Fn(usize, usize) -> bool, side: &Side) -> bool {
    let corner = (side.bottom - side.top) / CORNER;
    let rows = side.top + corner..side.bottom - corner;
    let clear = |x: Option<usize>| {
        x.is_none_or(|x| {
            let inked = rows.clone().filter(|y| ink(x, *y)).count();
            inked * 100 <= rows.len() * CLEAR
        })
    };
    clear(side.left.checked_sub(1)) && clear(Some(side.right))
}

/// Whether an edge of the box begins at either end, to the same hand. The corner may be round.
fn has_edges(ink: &dyn Fn(usize, usize) -> bool, side: &Side) -> bool {
    let long = (side.bottom - side.top) * LONG / 10;
    [true, false]
        .into_iter()
        .any(|right| [true, false].into_iter().all(|below| has_arm(ink, side, (right, below), long)))
}

/// Whether it goes through the whole line and a long edge begins at one end, to one hand: of a box that something has
/// been cut off from. What a word is underlined with goes on to both hands.
fn is_cut(ink: &dyn Fn(usize, usize) -> bool, side: &Side, height: usize) -> bool {
    let long = (side.bottom - side.top) * CUT / 10;
    let whole = (side.bottom - side.top) * 10 >= height * 8;
    let hands = |below| [true, false].map(|right| has_arm(ink, side, (right, below), long));
    let short = |below| [true, false].map(|right| has_arm(ink, side, (right, below), 4));
    let one = |below| hands(below).contains(&true) && short(below).contains(&false);
    whole && (one(true) || one(false))
}

/// Whether an edge of at least this length begins at its lower or upper end, to the right or to the left.
fn has_arm(
    ink: &dyn Fn(usize, usize) -> bool,
    side: &Side,
    (right, below): (bool, bool),
    long: usize,
) -> bool {
    let at = |from: usize| {
        if right { Some(side.right - 1 + from) } else { side.left.checked_sub(from) }
    };
    let line = |y: usize| {
        (1..=3).any(|skip| (skip..skip + long).all(|from| at(from).is_some_and(|x| ink(x, y))))
    };
    let (from, to) = if below {
        (side.bottom.saturating_sub(2), side.bottom + 2)
    } else {
        (side.top.saturating_sub(3), side.top + 1)
    };
    (from..=to).any(line)
}
