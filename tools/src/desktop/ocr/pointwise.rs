//! Convolutions with one weight for each two planes: products of matrices, and most of the work of a network. They are done
//! in bytes, where the processor has an instruction for that. Each row of weights has a scale of its own, and each place of
//! the planes a scale and a lowest value, so that what is large somewhere costs nothing elsewhere.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use rayon::prelude::*;

use super::machine::{Fours, GROUPS, LANES, Level, Machine, ROWS, Weights, Work};

/// Tiles that are worked on at once: what they share stays in the memory of the core.
const TILES: usize = 4;
/// With fewer planes on either side rounding takes longer than the product gains.
const FEWEST: usize = 48;
/// With more planes the sums might overflow.
const DEEPEST: usize = 1 << 16;

/// A convolution with kernels of one weight through all planes.
pub(super) struct Pointwise {
    /// Planes that it takes.
    takes: usize,
    /// Planes that it gives.
    gives: usize,
    level: Level,
    tiles: Vec<Tile>,
}

/// Rows of weights.
struct Tile {
    /// For each four planes those of each row.
    weights: Vec<Weights>,
    rows: [Row; ROWS],
}

/// What makes floats of the sums of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    /// What a weight of one stands for.
    scale: f32,
    /// The weights together.
    sum: f32,
    bias: f32,
}

/// The values of all places of pictures, in bytes.
pub(super) struct Rounded {
    strips: Vec<Strip>,
    count: usize,
    area: usize,
}

/// Places that are worked on at once.
struct Strip {
    /// For each four planes the bytes of each group.
    values: Vec<[Fours; GROUPS]>,
    groups: [Group; GROUPS],
}

/// Places of a picture that lie side by side, and what makes floats of their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    picture: usize,
    /// The first place.
    from: usize,
    /// What one stands for.
    scale: [f32; LANES],
    /// What nought stands for.
    low: [f32; LANES],
}

/// Rounds the values of a strip.
struct Rounding<'a> {
    strip: &'a mut Strip,
    input: &'a [f32],
    /// Values of a picture, and of a plane.
    picture: usize,
    area: usize,
}

/// Gives what comes of a strip to the rows of each picture.
struct Product<'a, 'out> {
    tile: &'a Tile,
    strip: &'a Strip,
    area: usize,
    out: &'a mut [&'out mut [f32]],
}

impl Pointwise {
    /// With the weights by the planes that they give, then by those that they take; `None` if the parts do not fit
    /// together or if it would not be quick.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Option<Self> {
        let takes = weights.len().checked_div(bias.len())?;
        let level = Level::of_this_processor();
        let quick = level.multiplies_bytes() && takes.min(bias.len()) >= FEWEST;
        if quick { Self::with(level, weights, bias) } else { None }
    }

    fn with(level: Level, weights: &[f32], bias: &[f32]) -> Option<Self> {
        let gives = bias.len();
        let takes = weights.len().checked_div(gives)?;
        if !(1..=DEEPEST).contains(&takes) || takes * gives != weights.len() {
            return None;
        }
        let rows: Vec<(&[f32], f32)> = weights.chunks_exact(takes).zip(bias.iter().copied()).collect();
        Some(Self { takes, gives, level, tiles: rows.chunks(ROWS).map(Tile::of).collect() })
    }

    /// Applied to `input` with these pictures, planes, rows and columns; on the threads that it is called on.
    pub(super) fn apply(
        &self,
        input: &[f32],
        [count, planes, high, wide]: [usize; 4],
    ) -> Option<([usize; 4], Vec<f32>)> {
        let area = high.checked_mul(wide)?;
        if planes != self.takes || area == 0 || input.len() != count * planes * area {
            return None;
        }
        let out = self.over(&self.rounded(input, count, area));
        Some(([count, self.gives, high, wide], out))
    }

    /// What comes of rounded places, of as many planes as it takes: by picture, then by the planes that it gives.
    pub(super) fn over(&self, Rounded { strips, count, area }: &Rounded) -> Vec<f32> {
        let mut out = vec![0.0; count * self.gives * area];
        let mut parts: Vec<(&[Tile], Vec<&mut [f32]>)> =
            self.tiles.chunks(TILES).map(|tiles| (tiles, Vec::new())).collect();
        for picture in out.chunks_exact_mut(self.gives * area) {
            for ((_, rows), out) in parts.iter_mut().zip(picture.chunks_mut(TILES * ROWS * area)) {
                rows.push(out);
            }
        }
        parts.into_par_iter().for_each(|(tiles, mut left)| {
            let rows = |tile| {
                let rows = left.iter_mut().map(|left| {
                    let most = left.len().min(ROWS * area);
                    left.split_off_mut(..most).unwrap_or_default()
                });
                (tile, rows.collect())
            };
            let mut tiles: Vec<(&Tile, Vec<&mut [f32]>)> = tiles.iter().map(rows).collect();
            for strip in strips {
                for (tile, out) in &mut tiles {
                    self.level.run(Product { tile, strip, area: *area, out });
                }
            }
        });
        out
    }

    /// All places of pictures of so many places, whose planes are as many as it takes.
    pub(super) fn rounded(&self, input: &[f32], count: usize, area: usize) -> Rounded {
        let groups: Vec<Group> = (0..count)
            .flat_map(|picture| {
                let from = (0..area).step_by(LANES);
                from.map(move |from| Group { picture, from, ..Default::default() })
            })
            .collect();
        let strip = |groups: &[Group]| {
            let mut strip = Strip::new(groups, self.takes);
            let (strip_of, picture) = (&mut strip, self.takes * area);
            self.level.run(Rounding { strip: strip_of, input, picture, area });
            strip
        };
        Rounded { strips: groups.par_chunks(GROUPS).map(strip).collect(), count, area }
    }
}

impl Tile {
    /// Of rows of weights, each with what is added to it.
    fn of(all: &[(&[f32], f32)]) -> Self {
        let takes = all.first().map_or(0, |(weights, _)| weights.len());
        let mut tile =
            Self { weights: vec![[[0; 4]; ROWS]; takes.div_ceil(4)], rows: Default::default() };
        for (at, ((weights, bias), row)) in all.iter().zip(&mut tile.rows).enumerate() {
            let most = weights.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let fine = if most > 0.0 { 127.0 / most } else { 0.0 };
            *row = Row { scale: most / 127.0, sum: 0.0, bias: *bias };
            for (fours, weights) in tile.weights.iter_mut().zip(weights.chunks(4)) {
                let Some(bytes) = fours.get_mut(at) else { continue };
                for (byte, weight) in bytes.iter_mut().zip(weights) {
                    let [rounded, ..] = whole(weight * fine).to_le_bytes();
                    *byte = rounded.cast_signed();
                    row.sum += f32::from(*byte);
                }
            }
        }
        tile
    }
}

impl Work for Product<'_, '_> {
    #[inline(always)]
    fn run<M: Machine>(self, machine: M) {
        let Self { tile, strip, area, out } = self;
        let sums = machine.products(&tile.weights, &strip.values);
        for (sums, (at, row)) in sums.iter().zip(tile.rows.iter().enumerate()) {
            for (sums, group) in sums.iter().zip(&strip.groups) {
                let values = group.floats(sums, row);
                let Some(out) = out.get_mut(group.picture) else { continue };
                // The last tile may have fewer rows, and the last group fewer places.
                let Some(to) = out.get_mut(at * area..(at + 1) * area) else { continue };
                let to = to.get_mut(group.from..).unwrap_or_default();
                match to.first_chunk_mut() {
                    Some(to) => *to = values,
                    None => to.iter_mut().zip(&values).for_each(|(to, value)| *to = *value),
                }
            }
        }
    }
}

impl Group {
    /// Finds its scales; gives how many steps of a byte one is.
    #[inline(always)]
    fn measure(&mut self, picture: &[f32], area: usize) -> [f32; LANES] {
        let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        for plane in picture.chunks_exact(area) {
            let values = lanes(plane, self.from);
            for ((low, high), value) in low.iter_mut().zip(&mut high).zip(&values) {
                *low = if *value < *low { *value } else { *low };
                *high = if *value > *high { *value } else { *high };
            }
        }
        let mut fine = [0.0; LANES];
        for (((scale, fine), low), high) in self.scale.iter_mut().zip(&mut fine).zip(&low).zip(&high) {
            let range = high - low;
            *scale = range / 255.0;
            *fine = if range > 0.0 { 255.0 / range } else { 0.0 };
        }
        self.low = low;
        fine
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "the bytes are far less exact")]
    fn floats(&self, sums: &[i32; LANES], row: &Row) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        for (((out, sum), scale), low) in out.iter_mut().zip(sums).zip(&self.scale).zip(&self.low) {
            *out = (*sum as f32 * scale + low * row.sum) * row.scale + row.bias;
        }
        out
    }
}

impl Strip {
    /// Of these groups, and of some of no picture where they are too few.
    fn new(groups: &[Group], planes: usize) -> Self {
        let mut all = [Group { picture: usize::MAX, ..Default::default() }; GROUPS];
        all.iter_mut().zip(groups).for_each(|(to, group)| *to = *group);
        Self { values: vec![[[0; LANES]; GROUPS]; planes.div_ceil(4)], groups: all }
    }
}

impl Work for Rounding<'_> {
    #[inline(always)]
    fn run<M: Machine>(self, _: M) {
        let Self { strip, input, picture, area } = self;
        for (at, group) in strip.groups.iter_mut().enumerate() {
            let Some(picture) = input.chunks_exact(picture).nth(group.picture) else { continue };
            let fine = group.measure(picture, area);
            for (to, planes) in strip.values.iter_mut().zip(picture.chunks(4 * area)) {
                let Some(to) = to.get_mut(at) else { continue };
                let mut planes = planes.chunks_exact(area).map(|plane| lanes(plane, group.from));
                // What has no plane meets no weight.
                let mut next = || planes.next().unwrap_or([0.0; LANES]);
                let (a, b, c, d) = (next(), next(), next(), next());
                let ends = group.low.iter().zip(&fine);
                for (((((to, a), b), c), d), (low, fine)) in
                    to.iter_mut().zip(&a).zip(&b).zip(&c).zip(&d).zip(ends)
                {
                    let byte = |value: &f32| whole((value - low) * fine) & 255;
                    *to = byte(a) | byte(b) << 8 | byte(c) << 16 | byte(d) << 24;
                }
            }
        }
    }
}

/// The values from one place on; those behind the last are nought.
#[inline(always)]
fn lanes(plane: &[f32], from: usize) -> [f32; LANES] {
    let rest = plane.get(from..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut values = [0.0; LANES];
        values.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        values
    })
}

/// Adding this leaves the nearest whole number in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// The nearest whole number, in the low bits; some number for what is none or is far from nought.
#[inline(always)]
pub(super) const fn whole(value: f32) -> u32 {
    (value + ROUND).to_bits()
}

#[cfg(test)]
mod tests {
    use super::super::layer::tests::value;
    use super::*;

    /// What it gives by its definition, and how far from that rounding may lead.
    fn defined(weights: &[f32], bias: &[f32], picture: &[f32], area: usize) -> Vec<(f32, f32)> {
        let takes = weights.len() / bias.len();
        let most = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, f32::max);
        let of = |at: usize| {
            let (row, place) = (&weights[at / area * takes..][..takes], at % area);
            let column: Vec<f32> = picture.iter().skip(place).step_by(area).copied().collect();
            let low = column.iter().copied().fold(f32::INFINITY, f32::min);
            let fine = (most(&mut column.iter().copied()).max(low) - low) / 255.0;
            let scale = most(&mut row.iter().map(|weight| weight.abs())) / 127.0;
            let off = |(weight, value): (&f32, &f32)| {
                scale / 2.0 * value.abs() + (weight.abs() + scale / 2.0) * fine / 2.0
            };
            let sum: f32 = row.iter().zip(&column).map(|(weight, value)| weight * value).sum();
            (sum + bias[at / area], row.iter().zip(&column).map(off).sum::<f32>() + 1e-3)
        };
        (0..bias.len() * area).map(of).collect()
    }

    #[test]
    fn it_gives_what_its_definition_gives_but_for_rounding() {
        for (size, gives) in [
            ([1, 5, 1, 1], 1),
            ([3, 4, 1, 1], 7),
            ([2, 7, 3, 5], 6),
            ([1, 16, 8, 8], 12),
            ([2, 33, 5, 13], 13),
            ([1, 48, 4, 33], 60),
            ([5, 9, 2, 11], 25),
        ] {
            let [count, takes, high, wide] = size;
            let weights: Vec<f32> = (0..gives * takes).map(value).collect();
            let bias: Vec<f32> = (0..gives).map(|at| value(at + 99)).collect();
            let input: Vec<f32> = (0..size.iter().product()).map(|at: usize| value(at + 3)).collect();
            let all = Level::all().into_iter().map(|level| {
                let layer = Pointwise::with(level, &weights, &bias).unwrap();
                layer.apply(&input, size).unwrap()
            });
            let all: Vec<_> = all.collect();
            assert!(all.iter().all(|out| *out == all[0]), "{size:?}");
            let (to, out) = &all[0];
            assert_eq!((*to, out.len()), ([count, gives, high, wide], to.iter().product()));
            for (picture, out) in input.chunks(takes * high * wide).zip(out.chunks(gives * high * wide))
            {
                for (out, (want, off)) in out.iter().zip(defined(&weights, &bias, picture, high * wide))
                {
                    assert!((out - want).abs() <= off, "{size:?}: {out} is not {want} within {off}");
                }
            }
        }
    }

    #[test]
    fn a_place_without_numbers_spoils_no_other() {
        let (takes, gives, area) = (6, 8, 40);
        let weights: Vec<f32> = (0..gives * takes).map(value).collect();
        let input: Vec<f32> = (0..takes * area).map(value).collect();
        for level in Level::all() {
            let layer = Pointwise::with(level, &weights, &[0.0; 8]).unwrap();
            let want = layer.apply(&input, [1, takes, 5, 8]).unwrap().1;
            for no in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
                let mut broken = input.clone();
                (broken[3 * area + 17], broken[2 * area + 17]) = (no, -no);
                let out = layer.apply(&broken, [1, takes, 5, 8]).unwrap().1;
                for (at, (out, want)) in out.iter().zip(&want).enumerate() {
                    assert!(at % area == 17 || out.to_bits() == want.to_bits(), "{level:?} {no} {at}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let new = |weights: usize, bias: usize| {
            Pointwise::with(Level::Plain, &vec![0.5; weights], &vec![0.0; bias])
        };
        for (weights, bias) in [(0, 0), (4, 0), (0, 2), (7, 2), (1, 2), (DEEPEST + 1, 1)] {
            assert!(new(weights, bias).is_none(), "{weights} {bias}");
        }
        let layer = new(6, 2).unwrap();
        for (values, size) in
            [(8, [1, 3, 3, 1]), (9, [1, 2, 3, 1]), (0, [1, 3, 0, 3]), (9, [1, 9, 1, 1])]
        {
            assert!(layer.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
        assert_eq!(layer.apply(&[], [0, 3, 2, 2]), Some(([0, 2, 2, 2], Vec::new())));
    }
}
