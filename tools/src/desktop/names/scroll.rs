//! By how much the things of a window have been scrolled between two looks. Things that stand there once in
//! both say it, where enough of them say the same; where they are too few the pixels have the last word.

use std::collections::HashMap;
use std::ops::Range;

use super::Mark;
use crate::element::{Source, Window, WindowId};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenRect};

/// How far in px a thing may be from where it would have been scrolled to.
pub(super) const SCROLLED: u32 = 3;
/// So many things of a window that all moved alike have been scrolled.
const VOTES: usize = 2;
/// The side in px of the blocks in which the pixels are compared.
const BLOCK: usize = 8;
/// Blocks that have moved at least, and the tenths of all that are not as they were.
const MOVED: (usize, usize) = (8, 4);
/// The width in px of the strips in which rows of pixels are looked for.
const STRIP: usize = 64;
/// Moves that are tried.
const MOST: usize = 4;

/// Across and down, in px.
type Move = (i32, i32);

/// Two pictures of one screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift<'a> {
    pub(super) before: &'a Frame,
    pub(super) now: &'a Frame,
}

/// The move of each window that has been scrolled.
pub(super) fn by(
    before: &[&Mark],
    now: &[Mark],
    shift: Option<Shift<'_>>,
    windows: &[Window],
) -> HashMap<Option<WindowId>, Move> {
    let mut moves: HashMap<Option<WindowId>, (Vec<Move>, Vec<ScreenRect>)> =
        now.iter().map(|mark| (mark.window, Default::default())).collect();
    let mut texts: HashMap<Option<WindowId>, Vec<Move>> = HashMap::new();
    let old = once(before.iter().map(|mark| (mark.called(), mark.place)));
    for (called, place) in once(now.iter().map(|mark| (mark.called(), mark.place))) {
        let Some(old) = old.get(&called) else { continue };
        let (went, stood) = moves.entry(called.0).or_default();
        let by = straight(old, &place);
        went.extend(by);
        if called.1 == Source::Ocr {
            texts.entry(called.0).or_default().extend(by);
        }
        stood.extend(Some(place).filter(|_| near((old.x, old.y), (place.x, place.y))));
    }
    let scrolled = |(window, (went, stood)): (Option<WindowId>, (Vec<Move>, Vec<ScreenRect>))| {
        let bounds = windows.iter().find(|other| Some(other.id) == window)?.bounds;
        let change = shift.and_then(|shift| shift.change(&bounds));
        let still = |change: &Change<'_>| stood.iter().filter(|place| change.holds(place)).count();
        let still = change.as_ref().map_or(0, still);
        // A row under the pointer is read otherwise than its like, and looks like one that has moved.
        let by = match agreed(&went) {
            Some((votes, by)) if votes >= VOTES => (votes > still).then_some(by),
            _ => change.filter(|_| still == 0)?.best(texts.get(&window).map_or(&[], Vec::as_slice)),
        };
        Some((window, by?))
    };
    moves.into_iter().filter_map(scrolled).collect()
}

/// How far it went along one side, and not where it was.
fn straight(old: &ScreenRect, now: &ScreenRect) -> Option<Move> {
    let by = (now.x.saturating_sub(old.x), now.y.saturating_sub(old.y));
    let (across, down) = (by.0.unsigned_abs(), by.1.unsigned_abs());
    (across.min(down) <= SCROLLED && across.max(down) > SCROLLED).then_some(by)
}

fn near(a: Move, b: Move) -> bool {
    a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)) <= SCROLLED
}

/// The move that most of them say, and how many do.
fn agreed(all: &[Move]) -> Option<(usize, Move)> {
    let votes = |by: &Move| all.iter().filter(|other| near(*by, **other)).count();
    all.iter().map(|by| (votes(by), *by)).max()
}

/// What is not as it was in one window.
#[derive(Debug)]
struct Change<'a> {
    shift: Shift<'a>,
    window: ScreenRect,
    /// The corners of the blocks in which something is drawn now, in pixels of the pictures.
    blocks: Vec<(usize, usize)>,
    /// Left, top, right and bottom of these and of those in which something was drawn before.
    round: [usize; 4],
}

impl<'a> Shift<'a> {
    fn change(self, window: &ScreenRect) -> Option<Change<'a>> {
        if self.before.bounds() != self.now.bounds() {
            return None;
        }
        let origin = self.now.bounds().origin();
        let part = window.intersect(&self.now.bounds())?;
        let part = part.offset(origin.x.saturating_neg(), origin.y.saturating_neg());
        let changed = self.changed(&part);
        let round = changed
            .iter()
            .map(|(corner, _)| corner)
            .map(|(x, y)| [*x, *y, x + BLOCK, y + BLOCK])
            .reduce(|a, b| {
                let ([al, at, ar, ab], [bl, bt, br, bb]) = (a, b);
                [al.min(bl), at.min(bt), ar.max(br), ab.max(bb)]
            })?;
        let blocks = changed.into_iter().filter_map(|(corner, is_drawn)| is_drawn.then_some(corner));
        Some(Change { shift: self, window: *window, blocks: blocks.collect(), round })
    }

    /// The corners of the blocks that are not as they were and not of one colour, now or before; with each
    /// whether it is so now.
    fn changed(self, part: &ScreenRect) -> Vec<((usize, usize), bool)> {
        let Rect { x, y, width, height, .. } = *part;
        let (Ok(left), Ok(top)) = (usize::try_from(x), usize::try_from(y)) else { return Vec::new() };
        let (right, bottom) = (left + width as usize, top + height as usize);
        let mut found = Vec::new();
        for y in (top..bottom.saturating_sub(BLOCK)).step_by(BLOCK) {
            // Most bands are as they were, from one side to the other.
            let band = |frame| (y..y + BLOCK).map(move |y| line(frame, left..right, y));
            if band(self.now).eq(band(self.before)) {
                continue;
            }
            let corners = (left..right.saturating_sub(BLOCK)).step_by(BLOCK).map(|x| (x, y));
            let is_changed =
                |&(x, y): &(usize, usize)| !rows(self.now, x, y).eq(rows(self.before, x, y));
            let changed = corners.filter(is_changed).map(|(x, y)| {
                let is_drawn = |frame| block_is_drawn(frame, x, y);
                ((x, y), is_drawn(self.now), is_drawn(self.before))
            });
            let meant = changed.filter(|(_, now, before)| *now || *before);
            found.extend(meant.map(|(corner, now, _)| (corner, now)));
        }
        found
    }
}

impl Change<'_> {
    /// Whether what stands there, from the corner of the window, is in the midst of it.
    fn holds(&self, place: &ScreenRect) -> bool {
        let origin = self.shift.now.bounds().origin();
        let middle = place.offset(self.window.x, self.window.y).center();
        let at =
            |v: i32, from: i32| usize::try_from(i64::from(v) - i64::from(from)).unwrap_or(usize::MAX);
        let (x, y) = (at(middle.x, origin.x), at(middle.y, origin.y));
        let [left, top, right, bottom] = self.round;
        (left..right).contains(&x) && (top..bottom).contains(&y)
    }

    /// The move up or down that the pixels have made: many of them, or some of them together with a text that stands
    /// there once.
    fn best(&self, texts: &[Move]) -> Option<Move> {
        let moved = |down: isize| {
            let came = |(x, y): &(usize, usize)| {
                let from = y.checked_add_signed(-down);
                from.is_some_and(|from| {
                    rows(self.shift.now, *x, *y).eq(rows(self.shift.before, *x, from))
                })
            };
            self.blocks.iter().filter(|corner| came(corner)).count()
        };
        let said = texts.iter().take(MOST).filter_map(|(_, down)| isize::try_from(*down).ok());
        let steps = self.steps().into_iter().chain(said);
        let (count, down) = steps.map(|down| (moved(down), down)).max()?;
        let by = (0, i32::try_from(down).ok()?);
        let most = count * 10 >= self.blocks.len() * MOVED.1;
        let enough = most || texts.iter().any(|text| near(*text, by));
        (count >= MOVED.0 && enough).then_some(by)
    }

    /// How far rows of pixels have gone that are there once in both pictures, what most have gone first.
    fn steps(&self) -> Vec<isize> {
        let [left, top, right, bottom] = self.round;
        let mut votes: HashMap<isize, usize> = HashMap::new();
        for x in (left..right).step_by(STRIP) {
            let of = |frame| {
                let row = |y| line(frame, x..right.min(x + STRIP), y).map(|row| (row, y));
                once((top..bottom).filter_map(row).filter(|(row, _)| is_drawn(row)))
            };
            let before = of(self.shift.before);
            for (row, y) in of(self.shift.now) {
                let from = before.get(row).filter(|from| **from != y);
                let down = from
                    .and_then(|from| isize::try_from(y).ok()?.checked_sub(isize::try_from(*from).ok()?));
                *votes.entry(down.unwrap_or(0)).or_default() += 1;
            }
        }
        let mut steps: Vec<(usize, isize)> = votes
            .into_iter()
            .filter(|(down, _)| *down != 0)
            .map(|(down, votes)| (votes, down))
            .collect();
        steps.sort_unstable();
        steps.into_iter().rev().take(MOST).map(|(_, down)| down).collect()
    }
}

/// A piece of a row of pixels.
fn line(frame: &Frame, columns: Range<usize>, y: usize) -> Option<&[u8]> {
    let stride = frame.pixels().width() as usize * 3;
    let row = frame.pixels().as_raw().get(y * stride..(y + 1) * stride)?;
    row.get(columns.start * 3..columns.end * 3)
}

/// Whether it is of more than one colour.
fn is_drawn(row: &[u8]) -> bool {
    let pixels = row.as_chunks::<3>().0;
    pixels.iter().any(|pixel| Some(pixel) != pixels.first())
}

/// The same of a block.
fn block_is_drawn(frame: &Frame, x: usize, y: usize) -> bool {
    let first = line(frame, x..x + 1, y).unwrap_or_default();
    rows(frame, x, y).flatten().any(|row| row.chunks(3).any(|pixel| pixel != first))
}

/// The rows of the block whose corner is there; `None` for those outside of the picture.
fn rows(frame: &Frame, x: usize, y: usize) -> impl Iterator<Item = Option<&[u8]>> {
    (y..y + BLOCK).map(move |y| line(frame, x..x + BLOCK, y))
}

/// What comes only once.
fn once<K: std::hash::Hash + Eq, V>(all: impl Iterator<Item = (K, V)>) -> HashMap<K, V> {
    let mut found: HashMap<K, Option<V>> = HashMap::new();
    for (key, value) in all {
        found.entry(key).and_modify(|twice| *twice = None).or_insert(Some(value));
    }
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}
