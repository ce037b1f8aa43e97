//! Where a line has ink of which the network says nothing that it is sure of: of a script that it does not know it
//! gives few letters, and none that are likely. What is found is whole words, so that what stands between two gaps is
//! read by one reader.

use image::RgbImage;

use super::ink;
use super::pixels::Part;
use super::recognise::{Letter, is_dense};

/// How sure the network is at least of what it knows, and of letters that nobody need read again.
const SURE: f32 = 0.5;
const SURER: f32 = 0.8;
/// The ink of a line is so much of its height, since there is room around it.
const INK: f32 = 1.0 / 1.6;
/// All that follows is in heights of the ink. A letter stands so near to its ink at least.
const NEAR: f32 = 0.2;
/// Sure letters that are nearer to each other than this have nothing between them.
const SPACED: f32 = 1.2;
/// A gap of this parts two words, and one of `APART` parts what is read.
const GAP: f32 = 0.25;
const APART: f32 = 1.0;
/// Less than this is a mark, and no letter.
const LEAST: f32 = 0.6;
/// What is as long as two letters and comes in pieces, or is longer, is surely no icon.
const TWO: f32 = 1.2;
const LONG: f32 = 2.2;
/// A letter of a script without spaces takes no more than this, and any other.
const DENSE: f32 = 1.6;
const THIN: f32 = 1.1;

/// Words that nothing sure is said of, by their columns in the line; `to` lies behind the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unread {
    pub(super) from: f32,
    pub(super) to: f32,
    /// The same with the room that there is around them.
    room: (f32, f32),
    /// Whether it is too long for an icon or a bullet.
    pub(super) is_long: bool,
    /// Whether no gap is in it.
    pub(super) is_one: bool,
    /// Whether it is the rest of a word, of which some letters are known.
    pub(super) is_rest: bool,
}

impl Unread {
    /// Those of `line`, from left to right, of which the network has read `letters`.
    pub(super) fn all(image: &RgbImage, line: &Part, letters: &[Letter]) -> Vec<Self> {
        let high = side(line.height) * INK;
        let sure = letters.iter().filter(|letter| letter.sure >= SURE && !letter.text.trim().is_empty());
        let ends = std::iter::once(0.0).chain(sure.map(|letter| letter.at)).chain([side(line.width)]);
        let ends: Vec<f32> = ends.collect();
        let near = |two: &[f32]| matches!(two, [left, right] if right - left < SPACED * high);
        if ends.windows(2).all(near) {
            return Vec::new();
        }
        let column = |v: usize| side(u32::try_from(v).unwrap_or(u32::MAX));
        let runs = ink::runs(image, line).into_iter().map(|(from, to)| (column(from), column(to)));
        let ink = Ink { runs: runs.collect(), letters, high };
        ink.unread()
    }

    /// The part of `line` that it stands in.
    pub(super) fn part(&self, line: &Part) -> Part {
        let [from, to] = [self.room.0, self.room.1].map(|v| v.clamp(0.0, side(line.width)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the line")]
        let (left, width) = (from as i32, (to - from).ceil() as u32);
        Part::new(line.x.saturating_add(left), line.y, width.max(1), line.height)
    }

    /// Whether a letter stands in it.
    pub(super) fn holds(&self, letter: &Letter) -> bool {
        (self.from..self.to).contains(&letter.at)
    }
}

/// The ink of a line, and what was read of it.
struct Ink<'l> {
    runs: Vec<(f32, f32)>,
    letters: &'l [Letter],
    high: f32,
}

impl Ink<'_> {
    fn unread(&self) -> Vec<Unread> {
        let stretches = self.stretches();
        let mut found: Vec<Unread> = Vec::new();
        for word in self.runs.chunk_by(|a, b| b.0 - a.1 < GAP * self.high) {
            let (Some((from, _)), Some((_, to))) = (word.first(), word.last()) else { continue };
            let within = stretches.iter().filter(|s| s.from < *to && s.to > *from);
            let within: Vec<Unread> = within.copied().collect();
            if self.is_partly_known(*from, *to) {
                found.extend(within.into_iter().map(|rest| Unread { is_rest: true, ..rest }));
            } else if !within.is_empty() || self.lacks_letters(*from, *to) {
                let is_long =
                    within.iter().any(|stretch| stretch.is_long) || self.lacks_letters(*from, *to);
                match found.last_mut().filter(|last| self.goes_on(last, *from)) {
                    Some(last) => {
                        *last = self.of(last.from, *to, last.is_long || is_long);
                        last.is_one = false;
                    }
                    None => found.push(self.of(*from, *to, is_long)),
                }
            }
        }
        found
    }

    /// Where ink follows on ink that no sure letter is near to.
    fn stretches(&self) -> Vec<Unread> {
        let is_read = |(from, to): (f32, f32)| {
            self.sure(from - NEAR * self.high, to + NEAR * self.high, SURE).next().is_some()
        };
        let goes_on = |a: &(f32, f32), b: &(f32, f32)| {
            is_read(*a) == is_read(*b) && (is_read(*a) || b.0 - a.1 < APART * self.high)
        };
        let stretch = |runs: &[(f32, f32)]| {
            let (first, last) = (runs.first()?, runs.last()?);
            let long = last.1 - first.0;
            let is_long = long >= TWO * self.high && runs.len() > 1 || long >= LONG * self.high;
            let is_unread = !is_read(*first) && long >= LEAST * self.high;
            is_unread.then(|| self.of(first.0, last.1, is_long))
        };
        self.runs.chunk_by(goes_on).filter_map(stretch).collect()
    }

    /// The letters between two columns that the network is so sure of.
    fn sure(&self, from: f32, to: f32, least: f32) -> impl Iterator<Item = &Letter> {
        let is_sure = move |letter: &&Letter| {
            letter.sure >= least && (from..=to).contains(&letter.at) && !letter.text.trim().is_empty()
        };
        self.letters.iter().filter(is_sure)
    }

    /// Whether some letters of a word are surely known: those need not be read again.
    fn is_partly_known(&self, from: f32, to: f32) -> bool {
        self.sure(from, to, SURER).filter(|letter| letter.text.chars().all(char::is_alphabetic)).count()
            > 1
    }

    /// Whether what was read of a word is too little for its length: three signs of Hangul are read as one Chinese sign
    /// and a circle, and that surely.
    fn lacks_letters(&self, from: f32, to: f32) -> bool {
        let takes = |letter: &Letter| if letter.text.chars().any(is_dense) { DENSE } else { THIN };
        let takes = self.sure(from, to, 0.0).map(takes).sum::<f32>() * self.high;
        to - from > takes.max(LONG * self.high)
    }

    fn goes_on(&self, last: &Unread, from: f32) -> bool {
        from - last.to < APART * self.high && self.sure(last.to, from, SURE).next().is_none()
    }

    fn of(&self, from: f32, to: f32, is_long: bool) -> Unread {
        let room = GAP * self.high;
        let before = self.runs.iter().map(|run| run.1).filter(|end| *end <= from);
        let after = self.runs.iter().map(|run| run.0).filter(|begin| *begin >= to);
        let room = (before.fold(from - room, f32::max), after.fold(to + room, f32::min));
        Unread { from, to, room, is_long, is_one: true, is_rest: false }
    }
}

fn side(v: u32) -> f32 {
    f32::from(u16::try_from(v).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    impl Unread {
        pub(in super::super) const fn between(from: f32, to: f32) -> Self {
            Self { from, to, room: (from, to), is_long: true, is_one: true, is_rest: false }
        }
    }

    /// A line 32 px high with letters of 18 px by 20, 2 px apart, and 8 px between two words. For each letter, what the
    /// network says of it.
    fn found(words: &[&[(&str, f32)]]) -> Vec<(i32, i32, bool, bool)> {
        let (mut x, mut boxes, mut letters) = (6_u8, Vec::new(), Vec::new());
        for word in words {
            for (text, sure) in *word {
                boxes.push(u32::from(x)..u32::from(x) + 18);
                if !text.is_empty() {
                    letters.push(Letter { text: (*text).into(), sure: *sure, at: f32::from(x) + 9.0 });
                }
                x += 20;
            }
            x += 6;
        }
        let width = u32::from(x);
        let image = RgbImage::from_fn(width, 32, |x, y| {
            let ink = (6..26).contains(&y) && boxes.iter().any(|letter| letter.contains(&x));
            Rgb([if ink && (x + y) % 3 > 0 { 0 } else { 255 }; 3])
        });
        let line = Part::new(0, 0, width, 32);
        let found = Unread::all(&image, &line, &letters);
        let place = |unread: Unread| {
            let part = unread.part(&line);
            (part.x, part.right(), unread.is_long, unread.is_one)
        };
        found.into_iter().map(place).collect()
    }

    const KNOWN: (&str, f32) = ("中", 0.9);
    const NOTHING: (&str, f32) = ("", 0.0);

    #[test]
    fn words_without_a_sure_letter_are_unread() {
        assert_eq!(found(&[&[KNOWN, KNOWN], &[KNOWN]]), []);
        // Nothing is said of it, or nothing sure.
        for what in [NOTHING, ("丛", 0.3)] {
            assert_eq!(found(&[&[KNOWN, KNOWN], &[what, what]]), [(47, 95, true, true)], "{what:?}");
        }
        // Two words that follow each other are read together, those with one between them are not.
        let word = [NOTHING, NOTHING];
        assert_eq!(found(&[&word, &word]), [(1, 95, true, false)]);
        assert_eq!(found(&[&word, &[KNOWN], &word]).len(), 2);
    }

    #[test]
    fn one_letter_alone_is_no_long_word() {
        assert_eq!(found(&[&[KNOWN, KNOWN], &[NOTHING]]), [(47, 75, false, true)]);
    }

    #[test]
    fn a_word_of_too_few_letters_is_unread_however_sure_they_are() {
        // Three boxes, of which the network reads two letters: one over the first two, one over the last.
        let word = [("号", 0.79), NOTHING, ("o", 0.6)];
        assert_eq!(found(&[&[KNOWN, KNOWN], &word]), [(47, 115, true, true)]);
        assert_eq!(found(&[&[KNOWN, KNOWN], &[("号", 0.79), ("o", 0.6)]]), []);
    }

    #[test]
    fn of_a_word_the_rest_is_read_where_letters_of_it_are_known() {
        let digit = ("3", 0.9);
        assert_eq!(found(&[&[digit, digit, NOTHING, NOTHING]]), [(1, 89, true, true)]);
        let all = [KNOWN, KNOWN, NOTHING, NOTHING];
        assert_eq!(found(&[&all]), [(44, 89, true, true)]);
    }
}
