//! A picture taken apart into regions of about one colour, kept as runs of pixels: flat drawings have few
//! of them, so that all that follows is quick.

use std::ops::Range;

use image::{Rgb, RgbImage};

/// Steps of a channel by which neighbours of one region may differ: a gradient is one region, and the
/// softened edge of a shape is none.
const STEP: u8 = 10;

/// Pixels of one row that follow each other and belong together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) y: u32,
    /// First column.
    pub(super) left: u32,
    /// First column to the right of it.
    pub(super) right: u32,
    /// The number of its region.
    pub(super) region: u32,
}

impl Run {
    pub(super) const fn length(&self) -> u32 {
        self.right - self.left
    }
}

/// What hangs together and has about one colour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Region {
    /// Its pixels.
    pub(super) area: u32,
    /// Of these, those on the edge of the picture.
    pub(super) on_edge: u32,
    sum: [u64; 3],
}

impl Region {
    /// Its mean colour.
    pub(super) fn colour(&self) -> Rgb<u8> {
        Rgb(self.sum.map(|sum| u8::try_from(sum / u64::from(self.area.max(1))).unwrap_or(u8::MAX)))
    }
}

/// A picture as runs, row by row, each in a region.
#[derive(Debug)]
pub(super) struct Segments {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) runs: Vec<Run>,
    pub(super) regions: Vec<Region>,
}

impl Segments {
    /// Takes `image` apart.
    pub(super) fn of(image: &RgbImage) -> Self {
        let (width, height) = image.dimensions();
        let mut runs = Vec::new();
        for (y, row) in (0..height).zip(rows(image)) {
            let mut left = 0;
            for (x, two) in (1..width).zip(row.windows(2)) {
                if matches!(two, [a, b] if !alike(*a, *b)) {
                    runs.push(Run { y, left, right: x, region: 0 });
                    left = x;
                }
            }
            runs.push(Run { y, left, right: width, region: 0 });
        }
        let touches = |a: &Run, b: &Run| {
            let (Some(above), Some(below)) = (row(image, a.y), row(image, b.y)) else { return false };
            let shared = a.left.max(b.left) as usize..a.right.min(b.right) as usize;
            let (above, below) = (above.get(shared.clone()), below.get(shared));
            above.into_iter().flatten().zip(below.into_iter().flatten()).any(|(a, b)| alike(*a, *b))
        };
        let numbers = connected(&runs, &|_| true, &touches);
        let count = numbers.iter().flatten().max().map_or(0, |last| last + 1);
        let mut regions = vec![Region::default(); count as usize];
        for (run, number) in runs.iter_mut().zip(numbers) {
            run.region = number.unwrap_or(0);
            let pixels =
                row(image, run.y).and_then(|row| row.get(run.left as usize..run.right as usize));
            if let Some(region) = regions.get_mut(run.region as usize) {
                region.area += run.length();
                let whole = run.y == 0 || run.y + 1 == height;
                let ends = u32::from(run.left == 0) + u32::from(run.right == width);
                region.on_edge += if whole { run.length() } else { ends };
                for pixel in pixels.into_iter().flatten() {
                    for (sum, channel) in region.sum.iter_mut().zip(pixel) {
                        *sum += u64::from(*channel);
                    }
                }
            }
        }
        Self { width, height, runs, regions }
    }

    pub(super) fn region(&self, of: &Run) -> Region {
        self.regions.get(of.region as usize).copied().unwrap_or_default()
    }
}

fn alike(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= STEP)
}

fn rows(image: &RgbImage) -> impl Iterator<Item = &[[u8; 3]]> {
    let stride = (image.width() as usize * 3).max(3);
    image.as_raw().chunks_exact(stride).map(|row| row.as_chunks::<3>().0)
}

fn row(image: &RgbImage, y: u32) -> Option<&[[u8; 3]]> {
    let stride = image.width() as usize * 3;
    let from = y as usize * stride;
    image.as_raw().get(from..from + stride).map(|row| row.as_chunks::<3>().0)
}

/// Numbers of what hangs together among the `runs` that are `meant`, from 0 on; `touch` says whether two
/// runs of neighbouring rows that overlap do.
pub(super) fn connected(
    runs: &[Run],
    meant: &dyn Fn(&Run) -> bool,
    touch: &dyn Fn(&Run, &Run) -> bool,
) -> Vec<Option<u32>> {
    join(runs, meant, 0, touch)
}

/// The same for runs of whatever colour, which hang together over corners and along their row as well.
pub(super) fn blobs(runs: &[Run], meant: &dyn Fn(&Run) -> bool) -> Vec<Option<u32>> {
    join(runs, meant, 1, &|_, _| true)
}

fn join(
    runs: &[Run],
    meant: &dyn Fn(&Run) -> bool,
    reach: u32,
    touch: &dyn Fn(&Run, &Run) -> bool,
) -> Vec<Option<u32>> {
    let mut sets = Sets::new(runs.len());
    let is_meant: Vec<bool> = runs.iter().map(meant).collect();
    let meant = |at: usize| is_meant.get(at).copied().unwrap_or(false);
    let mut above: Range<usize> = 0..0;
    let mut start = 0;
    while let Some(first) = runs.get(start) {
        let length = runs.iter().skip(start).take_while(|run| run.y == first.y).count();
        let mut from = above.start;
        for at in start..start + length {
            let Some(run) = runs.get(at).filter(|_| meant(at)) else { continue };
            let beside = at > start && runs.get(at - 1).is_some_and(|left| left.right == run.left);
            if reach > 0 && beside && meant(at - 1) {
                sets.join(at - 1, at);
            }
            while runs.get(from).is_some_and(|other| from < above.end && other.right + reach <= run.left)
            {
                from += 1;
            }
            for other in from..above.end {
                let Some(upper) = runs.get(other).filter(|upper| upper.left < run.right + reach) else {
                    break;
                };
                let next = upper.y + 1 == run.y;
                if next && meant(other) && !sets.same(other, at) && touch(upper, run) {
                    sets.join(other, at);
                }
            }
        }
        above = start..start + length;
        start += length;
    }
    sets.numbers(&is_meant)
}

/// Which of many things are one.
#[derive(Debug)]
struct Sets(Vec<u32>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..u32::try_from(count).unwrap_or(u32::MAX)).collect())
    }

    fn find(&mut self, at: usize) -> u32 {
        let mut at = u32::try_from(at).unwrap_or(u32::MAX);
        loop {
            let parent = self.0.get(at as usize).copied().unwrap_or(at);
            if parent == at {
                return at;
            }
            let above = self.0.get(parent as usize).copied().unwrap_or(parent);
            if let Some(own) = self.0.get_mut(at as usize) {
                *own = above;
            }
            at = above;
        }
    }

    fn same(&mut self, a: usize, b: usize) -> bool {
        self.find(a) == self.find(b)
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if let Some(own) = self.0.get_mut(a.max(b) as usize) {
            *own = a.min(b);
        }
    }

    /// Small numbers without gaps, in order.
    fn numbers(&mut self, meant: &[bool]) -> Vec<Option<u32>> {
        let mut given: Vec<Option<u32>> = vec![None; self.0.len()];
        let mut next = 0;
        let mut all = Vec::with_capacity(self.0.len());
        for (at, meant) in meant.iter().enumerate() {
            let root = self.find(at) as usize;
            let number = given.get_mut(root).filter(|_| *meant).map(|given| {
                *given.get_or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            });
            all.push(number);
        }
        all
    }
}
