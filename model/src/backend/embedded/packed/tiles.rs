//! The packed weights of one kind of block.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use std::marker::PhantomData;
use std::ops::Range;

use super::ggml::Layout;
use super::input::{Block, Input};
use super::kernel::products;
use super::level::Level;
use super::machine::{Machine, Portable, ROWS};
use super::on_all_threads;
use super::output::Columns;
use super::unit::{BLOCK, Numbers, Raw, Scales, Unit};

/// Tiles that lie in one piece of memory.
const TOGETHER: usize = 64;

/// Weights of any kind of block. A tile is eight rows.
pub(super) trait Weights: Send + Sync {
    /// The products of the rows of these tiles with all rows of `input`.
    fn multiply(&self, level: Level, tiles: Range<usize>, input: &Input, out: &Columns<'_>);
    /// One row, as numbers.
    fn row(&self, row: usize, out: &mut [f32]);
}

/// Weights that lie in the file as `L` says, packed.
pub(super) struct Tiles<L, S, N, const BLOCKS: usize> {
    /// The units of [`TOGETHER`] tiles each, tile by tile.
    pieces: Vec<Vec<Unit<S, N, BLOCKS>>>,
    /// Units of a tile.
    width: usize,
    layout: PhantomData<fn() -> L>,
}

impl<L: Layout, S: Scales, N: Numbers, const BLOCKS: usize> Tiles<L, S, N, BLOCKS> {
    /// Packs `rows` rows of `columns` values. `None` if `bytes` has another size.
    pub(super) fn pack(bytes: &[u8], rows: usize, columns: usize) -> Option<Self> {
        let width = columns / (BLOCKS * BLOCK);
        let row_bytes = width * L::BYTES;
        if width == 0 || width * BLOCKS * BLOCK != columns || rows * row_bytes != bytes.len() {
            return None;
        }
        let tiles = rows.div_ceil(ROWS);
        let pieces = on_all_threads(tiles.div_ceil(TOGETHER), |piece| {
            let tiles = piece * TOGETHER..tiles.min((piece + 1) * TOGETHER);
            let mut units = Vec::with_capacity(tiles.len() * width);
            for tile in tiles {
                for at in 0..width {
                    units.push(unit::<L, S, N, BLOCKS>(bytes, row_bytes, tile * ROWS, at));
                }
            }
            units
        });
        Some(Self { pieces, width, layout: PhantomData })
    }

    fn tile(&self, number: usize) -> &[Unit<S, N, BLOCKS>] {
        let piece = self.pieces.get(number / TOGETHER).map_or(&[][..], Vec::as_slice);
        let at = number % TOGETHER * self.width;
        piece.get(at..at + self.width).unwrap_or_default()
    }

    #[inline(always)]
    fn compute<M: Machine>(&self, machine: M, tiles: Range<usize>, input: &Input, out: &Columns<'_>) {
        for tile in tiles {
            let units = self.tile(tile);
            let mut rows = input.rows();
            let mut at = 0;
            while let Some(first) = rows.next() {
                let ahead = rows.len();
                let mut next = || rows.next().unwrap_or_default();
                at += match ahead {
                    0 => emit(machine, units, [first], tile, at, out),
                    1 | 2 => emit(machine, units, [first, next()], tile, at, out),
                    _ => emit(machine, units, [first, next(), next(), next()], tile, at, out),
                };
            }
        }
    }
}

#[inline(always)]
fn emit<M: Machine, S: Scales, N: Numbers, const BLOCKS: usize, const MANY: usize>(
    machine: M,
    units: &[Unit<S, N, BLOCKS>],
    input: [&[Block]; MANY],
    tile: usize,
    first: usize,
    out: &Columns<'_>,
) -> usize {
    let sums = products(machine, units, input);
    for (row, values) in (first..).zip(&sums) {
        out.put(row, tile * ROWS, values);
    }
    MANY
}

/// The instructions that `machine` proves to be there, for all that is inlined here.
#[cfg(target_arch = "x86_64")]
macro_rules! with_features {
    ($name:ident, $machine:ty, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<L: Layout, S: Scales, N: Numbers, const BLOCKS: usize>(
            machine: $machine,
            weights: &Tiles<L, S, N, BLOCKS>,
            tiles: Range<usize>,
            input: &Input,
            out: &Columns<'_>,
        ) {
            weights.compute(machine, tiles, input, out);
        }
    };
}
#[cfg(target_arch = "x86_64")]
with_features!(on_avx2, super::machine::x86::Avx2, "avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
with_features!(on_vnni, super::machine::x86::Vnni, "avx2,fma,f16c,avx512f,avx512vl,avx512vnni");

impl<L: Layout, S: Scales, N: Numbers, const BLOCKS: usize> Weights for Tiles<L, S, N, BLOCKS> {
    fn multiply(&self, level: Level, tiles: Range<usize>, input: &Input, out: &Columns<'_>) {
        match level {
            Level::Portable => self.compute(Portable, tiles, input, out),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
            // SAFETY: the machine is only made where the processor has them.
            Level::Avx2(machine) => unsafe { on_avx2(machine, self, tiles, input, out) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
            // SAFETY: the machine is only made where the processor has them.
            Level::Vnni(machine) => unsafe { on_vnni(machine, self, tiles, input, out) },
        }
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let mut out = out.as_chunks_mut::<BLOCK>().0.iter_mut();
        for unit in self.tile(row / ROWS) {
            for (block, numbers) in unit.blocks.iter().enumerate() {
                if let Some(out) = out.next() {
                    numbers_of(&unit.scales, numbers, block, row % ROWS, out);
                }
            }
        }
    }
}

/// What the numbers of one row of a block stand for.
fn numbers_of<S: Scales, N: Numbers>(
    scales: &S,
    numbers: &N,
    block: usize,
    row: usize,
    out: &mut [f32; BLOCK],
) {
    for (part, out) in out.chunks_exact_mut(BLOCK / S::PARTS).enumerate() {
        let (scale, offset) = scales.of(Portable, block, part);
        let pick = |rows: [f32; ROWS]| rows.get(row).copied().unwrap_or(0.0);
        let (scale, offset) = (pick(scale), if N::SIGNED { 0.0 } else { pick(offset) });
        for (group, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let codes = numbers.group(Portable, part * BLOCK / 4 / S::PARTS + group);
            for (out, code) in out.iter_mut().zip(codes.iter().skip(4 * row)) {
                let whole = if N::SIGNED { f32::from(code.cast_signed()) } else { f32::from(*code) };
                *out = whole * scale - offset;
            }
        }
    }
}

/// The unit `at` of eight rows from `first` on. Rows after the last are nothing.
fn unit<L: Layout, S: Scales, N: Numbers, const BLOCKS: usize>(
    bytes: &[u8],
    row_bytes: usize,
    first: usize,
    at: usize,
) -> Unit<S, N, BLOCKS> {
    let mut unit = Unit::empty();
    for row in 0..ROWS {
        let start = (first + row) * row_bytes + at * L::BYTES;
        let raw = bytes.get(start..start + L::BYTES).map_or_else(Raw::default, L::read);
        unit.put(row, &raw);
    }
    unit
}
