//! The layers of a network that are done here, and how a kernel goes over a plane.

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::pointwise::Pointwise;
use super::pool::Pool;

/// No kernel, frame or stride is larger.
const LARGEST: usize = 64;

/// How a kernel goes over a plane, which is laid into a frame of noughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sliding {
    /// Rows and columns of a kernel.
    pub(super) kernel: (usize, usize),
    /// Top, left, bottom, right.
    pub(super) frame: [usize; 4],
    /// Down and along.
    pub(super) stride: (usize, usize),
}

impl Sliding {
    /// One that meets each place by itself.
    pub(super) const STILL: Self = Self { kernel: (1, 1), frame: [0; 4], stride: (1, 1) };

    /// `None` if it is of no use.
    pub(super) fn new(
        kernel: (usize, usize),
        frame: [usize; 4],
        stride: (usize, usize),
    ) -> Option<Self> {
        let sides = [kernel.0, kernel.1, stride.0, stride.1];
        let fits = sides.iter().all(|side| (1..=LARGEST).contains(side))
            && frame.iter().all(|side| *side <= LARGEST);
        fits.then_some(Self { kernel, frame, stride })
    }

    /// How many weights a kernel has.
    pub(super) const fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// Rows and columns of what comes of a plane with these; `None` if the kernel is larger than the plane.
    pub(super) fn over(&self, high: usize, wide: usize) -> Option<(usize, usize)> {
        let [top, left, bottom, right] = self.frame;
        let down = (high + top + bottom).checked_sub(self.kernel.0)? / self.stride.0 + 1;
        Some((down, (wide + left + right).checked_sub(self.kernel.1)? / self.stride.1 + 1))
    }
}

/// Copies one value of `step`, from the first on, as far as there are any and there is room.
pub(super) fn every(step: usize, from: &[f32], to: &mut [f32]) {
    match step {
        1 => {
            let both = to.len().min(from.len());
            to.split_at_mut(both).0.copy_from_slice(from.split_at(both).0);
        }
        2 => {
            let (pairs, last) = from.as_chunks::<2>();
            let (head, tail) = to.split_at_mut(pairs.len().min(to.len()));
            head.iter_mut().zip(pairs).for_each(|(to, [from, _])| *to = *from);
            tail.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        }
        _ => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(to, from)| *to = *from),
    }
}

/// A layer that was taken out of a network.
pub(super) enum Layer {
    /// A convolution of each plane by itself.
    Depthwise(Depthwise),
    /// A convolution of all planes together.
    Dense(Dense),
    /// One of all planes together, place by place.
    Pointwise(Pointwise),
    /// An average of parts.
    Pool(Pool),
}

impl Layer {
    /// What comes of `input` with these pictures, planes, rows and columns, with the sides that it has; on the threads that it is
    /// called on. `None` if it does not fit.
    pub(super) fn apply(&self, input: &[f32], size: [usize; 4]) -> Option<([usize; 4], Vec<f32>)> {
        match self {
            Self::Depthwise(layer) => layer.apply(input, size),
            Self::Dense(layer) => layer.apply(input, size),
            Self::Pointwise(layer) => layer.apply(input, size),
            Self::Pool(layer) => layer.apply(input, size),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A value that is another at each place.
    pub(in super::super) fn value(at: usize) -> f32 {
        u8::try_from(at * 7919 % 251).map(f32::from).unwrap() / 50.0 - 2.0
    }

    /// What a kernel gives for each place that it comes to on a plane of this size.
    pub(in super::super) fn slide(
        sliding: &Sliding,
        weights: &[f32],
        plane: &[f32],
        (high, wide): (usize, usize),
    ) -> Vec<f32> {
        let (rows, columns) = sliding.over(high, wide).unwrap();
        let inside = |y: usize, x: usize| {
            let (y, x) = (y.checked_sub(sliding.frame[0])?, x.checked_sub(sliding.frame[1])?);
            (y < high && x < wide).then(|| plane[y * wide + x])
        };
        let at = |y: usize, x: usize| {
            let taps = weights.iter().enumerate().filter_map(|(tap, weight)| {
                let (down, along) = (tap / sliding.kernel.1, tap % sliding.kernel.1);
                Some(weight * inside(y * sliding.stride.0 + down, x * sliding.stride.1 + along)?)
            });
            taps.sum()
        };
        (0..rows * columns).map(|place| at(place / columns, place % columns)).collect()
    }

    #[test]
    fn every_value_of_a_step_is_copied_as_far_as_there_is_room() {
        let from: Vec<f32> = (0..9_u8).map(f32::from).collect();
        for step in 1..5 {
            for (there, room) in [(9, 9), (8, 9), (9, 5), (9, 4), (3, 1), (1, 3), (0, 2), (4, 0)] {
                let mut to = vec![-1.0; room];
                every(step, &from[..there], &mut to);
                let mut want: Vec<f32> = from[..there].iter().step_by(step).copied().collect();
                want.resize(room.max(want.len()), -1.0);
                assert_eq!(to, want[..room], "{step}: {there} to {room}");
            }
        }
    }

    #[test]
    fn a_kernel_without_a_side_or_beyond_all_measure_is_refused() {
        assert!(Sliding::new((3, 3), [1; 4], (2, 1)).is_some());
        for (kernel, frame, stride) in
            [((0, 3), [1; 4], (1, 1)), ((3, 3), [1; 4], (1, 0)), ((3, 3), [usize::MAX; 4], (1, 1))]
        {
            assert!(Sliding::new(kernel, frame, stride).is_none(), "{kernel:?} {frame:?} {stride:?}");
        }
        assert_eq!(Sliding::new((3, 3), [0; 4], (1, 1)).unwrap().over(2, 9), None);
    }
}
