//! Which instructions products are computed with on this processor.

use std::sync::OnceLock;

use super::ggml;
use super::input::Input;
use super::machine::ROWS;
use super::output::Columns;
use super::tiles::{Tiles, Weights as _};
use super::unit::{BLOCK, Eight, Even, Five};

/// Which instructions are used.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    /// Those of any processor; slow, what the others are held against.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(super::machine::x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Vnni(super::machine::x86::Vnni),
}

impl Level {
    /// The best one of this processor that computes what [`Level::Portable`] does; `None` where that is
    /// the only one.
    pub(super) fn of_this_processor() -> Option<Self> {
        static LEVEL: OnceLock<Option<Level>> = OnceLock::new();
        *LEVEL.get_or_init(|| Self::all().into_iter().find(|level| level.is_right()))
    }

    /// Those that this processor has the instructions for, the best first.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(super::machine::x86::Vnni::new().map(Self::Vnni));
            all.extend(super::machine::x86::Avx2::new().map(Self::Avx2));
        }
        all
    }

    /// Not every processor can be had to test on, so the first product of a process is a test.
    fn is_right(self) -> bool {
        let noise = |i: usize| (i * 89 % 251).to_le_bytes()[0];
        // Scales of 2^-14, the smallest that are whole, at the head of each block.
        let blocks = |size: usize| -> Vec<u8> {
            let byte = |i: usize| match i % size {
                0 => 0,
                1 => 4,
                _ => noise(i),
            };
            (0..size * ROWS * 4).map(byte).collect()
        };
        let columns = 4 * BLOCK;
        let mut input = Input::default();
        let x: Vec<f32> = (0..3 * columns).map(|i| f32::from(noise(i * 7 + 3)) - 125.0).collect();
        input.set(&x, columns);
        let unsigned = Tiles::<ggml::Q5_0, Even<16>, Five, 1>::pack(&blocks(22), ROWS, columns);
        let signed = Tiles::<ggml::Q8_0, Even<0>, Eight, 1>::pack(&blocks(34), ROWS, columns);
        let (Some(unsigned), Some(signed)) = (unsigned, signed) else { return false };
        let compute = |level| {
            let mut out = vec![0.0; 6 * ROWS];
            let (first, second) = out.split_at_mut(3 * ROWS);
            unsigned.multiply(level, 0..1, &input, &Columns::new(first, ROWS));
            signed.multiply(level, 0..1, &input, &Columns::new(second, ROWS));
            out
        };
        let (got, right) = (compute(self), compute(Self::Portable));
        let most = right.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let is_right = got.iter().zip(&right).all(|(a, b)| (a - b).abs() <= most * 1e-5);
        if !is_right {
            tracing::warn!(level = ?self, "this processor computes products wrongly, they are not used");
        }
        is_right
    }
}
