//! The few instructions that a product of quantised weights needs, on registers of eight rows.
//!
//! A value of a machine is the proof that the processor has its instructions, so that all code above is
//! safe and generic; [`Portable`] does the same with arrays and is what the others are held against.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use half::f16;

/// Rows that are handled side by side.
pub(super) const ROWS: usize = 8;

/// One register of weights: four of each of eight rows, row by row.
pub(super) type Codes = [u8; 4 * ROWS];

/// What computes. All sums are exact where the bounds that are stated are kept.
pub(super) trait Machine: Copy + Send + Sync {
    type Bytes: Copy;
    /// A running sum that overflows soon.
    type Short: Copy;
    type Ints: Copy;
    type Floats: Copy;

    fn load(self, codes: &Codes) -> Self::Bytes;
    /// The lower four bits of each byte.
    fn low(self, bytes: Self::Bytes) -> Self::Bytes;
    /// The upper four bits of each byte.
    fn high(self, bytes: Self::Bytes) -> Self::Bytes;
    /// `bytes`, with the bits of `more` put in that `mask` picks once it is shifted left by `shift`, or
    /// right if that is negative.
    fn join(self, bytes: Self::Bytes, more: Self::Bytes, shift: i32, mask: u8) -> Self::Bytes;
    /// The same four values for each row.
    fn four(self, values: [i8; 4]) -> Self::Bytes;

    fn none(self) -> Self::Short;
    /// Adds for each row the products of unsigned `codes` with `values`. Before the next [`Machine::flush`]
    /// they may add up to 32767 in a pair of neighbours.
    fn add(self, sum: Self::Short, codes: Self::Bytes, values: Self::Bytes) -> Self::Short;
    /// Like [`Machine::add`] for signed `codes`.
    fn add_signed(self, sum: Self::Short, codes: Self::Bytes, values: Self::Bytes) -> Self::Short;
    fn zero(self) -> Self::Ints;
    fn flush(self, sum: Self::Ints, short: Self::Short) -> Self::Ints;

    fn floats(self, ints: Self::Ints) -> Self::Floats;
    fn splat(self, x: f32) -> Self::Floats;
    fn halves(self, bits: &[u16; ROWS]) -> Self::Floats;
    fn unsigned(self, bytes: [u8; ROWS]) -> Self::Floats;
    fn signed(self, bytes: [i8; ROWS]) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b + c`.
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// `c - a * b`.
    fn mul_sub(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    fn store(self, floats: Self::Floats) -> [f32; ROWS];
}

/// Any processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

fn each<A: Copy, B: Copy, C: Default, const N: usize>(
    a: [A; N],
    b: [B; N],
    f: impl Fn(A, B) -> C,
) -> [C; N] {
    let mut pairs = a.into_iter().zip(b);
    a.map(|_| pairs.next().map_or_else(C::default, |(a, b)| f(a, b)))
}

impl Portable {
    fn dots(sum: [i32; ROWS], products: [i32; 4 * ROWS]) -> [i32; ROWS] {
        let mut fours = products.as_chunks::<4>().0.iter();
        sum.map(|sum| sum + fours.next().map_or(0, |four| four.iter().sum::<i32>()))
    }
}

impl Machine for Portable {
    type Bytes = Codes;
    type Short = [i32; ROWS];
    type Ints = [i32; ROWS];
    type Floats = [f32; ROWS];

    fn load(self, codes: &Codes) -> Codes {
        *codes
    }
    fn low(self, bytes: Codes) -> Codes {
        bytes.map(|byte| byte & 15)
    }
    fn high(self, bytes: Codes) -> Codes {
        bytes.map(|byte| byte >> 4)
    }
    fn join(self, bytes: Codes, more: Codes, shift: i32, mask: u8) -> Codes {
        let moved = |byte: u8| if shift < 0 { byte >> -shift } else { byte << shift };
        each(bytes, more, |byte, more| byte | moved(more) & mask)
    }
    fn four(self, values: [i8; 4]) -> Codes {
        let mut all = values.into_iter().cycle();
        [0; 4 * ROWS].map(|_: u8| all.next().unwrap_or(0).cast_unsigned())
    }
    fn none(self) -> [i32; ROWS] {
        [0; ROWS]
    }
    fn add(self, sum: [i32; ROWS], codes: Codes, values: Codes) -> [i32; ROWS] {
        Self::dots(
            sum,
            each(codes, values, |code, value| i32::from(code) * i32::from(value.cast_signed())),
        )
    }
    fn add_signed(self, sum: [i32; ROWS], codes: Codes, values: Codes) -> [i32; ROWS] {
        Self::dots(
            sum,
            each(codes, values, |code, value| {
                i32::from(code.cast_signed()) * i32::from(value.cast_signed())
            }),
        )
    }
    fn zero(self) -> [i32; ROWS] {
        [0; ROWS]
    }
    fn flush(self, sum: [i32; ROWS], short: [i32; ROWS]) -> [i32; ROWS] {
        each(sum, short, |a, b| a + b)
    }
    #[expect(clippy::cast_precision_loss, reason = "the sums of a block are small")]
    fn floats(self, ints: [i32; ROWS]) -> [f32; ROWS] {
        ints.map(|x| x as f32)
    }
    fn splat(self, x: f32) -> [f32; ROWS] {
        [x; ROWS]
    }
    fn halves(self, bits: &[u16; ROWS]) -> [f32; ROWS] {
        bits.map(|bits| f16::from_bits(bits).to_f32())
    }
    fn unsigned(self, bytes: [u8; ROWS]) -> [f32; ROWS] {
        bytes.map(f32::from)
    }
    fn signed(self, bytes: [i8; ROWS]) -> [f32; ROWS] {
        bytes.map(f32::from)
    }
    fn mul(self, a: [f32; ROWS], b: [f32; ROWS]) -> [f32; ROWS] {
        each(a, b, |a, b| a * b)
    }
    fn mul_add(self, a: [f32; ROWS], b: [f32; ROWS], c: [f32; ROWS]) -> [f32; ROWS] {
        each(each(a, b, |a, b| (a, b)), c, |(a, b), c| a * b + c)
    }
    fn mul_sub(self, a: [f32; ROWS], b: [f32; ROWS], c: [f32; ROWS]) -> [f32; ROWS] {
        each(each(a, b, |a, b| (a, b)), c, |(a, b), c| c - a * b)
    }
    fn store(self, floats: [f32; ROWS]) -> [f32; ROWS] {
        floats
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    //! Registers of 256 bits. Products of bytes are summed by the instructions that the processor has for
    //! it, in pairs of 16 bits where it has none for four at once.

    use std::arch::x86_64::{
        __m256, __m256i, _mm_cvtsi32_si128, _mm_cvtsi64_si128, _mm_loadu_si128, _mm256_abs_epi8,
        _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps,
        _mm256_cvtepu8_epi32, _mm256_cvtph_ps, _mm256_dpbusd_epi32, _mm256_fmadd_ps, _mm256_fnmadd_ps,
        _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256,
        _mm256_sign_epi8, _mm256_sll_epi16, _mm256_srl_epi16, _mm256_srli_epi16, _mm256_storeu_ps,
    };

    use super::{Codes, Machine, ROWS};

    /// A processor with AVX2, FMA and F16C.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx2(());

    /// One that also has the instructions of AVX512-VNNI for registers of 256 bits.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Vnni(Avx2);

    impl Avx2 {
        pub(in super::super) fn new() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            has.then_some(Self(()))
        }
    }

    impl Vnni {
        pub(in super::super) fn new() -> Option<Self> {
            let has = is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl");
            Avx2::new().filter(|_| has).map(Self)
        }
    }

    /// The same instructions for both, but for the sums of products.
    macro_rules! common {
        () => {
            type Bytes = __m256i;
            type Short = __m256i;
            type Ints = __m256i;
            type Floats = __m256;

            #[inline(always)]
            fn load(self, codes: &Codes) -> __m256i {
                // SAFETY: the machine has AVX2, and the bytes are there.
                unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) }
            }
            #[inline(always)]
            fn low(self, bytes: __m256i) -> __m256i {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_and_si256(bytes, _mm256_set1_epi8(15)) }
            }
            #[inline(always)]
            fn high(self, bytes: __m256i) -> __m256i {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15)) }
            }
            #[inline(always)]
            fn join(self, bytes: __m256i, more: __m256i, shift: i32, mask: u8) -> __m256i {
                // SAFETY: the machine has AVX2.
                unsafe {
                    let moved = if shift < 0 {
                        _mm256_srl_epi16(more, _mm_cvtsi32_si128(-shift))
                    } else {
                        _mm256_sll_epi16(more, _mm_cvtsi32_si128(shift))
                    };
                    let mask = _mm256_set1_epi8(mask.cast_signed());
                    _mm256_or_si256(bytes, _mm256_and_si256(moved, mask))
                }
            }
            #[inline(always)]
            fn four(self, values: [i8; 4]) -> __m256i {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_set1_epi32(i32::from_ne_bytes(values.map(i8::cast_unsigned))) }
            }
            #[inline(always)]
            fn none(self) -> __m256i {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_setzero_si256() }
            }
            #[inline(always)]
            fn add_signed(self, sum: __m256i, codes: __m256i, values: __m256i) -> __m256i {
                // SAFETY: the machine has AVX2.
                let (codes, values) =
                    unsafe { (_mm256_abs_epi8(codes), _mm256_sign_epi8(values, codes)) };
                self.add(sum, codes, values)
            }
            #[inline(always)]
            fn zero(self) -> __m256i {
                self.none()
            }
            #[inline(always)]
            fn floats(self, ints: __m256i) -> __m256 {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_cvtepi32_ps(ints) }
            }
            #[inline(always)]
            fn splat(self, x: f32) -> __m256 {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_set1_ps(x) }
            }
            #[inline(always)]
            fn halves(self, bits: &[u16; ROWS]) -> __m256 {
                // SAFETY: the machine has F16C, and the bytes are there.
                unsafe { _mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast())) }
            }
            #[inline(always)]
            fn unsigned(self, bytes: [u8; ROWS]) -> __m256 {
                // SAFETY: the machine has AVX2, and the bytes are there.
                unsafe {
                    _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(
                        bytes,
                    ))))
                }
            }
            #[inline(always)]
            fn signed(self, bytes: [i8; ROWS]) -> __m256 {
                // SAFETY: the machine has AVX2, and the bytes are there.
                unsafe {
                    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(
                        bytes.map(i8::cast_unsigned),
                    ))))
                }
            }
            #[inline(always)]
            fn mul(self, a: __m256, b: __m256) -> __m256 {
                // SAFETY: the machine has AVX2.
                unsafe { _mm256_mul_ps(a, b) }
            }
            #[inline(always)]
            fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
                // SAFETY: the machine has FMA.
                unsafe { _mm256_fmadd_ps(a, b, c) }
            }
            #[inline(always)]
            fn mul_sub(self, a: __m256, b: __m256, c: __m256) -> __m256 {
                // SAFETY: the machine has FMA.
                unsafe { _mm256_fnmadd_ps(a, b, c) }
            }
            #[inline(always)]
            fn store(self, floats: __m256) -> [f32; ROWS] {
                let mut out = [0.0; ROWS];
                // SAFETY: the machine has AVX2, and there is room for the floats.
                unsafe { _mm256_storeu_ps(out.as_mut_ptr(), floats) };
                out
            }
        };
    }

    #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
    impl Machine for Avx2 {
        common!();

        #[inline(always)]
        fn add(self, sum: __m256i, codes: __m256i, values: __m256i) -> __m256i {
            // SAFETY: the machine has AVX2.
            unsafe { _mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, values)) }
        }
        #[inline(always)]
        fn flush(self, sum: __m256i, short: __m256i) -> __m256i {
            // SAFETY: the machine has AVX2.
            unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(short, _mm256_set1_epi16(1))) }
        }
    }

    #[expect(unsafe_code, reason = "needs instructions that not every processor has")]
    impl Machine for Vnni {
        common!();

        #[inline(always)]
        fn add(self, sum: __m256i, codes: __m256i, values: __m256i) -> __m256i {
            // SAFETY: the machine has AVX512-VNNI for registers of 256 bits.
            unsafe { _mm256_dpbusd_epi32(sum, codes, values) }
        }
        #[inline(always)]
        fn flush(self, sum: __m256i, short: __m256i) -> __m256i {
            // SAFETY: the machine has AVX2.
            unsafe { _mm256_add_epi32(sum, short) }
        }
    }
}
