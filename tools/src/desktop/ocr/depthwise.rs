//! Convolutions of each plane by itself. A plane is laid into a frame of noughts, so that each weight meets
//! one run of values without an edge; what stands in the frame afterwards is dropped.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use rayon::prelude::*;

use super::layer::{Sliding, every};
use super::machine::{Level, Machine, Work};

/// Values of a plane that are worked on at once: they stay in the fastest memory.
const STRIP: usize = 2048;

/// A convolution with a kernel for each plane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Depthwise {
    /// Plane by plane, row by row.
    weights: Vec<f32>,
    /// What is added to each plane.
    bias: Vec<f32>,
    sliding: Sliding,
}

impl Depthwise {
    /// `None` if the parts do not fit together.
    pub(super) fn new(weights: Vec<f32>, bias: Vec<f32>, sliding: Sliding) -> Option<Self> {
        let fits = bias.len().checked_mul(sliding.taps()) == Some(weights.len());
        fits.then_some(Self { weights, bias, sliding })
    }

    /// Applied to `input` with these pictures, planes, rows and columns; on the threads that it is called on.
    pub(super) fn apply(
        &self,
        input: &[f32],
        [count, planes, high, wide]: [usize; 4],
    ) -> Option<([usize; 4], Vec<f32>)> {
        let Sliding { kernel, frame: [top, left, bottom, right], stride } = self.sliding;
        let (rows, columns) = (high + top + bottom, wide + left + right);
        let size = self.sliding.over(high, wide)?;
        let (area, out_area) = (high * wide, size.0 * size.1);
        if planes != self.bias.len() || area == 0 || input.len() != count * planes * area {
            return None;
        }
        let mut out = vec![0.0; count * planes * out_area];
        let each = || (vec![0.0; rows * columns + kernel.1], vec![0.0; rows * columns]);
        out.par_chunks_mut(out_area).zip(input.par_chunks(area)).enumerate().for_each_init(
            each,
            |(framed, sums), (at, (out, plane))| {
                let inner = framed.chunks_exact_mut(columns).skip(top);
                for (to, from) in inner.zip(plane.chunks_exact(wide)) {
                    to.get_mut(left..left + wide).unwrap_or_default().copy_from_slice(from);
                }
                self.plane(at % planes, framed, sums, columns);
                let lines = sums.chunks_exact(columns).step_by(stride.0);
                for (to, from) in out.chunks_exact_mut(size.1).zip(lines) {
                    every(stride.1, from, to);
                }
            },
        );
        Some(([count, planes, size.0, size.1], out))
    }

    /// One plane, as if the stride were one and the columns of the frame counted.
    fn plane(&self, at: usize, framed: &[f32], sums: &mut [f32], columns: usize) {
        let (all, (high, wide)) = (self.sliding.taps(), self.sliding.kernel);
        let weights = self.weights.get(at * all..(at + 1) * all).unwrap_or_default();
        let bias = self.bias.get(at).copied().unwrap_or_default();
        let used = columns * (sums.len() / columns + 1 - high);
        let sums = sums.get_mut(..used).unwrap_or_default();
        Level::of_this_processor().run(Plane { weights, bias, framed, sums, columns, wide });
    }
}

/// One plane.
struct Plane<'a> {
    weights: &'a [f32],
    bias: f32,
    framed: &'a [f32],
    sums: &'a mut [f32],
    /// Of the frame, and of the kernel.
    columns: usize,
    wide: usize,
}

impl Work for Plane<'_> {
    #[inline(always)]
    fn run<M: Machine>(self, _: M) {
        let Self { weights, bias, framed, sums, columns, wide } = self;
        for (strip, sums) in sums.chunks_mut(STRIP).enumerate() {
            sums.fill(bias);
            let behind = |tap: usize| {
                let from = strip * STRIP + tap / wide * columns + tap % wide;
                framed.get(from..).unwrap_or_default()
            };
            for (four, weights) in weights.chunks(4).enumerate() {
                let weight = |tap: usize| weights.get(tap).copied().unwrap_or_default();
                let tap =
                    |tap: usize| behind(if tap < weights.len() { four * 4 + tap } else { four * 4 });
                let (a, b, c, d) = (tap(0), tap(1), tap(2), tap(3));
                let [wa, wb, wc, wd] = [weight(0), weight(1), weight(2), weight(3)];
                for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *sum += wa * a + wb * b + (wc * c + wd * d);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer::tests::{slide, value};
    use super::*;

    #[test]
    fn it_gives_what_its_definition_gives() {
        for (kernel, frame, stride, size) in [
            ((3, 3), [1; 4], (1, 1), [2, 3, 5, 17]),
            ((3, 3), [1; 4], (2, 1), [1, 4, 10, 24]),
            ((3, 3), [1; 4], (2, 2), [1, 2, 7, 9]),
            ((7, 7), [3; 4], (1, 1), [1, 2, 40, 100]),
            ((1, 7), [0, 3, 0, 3], (1, 1), [3, 2, 1, 12]),
            ((2, 3), [0, 0, 1, 2], (1, 1), [1, 2, 4, 6]),
        ] {
            let (planes, sliding) = (size[1], Sliding::new(kernel, frame, stride).unwrap());
            let weights: Vec<f32> = (0..planes * sliding.taps()).map(value).collect();
            let bias: Vec<f32> = (0..planes).map(|at| value(at + 99)).collect();
            let layer = Depthwise::new(weights.clone(), bias.clone(), sliding).unwrap();
            let input: Vec<f32> = (0..size.iter().product()).map(|at: usize| value(at + 3)).collect();
            let (to, out) = layer.apply(&input, size).unwrap();
            let kernels = weights.chunks(sliding.taps()).zip(bias).cycle();
            let planes_of = input.chunks(size[2] * size[3]).zip(kernels);
            let want: Vec<f32> = planes_of
                .flat_map(|(plane, (kernel, bias))| {
                    let sums = slide(&sliding, kernel, plane, (size[2], size[3]));
                    sums.into_iter().map(move |sum| sum + bias)
                })
                .collect();
            assert_eq!((to[0], to[1], out.len()), (size[0], planes, want.len()));
            let worst = out.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{kernel:?} {stride:?}: {worst}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sliding = |frame| Sliding::new((3, 3), frame, (1, 1)).unwrap();
        assert!(Depthwise::new(vec![0.0; 9], vec![0.0; 2], sliding([1; 4])).is_none());
        let layer = Depthwise::new(vec![0.0; 9], vec![0.0], sliding([0; 4])).unwrap();
        for (values, size) in
            [(4, [1, 1, 2, 2]), (16, [1, 2, 3, 3]), (16, [1, 1, 5, 5]), (0, [1, 1, 0, 9])]
        {
            assert!(layer.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
        // As many values as they say, of two planes or of none.
        let framed = Depthwise::new(vec![0.0; 9], vec![0.0], sliding([2; 4])).unwrap();
        for (values, size) in [(18, [1, 2, 3, 3]), (0, [1, 1, 0, 9])] {
            assert!(framed.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
    }
}
