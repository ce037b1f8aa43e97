//! By how much the things of a window have been scrolled between two looks. Things that stand there once in
//! both say it, where enough of them say the same; where they are too few the pixels have the last word.

use std::collections::HashMap;

use super::{Mark, alike};
use crate::element::{Window, WindowId};
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
/// Moves that the pixels are asked about.
const MOST: usize = 12;

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
    let mut moves: HashMap<Option<WindowId>, Vec<Move>> =
        now.iter().map(|mark| (mark.window, Vec::new())).collect();
    let old = once(before.iter().map(|mark| (mark.called(), mark.place)));
    for (called, place) in once(now.iter().map(|mark| (mark.called(), mark.place))) {
        let by = old.get(&called).and_then(|old| straight(old, &place));
        moves.entry(called.0).or_default().extend(by);
    }
    let scrolled = |(window, all): (Option<WindowId>, Vec<Move>)| {
        let by = agreed(&all, VOTES).or_else(|| {
            let bounds = windows.iter().find(|other| Some(other.id) == window)?.bounds;
            let own = |mark: &&Mark| mark.window == window;
            let now: Vec<&Mark> = now.iter().filter(own).collect();
            let before: Vec<&Mark> = before.iter().copied().filter(own).collect();
            shift?.best(&bounds, &before, &now)
        });
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

/// The move that most of them say, where there are enough.
fn agreed(all: &[Move], least: usize) -> Option<Move> {
    let votes = |by: &Move| all.iter().filter(|other| near(*by, **other)).count();
    let best = all.iter().copied().max_by_key(|by| (votes(by), *by))?;
    (votes(&best) >= least).then_some(best)
}

/// The moves that would bring something to where its like is now, what brings the most first.
fn possible(before: &[&Mark], now: &[&Mark]) -> Vec<Move> {
    let is_like = |old: &Mark, mark: &Mark| {
        old.says(mark) || old.source == mark.source && alike(&old.words, &mark.words)
    };
    let mut left: Vec<Move> = Vec::new();
    for mark in now {
        let like = before.iter().filter(|old| is_like(old, mark));
        left.extend(like.filter_map(|old| straight(&old.place, &mark.place)));
    }
    let mut found = Vec::new();
    while let Some(best) = agreed(&left, 1).filter(|_| found.len() < MOST) {
        left.retain(|other| !near(best, *other));
        found.push(best);
    }
    found
}

impl Shift<'_> {
    /// Which of the possible moves the pixels of a window have made, where nothing that stands there once
    /// stands still among them.
    fn best(self, window: &ScreenRect, before: &[&Mark], now: &[&Mark]) -> Option<Move> {
        if self.before.bounds() != self.now.bounds() {
            return None;
        }
        let part = window.intersect(&self.now.bounds())?;
        let origin = self.now.bounds().origin();
        let part = part.offset(origin.x.saturating_neg(), origin.y.saturating_neg());
        let changed = self.changed(&part);
        let place = |v: usize, from: i32, to: i32| {
            i32::try_from(v).unwrap_or(i32::MAX).saturating_add(from).saturating_sub(to)
        };
        let corner = |&(x, y): &(usize, usize)| {
            let side = u32::try_from(BLOCK).unwrap_or(0);
            Rect::new(place(x, origin.x, window.x), place(y, origin.y, window.y), side, side)
        };
        let round: ScreenRect = changed.iter().map(corner).reduce(|a, b| a.union(&b))?;
        let once_before = once(before.iter().map(|mark| (mark.called(), mark.place)));
        let once_now = once(now.iter().map(|mark| (mark.called(), mark.place)));
        let stands_still = once_now.iter().any(|(called, place)| {
            let is_there = |old: &ScreenRect| near((old.x, old.y), (place.x, place.y));
            once_before.get(called).is_some_and(is_there) && round.contains(place.center())
        });
        if stands_still {
            return None;
        }
        let count = |by: &Move| {
            let came = |&(x, y): &(usize, usize)| {
                let from =
                    |to: usize, by: i32| to.checked_add_signed(isize::try_from(by).ok()?.checked_neg()?);
                let (Some(left), Some(top)) = (from(x, by.0), from(y, by.1)) else { return false };
                rows(self.now, x, y).eq(rows(self.before, left, top))
            };
            changed.iter().filter(|place| came(place)).count()
        };
        let (best, by) = possible(before, now).iter().map(|by| (count(by), *by)).max()?;
        (best >= MOVED.0 && best * 10 >= changed.len() * MOVED.1).then_some(by)
    }

    /// The corners of the blocks that are not as they were and not of one colour.
    fn changed(self, part: &ScreenRect) -> Vec<(usize, usize)> {
        let Rect { x, y, width, height, .. } = *part;
        let (Ok(left), Ok(top)) = (usize::try_from(x), usize::try_from(y)) else { return Vec::new() };
        let down = (top..(top + height as usize).saturating_sub(BLOCK)).step_by(BLOCK);
        let across = || (left..(left + width as usize).saturating_sub(BLOCK)).step_by(BLOCK);
        let blocks = down.flat_map(|y| across().map(move |x| (x, y)));
        let is_changed = |&(x, y): &(usize, usize)| !rows(self.now, x, y).eq(rows(self.before, x, y));
        let is_drawn = |&(x, y): &(usize, usize)| {
            let mut pixels = rows(self.now, x, y).flatten().flat_map(|row| row.as_chunks::<3>().0);
            let first = pixels.next();
            pixels.any(|pixel| Some(pixel) != first)
        };
        blocks.filter(is_changed).filter(is_drawn).collect()
    }
}

/// The rows of the block whose corner is there; `None` for those outside of the picture.
fn rows(frame: &Frame, x: usize, y: usize) -> impl Iterator<Item = Option<&[u8]>> {
    let (stride, raw) = (frame.pixels().width() as usize * 3, frame.pixels().as_raw());
    (y..y + BLOCK).map(move |y| {
        let row = raw.get(y * stride..(y + 1) * stride)?;
        row.get(x * 3..(x + BLOCK) * 3)
    })
}

/// What comes only once.
fn once<K: std::hash::Hash + Eq, V>(all: impl Iterator<Item = (K, V)>) -> HashMap<K, V> {
    let mut found: HashMap<K, Option<V>> = HashMap::new();
    for (key, value) in all {
        found.entry(key).and_modify(|twice| *twice = None).or_insert(Some(value));
    }
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}
