//! What lines of text say. Each is read coarsely first, which is enough for most that a screen shows, and once more as finely as
//! the network was trained where it is not sure of it. Lines of about the same width are read together, since a
//! batch costs as much as if all were as wide as the widest, and each core reads batches of its own, which
//! is quicker than two cores that share one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use rten::ThreadPool;

use super::network::Network;
use super::pixels::{Part, Planes};
use crate::desktop::DesktopError;
use crate::geometry::Size;

/// Px of the lines that the network was trained on from top to bottom.
const TRAINED: u32 = 48;
/// A line of which the network is less sure than this is read again.
const DOUBT: f32 = 0.96;
/// Px of the lowest line that is read again: one that is lower shows all that it has when read coarsely.
const LOWEST: u32 = 13;
/// Columns of the input for one step of the output.
const STEP: usize = 8;
const STEP_WIDE: f32 = 8.0;
/// The narrowest input.
const NARROWEST: u32 = 32;
/// The widest input; what is longer is squeezed.
const WIDEST: u32 = 2400;
/// Columns of one batch, all lines together. Only narrow lines gain by being read together.
const BATCH: usize = 800;
/// A line is read together with one that is wider by at most this, in hundredths.
const LIKE: usize = 106;

/// How finely a line is read: it costs as much as the scaled line has px.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grain {
    /// The height of the scaled line in px.
    height: u32,
    /// Its width, in hundredths of what the height that the network was trained on makes of it.
    width: u64,
}

/// Half as many px as in training.
const COARSE: Grain = Grain { height: 32, width: 72 };
/// For what is too short for a word. Many of these are icons, which a coarser reading takes for signs more often, and a finer one too.
const SIGN: Grain = Grain { height: 40, width: 72 };
/// As in training.
const FINE: Grain = Grain { height: TRAINED, width: 100 };

/// The characters of the network, in its order; the first place stands for none.
#[derive(Debug)]
pub(super) struct Alphabet(Vec<String>);

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    /// How sure the network is, 0 to 1.
    pub(super) sure: f32,
}

/// A character of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) text: String,
    /// How sure the network is of it, 0 to 1.
    pub(super) sure: f32,
    /// Where its middle is, in px from the left end of its line.
    pub(super) at: f32,
}

impl Said {
    /// What these say together.
    pub(super) fn of(letters: &[Letter]) -> Self {
        let text: String = letters.iter().map(|letter| letter.text.as_str()).collect();
        let count = f32::from(u16::try_from(letters.len()).unwrap_or(u16::MAX));
        let sum: f32 = letters.iter().map(|letter| letter.sure).sum();
        Self { text: text.trim().to_owned(), sure: if count > 0.0 { sum / count } else { 0.0 } }
    }
}

impl Alphabet {
    /// As the file of the network has it: one character a line, a space behind the last one.
    pub(super) fn of(network: &Network) -> Result<Self, DesktopError> {
        let characters = network.says("character");
        let characters = characters.ok_or_else(|| network.fault(&"it names no characters"))?;
        let lines = characters.lines().map(str::to_owned);
        Ok(Self(std::iter::once(String::new()).chain(lines).chain([" ".to_owned()]).collect()))
    }

    /// The likeliest text: of each step the likeliest character, once for each time that it comes anew. A step is
    /// `wide` px of the line.
    fn decode(&self, steps: &[(usize, f32)], wide: f32) -> Vec<Letter> {
        let (mut letters, mut before) = (Vec::<Letter>::new(), 0);
        for ((best, sure), step) in steps.iter().copied().zip(0_u16..) {
            let at = f32::from(step) * wide;
            match letters.last_mut().filter(|_| best == before) {
                // The middle between the first and the last step.
                Some(letter) if best != 0 => letter.at += wide / 2.0,
                _ if best == 0 => {}
                _ => {
                    let text = self.0.get(best).cloned().unwrap_or_default();
                    letters.push(Letter { text, sure, at: at + wide / 2.0 });
                }
            }
            before = best;
        }
        letters
    }
}

/// Lines that are read together.
#[derive(Debug, PartialEq, Eq)]
struct Batch {
    /// Columns of each.
    width: usize,
    /// Which ones.
    lines: Vec<usize>,
}

impl Grain {
    /// Columns that a line takes once it is scaled.
    fn columns(self, line: &Part) -> u32 {
        let scaled = u64::from(line.width) * u64::from(TRAINED) * self.width
            / 100
            / u64::from(line.height.max(1));
        u32::try_from(scaled).unwrap_or(WIDEST).clamp(NARROWEST, WIDEST)
    }

    /// Px of a line that one step of the output stands for.
    fn step(self, line: &Part) -> f32 {
        let [wide, columns] =
            [line.width, self.columns(line)].map(|v| f32::from(u16::try_from(v).unwrap_or(u16::MAX)));
        STEP_WIDE * wide / columns
    }
}

/// Batches of like widths, the widest first, so that the last ones are small and all cores end together.
fn batches(widths: &[u32]) -> Vec<Batch> {
    let mut order: Vec<(usize, usize)> =
        widths.iter().map(|width| (*width as usize).next_multiple_of(STEP)).zip(0..).collect();
    order.sort_by(|a, b| b.cmp(a));
    let mut batches: Vec<Batch> = Vec::new();
    for (width, line) in order {
        match batches.last_mut() {
            Some(batch)
                if batch.width * 100 <= width * LIKE
                    && batch.width * (batch.lines.len() + 1) <= BATCH =>
            {
                batch.lines.push(line);
            }
            _ => batches.push(Batch { width, lines: vec![line] }),
        }
    }
    batches
}

/// What each of `lines` says, in their order. Every one of `cores` reads on its own.
pub(super) fn read(
    network: &Network,
    alphabet: &Alphabet,
    image: &RgbImage,
    lines: &[Part],
    cores: &[Arc<ThreadPool>],
) -> Result<Vec<Vec<Letter>>, DesktopError> {
    let mut said: Vec<Vec<Letter>> = vec![Vec::new(); lines.len()];
    let mut read = |grain: Grain, is_due: &dyn Fn(&Part, &[Letter]) -> bool| {
        let due = |(line, letters): &(Part, &mut Vec<Letter>)| is_due(line, letters);
        let (parts, places): (Vec<Part>, Vec<&mut Vec<Letter>>) =
            lines.iter().copied().zip(&mut said).filter(due).unzip();
        let letters = read_as(grain, (network, alphabet), image, &parts, cores)?;
        for (place, letters) in places.into_iter().zip(letters) {
            if Said::of(&letters).sure >= Said::of(place).sure {
                *place = letters;
            }
        }
        Ok(())
    };
    read(SIGN, &|line, _| is_short(line))?;
    read(COARSE, &|line, _| !is_short(line))?;
    read(FINE, &is_doubtful)?;
    Ok(said)
}

/// Whether it is too short for a word.
const fn is_short(line: &Part) -> bool {
    line.width <= line.height * 2
}

/// Whether a line that was read so is to be read again.
fn is_doubtful(line: &Part, letters: &[Letter]) -> bool {
    line.height >= LOWEST && !is_short(line) && Said::of(letters).sure < DOUBT
}

fn read_as(
    grain: Grain,
    (network, alphabet): (&Network, &Alphabet),
    image: &RgbImage,
    lines: &[Part],
    cores: &[Arc<ThreadPool>],
) -> Result<Vec<Vec<Letter>>, DesktopError> {
    let widths: Vec<u32> = lines.iter().map(|line| grain.columns(line)).collect();
    let (batches, next) = (batches(&widths), AtomicUsize::new(0));
    let said: Mutex<Vec<Vec<Letter>>> = Mutex::new(vec![Vec::new(); lines.len()]);
    let work = |core: &Arc<ThreadPool>| -> Result<(), DesktopError> {
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut planes = Planes::grey(batch.lines.len(), batch.width, grain.height as usize);
            for (at, line) in batch.lines.iter().enumerate() {
                if let (Some(part), Some(width)) = (lines.get(*line), widths.get(*line)) {
                    planes.draw(at, image, part, Size::new(*width, grain.height));
                }
            }
            let likely = network.likeliest(planes, alphabet.0.len(), core)?;
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            for (line, steps) in batch.lines.iter().zip(likely) {
                if let (Some(place), Some(part)) = (said.get_mut(*line), lines.get(*line)) {
                    *place = alphabet.decode(&steps, grain.step(part));
                }
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = cores.iter().skip(1).map(|core| scope.spawn(|| work(core))).collect();
        let own = cores.first().map_or(Ok(()), work);
        let others = helpers.into_iter().map(|helper| {
            helper.join().unwrap_or_else(|_| Err(network.fault(&"it broke while it was run")))
        });
        std::iter::once(own).chain(others).collect::<Result<(), DesktopError>>()
    })?;
    Ok(said.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The texts of the chunks of one line as one: with a space, except between the signs of a script that
/// has none.
pub(super) fn join(chunks: &[Said]) -> Said {
    let mut text = String::new();
    for said in chunks.iter().filter(|said| !said.text.is_empty()) {
        let dense = |c: Option<char>| c.is_some_and(is_dense);
        let goes_on = dense(text.chars().next_back()) && dense(said.text.chars().next());
        if !text.is_empty() && !goes_on {
            text.push(' ');
        }
        text.push_str(&said.text);
    }
    let sure = chunks.iter().map(|said| said.sure).fold(f32::INFINITY, f32::min);
    Said { text, sure: if sure.is_finite() { sure } else { 0.0 } }
}

/// Whether it is a sign of a script that has no spaces between words.
pub(super) fn is_dense(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn alphabet() -> Alphabet {
        Alphabet(["", "a", "b", " "].map(str::to_owned).into())
    }

    /// One step for each of these places in the alphabet, each likely by 0.9.
    fn steps(places: &[usize]) -> Vec<(usize, f32)> {
        places.iter().map(|place| (*place, 0.9)).collect()
    }

    #[test]
    fn a_character_counts_each_time_that_it_comes_anew() {
        let said = |places: &[usize]| Said::of(&alphabet().decode(&steps(places), 4.0));
        for (places, text) in
            [(&[1, 1, 0, 1, 2, 2][..], "aab"), (&[0, 3, 1, 3, 2, 3, 0], "a b"), (&[0, 0], ""), (&[], "")]
        {
            assert_eq!(said(places).text, text);
        }
        assert!((said(&[1, 0]).sure - 0.9).abs() < 1e-6);
        assert!(said(&[0]).sure.abs() < 1e-6);
        assert_eq!(said(&[9]).text, "");
    }

    #[test]
    fn a_character_stands_in_the_middle_of_its_steps() {
        let letters = alphabet().decode(&steps(&[0, 1, 0, 2, 2, 2, 1]), 4.0);
        assert_eq!(letters.iter().map(|letter| letter.at).collect::<Vec<_>>(), [6.0, 18.0, 26.0]);
        // 144 columns of 100 px.
        assert!((COARSE.step(&Rect::new(0, 0, 100, 24)) - 100.0 / 18.0).abs() < 1e-4);
    }

    #[test]
    fn what_is_not_sure_is_read_again_unless_it_is_low_or_short() {
        let letters = |sure: &[f32]| -> Vec<Letter> {
            sure.iter().map(|sure| Letter { text: "a".into(), sure: *sure, at: 0.0 }).collect()
        };
        let line = |height: u32| Rect::new(0, 0, 100, height);
        assert!(is_doubtful(&line(20), &letters(&[1.0, 0.9])));
        assert!(is_doubtful(&line(20), &letters(&[])));
        assert!(!is_doubtful(&line(20), &letters(&[1.0, 0.97])));
        assert!(!is_doubtful(&line(8), &letters(&[0.4])));
        assert!(!is_doubtful(&line(60), &letters(&[0.4])));
    }

    #[test]
    fn like_widths_are_read_together() {
        let batches = batches(&[100, 390, 97, 104, 380, 32]);
        let lines: Vec<_> = batches.iter().map(|batch| batch.lines.clone()).collect();
        assert_eq!(lines, [vec![1, 4], vec![3, 2, 0], vec![5]]);
        assert!(batches.iter().all(|batch| batch.width % STEP == 0));
        let many = super::batches(&[640; 20]);
        assert!(many.iter().all(|batch| batch.width * batch.lines.len() <= BATCH));
        assert_eq!(many.iter().map(|batch| batch.lines.len()).sum::<usize>(), 20);
        assert!(super::batches(&[]).is_empty());
    }

    #[test]
    fn widths_are_bounded() {
        for (w, h, want) in [(100, 24, 144), (1, 40, 32), (100_000, 3, WIDEST), (5, 0, 172)] {
            assert_eq!(COARSE.columns(&Rect::new(0, 0, w, h)), want, "{w}x{h}");
        }
    }

    #[test]
    fn chunks_are_joined_as_their_script_does() {
        let said = |text: &str| Said { text: text.into(), sure: 0.5 };
        for (chunks, text) in [
            (&["to be", "or not"][..], "to be or not"),
            (&["你好", "世界"], "你好世界"),
            (&["你好", "world"], "你好 world"),
            (&["", "a", ""], "a"),
            (&[], ""),
        ] {
            assert_eq!(join(&chunks.iter().map(|text| said(text)).collect::<Vec<_>>()).text, text);
        }
    }
}
