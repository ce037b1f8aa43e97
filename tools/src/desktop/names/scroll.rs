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
/// Of the blocks that are not as they were as many have moved as things say that have, as one of so many.
const SAID: usize = 4;
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

/// What has been scrolled, by its window.
pub(super) type Scrolls = HashMap<Option<WindowId>, Scroll>;

/// How a window has been scrolled, all of it or a part.
#[derive(Debug, Default)]
pub(super) struct Scroll {
    pub(super) by: Move,
    /// What is not as it was, from the corner of the window; the pixels do not say it where there is nothing to
    /// compare.
    pub(super) round: Option<ScreenRect>,
    /// Where things were that have gone along, and where some are that have not.
    pub(super) went: Vec<ScreenRect>,
    pub(super) stood: Vec<ScreenRect>,
}

impl Scroll {
    /// Whether it goes across and not up or down.
    pub(super) const fn is_across(&self) -> bool {
        self.by.0.unsigned_abs() > SCROLLED
    }

    /// Whether what stood there has gone along. What looks the same before and after says nothing by itself; what
    /// stands beside it, in a pane that nothing has changed in, does.
    pub(super) fn takes(&self, place: &ScreenRect) -> bool {
        if self.stood.contains(place) {
            return false;
        }
        // What is fixed in the midst of it says nothing of what stands in another pane.
        let moves = self.round.is_none_or(|round| round.contains(place.center()));
        let in_round =
            |other: &ScreenRect| !moves || self.round.is_none_or(|round| round.contains(other.center()));
        let level = |other: &ScreenRect| {
            if self.is_across() {
                other.x < place.right() && place.x < other.right()
            } else {
                other.y < place.bottom() && place.y < other.bottom()
            }
        };
        let nearest = |all: &[ScreenRect]| {
            all.iter()
                .filter(|other| level(other) && in_round(other))
                .map(|other| gap(place, other))
                .min()
        };
        match (nearest(&self.stood), nearest(&self.went)) {
            (Some(stood), Some(went)) => went < stood,
            (stood, _) => stood.is_none(),
        }
    }
}

/// How much lies between two things.
fn gap(a: &ScreenRect, b: &ScreenRect) -> i32 {
    let across = a.x.max(b.x).saturating_sub(a.right().min(b.right()));
    let down = a.y.max(b.y).saturating_sub(a.bottom().min(b.bottom()));
    across.max(down).max(0)
}

/// How each window has been scrolled that has been.
pub(super) fn by(
    before: &[&Mark],
    now: &[Mark],
    shift: Option<Shift<'_>>,
    windows: &[Window],
) -> Scrolls {
    let mut moves: HashMap<Option<WindowId>, Moves> =
        now.iter().map(|mark| (mark.window, Moves::default())).collect();
    let old = once(before.iter().map(|mark| (mark.called(), mark.place)));
    for (called, place) in once(now.iter().map(|mark| (mark.called(), mark.place))) {
        let Some(old) = old.get(&called) else { continue };
        let moves = moves.entry(called.0).or_default();
        if let Some(by) = straight(old, &place) {
            moves.went.push((by, *old, called.1 == Source::Ocr));
        } else if near((old.x, old.y), (place.x, place.y)) {
            moves.stood.push(*old);
        }
    }
    let scrolled = |(window, moves): (Option<WindowId>, Moves)| {
        let bounds = windows.iter().find(|other| Some(other.id) == window)?.bounds;
        Some((window, moves.agree(shift.and_then(|shift| shift.change(&bounds)))?))
    };
    moves.into_iter().filter_map(scrolled).collect()
}

/// What the things of one window say that stand there once in both looks.
#[derive(Debug, Default)]
struct Moves {
    /// How far each went, from where, and whether it is a text.
    went: Vec<(Move, ScreenRect, bool)>,
    /// Where each is that did not.
    stood: Vec<ScreenRect>,
}

impl Moves {
    fn agree(self, change: Option<Change<'_>>) -> Option<Scroll> {
        let still = |change: &Change<'_>| self.stood.iter().filter(|place| change.holds(place)).count();
        let still = change.as_ref().map_or(0, still);
        let all: Vec<Move> = self.went.iter().map(|(by, _, _)| *by).collect();
        // A row under the pointer is read otherwise than its like, and looks like one that has moved. What is fixed
        // in the midst of a page stands still while all around it moves.
        let by = match agreed(&all) {
            Some((votes, by)) if votes >= VOTES && votes > still => by,
            Some((votes, by)) if votes >= VOTES => change.as_ref()?.confirms(by)?,
            _ => {
                let texts: Vec<Move> =
                    self.went.iter().filter(|(_, _, text)| *text).map(|(by, _, _)| *by).collect();
                change.as_ref()?.best(&texts, still == 0)?
            }
        };
        let went = self.went.iter().filter(|(own, _, _)| near(*own, by)).map(|(_, from, _)| *from);
        let round = change.map(|change| change.round());
        Some(Scroll { by, round, went: went.collect(), stood: self.stood })
    }
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
    /// Where it is, from the corner of the window.
    fn round(&self) -> ScreenRect {
        let origin = self.shift.now.bounds().origin();
        let [left, top, right, bottom] = self.round;
        let at = |v: usize, origin: i32, corner: i32| {
            i32::try_from(v).unwrap_or(i32::MAX).saturating_add(origin).saturating_sub(corner)
        };
        let side = |from: usize, to: usize| u32::try_from(to - from).unwrap_or(u32::MAX);
        Rect::new(
            at(left, origin.x, self.window.x),
            at(top, origin.y, self.window.y),
            side(left, right),
            side(top, bottom),
        )
    }

    /// Whether what stands there, from the corner of the window, is in the midst of it.
    fn holds(&self, place: &ScreenRect) -> bool {
        self.round().contains(place.center())
    }

    /// How many blocks came from so many pixels above.
    fn moved(&self, down: isize) -> usize {
        let came = |(x, y): &(usize, usize)| {
            let from = y.checked_add_signed(down.saturating_neg());
            from.is_some_and(|from| rows(self.shift.now, *x, *y).eq(rows(self.shift.before, *x, from)))
        };
        self.blocks.iter().filter(|corner| came(corner)).count()
    }

    /// Whether so many blocks have moved that it is most of what has changed.
    const fn is_most(&self, count: usize) -> bool {
        count >= MOVED.0 && count * 10 >= self.blocks.len() * MOVED.1
    }

    /// Whether so many blocks have moved that what things say is true.
    const fn are_some(&self, count: usize) -> bool {
        count * SAID >= self.blocks.len()
    }

    /// The move up or down that things say, if the pixels say it too.
    fn confirms(&self, (_, down): Move) -> Option<Move> {
        let steps = (down.saturating_sub(1)..=down.saturating_add(1))
            .filter_map(|down| Some((self.moved(isize::try_from(down).ok()?), down)));
        let (count, down) = steps.max()?;
        (count >= MOVED.0 && self.are_some(count)).then_some((0, down))
    }

    /// The move up or down that the pixels have made: many of them, or some of them together with a text that stands
    /// there once. Where something stands still, as the arrow of a scroll bar does, the text alone is not enough.
    fn best(&self, texts: &[Move], all_moves: bool) -> Option<Move> {
        let said = texts.iter().take(MOST).filter_map(|(_, down)| isize::try_from(*down).ok());
        let steps = self.steps().into_iter().chain(said);
        let (count, down) = steps.map(|down| (self.moved(down), down)).max()?;
        let by = (0, i32::try_from(down).ok()?);
        let said = texts.iter().any(|text| near(*text, by));
        let enough = if all_moves { said || self.is_most(count) } else { said && self.are_some(count) };
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
