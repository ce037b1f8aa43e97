//! The blocks of a GGUF file, whose layouts are those of ggml (`ggml-common.h` and `ggml-quants.c` of
//! llama.cpp), taken apart into whole numbers and what they stand for.

use half::f16;

use super::unit::Raw;

/// A kind of block.
pub(super) trait Layout {
    /// Bytes of a block in the file.
    const BYTES: usize;
    /// Takes a block of that many bytes apart.
    fn read(bytes: &[u8]) -> Raw;
}

pub(super) struct Q4_0;
pub(super) struct Q4_1;
pub(super) struct Q5_0;
pub(super) struct Q5_1;
pub(super) struct Q8_0;
pub(super) struct Q4K;
pub(super) struct Q5K;
pub(super) struct Q6K;

impl Layout for Q4_0 {
    const BYTES: usize = 18;
    fn read(bytes: &[u8]) -> Raw {
        let (scale, rest) = half(bytes);
        let mut raw = Raw { scale, ..Raw::default() };
        nibbles(rest, first(&mut raw));
        raw
    }
}

impl Layout for Q4_1 {
    const BYTES: usize = 20;
    fn read(bytes: &[u8]) -> Raw {
        let (scale, rest) = half(bytes);
        let (least, rest) = half(rest);
        let mut raw = Raw { scale, least, ..Raw::default() };
        nibbles(rest, first(&mut raw));
        raw
    }
}

impl Layout for Q5_0 {
    const BYTES: usize = 22;
    fn read(bytes: &[u8]) -> Raw {
        let (scale, rest) = half(bytes);
        let mut raw = Raw { scale, ..Raw::default() };
        fifths(rest, first(&mut raw));
        raw
    }
}

impl Layout for Q5_1 {
    const BYTES: usize = 24;
    fn read(bytes: &[u8]) -> Raw {
        let (scale, rest) = half(bytes);
        let (least, rest) = half(rest);
        let mut raw = Raw { scale, least, ..Raw::default() };
        fifths(rest, first(&mut raw));
        raw
    }
}

impl Layout for Q8_0 {
    const BYTES: usize = 34;
    fn read(bytes: &[u8]) -> Raw {
        let (scale, rest) = half(bytes);
        let mut raw = Raw { scale, ..Raw::default() };
        first(&mut raw).iter_mut().zip(rest).for_each(|(code, byte)| *code = *byte);
        raw
    }
}

impl Layout for Q4K {
    const BYTES: usize = 144;
    fn read(bytes: &[u8]) -> Raw {
        let (mut raw, rest) = shared(bytes);
        sixteenths(rest, &mut raw.codes);
        raw
    }
}

impl Layout for Q5K {
    const BYTES: usize = 176;
    fn read(bytes: &[u8]) -> Raw {
        let (mut raw, rest) = shared(bytes);
        let (fifths, rest) = rest.split_at_checked(32).unwrap_or_default();
        sixteenths(rest, &mut raw.codes);
        for (block, codes) in raw.codes.iter_mut().enumerate() {
            codes.iter_mut().zip(fifths).for_each(|(code, bits)| *code |= (bits >> block & 1) << 4);
        }
        raw
    }
}

impl Layout for Q6K {
    const BYTES: usize = 210;
    fn read(bytes: &[u8]) -> Raw {
        let (low, rest) = bytes.split_at_checked(128).unwrap_or_default();
        let (high, rest) = rest.split_at_checked(64).unwrap_or_default();
        let (scales, rest) = rest.split_at_checked(16).unwrap_or_default();
        let mut raw = Raw { scale: half(rest).0, ..Raw::default() };
        raw.scales.iter_mut().zip(scales).for_each(|(slot, scale)| *slot = *scale);
        for (block, codes) in raw.codes.iter_mut().enumerate() {
            // Four blocks of 32 share 64 bytes of lower bits and 32 of upper ones.
            let (part, place) = (block / 4, block % 4);
            let low = low.iter().skip(64 * part + 32 * (place % 2));
            let high = high.iter().skip(32 * part);
            for ((code, low), high) in codes.iter_mut().zip(low).zip(high) {
                *code = low >> (4 * (place / 2)) & 15 | (high >> (2 * place) & 3) << 4;
            }
        }
        raw
    }
}

fn first(raw: &mut Raw) -> &mut [u8; 32] {
    let [first, ..] = &mut raw.codes;
    first
}

fn half(bytes: &[u8]) -> (f16, &[u8]) {
    bytes
        .split_first_chunk()
        .map_or((f16::ZERO, bytes), |(half, rest)| (f16::from_le_bytes(*half), rest))
}

/// The lower half of each byte, then the upper ones.
fn nibbles(bytes: &[u8], codes: &mut [u8; 32]) {
    let (low, high) = codes.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
        (*low, *high) = (byte & 15, byte >> 4);
    }
}

/// A word with the fifth bits, then the lower four.
fn fifths(bytes: &[u8], codes: &mut [u8; 32]) {
    let Some((word, rest)) = bytes.split_first_chunk() else { return };
    nibbles(rest, codes);
    let word = u32::from_le_bytes(*word);
    for (i, code) in codes.iter_mut().enumerate() {
        *code |= u8::from(word >> i & 1 == 1) << 4;
    }
}

/// Two blocks in each 32 bytes.
fn sixteenths(bytes: &[u8], codes: &mut [[u8; 32]; 8]) {
    for (pair, bytes) in codes.as_chunks_mut::<2>().0.iter_mut().zip(bytes.as_chunks::<32>().0) {
        let [low, high] = pair;
        for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
            (*low, *high) = (byte & 15, byte >> 4);
        }
    }
}

/// The scales at the head of Q4_K and Q5_K: eight pairs of six bits in twelve bytes.
fn shared(bytes: &[u8]) -> (Raw, &[u8]) {
    let (scale, rest) = half(bytes);
    let (least, rest) = half(rest);
    let mut raw = Raw { scale, least, ..Raw::default() };
    let Some((packed, rest)) = rest.split_first_chunk::<12>() else { return (raw, rest) };
    let (a, rest_of) = packed.split_at(4);
    let (b, c) = rest_of.split_at(4);
    for (i, ((a, b), c)) in a.iter().zip(b).zip(c).enumerate() {
        let pairs = [(i, a & 63, b & 63), (i + 4, c & 15 | a >> 6 << 4, c >> 4 | b >> 6 << 4)];
        for (at, scale, min) in pairs {
            if let (Some(scales), Some(mins)) = (raw.scales.get_mut(at), raw.mins.get_mut(at)) {
                (*scales, *mins) = (scale, min);
            }
        }
    }
    (raw, rest)
}
