//! A thing as one look finds it, and when a thing of the next look may be the same: read otherwise, drawn
//! otherwise, filled, cut off by an edge, or found together with what stands beside it.

use std::collections::HashMap;

use super::Look;
use super::scroll::SCROLLED;
use crate::element::{Element, Source, WindowId};
use crate::geometry::{ScreenPoint, ScreenRect};

/// How far in px a thing may be from where it was when it comes back: many look or read the same.
pub(super) const BACK: i32 = 3;
/// How far in px two texts may begin from each other in one field, if they are not higher than that.
const INDENT: u32 = 8;
/// The share of their letters that two readings of one text have in common, in tenths.
const ALIKE: usize = 6;
/// The tenths of the letters of a part that the whole says too.
const PART: usize = 8;
/// A part of a shape takes up at least so much of it, as one of so many.
const HALF: u64 = 5;
/// How far in px from the edge that cuts it off what is left of a thing may end.
const EDGE: u32 = 8;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) window: Option<WindowId>,
    pub(super) source: Source,
    /// What it says or looks like.
    pub(super) words: String,
    /// Where it is, from the corner of its window.
    pub(super) place: ScreenRect,
    /// The same of the shape that it stands on, where there is one.
    ground: ScreenRect,
}

impl Mark {
    pub(super) fn of(element: &Element, look: Look<'_>) -> Self {
        let window = look.windows.iter().find(|window| Some(window.id) == element.window);
        let corner = window.map_or(ScreenPoint::new(0, 0), |window| window.bounds.origin());
        let from =
            |bounds: &ScreenRect| bounds.offset(corner.x.saturating_neg(), corner.y.saturating_neg());
        let holds = |ground: &&ScreenRect| {
            let shared = ground.intersect(&element.bounds).map_or(0, |shared| shared.area());
            shared * 10 >= element.bounds.area() * 7
        };
        let own = || look.grounds.iter().filter(holds).min_by_key(|ground| ground.area());
        let ground = Some(element.source).filter(|source| *source != Source::Vision).and_then(|_| own());
        Self {
            window: element.window,
            source: element.source,
            words: element.key.0.clone(),
            place: from(&element.bounds),
            ground: from(ground.unwrap_or(&element.bounds)),
        }
    }

    pub(super) fn called(&self) -> (Option<WindowId>, Source, &str) {
        (self.window, self.source, &self.words)
    }

    pub(super) fn says(&self, other: &Self) -> bool {
        self.called() == other.called()
    }

    pub(super) fn moved(&self, (across, down): (i32, i32)) -> Self {
        let by = |place: &ScreenRect| place.offset(across, down);
        Self { place: by(&self.place), ground: by(&self.ground), ..self.clone() }
    }

    fn are_texts(&self, other: &Self) -> bool {
        self.source == Source::Ocr && other.source == Source::Ocr
    }

    /// Whether the other is it, read otherwise or with more of it.
    pub(super) fn is_read_as(&self, now: &Self) -> bool {
        let more = || {
            let is_text = self.source == Source::Ocr;
            is_text && grown(&self.place, &now.place) && begins(&self.words, &now.words)
        };
        let same = same_place(&self.place, &now.place) && alike(&self.words, &now.words);
        self.source == now.source && (same || more())
    }

    /// Whether one is found within the other, which was found together with its neighbours: the one that holds
    /// the middle, since a click on either arrives there.
    pub(super) fn is_part_of(&self, now: &Self) -> bool {
        let (part, whole) =
            if self.place.area() <= now.place.area() { (self, now) } else { (now, self) };
        let fits = match part.source {
            Source::Ocr => says_too(&whole.words, &part.words),
            Source::Accessibility | Source::Vision => part.place.area() * HALF >= whole.place.area(),
        };
        let holds = part.place.contains(whole.place.center());
        self.source == now.source && holds && grown(&part.place, &whole.place) && fits
    }

    /// Whether both are shapes with the same sides, as one under the pointer is, or with all but one, as one that a
    /// hint lies over.
    pub(super) fn is_redrawn_as(&self, now: &Self) -> bool {
        let (a, b) = (&self.place, &now.place);
        let sides = [(a.x, b.x), (a.y, b.y), (a.right(), b.right()), (a.bottom(), b.bottom())];
        let same = sides.iter().filter(|(a, b)| a.abs_diff(*b) <= BACK.unsigned_abs()).count();
        let shapes = self.source == Source::Vision && now.source == Source::Vision;
        shapes && (same == 4 || same == 3 && same_place(a, b))
    }

    /// Whether one is a shape, and the other the text on it.
    pub(super) fn is_filled_as(&self, now: &Self) -> bool {
        self.source != now.source && same_place(&self.ground, &now.ground)
    }

    /// Whether one is the part of the other that an edge of what is scrolled up or down, or across, leaves.
    pub(super) fn is_cut_as(&self, now: &Self, across: bool) -> bool {
        let (a, b) = (&self.ground, &now.ground);
        let (left, right) = (near(a.x, b.x), near(a.right(), b.right()));
        let (top, bottom) = (near(a.y, b.y), near(a.bottom(), b.bottom()));
        let cut =
            if across { top && bottom && (left || right) } else { left && right && (top || bottom) };
        cut && (!self.are_texts(now) || alike(&self.words, &now.words))
    }

    /// How far its left end is from that of what `now` shows, if one of the two is no more than the tip of the other
    /// that the upper or lower edge of what is scrolled leaves. `was` is where it was before that.
    pub(super) fn is_tip_as(&self, was: &Self, now: &Self, round: &ScreenRect) -> Option<i32> {
        let (a, b) = (&self.place, &now.place);
        let (tip, whole, at) =
            if a.height <= b.height { (a, b, &was.place) } else { (b, a, &now.place) };
        let inside =
            near(tip.x.max(whole.x), tip.x) && near(tip.right().min(whole.right()), tip.right());
        let below = near(tip.y, whole.y) && at.bottom().abs_diff(round.bottom()) <= EDGE;
        let above = near(tip.bottom(), whole.bottom()) && at.y.abs_diff(round.y) <= EDGE;
        let is_tip = tip.height.saturating_mul(2) <= whole.height && inside && (below || above);
        is_tip.then(|| tip.x.saturating_sub(whole.x).saturating_abs())
    }

    /// Whether it stands where the other does, or two texts begin there.
    pub(super) fn is_in_place_of(&self, now: &Self) -> bool {
        let (a, b) = (&self.place, &now.place);
        let high = a.height.min(b.height);
        let begins =
            a.x.abs_diff(b.x) <= high.max(INDENT) && a.center().y.abs_diff(b.center().y) <= high / 2;
        same_place(&self.ground, &now.ground) || self.are_texts(now) && begins
    }
}

fn near(a: i32, b: i32) -> bool {
    a.abs_diff(b) <= SCROLLED
}

/// How far apart their corners are.
pub(super) fn far(a: &ScreenRect, b: &ScreenRect) -> i32 {
    let (x, y) = (a.x.saturating_sub(b.x), a.y.saturating_sub(b.y));
    x.saturating_abs().max(y.saturating_abs())
}

/// Whether one lies nearly where the other does.
fn same_place(a: &ScreenRect, b: &ScreenRect) -> bool {
    let shared = a.intersect(b).map_or(0, |shared| shared.area());
    shared * 10 >= a.union(b).area() * 6
}

/// Whether the smaller lies in the larger, nearly all of it.
fn grown(a: &ScreenRect, b: &ScreenRect) -> bool {
    let shared = a.intersect(b).map_or(0, |shared| shared.area());
    shared * 10 >= a.area().min(b.area()) * 7
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether one says what the other begins with. `Row 1` is not how `Row 12` begins.
fn begins(a: &str, b: &str) -> bool {
    let (a, b) = (letters(a), letters(b));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let rest = long.strip_prefix(short.as_str()).filter(|_| !short.is_empty());
    rest.is_some_and(|rest| !(is_digit(short.chars().last()) && is_digit(rest.chars().next())))
}

/// Whether two readings are of one text. Digits are seldom misread, and tell one row from the next.
fn alike(a: &str, b: &str) -> bool {
    let digits = |text: &str| {
        let mut digits: Vec<char> = text.chars().filter(|c| c.is_numeric()).collect();
        digits.sort_unstable();
        digits
    };
    let all = a.chars().count() + b.chars().count();
    digits(a) == digits(b) && shared(a, b) * 20 >= all * ALIKE
}

/// Whether nearly all letters of `part` are among those of `whole`, and all its numbers.
fn says_too(whole: &str, part: &str) -> bool {
    let numbers = |text: &str| -> Vec<String> {
        let runs = text.split(|c: char| !c.is_numeric());
        runs.filter(|run| !run.is_empty()).map(str::to_owned).collect()
    };
    let all = numbers(whole);
    if !numbers(part).iter().all(|number| all.contains(number)) {
        return false;
    }
    let (whole, part) = (letters(whole), letters(part));
    !part.is_empty() && shared(&whole, &part) * 10 >= part.chars().count() * PART
}

/// How many characters two texts have in common, in whatever order.
fn shared(a: &str, b: &str) -> usize {
    let mut counts: HashMap<char, i32> = HashMap::new();
    a.chars().for_each(|c| *counts.entry(c).or_default() += 1);
    let mut shared = 0;
    for c in b.chars() {
        if let Some(count) = counts.get_mut(&c).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    shared
}
