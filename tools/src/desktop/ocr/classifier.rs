//! The last layer of a network that reads, which has thousands of classes: only the likeliest one of each step is wanted.
//! So it is done class block by class block, and the likelihoods of the others are never written down.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedAMatrix};
use rten_tensor::NdTensorView;

use super::machine::{Level, Machine, Work};
use super::pointwise::{Pointwise, ROUND, Rounded, whole};

/// Classes that are worked on at once.
const BLOCK: usize = 510;

/// The layer.
pub(super) struct Classifier {
    takes: usize,
    classes: usize,
    blocks: Vec<Block>,
}

/// Some of the classes.
enum Block {
    Floats { gemm: GemmExecutor, weights: PackedAMatrix<f32>, bias: Vec<f32> },
    Bytes(Pointwise),
}

/// What a block is applied to: one value after the other, each for all steps.
struct Steps {
    values: Vec<f32>,
    rounded: Option<Rounded>,
    count: usize,
}

/// For each step the likeliest class so far.
struct Best {
    at: Vec<u32>,
    most: Vec<f32>,
    /// The whole, of which the likeliest is one.
    sum: Vec<f32>,
}

impl Classifier {
    /// With one row of weights for each value that it takes; `None` if the parts do not fit together.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Option<Self> {
        Self::with(Pointwise::new, weights, bias)
    }

    fn with(
        bytes: impl Fn(&[f32], &[f32]) -> Option<Pointwise>,
        weights: &[f32],
        bias: &[f32],
    ) -> Option<Self> {
        let classes = bias.len();
        let takes = weights.len().checked_div(classes)?;
        if takes == 0 || takes * classes != weights.len() {
            return None;
        }
        let block = |(at, bias): (usize, &[f32])| {
            let class = |class: usize| weights.iter().skip(at * BLOCK + class).step_by(classes);
            let weights: Vec<f32> = (0..bias.len()).flat_map(class).copied().collect();
            if let Some(layer) = bytes(&weights, bias) {
                return Some(Block::Bytes(layer));
            }
            let gemm = GemmExecutor::new();
            let view = NdTensorView::try_from_data([bias.len(), takes], weights.as_slice()).ok()?;
            Some(Block::Floats { weights: gemm.prepack_a(view), gemm, bias: bias.to_owned() })
        };
        let blocks = bias.chunks(BLOCK).enumerate().map(block).collect::<Option<_>>()?;
        Some(Self { takes, classes, blocks })
    }

    /// How many classes there are.
    pub(super) const fn classes(&self) -> usize {
        self.classes
    }

    /// For each step of `values`, the likeliest class and its likelihood.
    pub(super) fn likeliest(&self, values: &[f32]) -> Option<Vec<(usize, f32)>> {
        let count = values.len() / self.takes;
        if count == 0 || count * self.takes != values.len() {
            return values.is_empty().then(Vec::new);
        }
        let turned = |value: usize| values.iter().skip(value).step_by(self.takes).copied();
        let values: Vec<f32> = (0..self.takes).flat_map(turned).collect();
        let bytes = self.blocks.iter().find_map(Block::bytes);
        let steps =
            Steps { rounded: bytes.map(|layer| layer.rounded(&values, 1, count)), values, count };
        let mut best = Best::new(count);
        let mut first = 0;
        for block in &self.blocks {
            let values = block.over(&steps)?;
            Level::of_this_processor().run(Seen { best: &mut best, first, values: &values });
            first += u32::try_from(BLOCK).ok()?;
        }
        // The likeliest one itself is one, unless there was no number.
        let likely = |sum: f32| if sum > 0.5 { sum.recip().min(1.0) } else { 0.0 };
        let best = best.at.into_iter().zip(best.sum);
        Some(best.map(|(at, sum)| (at as usize, likely(sum))).collect())
    }
}

impl Block {
    const fn bytes(&self) -> Option<&Pointwise> {
        match self {
            Self::Bytes(layer) => Some(layer),
            Self::Floats { .. } => None,
        }
    }

    /// What each of its classes has, one after the other, for all steps.
    fn over(&self, steps: &Steps) -> Option<Vec<f32>> {
        match self {
            Self::Bytes(layer) => Some(layer.over(steps.rounded.as_ref()?)),
            Self::Floats { gemm, weights, bias } => {
                let takes = steps.values.len() / steps.count;
                let values = NdTensorView::try_from_data([takes, steps.count], steps.values.as_slice());
                let mut out = vec![0.0; bias.len() * steps.count];
                let options = GemmOptions { bias: Some(BiasVector::Column(bias)), ..Default::default() };
                let (left, right) = (GemmInputA::Packed(weights), GemmInputB::Unpacked(values.ok()?));
                gemm.gemm(&mut out, left, right, options).ok()?;
                Some(out)
            }
        }
    }
}

impl Best {
    fn new(steps: usize) -> Self {
        Self { at: vec![0; steps], most: vec![f32::NEG_INFINITY; steps], sum: vec![0.0; steps] }
    }
}

/// Takes in more classes, from `first` on.
struct Seen<'a> {
    best: &'a mut Best,
    first: u32,
    values: &'a [f32],
}

impl Work for Seen<'_> {
    #[inline(always)]
    fn run<M: Machine>(self, _: M) {
        let Best { at, most, sum } = self.best;
        let before = most.clone();
        for (class, values) in (self.first..).zip(self.values.chunks_exact(most.len())) {
            for ((at, most), value) in at.iter_mut().zip(most.iter_mut()).zip(values) {
                let more = *value > *most;
                *at = if more { class } else { *at };
                *most = if more { *value } else { *most };
            }
        }
        for ((sum, before), most) in sum.iter_mut().zip(&before).zip(most.iter()) {
            *sum *= power(before - most);
        }
        for values in self.values.chunks_exact(most.len()) {
            for ((sum, most), value) in sum.iter_mut().zip(most.iter()).zip(values) {
                *sum += power(value - most);
            }
        }
    }
}

/// `e` to the power of `x`, which is not above nought, to a thousandth; next to nothing for what is no number.
#[inline(always)]
fn power(x: f32) -> f32 {
    let x = if x > -80.0 { x } else { -80.0 };
    let x = x * std::f32::consts::LOG2_E;
    let bits = whole(x);
    let rest = (x - (f32::from_bits(bits) - ROUND)) * std::f32::consts::LN_2;
    let power = 1.0 + rest * (1.0 + rest * (0.5 + rest / 6.0));
    let exponent = bits.wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    power * f32::from_bits(exponent << 23)
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

    /// Both ways to do it, where this processor has both.
    #[test]
    fn in_bytes_it_is_as_likely() {
        let (takes, classes, steps) = (50, 2 * BLOCK + 9, 37);
        let number = |at: usize| {
            let mixed = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            f32::from(u16::try_from(mixed >> 48).unwrap()) / 32_768.0 - 1.0
        };
        let weights: Vec<f32> = (0..takes * classes).map(|at| number(at) * 8.0).collect();
        let bias: Vec<f32> = (0..classes).map(|at| number(at * 5 + 1)).collect();
        let values: Vec<f32> = (0..takes * steps).map(|at| number(at * 3 + 2)).collect();
        let quick = Classifier::new(&weights, &bias).unwrap();
        let plain = Classifier::with(|_, _| None, &weights, &bias).unwrap();
        let (quick, plain) = (quick.likeliest(&values).unwrap(), plain.likeliest(&values).unwrap());
        assert_eq!((quick.len(), plain.len()), (steps, steps));
        assert!(plain.iter().any(|(_, likely)| *likely > 0.9), "{plain:?}");
        for ((a, sure), (b, surely)) in quick.into_iter().zip(plain) {
            assert!((sure - surely).abs() < 0.1, "{sure} {surely}");
            assert!(a == b || surely < 0.6, "{a} is not {b}, {surely}");
        }
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
