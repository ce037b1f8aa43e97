//! Where a token stands, told to attention by turning pairs of dimensions: the further on, the further
//! turned, each pair at a speed of its own (rotary position embedding, Su et al. 2021).

/// Which dimensions of a head turn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairs {
    /// One from the first half with one from the second.
    Halves,
    /// Two neighbours. Llama files are written so.
    Neighbours,
}

/// How the heads of a network turn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rotation {
    pub(super) pairs: Pairs,
    /// Radians that each pair turns by from one token to the next.
    pub(super) speeds: Vec<f32>,
}

impl Rotation {
    /// The usual speeds for heads of `size` dimensions: they fall from 1 to nearly 1 / `base`.
    #[expect(clippy::cast_precision_loss, reason = "a head has few dimensions")]
    pub(super) fn new(pairs: Pairs, size: usize, base: f32) -> Self {
        let speed = |i| 1.0 / base.powf(i as f32 / size as f32);
        Self { pairs, speeds: (0..size).step_by(2).map(speed).collect() }
    }
}

/// The turns of all positions.
#[derive(Debug)]
pub(super) struct Turns {
    pairs: Pairs,
    /// Pairs of a head.
    half: usize,
    /// Cosine and sine for each pair of each position, position by position.
    of_each: Vec<(f32, f32)>,
}

impl Turns {
    /// Those of the first `positions` positions.
    #[expect(clippy::cast_precision_loss, reason = "positions are small")]
    pub(super) fn new(rotation: &Rotation, positions: usize) -> Self {
        let angles = (0..positions).flat_map(|at| rotation.speeds.iter().map(move |s| at as f32 * s));
        let of_each = angles.map(|angle| (angle.cos(), angle.sin())).collect();
        Self { pairs: rotation.pairs, half: rotation.speeds.len(), of_each }
    }

    /// Turns each head of each row of `width` values, the first row by the turn of position `first`.
    pub(super) fn turn(&self, x: &mut [f32], first: usize, width: usize) {
        let turns = self.of_each.chunks_exact(self.half).skip(first);
        for (row, turns) in x.chunks_exact_mut(width).zip(turns) {
            for head in row.chunks_exact_mut(self.half * 2) {
                match self.pairs {
                    Pairs::Halves => {
                        let (low, high) = head.split_at_mut(self.half);
                        for ((low, high), turn) in low.iter_mut().zip(high).zip(turns) {
                            (*low, *high) = turned(*low, *high, *turn);
                        }
                    }
                    Pairs::Neighbours => {
                        for ([low, high], turn) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
                            (*low, *high) = turned(*low, *high, *turn);
                        }
                    }
                }
            }
        }
    }
}

fn turned(low: f32, high: f32, (cos, sin): (f32, f32)) -> (f32, f32) {
    (low * cos - high * sin, high * cos + low * sin)
}
