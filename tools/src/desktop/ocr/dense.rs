//! Convolutions of all planes together. Each weight of the kernel meets a run of values that only begins elsewhere, so
//! all that one weight does is one product of matrices, and nothing is laid out anew for it. Where the kernel takes
//! steps, values that are met together are put together first.

use rayon::prelude::*;
use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedAMatrix};
use rten_tensor::NdTensorView;

use super::layer::{Sliding, every};

/// Places that are worked on at once: what they take stays in the memory of the core.
const STRIP: usize = 1024;
/// With fewer planes than this a product of matrices is too thin to be quick.
const FEWEST: usize = 3;

/// A convolution with kernels through all planes.
pub(super) struct Dense {
    /// Planes that it takes.
    takes: usize,
    /// What is added to each plane that it gives.
    bias: Vec<f32>,
    sliding: Sliding,
    gemm: GemmExecutor,
    /// For each weight of the kernel the matrix that leads from the planes it takes to those it gives.
    taps: Vec<PackedAMatrix<f32>>,
}

/// Rows of the outcome that are worked on at once.
#[derive(Debug, Clone, Copy)]
struct Strip {
    picture: usize,
    from: usize,
    rows: usize,
}

/// How the values for a strip are laid out: those of a plane by where in the stride of the kernel they are.
#[derive(Debug, Clone, Copy)]
struct Layout {
    rows: usize,
    columns: usize,
    phases: usize,
}

impl Layout {
    const fn phase(self) -> usize {
        self.rows * self.columns
    }

    const fn plane(self) -> usize {
        self.phases * self.phase()
    }
}

impl Dense {
    /// With the weights by the planes that they give, then by those that they take; `None` if the parts do not fit
    /// together or if it would not be quick.
    pub(super) fn new(weights: &[f32], bias: Vec<f32>, sliding: Sliding) -> Option<Self> {
        let (gives, taps) = (bias.len(), sliding.taps());
        let takes = weights.len().checked_div(gives * taps)?;
        if takes < FEWEST || taps < 2 || takes * gives * taps != weights.len() {
            return None;
        }
        let gemm = GemmExecutor::new();
        let matrix = |tap: usize| {
            let view = NdTensorView::from_data_with_strides(
                [gives, takes],
                weights.get(tap..)?,
                [takes * taps, taps],
            );
            Some(gemm.prepack_a(view.ok()?))
        };
        let taps = (0..taps).map(matrix).collect::<Option<_>>()?;
        Some(Self { takes, bias, sliding, gemm, taps })
    }

    /// Applied to `input` with these pictures, planes, rows and columns; on the threads that it is called on.
    pub(super) fn apply(
        &self,
        input: &[f32],
        [count, planes, high, wide]: [usize; 4],
    ) -> Option<([usize; 4], Vec<f32>)> {
        let (rows, columns) = self.sliding.over(high, wide)?;
        let area = high * wide;
        if planes != self.takes || area == 0 || input.len() != count * planes * area {
            return None;
        }
        let most = (STRIP / columns).max(1);
        let strip = |picture: usize, from: usize| Strip { picture, from, rows: most.min(rows - from) };
        let strips: Vec<Strip> = (0..count)
            .flat_map(|picture| (0..rows).step_by(most).map(move |from| strip(picture, from)))
            .collect();
        let gives = self.bias.len();
        let mut out = vec![0.0; count * gives * rows * columns];
        let done: Vec<Vec<f32>> = strips
            .par_iter()
            .map_init(Vec::new, |laid, strip| {
                let picture = input.chunks_exact(planes * area).nth(strip.picture)?;
                self.strip(strip, picture, (high, wide, columns), laid)
            })
            .collect::<Option<_>>()?;
        for (strip, values) in strips.iter().zip(done) {
            let stride = self.layout(strip.rows, columns).columns;
            let to = out.chunks_exact_mut(rows * columns).skip(strip.picture * gives);
            for (to, from) in to.zip(values.chunks_exact(values.len() / gives)) {
                let to = to.chunks_exact_mut(columns).skip(strip.from);
                for (to, from) in to.zip(from.chunks(stride)) {
                    to.copy_from_slice(from.get(..columns)?);
                }
            }
        }
        Some(([count, gives, rows, columns], out))
    }

    const fn layout(&self, rows: usize, columns: usize) -> Layout {
        let Sliding { kernel, stride, .. } = self.sliding;
        Layout {
            rows: rows + (kernel.0 - 1) / stride.0,
            columns: columns + (kernel.1 - 1) / stride.1,
            phases: stride.0 * stride.1,
        }
    }

    /// What comes of one strip: plane by plane, rows as long as they are laid out.
    fn strip(
        &self,
        strip: &Strip,
        picture: &[f32],
        (high, wide, columns): (usize, usize, usize),
        laid: &mut Vec<f32>,
    ) -> Option<Vec<f32>> {
        let layout = self.layout(strip.rows, columns);
        laid.clear();
        laid.resize(self.takes * layout.plane(), 0.0);
        for (to, plane) in laid.chunks_exact_mut(layout.plane()).zip(picture.chunks_exact(high * wide)) {
            self.lay(strip.from * self.sliding.stride.0, plane, wide, layout, to);
        }
        let Sliding { kernel, stride, .. } = self.sliding;
        let wanted = (strip.rows - 1) * layout.columns + columns;
        let mut out = vec![0.0; self.bias.len() * wanted];
        for (at, tap) in self.taps.iter().enumerate() {
            let (down, along) = (at / kernel.1, at % kernel.1);
            let phase = down % stride.0 * stride.1 + along % stride.1;
            let from = phase * layout.phase() + down / stride.0 * layout.columns + along / stride.1;
            let met = NdTensorView::from_data_with_strides(
                [self.takes, wanted],
                laid.get(from..)?,
                [layout.plane(), 1],
            );
            let options = if at == 0 {
                GemmOptions { bias: Some(BiasVector::Column(&self.bias)), ..Default::default() }
            } else {
                GemmOptions { beta: 1.0, ..Default::default() }
            };
            let (left, right) = (GemmInputA::Packed(tap), GemmInputB::Unpacked(met.ok()?));
            self.gemm.gemm(&mut out, left, right, options).ok()?;
        }
        Some(out)
    }

    /// Lays out what a strip takes of one plane, from this row of the frame on. What is in the frame stays nought.
    fn lay(&self, row: usize, plane: &[f32], wide: usize, layout: Layout, to: &mut [f32]) {
        let ([top, left, ..], (down, along)) = (self.sliding.frame, self.sliding.stride);
        for (phase, to) in to.chunks_exact_mut(layout.phase()).enumerate() {
            let (y, x) = (phase / along, phase % along);
            let first = left.saturating_sub(x).div_ceil(along);
            for (at, to) in to.chunks_exact_mut(layout.columns).enumerate() {
                let line = (row + at * down + y).checked_sub(top);
                let line = line.and_then(|line| plane.chunks_exact(wide).nth(line));
                let (Some(from), Some(to)) =
                    (line.and_then(|line| line.get(first * along + x - left..)), to.get_mut(first..))
                else {
                    continue;
                };
                every(along, from, to);
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
        for (kernel, frame, stride, size, gives) in [
            ((3, 3), [1; 4], (1, 1), [2, 16, 5, 17], 5),
            ((3, 3), [1; 4], (2, 2), [1, 20, 40, 100], 7),
            ((3, 3), [1; 4], (2, 1), [1, 16, 9, 24], 3),
            ((2, 2), [0, 0, 1, 1], (1, 1), [3, 24, 70, 33], 12),
            ((3, 2), [0, 2, 1, 0], (1, 3), [1, 16, 6, 11], 4),
            ((1, 5), [0, 2, 0, 2], (4, 1), [1, 17, 6, 9], 1),
            ((2, 2), [0; 4], (3, 3), [1, 16, 2, 2], 2),
        ] {
            let [count, takes, high, wide] = size;
            let sliding = Sliding::new(kernel, frame, stride).unwrap();
            let taps = sliding.taps();
            let weights: Vec<f32> = (0..gives * takes * taps).map(value).collect();
            let bias: Vec<f32> = (0..gives).map(|at| value(at + 99)).collect();
            let layer = Dense::new(&weights, bias.clone(), sliding).unwrap();
            let input: Vec<f32> = (0..size.iter().product()).map(|at: usize| value(at + 3)).collect();
            let (to, out) = layer.apply(&input, size).unwrap();
            let (rows, columns) = sliding.over(high, wide).unwrap();
            assert_eq!((to, out.len()), ([count, gives, rows, columns], to.iter().product()));
            for (at, out) in out.chunks(rows * columns).enumerate() {
                let mut want = vec![bias[at % gives]; rows * columns];
                let kernels = weights.chunks(taps).skip(at % gives * takes);
                let planes = input.chunks(high * wide).skip(at / gives * takes);
                for (kernel, plane) in kernels.zip(planes).take(takes) {
                    let more = slide(&sliding, kernel, plane, (high, wide));
                    want.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                }
                let worst = out.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-2, "{kernel:?} {stride:?}: {worst}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sliding = Sliding::new((2, 2), [0; 4], (1, 1)).unwrap();
        let new =
            |weights: usize, bias: usize| Dense::new(&vec![0.0; weights], vec![0.0; bias], sliding);
        // Too thin, a weight too few or too many, and none at all.
        for (weights, bias) in [(2 * 4, 1), (16 * 8 - 1, 2), (16 * 8 + 1, 2), (64, 0), (0, 2)] {
            assert!(new(weights, bias).is_none(), "{weights} {bias}");
        }
        let layer = new(16 * 4, 1).unwrap();
        for (values, size) in
            [(16 * 9, [1, 16, 3, 4]), (15 * 9, [1, 15, 3, 3]), (16, [1, 16, 1, 1]), (0, [1, 16, 0, 9])]
        {
            assert!(layer.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
        assert_eq!(layer.apply(&[], [0, 16, 3, 3]), Some(([0, 1, 2, 2], Vec::new())));
    }
}
