//! The widest registers of this processor, and its products of bytes. A value of a machine is the proof that the processor has its
//! instructions, so that what is built on it is safe; [`Plain`] does the same with arrays.
//!
//! Products of bytes are of use only where the processor adds up four at once: sums of pairs, which others have, overflow
//! unless a bit is given up, and gain little on floats.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use std::sync::OnceLock;

/// Columns that are worked on side by side.
pub(super) const LANES: usize = 16;
/// Groups of such columns that are.
pub(super) const GROUPS: usize = 4;
/// Rows that are: with all their sums in registers, few values are fetched for each product.
pub(super) const ROWS: usize = 6;

/// Four bytes of each column, the first in the lowest bits; unsigned.
pub(super) type Fours = [u32; LANES];
/// Four weights of each row.
pub(super) type Weights = [[i8; 4]; ROWS];
/// The sums of each row, group by group.
pub(super) type Sums = [[[i32; LANES]; GROUPS]; ROWS];

/// What computes. Sums are exact where they fit.
pub(super) trait Machine: Copy + Send + Sync {
    /// For each row and each column the products of all its weights with all values.
    fn products(self, weights: &[Weights], values: &[[Fours; GROUPS]]) -> Sums;
}

/// What is compiled for each machine.
pub(super) trait Work {
    /// Must be marked `#[inline(always)]`, like all that it calls.
    fn run<M: Machine>(self, machine: M);
}

/// Which machine this processor is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Narrow(x86::Narrow),
    #[cfg(target_arch = "x86_64")]
    Wide(x86::Wide),
}

impl Level {
    /// The best one.
    pub(super) fn of_this_processor() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| Self::all().into_iter().next().unwrap_or(Self::Plain))
    }

    /// Those that this processor has the instructions for, the best first.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::Wide::new().map(Self::Wide));
            all.extend(x86::Narrow::new().map(Self::Narrow));
            all.extend(x86::Avx2::new().map(Self::Avx2));
        }
        all.push(Self::Plain);
        all
    }

    /// Whether its products of bytes are quicker than those of floats.
    pub(super) const fn multiplies_bytes(self) -> bool {
        match self {
            Self::Plain => false,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => false,
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(_) | Self::Wide(_) => true,
        }
    }

    /// Does it with the instructions of the machine.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "needs instructions that not every processor has")
    )]
    pub(super) fn run(self, work: impl Work) {
        match self {
            Self::Plain => work.run(Plain),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine is only made where the processor has them.
            Self::Avx2(machine) => unsafe { x86::on_avx2(machine, work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine is only made where the processor has them.
            Self::Narrow(machine) => unsafe { x86::on_narrow(machine, work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine is only made where the processor has them.
            Self::Wide(machine) => unsafe { x86::on_wide(machine, work) },
        }
    }
}

/// Any processor.
#[derive(Debug, Clone, Copy)]
struct Plain;

impl Machine for Plain {
    #[inline(always)]
    fn products(self, weights: &[Weights], values: &[[Fours; GROUPS]]) -> Sums {
        let mut sums = [[[0; LANES]; GROUPS]; ROWS];
        for (weights, values) in weights.iter().zip(values) {
            for (sums, weights) in sums.iter_mut().zip(weights) {
                for (sum, value) in sums.as_flattened_mut().iter_mut().zip(values.as_flattened()) {
                    let products = value.to_le_bytes().into_iter().zip(weights);
                    *sum += products.map(|(a, b)| i32::from(a) * i32::from(*b)).sum::<i32>();
                }
            }
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "needs instructions that not every processor has")]
mod x86 {
    //! Registers of 512 bits, and of 256. No loop goes over registers: a build that is not optimised to the
    //! end would keep them in memory.

    use std::arch::x86_64::{
        __m256i, __m512i, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi32,
        _mm256_setzero_si256, _mm256_storeu_si256, _mm512_dpbusd_epi32, _mm512_loadu_si512,
        _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    use super::{Fours, GROUPS, LANES, Machine, Plain, ROWS, Sums, Weights, Work};

    /// A processor with AVX2 and FMA.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx2(());

    /// One with AVX-VNNI as well.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Narrow(());

    /// One with AVX512-VNNI, and what is older of AVX512.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Wide(());

    /// What `row` makes of the sums of each row with its weights.
    #[inline(always)]
    fn each_row<S>(sums: [S; ROWS], weights: &Weights, row: impl Fn(S, [i8; 4]) -> S) -> [S; ROWS] {
        let [first, second, third, fourth, fifth, sixth] = sums;
        let [wa, wb, wc, wd, we, wf] = *weights;
        let (first, second, third) = (row(first, wa), row(second, wb), row(third, wc));
        [first, second, third, row(fourth, wd), row(fifth, we), row(sixth, wf)]
    }

    impl Avx2 {
        pub(super) fn new() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            has.then_some(Self(()))
        }
    }

    impl Narrow {
        pub(super) fn new() -> Option<Self> {
            Avx2::new().filter(|_| is_x86_feature_detected!("avxvnni")).map(|_| Self(()))
        }

        #[inline(always)]
        #[expect(clippy::unused_self, reason = "it proves that the instructions are there")]
        fn row(self, [a, b]: [__m256i; 2], [va, vb]: [__m256i; 2], weights: [i8; 4]) -> [__m256i; 2] {
            // SAFETY: the machine has AVX-VNNI.
            unsafe {
                let weights = _mm256_set1_epi32(i32::from_ne_bytes(weights.map(i8::cast_unsigned)));
                [_mm256_dpbusd_avx_epi32(a, va, weights), _mm256_dpbusd_avx_epi32(b, vb, weights)]
            }
        }

        /// The sums for the columns of one group.
        #[inline(always)]
        fn group<'v>(
            self,
            weights: &[Weights],
            values: impl Iterator<Item = &'v Fours>,
        ) -> [[__m256i; 2]; ROWS] {
            // SAFETY: the machine has AVX2.
            let nought = [unsafe { _mm256_setzero_si256() }; 2];
            // SAFETY: the machine has AVX2, and the bytes of one register are there.
            let load = |values: &[u32; LANES / 2]| unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
            let mut sums = [nought; ROWS];
            for (weights, values) in weights.iter().zip(values) {
                let ([low, high], _) = values.as_chunks() else { continue };
                let values = [load(low), load(high)];
                sums = each_row(sums, weights, |sums, weights| self.row(sums, values, weights));
            }
            sums
        }
    }

    impl Wide {
        pub(super) fn new() -> Option<Self> {
            let has = Avx2::new().is_some()
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni");
            has.then_some(Self(()))
        }

        #[inline(always)]
        #[expect(clippy::unused_self, reason = "it proves that the instructions are there")]
        fn row(
            self,
            sums: [__m512i; GROUPS],
            values: [__m512i; GROUPS],
            weights: [i8; 4],
        ) -> [__m512i; GROUPS] {
            let ([a, b, c, d], [va, vb, vc, vd]) = (sums, values);
            // SAFETY: the machine has AVX512-VNNI.
            unsafe {
                let weights = _mm512_set1_epi32(i32::from_ne_bytes(weights.map(i8::cast_unsigned)));
                [
                    _mm512_dpbusd_epi32(a, va, weights),
                    _mm512_dpbusd_epi32(b, vb, weights),
                    _mm512_dpbusd_epi32(c, vc, weights),
                    _mm512_dpbusd_epi32(d, vd, weights),
                ]
            }
        }
    }

    impl Machine for Avx2 {
        #[inline(always)]
        fn products(self, weights: &[Weights], values: &[[Fours; GROUPS]]) -> Sums {
            Plain.products(weights, values)
        }
    }

    impl Machine for Narrow {
        #[inline(always)]
        fn products(self, weights: &[Weights], values: &[[Fours; GROUPS]]) -> Sums {
            let mut out = [[[0; LANES]; GROUPS]; ROWS];
            for at in 0..GROUPS {
                let values = values.iter().filter_map(|groups| groups.get(at));
                let sums = self.group(weights, values);
                let to = out.iter_mut().filter_map(|groups| groups.get_mut(at));
                for (to, [low, high]) in to.zip(sums) {
                    let (first, second) = to.split_at_mut(LANES / 2);
                    // SAFETY: the machine has AVX2, and there is room for the sums of one register in each.
                    unsafe {
                        _mm256_storeu_si256(first.as_mut_ptr().cast(), low);
                        _mm256_storeu_si256(second.as_mut_ptr().cast(), high);
                    }
                }
            }
            out
        }
    }

    impl Machine for Wide {
        #[inline(always)]
        fn products(self, weights: &[Weights], values: &[[Fours; GROUPS]]) -> Sums {
            // SAFETY: the machine has AVX512F.
            let nought = [unsafe { _mm512_setzero_si512() }; GROUPS];
            // SAFETY: the machine has AVX512F, and the bytes are there.
            let load = |values: &Fours| unsafe { _mm512_loadu_si512(values.as_ptr().cast()) };
            let mut sums = [nought; ROWS];
            for (weights, [va, vb, vc, vd]) in weights.iter().zip(values) {
                let values = [load(va), load(vb), load(vc), load(vd)];
                sums = each_row(sums, weights, |sums, weights| self.row(sums, values, weights));
            }
            let mut out = [[[0; LANES]; GROUPS]; ROWS];
            let to = out.as_flattened_mut().iter_mut();
            for (to, sums) in to.zip(sums.as_flattened()) {
                // SAFETY: the machine has AVX512F, and there is room for the sums.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), *sums) };
            }
            out
        }
    }

    /// The instructions that the machine proves to be there, for all that is inlined here.
    macro_rules! with_features {
        ($name:ident, $machine:ty, $features:literal) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(machine: $machine, work: impl Work) {
                work.run(machine);
            }
        };
    }
    with_features!(on_avx2, Avx2, "avx2,fma");
    with_features!(on_narrow, Narrow, "avx2,fma,avxvnni");
    with_features!(on_wide, Wide, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni");
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Multiplied<'a>(&'a [Weights], &'a [[Fours; GROUPS]], &'a mut Sums);

    impl Work for Multiplied<'_> {
        #[inline(always)]
        fn run<M: Machine>(self, machine: M) {
            *self.2 = machine.products(self.0, self.1);
        }
    }

    /// Nearly all bytes and all weights meet somewhere, the largest and the lowest among them.
    #[test]
    fn all_machines_give_the_same_sums() {
        let byte = |at: usize| u8::try_from((at * 7919 + at / 251) % 256).unwrap();
        let weight = |at: usize| byte(at * 31 + 5).cast_signed();
        for fours in [0, 1, 3, 48, 192] {
            let weights: Vec<Weights> = (0..fours)
                .map(|four| {
                    std::array::from_fn(|row| std::array::from_fn(|at| weight(four * 24 + row * 4 + at)))
                })
                .collect();
            let values: Vec<[Fours; GROUPS]> = (0..fours)
                .map(|four| {
                    let value = |at: usize| {
                        u32::from_le_bytes([0, 1, 2, 3].map(|byte_at| byte(at * 4 + byte_at)))
                    };
                    std::array::from_fn(|group| {
                        std::array::from_fn(|lane| value((four * GROUPS + group) * LANES + lane))
                    })
                })
                .collect();
            let mut want = [[[0; LANES]; GROUPS]; ROWS];
            for (weights, values) in weights.iter().zip(&values) {
                for row in 0..ROWS {
                    for column in 0..GROUPS * LANES {
                        let bytes = values[column / LANES][column % LANES].to_le_bytes();
                        for at in 0..4 {
                            want[row][column / LANES][column % LANES] +=
                                i32::from(bytes[at]) * i32::from(weights[row][at]);
                        }
                    }
                }
            }
            for level in Level::all() {
                let mut sums = [[[1; LANES]; GROUPS]; ROWS];
                level.run(Multiplied(&weights, &values, &mut sums));
                assert_eq!(sums, want, "{level:?}, {fours}");
            }
        }
    }
}
