//! The last layer of a network that reads, which has thousands of classes: only the likeliest one of each step is wanted.
//! So it is done class block by class block, and the likelihoods of the others are never written down.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// Classes that are worked on at once.
const BLOCK: usize = 512;
/// What is so much less likely than the likeliest, as a power of e, adds nothing to the whole.
const FAR: f32 = 20.0;

/// The layer.
pub(super) struct Classifier {
    takes: usize,
    classes: usize,
    gemm: GemmExecutor,
    blocks: Vec<Block>,
}

struct Block {
    weights: PackedBMatrix<f32>,
    bias: Vec<f32>,
}

/// The likeliest class so far.
#[derive(Debug, Clone, Copy)]
struct Best {
    at: usize,
    most: f32,
    /// The whole, of which the likeliest is one.
    sum: f32,
}

impl Classifier {
    /// With one row of weights for each value that it takes; `None` if the parts do not fit together.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Option<Self> {
        let classes = bias.len();
        let takes = weights.len().checked_div(classes)?;
        let weights = NdTensorView::try_from_data([takes, classes], weights).ok()?;
        let gemm = GemmExecutor::new();
        let block = |(at, bias): (usize, &[f32])| {
            let from = at * BLOCK;
            let weights = weights.try_slice((.., from..from + bias.len())).ok()?;
            Some(Block { weights: gemm.prepack_b(weights), bias: bias.to_owned() })
        };
        let blocks = bias.chunks(BLOCK).enumerate().map(block).collect::<Option<_>>()?;
        Some(Self { takes, classes, gemm, blocks })
    }

    /// How many classes there are.
    pub(super) const fn classes(&self) -> usize {
        self.classes
    }

    /// For each step of `values`, the likeliest class and its likelihood.
    pub(super) fn likeliest(&self, values: &[f32]) -> Option<Vec<(usize, f32)>> {
        let steps = values.len().checked_div(self.takes)?;
        let values = NdTensorView::try_from_data([steps, self.takes], values).ok()?;
        let mut out = vec![0.0; steps * BLOCK];
        let mut best = vec![Best { at: 0, most: f32::NEG_INFINITY, sum: 0.0 }; steps];
        for (at, block) in self.blocks.iter().enumerate() {
            let out = out.get_mut(..steps * block.bias.len())?;
            let options = GemmOptions { bias: Some(BiasVector::Row(&block.bias)), ..Default::default() };
            let (left, right) = (GemmInputA::Unpacked(values), GemmInputB::Packed(&block.weights));
            self.gemm.gemm(out, left, right, options).ok()?;
            for (best, row) in best.iter_mut().zip(out.chunks_exact(block.bias.len())) {
                best.see(at * BLOCK, row);
            }
        }
        Some(
            best.into_iter()
                .map(|best| (best.at, if best.sum > 0.0 { best.sum.recip() } else { 0.0 }))
                .collect(),
        )
    }
}

impl Best {
    /// Takes in the classes from `from` on.
    fn see(&mut self, from: usize, values: &[f32]) {
        let Some((at, most)) = largest(values) else { return };
        if most > self.most {
            self.sum *= (self.most - most).exp();
            (self.at, self.most) = (from + at, most);
        }
        if most > self.most - FAR {
            let near = values.iter().map(|value| value - self.most).filter(|less| *less > -FAR);
            self.sum += near.map(f32::exp).sum::<f32>();
        }
    }
}

/// The place of the largest value, and the value. It is looked for in lanes, which is as quick as the
/// memory is.
fn largest(values: &[f32]) -> Option<(usize, f32)> {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = values.as_chunks::<16>();
    let mut most = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (most, value) in most.iter_mut().zip(chunk) {
            *most = larger(*most, *value);
        }
    }
    let best = most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger);
    values.iter().position(|value| *value >= best).map(|at| (at, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_class_is_as_likely_as_all_together_have_it() {
        // Two values in, and so many classes that the last block is not full.
        let classes = BLOCK + 88;
        let weight = |at: usize| f32::from(u16::try_from(at * 7919 % 1009).unwrap()) / 100.0 - 5.0;
        let weights: Vec<f32> = (0..2 * classes).map(weight).collect();
        let bias: Vec<f32> = (0..classes).map(|at| weight(at + 13) / 2.0).collect();
        let layer = Classifier::new(&weights, &bias).unwrap();
        let steps = [1.0, 0.5, -0.25, 2.0, 0.0, 0.0];
        let found = layer.likeliest(&steps).unwrap();
        assert_eq!((found.len(), layer.classes()), (3, classes));
        for (step, (at, likely)) in steps.chunks(2).zip(found) {
            let all: Vec<f32> = (0..classes)
                .map(|c| step[0] * weights[c] + step[1] * weights[classes + c] + bias[c])
                .collect();
            let best = (0..classes).max_by(|a, b| all[*a].total_cmp(&all[*b])).unwrap();
            let whole: f32 = all.iter().map(|value| (value - all[best]).exp()).sum();
            assert!((all[at] - all[best]).abs() < 1e-3, "{at} is not {best}");
            assert!((likely - whole.recip()).abs() < 1e-3, "{likely} is not {}", whole.recip());
        }
    }

    #[test]
    fn a_class_of_the_last_block_is_found_and_those_before_it_count() {
        let mut bias = vec![0.0; 2 * BLOCK + 88];
        let at = 2 * BLOCK + 30;
        bias[at] = 2.0;
        let layer = Classifier::new(&vec![0.0; bias.len()], &bias).unwrap();
        let others = f32::from(u16::try_from(bias.len() - 1).unwrap());
        let (found, likely) = layer.likeliest(&[1.0]).unwrap()[0];
        assert_eq!(found, at);
        assert!((likely - (1.0 + others * (-2.0_f32).exp()).recip()).abs() < 1e-5, "{likely}");
    }

    #[test]
    fn broken_values_break_nothing() {
        let layer = Classifier::new(&[1.0, 2.0], &[0.0, 0.0]).unwrap();
        assert_eq!(layer.likeliest(&[f32::NAN]).unwrap(), [(0, 0.0)]);
        assert!(layer.likeliest(&[]).unwrap().is_empty());
        assert!(Classifier::new(&[1.0, 2.0, 3.0], &[0.0, 0.0]).is_none());
        assert!(Classifier::new(&[], &[]).is_none());
    }
}
