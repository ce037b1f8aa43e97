//! What was found before and still is there though something lies over a part of it: a button at whose corner a hint
//! has come up hangs together with the hint, and is found no more. What is drawn of it says whether it is there.

use super::Found;
use crate::frame::Frame;
use crate::geometry::ScreenRect;

/// The side in px of the blocks in which the pixels are compared.
const BLOCK: usize = 4;
/// What shows of a thing, of what is drawn of it, in hundredths.
const SHOWS: usize = 70;
/// Sides in px from which a part of a thing tells it from another.
const LEAST: u32 = 12;

/// A thing and what it looked like where it was found.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    found: Found,
    picture: Frame,
}

/// What was `seen` and is not `found`, and still shows for the most part; and what is seen now. What is found in pieces
/// now is not there as a whole.
pub(super) fn still_there(seen: &[Seen], found: &[Found], now: &Frame) -> (Vec<Found>, Vec<Seen>) {
    let is_in = |bounds: &ScreenRect, all: &[ScreenRect]| all.iter().any(|other| is_same(bounds, other));
    let before: Vec<ScreenRect> = seen.iter().map(|old| old.found.bounds).collect();
    let there: Vec<ScreenRect> = found.iter().map(|new| new.bounds).collect();
    let fresh: Vec<&ScreenRect> = there.iter().filter(|bounds| !is_in(bounds, &before)).collect();
    let is_gone = |old: &&Seen| {
        let whole = old.found.bounds;
        let is_piece = |piece: &ScreenRect| {
            piece.intersect(&whole).map_or(0, |shared| shared.area()) * 10 >= piece.area() * 7
        };
        !is_in(&whole, &there) && !fresh.iter().any(|piece| is_piece(piece))
    };
    let stays: Vec<&Seen> = seen.iter().filter(is_gone).filter(|old| old.shows(now)).collect();
    let all = found.iter().filter_map(|found| Seen::of(found, seen, now));
    let more = stays.iter().map(|old| old.found).collect();
    (more, all.chain(stays.into_iter().cloned()).collect())
}

fn is_same(a: &ScreenRect, b: &ScreenRect) -> bool {
    let shared = a.intersect(b).map_or(0, |shared| shared.area());
    shared * 2 >= a.union(b).area()
}

impl Seen {
    /// What comes up over a thing may come up slowly, and the thing is found in pieces of it until it is there: as long as
    /// the thing shows, it is known by what it looked like before.
    fn of(found: &Found, seen: &[Self], now: &Frame) -> Option<Self> {
        let mut same = seen.iter().filter(|old| is_same(&old.found.bounds, &found.bounds));
        if let Some(old) = same.find(|old| old.found.bounds != found.bounds && old.shows(now)) {
            return Some(old.clone());
        }
        Some(Self { found: *found, picture: now.crop(&found.bounds)? })
    }

    /// Whether most of what was drawn of it is as it was, though not all.
    fn shows(&self, now: &Frame) -> bool {
        let (old, bounds) = (&self.picture, self.picture.bounds());
        let Some(new) = now.crop(&bounds) else { return false };
        if new.bounds() != bounds || bounds.width.min(bounds.height) < LEAST {
            return false;
        }
        let (width, height) = (old.pixels().width() as usize, old.pixels().height() as usize);
        let (mut drawn, mut same) = (0, 0);
        for y in (0..height).step_by(BLOCK) {
            for x in (0..width).step_by(BLOCK) {
                let (old, new) = (block(old, x, y), block(&new, x, y));
                if old.clone().any(|pixel| Some(pixel) != old.clone().next()) {
                    drawn += 1;
                    same += usize::from(old.eq(new));
                }
            }
        }
        drawn > 0 && same * 100 >= drawn * SHOWS
    }
}

/// The pixels of a block, as far as the picture reaches.
fn block(frame: &Frame, x: usize, y: usize) -> impl Iterator<Item = &[u8; 3]> + Clone {
    let width = frame.pixels().width() as usize;
    let rows = frame.pixels().as_raw().chunks_exact(width * 3).skip(y).take(BLOCK);
    rows.flat_map(move |row| row.as_chunks::<3>().0.iter().skip(x).take(BLOCK))
}
