//! Convolutions of each plane by itself. A plane is laid into a frame of noughts, so that each weight meets
//! one run of values without an edge; what stands in the frame afterwards is dropped.

use rayon::prelude::*;

/// Values of a plane that are worked on at once: they stay in the fastest memory.
const STRIP: usize = 2048;
/// No kernel, frame or stride is larger.
const LARGEST: usize = 64;

/// A convolution with a kernel for each plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Depthwise {
    /// Plane by plane, row by row.
    weights: Vec<f32>,
    /// What is added to each plane.
    bias: Vec<f32>,
    /// Rows and columns of a kernel.
    kernel: (usize, usize),
    /// Top, left, bottom, right.
    frame: [usize; 4],
    /// Down and along.
    stride: (usize, usize),
}

impl Depthwise {
    /// `None` if the parts do not fit together.
    pub(super) fn new(
        weights: Vec<f32>,
        bias: Vec<f32>,
        kernel: (usize, usize),
        frame: [usize; 4],
        stride: (usize, usize),
    ) -> Option<Self> {
        let sides = [kernel.0, kernel.1, stride.0, stride.1];
        let fits = sides.iter().all(|side| (1..=LARGEST).contains(side))
            && frame.iter().all(|side| *side <= LARGEST)
            && bias.len().checked_mul(kernel.0 * kernel.1) == Some(weights.len());
        fits.then_some(Self { weights, bias, kernel, frame, stride })
    }

    /// Applied to `input` with these pictures, planes, rows and columns; on the threads that it is called on.
    pub(super) fn apply(
        &self,
        input: &[f32],
        [count, planes, high, wide]: [usize; 4],
    ) -> Option<([usize; 4], Vec<f32>)> {
        let [top, left, bottom, right] = self.frame;
        let (rows, columns) = (high + top + bottom, wide + left + right);
        let size = (
            rows.checked_sub(self.kernel.0)? / self.stride.0 + 1,
            columns.checked_sub(self.kernel.1)? / self.stride.1 + 1,
        );
        let (area, out_area) = (high * wide, size.0 * size.1);
        if planes != self.bias.len() || area == 0 || input.len() != count * planes * area {
            return None;
        }
        let mut out = vec![0.0; count * planes * out_area];
        let each = || (vec![0.0; rows * columns + self.kernel.1], vec![0.0; rows * columns]);
        out.par_chunks_mut(out_area).zip(input.par_chunks(area)).enumerate().for_each_init(
            each,
            |(framed, sums), (at, (out, plane))| {
                let inner = framed.chunks_exact_mut(columns).skip(top);
                for (to, from) in inner.zip(plane.chunks_exact(wide)) {
                    to.get_mut(left..left + wide).unwrap_or_default().copy_from_slice(from);
                }
                self.plane(at % planes, framed, sums, columns);
                let lines = sums.chunks_exact(columns).step_by(self.stride.0);
                for (to, from) in out.chunks_exact_mut(size.1).zip(lines) {
                    match from.get(..size.1).filter(|_| self.stride.1 == 1) {
                        Some(from) => to.copy_from_slice(from),
                        None => to
                            .iter_mut()
                            .zip(from.iter().step_by(self.stride.1))
                            .for_each(|(to, from)| *to = *from),
                    }
                }
            },
        );
        Some(([count, planes, size.0, size.1], out))
    }

    /// One plane, as if the stride were one and the columns of the frame counted.
    fn plane(&self, at: usize, framed: &[f32], sums: &mut [f32], columns: usize) {
        let all = self.kernel.0 * self.kernel.1;
        let weights = self.weights.get(at * all..(at + 1) * all).unwrap_or_default();
        let bias = self.bias.get(at).copied().unwrap_or_default();
        let wide = self.kernel.1;
        let used = columns * (sums.len() / columns + 1 - self.kernel.0);
        let sums = sums.get_mut(..used).unwrap_or_default();
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
    use super::*;

    fn value(at: usize) -> f32 {
        u8::try_from(at * 7919 % 251).map(f32::from).unwrap() / 50.0 - 2.0
    }

    /// As the definition has it.
    fn slowly(
        layer: &Depthwise,
        input: &[f32],
        [_, planes, high, wide]: [usize; 4],
        size: [usize; 4],
    ) -> Vec<f32> {
        let inside = |y: usize, x: usize| {
            let (y, x) = (y.checked_sub(layer.frame[0])?, x.checked_sub(layer.frame[1])?);
            (y < high && x < wide).then_some((y, x))
        };
        let mut out = Vec::new();
        for at in 0..size[0] * planes {
            for (y, x) in (0..size[2]).flat_map(|y| (0..size[3]).map(move |x| (y, x))) {
                let mut sum = layer.bias[at % planes];
                for tap in 0..layer.kernel.0 * layer.kernel.1 {
                    let (down, along) = (tap / layer.kernel.1, tap % layer.kernel.1);
                    if let Some((y, x)) = inside(y * layer.stride.0 + down, x * layer.stride.1 + along) {
                        let weight = layer.weights[at % planes * layer.kernel.0 * layer.kernel.1 + tap];
                        sum += weight * input[(at * high + y) * wide + x];
                    }
                }
                out.push(sum);
            }
        }
        out
    }

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
            let planes = size[1];
            let weights = (0..planes * kernel.0 * kernel.1).map(value).collect();
            let bias = (0..planes).map(|at| value(at + 99)).collect();
            let layer = Depthwise::new(weights, bias, kernel, frame, stride).unwrap();
            let input: Vec<f32> = (0..size.iter().product()).map(|at: usize| value(at + 3)).collect();
            let (to, out) = layer.apply(&input, size).unwrap();
            let want = slowly(&layer, &input, size, to);
            assert_eq!((to[0], to[1], out.len()), (size[0], planes, want.len()));
            let worst = out.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{kernel:?} {stride:?}: {worst}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Depthwise::new(vec![0.0; 9], vec![0.0; 2], (3, 3), [1; 4], (1, 1)).is_none());
        assert!(Depthwise::new(vec![0.0; 9], vec![0.0], (3, 3), [1; 4], (0, 1)).is_none());
        assert!(Depthwise::new(vec![0.0; 9], vec![0.0], (3, 3), [usize::MAX; 4], (1, 1)).is_none());
        let layer = Depthwise::new(vec![0.0; 9], vec![0.0], (3, 3), [0; 4], (1, 1)).unwrap();
        for (values, size) in
            [(4, [1, 1, 2, 2]), (16, [1, 2, 3, 3]), (16, [1, 1, 5, 5]), (0, [1, 1, 0, 9])]
        {
            assert!(layer.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
        // As many values as they say, of two planes or of none.
        let framed = Depthwise::new(vec![0.0; 9], vec![0.0], (3, 3), [2; 4], (1, 1)).unwrap();
        for (values, size) in [(18, [1, 2, 3, 3]), (0, [1, 1, 0, 9])] {
            assert!(framed.apply(&vec![0.0; values], size).is_none(), "{size:?}");
        }
    }
}
