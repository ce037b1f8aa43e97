//! Attention over the cache: each query looks at all tokens up to its own.
//!
//! Several query heads share one key head; they are handled together, so that each key and value is
//! loaded once for all of them. Each query sums in the same order whatever it is batched with, so a
//! prompt read in parts gives the same numbers as one read at once.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use std::array;
use std::ops::Range;

use super::cache::Head;
use super::simd::{self, Kernel, LANES, Lanes, exp, multiply_add};

/// Query heads handled together at most; their sums must fit in the registers.
const MOST: usize = 8;

/// How the queries of a network lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Query heads that share a key head.
    pub(super) group: usize,
    /// Dimensions of a head.
    pub(super) size: usize,
}

/// Answers the queries of the tokens from the place `first` on, which look at all places up to their own but
/// those of `unseen`. `queries` and `out` go by token, then by head.
pub(super) fn attend(
    layout: Layout,
    queries: &[f32],
    heads: &[Head],
    first: usize,
    unseen: &Range<usize>,
    out: &mut [f32],
) {
    let width = layout.group * layout.size;
    simd::fill_parts(out, width, |number, out| {
        let (token, head) = (number / heads.len(), number % heads.len());
        let queries = queries.get(number * width..(number + 1) * width);
        if let (Some(queries), Some(head)) = (queries, heads.get(head)) {
            let most = MOST * layout.size;
            for (queries, out) in queries.chunks(most).zip(out.chunks_mut(most)) {
                let seen = Seen { count: first + token + 1, unseen };
                attend_together(layout.size, queries, head, seen, out);
            }
        }
    });
}

/// What a token looks at.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    /// The first so many places,
    count: usize,
    /// but for these.
    unseen: &'a Range<usize>,
}

fn attend_together(size: usize, queries: &[f32], head: &Head, seen: Seen<'_>, out: &mut [f32]) {
    macro_rules! with {
        ($($rows:literal),*) => {
            match queries.len() / size {
                $($rows => simd::run(Attend::<$rows> { size, queries, head, seen, out }),)*
                _ => {}
            }
        };
    }
    with!(1, 2, 3, 4, 5, 6, 7, 8);
}

/// `ROWS` queries of one token over what it looks at.
struct Attend<'a, const ROWS: usize> {
    size: usize,
    queries: &'a [f32],
    head: &'a Head,
    seen: Seen<'a>,
    out: &'a mut [f32],
}

impl<const ROWS: usize> Kernel for Attend<'_, ROWS> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (scores, most) = self.scores::<FUSED>();
        let (weights, sums) = self.weights::<FUSED>(&scores, most);
        self.mix::<FUSED>(&weights, sums);
    }
}

impl<const ROWS: usize> Attend<'_, ROWS> {
    /// The queries, dimension by dimension and scaled.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a head has few dimensions")]
    fn turned(&self) -> Vec<[f32; ROWS]> {
        let scale = 1.0 / (self.size as f32).sqrt();
        let mut turned = vec![[0.0; ROWS]; self.size];
        for (row, query) in self.queries.chunks_exact(self.size).enumerate() {
            for (slot, x) in turned.iter_mut().zip(query) {
                if let Some(slot) = slot.get_mut(row) {
                    *slot = x * scale;
                }
            }
        }
        turned
    }

    /// How well each key fits each query, tile by tile, and the best fit of each query.
    #[inline(always)]
    fn scores<const FUSED: bool>(&self) -> (Vec<[Lanes; ROWS]>, [f32; ROWS]) {
        let turned = self.turned();
        let tiles = self.seen.count.div_ceil(LANES);
        let mut scores = Vec::with_capacity(tiles);
        for tile in self.head.keys.chunks_exact(self.size).take(tiles) {
            let mut sums = [[0.0; LANES]; ROWS];
            for (keys, query) in tile.iter().zip(&turned) {
                for (sums, q) in sums.iter_mut().zip(query) {
                    for (sum, key) in sums.iter_mut().zip(keys) {
                        *sum = multiply_add::<FUSED>(*q, *key, *sum);
                    }
                }
            }
            scores.push(sums);
        }
        // Apart from the loop above, whose sums stay in registers only if nothing else looks at them.
        let in_last = self.seen.count - tiles.saturating_sub(1) * LANES;
        for scores in scores.iter_mut().skip(tiles.saturating_sub(1)).flatten() {
            scores.iter_mut().skip(in_last).for_each(|score| *score = f32::NEG_INFINITY);
        }
        for place in self.seen.unseen.clone() {
            for scores in scores.get_mut(place / LANES).into_iter().flatten() {
                scores.iter_mut().skip(place % LANES).take(1).for_each(|s| *s = f32::NEG_INFINITY);
            }
        }
        let mut most = [[f32::NEG_INFINITY; LANES]; ROWS];
        for scores in &scores {
            for (most, scores) in most.iter_mut().zip(scores) {
                for (most, score) in most.iter_mut().zip(scores) {
                    *most = most.max(*score);
                }
            }
        }
        let most = most.map(|lanes| lanes.into_iter().fold(f32::NEG_INFINITY, f32::max));
        (scores, most)
    }

    /// The weight of each token for each query, before they are divided by their sums.
    #[inline(always)]
    fn weights<const FUSED: bool>(
        &self,
        scores: &[[Lanes; ROWS]],
        most: [f32; ROWS],
    ) -> (Vec<[f32; ROWS]>, [f32; ROWS]) {
        let mut weights = vec![[0.0; ROWS]; scores.len() * LANES];
        let mut sums = [[0.0; LANES]; ROWS];
        for (tile, weights) in scores.iter().zip(weights.as_chunks_mut::<LANES>().0) {
            let mut tile = *tile;
            for ((scores, sums), most) in tile.iter_mut().zip(&mut sums).zip(most) {
                for (score, sum) in scores.iter_mut().zip(sums) {
                    *score = exp::<FUSED>(*score - most);
                    *sum += *score;
                }
            }
            for (row, scores) in tile.iter().enumerate() {
                for (weight, score) in weights.iter_mut().zip(scores) {
                    if let Some(slot) = weight.get_mut(row) {
                        *slot = *score;
                    }
                }
            }
        }
        weights.truncate(self.seen.count);
        (weights, sums.map(|lanes| lanes.iter().sum()))
    }

    /// The mean of the values by these weights.
    #[inline(always)]
    fn mix<const FUSED: bool>(self, weights: &[[f32; ROWS]], sums: [f32; ROWS]) {
        let parts = self.size / LANES;
        for part in 0..parts {
            let mut mixed = [[0.0; LANES]; ROWS];
            for (weights, values) in weights.iter().zip(self.head.values.chunks_exact(parts)) {
                let Some(values) = values.get(part) else { continue };
                for (mixed, weight) in mixed.iter_mut().zip(weights) {
                    for (sum, value) in mixed.iter_mut().zip(values) {
                        *sum = multiply_add::<FUSED>(*weight, *value, *sum);
                    }
                }
            }
            for ((out, mixed), sum) in self.out.chunks_exact_mut(self.size).zip(mixed).zip(sums) {
                if let Some(out) = out.as_chunks_mut::<LANES>().0.get_mut(part) {
                    *out = array::from_fn(|lane| mixed.get(lane).map_or(0.0, |x| x / sum));
                }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
mod tests {
    use super::*;
    use crate::backend::embedded::cache::Cache;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// The textbook formula in double precision.
    fn plain(layout: Layout, query: &[f32], keys: &[f32], values: &[f32], heads: usize) -> Vec<f64> {
        let size = layout.size;
        let mut out = Vec::new();
        for (number, query) in query.chunks(size).enumerate() {
            let head = number / layout.group;
            let of = |rows: &[f32], token: usize, i: usize| {
                f64::from(rows[(token * heads + head) * size + i])
            };
            let count = keys.len() / size / heads;
            let scores: Vec<f64> = (0..count)
                .map(|t| (0..size).map(|i| f64::from(query[i]) * of(keys, t, i)).sum::<f64>())
                .map(|dot| (dot / (size as f64).sqrt()).exp())
                .collect();
            let sum: f64 = scores.iter().sum();
            for i in 0..size {
                out.push((0..count).map(|t| scores[t] / sum * of(values, t, i)).sum());
            }
        }
        out
    }

    #[test]
    fn it_is_the_textbook_formula_for_each_grouping() {
        for (group, size, heads, tokens) in
            [(1, 32, 1, 1), (6, 128, 2, 37), (7, 64, 2, 16), (11, 16, 3, 50)]
        {
            let layout = Layout { group, size };
            let width = heads * size;
            let (keys, values) = (noise(tokens * width, 1), noise(tokens * width, 2));
            let queries = noise(tokens * width * group, 3);
            let mut cache = Cache::new(1, heads, size);
            cache.write(0, 0, &keys, &values);
            let mut out = vec![0.0; queries.len()];
            attend(layout, &queries, cache.heads(0), 0, &(0..0), &mut out);
            for token in 0..tokens {
                let range = token * width * group..(token + 1) * width * group;
                let seen = ..(token + 1) * width;
                let right = plain(layout, &queries[range.clone()], &keys[seen], &values[seen], heads);
                for (got, right) in out[range].iter().zip(right) {
                    assert!((f64::from(*got) - right).abs() < 1e-5, "token {token}: {got} not {right}");
                }
            }
        }
    }
}
