//! The rows that weights are multiplied with, rounded to whole numbers of eight bits: each stretch of 32
//! values by a scale of its own.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use super::unit::BLOCK;
use crate::backend::embedded::simd::{self, Kernel, multiply_add};

/// A stretch of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) scale: f32,
    /// What the halves sum up to.
    pub(super) sums: [f32; 2],
    pub(super) codes: [[i8; 4]; BLOCK / 4],
}

impl Block {
    pub(super) const EMPTY: Self = Self { scale: 0.0, sums: [0.0; 2], codes: [[0; 4]; BLOCK / 4] };
}

/// Rows that weights are multiplied with.
#[derive(Debug, Default)]
pub(in super::super) struct Input {
    blocks: Vec<Block>,
    /// Blocks of a row.
    width: usize,
}

impl Input {
    /// Takes the rows of `x`, each of `width` values, in place of those before.
    pub(in super::super) fn set(&mut self, x: &[f32], width: usize) {
        self.width = width / BLOCK;
        self.blocks.clear();
        self.blocks.resize(x.len() / BLOCK, Block::EMPTY);
        let per_part = self.width.max(1);
        simd::fill_parts(&mut self.blocks, per_part, |number, blocks| {
            let row = x.get(number * per_part * BLOCK..).unwrap_or_default();
            simd::run(Round { row: row.as_chunks().0, blocks });
        });
    }

    /// The rows, block by block.
    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, Block> {
        self.blocks.chunks_exact(self.width.max(1))
    }
}

struct Round<'a> {
    row: &'a [[f32; BLOCK]],
    blocks: &'a mut [Block],
}

impl Kernel for Round<'_> {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the scale keeps them within eight bits")]
    fn run<const FUSED: bool>(self) {
        // Adding this leaves the nearest whole number in the low bits.
        const ROUND: f32 = 12_582_912.0;
        for (values, block) in self.row.iter().zip(self.blocks) {
            let mut most = [0.0_f32; 8];
            for eight in values.as_chunks::<8>().0 {
                for (most, x) in most.iter_mut().zip(eight) {
                    *most = most.max(x.abs());
                }
            }
            let most = most.into_iter().fold(0.0_f32, f32::max);
            let inverse = if most > 0.0 { 127.0 / most } else { 0.0 };
            let mut whole = [0_i32; BLOCK];
            for (whole, x) in whole.iter_mut().zip(values) {
                let rounded = multiply_add::<FUSED>(*x, inverse, ROUND);
                *whole = rounded.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
            }
            // A value that is no number must come out as none: its scale says so for the whole block.
            block.scale = if values.iter().all(|x| x.is_finite()) { most / 127.0 } else { f32::NAN };
            let (low, high) = whole.split_at(BLOCK / 2);
            block.sums = [low, high].map(|half| total(half) * block.scale);
            for (codes, whole) in block.codes.iter_mut().zip(whole.as_chunks::<4>().0) {
                *codes = whole.map(|x| x as i8);
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "a few numbers of eight bits")]
fn total(whole: &[i32]) -> f32 {
    whole.iter().sum::<i32>() as f32
}
