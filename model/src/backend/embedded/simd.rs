//! Small loops over floats, compiled once for each width of vector registers and chosen when they run.
//!
//! The loops are plain Rust over fixed lanes, which the compiler turns into vector code when it may use
//! the registers; a build for any processor may not, so [`run`] enters them through functions that may.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use std::sync::{Mutex, OnceLock};

use candle_core::utils::barrier_pool;

/// Floats handled side by side.
pub(super) const LANES: usize = 16;

/// A group of floats handled side by side.
pub(super) type Lanes = [f32; LANES];

/// A loop that [`run`] compiles for each kind of processor. `FUSED` tells whether a product and a sum
/// are one instruction there.
pub(super) trait Kernel {
    /// Must be marked `#[inline(always)]`, like all that it calls.
    fn run<const FUSED: bool>(self);
}

#[derive(Clone, Copy)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Runs a loop with the widest registers of this processor.
pub(super) fn run(kernel: impl Kernel) {
    match level() {
        Level::Portable => kernel.run::<{ cfg!(target_arch = "aarch64") }>(),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
        // SAFETY: `level` has seen that this processor has them.
        Level::Avx2 => unsafe { on_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
        // SAFETY: `level` has seen that this processor has them.
        Level::Avx512 => unsafe { on_avx512(kernel) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2(kernel: impl Kernel) {
    kernel.run::<true>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn on_avx512(kernel: impl Kernel) {
    kernel.run::<true>();
}

fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        #[cfg(target_arch = "x86_64")]
        {
            let has_fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let has_512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            match (has_fma, has_512) {
                (true, true) => return Level::Avx512,
                (true, false) => return Level::Avx2,
                (false, _) => {}
            }
        }
        Level::Portable
    })
}

/// Cuts `out` into parts of `width` values and fills them on all of candle's threads. `fill` gets the
/// number of its part.
pub(super) fn fill_parts<T: Send>(out: &mut [T], width: usize, fill: impl Fn(usize, &mut [T]) + Sync) {
    if out.len() <= width {
        fill(0, out);
        return;
    }
    let parts: Vec<Mutex<&mut [T]>> = out.chunks_mut(width).map(Mutex::new).collect();
    barrier_pool().execute_chunked(parts.len(), |range| {
        for (number, part) in parts.iter().enumerate().take(range.end).skip(range.start) {
            if let Ok(mut part) = part.lock() {
                fill(number, &mut part);
            }
        }
    });
}

/// `a * b + c`.
#[inline(always)]
pub(super) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `e` to the power of `x`, to about seven digits, for `x` up to 88; 0 far below 0.
///
/// Splits off the power of two and approximates the rest by a polynomial, so that it has no branch.
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "ln 2 in two parts, the first one exact")]
pub(super) fn exp<const FUSED: bool>(x: f32) -> f32 {
    // Adding this leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const COEFFICIENTS: [f32; 6] =
        [1.987_569_2e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    let x = x.clamp(-87.0, 88.0);
    let rounded = multiply_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    let rest = multiply_add::<FUSED>(whole, -0.693_359_375, x);
    let rest = multiply_add::<FUSED>(whole, 2.121_944_4e-4, rest);
    let mut sum = 0.0;
    for coefficient in COEFFICIENTS {
        sum = multiply_add::<FUSED>(sum, rest, coefficient);
    }
    let sum = multiply_add::<FUSED>(sum, rest * rest, rest + 1.0);
    let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    sum * f32::from_bits(exponent << 23)
}

/// Scales a row to a mean square of one, then by `weight`.
pub(super) struct Norm<'a> {
    pub(super) row: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) epsilon: f32,
    pub(super) out: &'a mut [f32],
}

impl Kernel for Norm<'_> {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "rows are short")]
    fn run<const FUSED: bool>(self) {
        let (lanes, rest) = self.row.as_chunks::<LANES>();
        let mut squares = [0.0; LANES];
        for lane in lanes {
            for (sum, x) in squares.iter_mut().zip(lane) {
                *sum = multiply_add::<FUSED>(*x, *x, *sum);
            }
        }
        let sum: f32 = squares.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>();
        let scale = 1.0 / (sum / self.row.len() as f32 + self.epsilon).sqrt();
        for ((out, x), weight) in self.out.iter_mut().zip(self.row).zip(self.weight) {
            *out = x * scale * weight;
        }
    }
}

/// Scales each stretch as long as `weight` to a mean square of one, then by `weight`.
pub(super) struct NormEach<'a> {
    pub(super) rows: &'a mut [f32],
    pub(super) weight: &'a [f32],
    pub(super) epsilon: f32,
}

impl Kernel for NormEach<'_> {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "rows are short")]
    fn run<const FUSED: bool>(self) {
        for row in self.rows.chunks_exact_mut(self.weight.len()) {
            let mut squares = [0.0; LANES];
            for lane in row.as_chunks::<LANES>().0 {
                for (sum, x) in squares.iter_mut().zip(lane) {
                    *sum = multiply_add::<FUSED>(*x, *x, *sum);
                }
            }
            let mean = squares.iter().sum::<f32>() / row.len() as f32;
            let scale = 1.0 / (mean + self.epsilon).sqrt();
            row.iter_mut().zip(self.weight).for_each(|(x, weight)| *x *= scale * weight);
        }
    }
}

/// `gate / (1 + exp(-gate)) * up`, in place of `gate`.
pub(super) struct Gated<'a> {
    pub(super) gate: &'a mut [f32],
    pub(super) up: &'a [f32],
}

impl Kernel for Gated<'_> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (gate, up) in self.gate.iter_mut().zip(self.up) {
            *gate = *gate / (1.0 + exp::<FUSED>(-*gate)) * up;
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
mod tests {
    use super::*;

    struct Exp<'a>(&'a mut [f32]);

    impl Kernel for Exp<'_> {
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            for x in self.0 {
                *x = exp::<FUSED>(*x);
            }
        }
    }

    #[test]
    fn exp_is_right_to_seven_digits() {
        let xs: Vec<f32> = (-860..880).map(|i| i as f32 * 0.1).collect();
        let mut wide = xs.clone();
        run(Exp(&mut wide));
        let mut plain = xs.clone();
        Exp(&mut plain).run::<false>();
        for (i, x) in xs.iter().enumerate() {
            let right = f64::from(*x).exp();
            for got in [wide[i], plain[i]] {
                let error = (f64::from(got) - right).abs() / right;
                assert!(error < 3e-7, "exp({x}) = {got}, not {right}");
            }
        }
    }

    #[test]
    fn exp_far_below_zero_is_nothing() {
        assert!(exp::<true>(f32::NEG_INFINITY) < 1e-37);
        assert!(exp::<false>(-1e9) < 1e-37);
    }

    #[test]
    fn parts_are_filled_each_once() {
        for (length, width) in [(1, 4), (4, 4), (1000, 7), (64, 1)] {
            let mut out = vec![0.0; length];
            fill_parts(&mut out, width, |number, part| {
                for x in part {
                    *x += number as f32 + 1.0;
                }
            });
            let right: Vec<f32> = (0..length).map(|i| (i / width) as f32 + 1.0).collect();
            assert_eq!(out, right);
        }
    }

    #[test]
    fn norm_and_gate_match_the_formulas() {
        let row: Vec<f32> = (0..37).map(|i| i as f32 * 0.3 - 5.0).collect();
        let weight: Vec<f32> = (0..37).map(|i| 1.0 + i as f32 * 0.01).collect();
        let (mut normed, mut gated) = (vec![0.0; 37], row.clone());
        run(Norm { row: &row, weight: &weight, epsilon: 1e-6, out: &mut normed });
        run(Gated { gate: &mut gated, up: &weight });
        let mean = row.iter().map(|x| x * x).sum::<f32>() / 37.0;
        for i in 0..37 {
            assert!((normed[i] - row[i] / (mean + 1e-6).sqrt() * weight[i]).abs() < 1e-5);
            assert!((gated[i] - row[i] / (1.0 + (-row[i]).exp()) * weight[i]).abs() < 1e-5);
        }
    }
}
