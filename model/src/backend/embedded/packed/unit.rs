//! How quantised weights lie in memory: eight rows side by side, so that one register holds four values
//! of each, and the rows' sums come out of it together.
//!
//! A unit is as long as the stretch that the file gives common scales for. What is packed stands for
//! exactly the same numbers as the file.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use half::f16;

use super::machine::{Codes, Machine, ROWS};

/// Values of a row that have one scale, or two.
pub(super) const BLOCK: usize = 32;
/// Registers of a block.
const GROUPS: usize = BLOCK / 4;

/// One row of a unit as the file has it.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    /// The whole numbers of each block.
    pub(super) codes: [[u8; BLOCK]; 8],
    pub(super) scale: f16,
    pub(super) least: f16,
    /// By block, or by half a block.
    pub(super) scales: [u8; 16],
    /// By block.
    pub(super) mins: [u8; 8],
}

impl Default for Raw {
    fn default() -> Self {
        let zero = f16::ZERO;
        Self { codes: [[0; BLOCK]; 8], scale: zero, least: zero, scales: [0; 16], mins: [0; 8] }
    }
}

/// What whole numbers stand for: `number * scale - offset`.
pub(super) trait Scales: Copy + Send + Sync + 'static {
    const EMPTY: Self;
    /// Stretches of a block that have a scale of their own.
    const PARTS: usize = 1;
    fn put(&mut self, row: usize, raw: &Raw);
    /// The scale and the offset of all rows in a part of a block.
    fn of<M: Machine>(&self, machine: M, block: usize, part: usize) -> (M::Floats, M::Floats);
}

/// The whole numbers of a block.
pub(super) trait Numbers: Copy + Send + Sync + 'static {
    const EMPTY: Self;
    /// Registers whose products may be added up before they overflow.
    const RUN: usize;
    /// Whether they are signed.
    const SIGNED: bool = false;
    fn put(&mut self, row: usize, codes: &[u8; BLOCK]);
    /// The four numbers of each row from `4 * group` on.
    fn group<M: Machine>(&self, machine: M, group: usize) -> M::Bytes;
}

/// Eight rows of a stretch of the file.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Unit<S, N, const BLOCKS: usize> {
    pub(super) scales: S,
    pub(super) blocks: [N; BLOCKS],
}

impl<S: Scales, N: Numbers, const BLOCKS: usize> Unit<S, N, BLOCKS> {
    pub(super) fn put(&mut self, row: usize, raw: &Raw) {
        self.scales.put(row, raw);
        for (block, codes) in self.blocks.iter_mut().zip(&raw.codes) {
            block.put(row, codes);
        }
    }

    pub(super) fn empty() -> Self {
        Self { scales: S::EMPTY, blocks: [N::EMPTY; BLOCKS] }
    }
}

/// One scale a block, and the number that stands for nothing.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct Even<const ZERO: u8>([u16; ROWS]);

impl<const ZERO: u8> Scales for Even<ZERO> {
    const EMPTY: Self = Self([0; ROWS]);
    fn put(&mut self, row: usize, raw: &Raw) {
        set(&mut self.0, row, raw.scale.to_bits());
    }
    #[inline(always)]
    fn of<M: Machine>(&self, machine: M, _: usize, _: usize) -> (M::Floats, M::Floats) {
        let scale = machine.halves(&self.0);
        (scale, machine.mul(scale, machine.splat(f32::from(ZERO))))
    }
}

/// One scale and one least value a block.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Least {
    scale: [u16; ROWS],
    less: [u16; ROWS],
}

impl Scales for Least {
    const EMPTY: Self = Self { scale: [0; ROWS], less: [0; ROWS] };
    fn put(&mut self, row: usize, raw: &Raw) {
        set(&mut self.scale, row, raw.scale.to_bits());
        set(&mut self.less, row, (-raw.least).to_bits());
    }
    #[inline(always)]
    fn of<M: Machine>(&self, machine: M, _: usize, _: usize) -> (M::Floats, M::Floats) {
        (machine.halves(&self.scale), machine.halves(&self.less))
    }
}

/// For eight blocks a scale and an offset, and for each a share of them.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Shares {
    scale: [u16; ROWS],
    less: [u16; ROWS],
    scales: [[u8; ROWS]; 8],
    mins: [[u8; ROWS]; 8],
}

impl Scales for Shares {
    const EMPTY: Self =
        Self { scale: [0; ROWS], less: [0; ROWS], scales: [[0; ROWS]; 8], mins: [[0; ROWS]; 8] };
    fn put(&mut self, row: usize, raw: &Raw) {
        set(&mut self.scale, row, raw.scale.to_bits());
        set(&mut self.less, row, raw.least.to_bits());
        for (slots, x) in self.scales.iter_mut().zip(raw.scales) {
            set(slots, row, x);
        }
        for (slots, x) in self.mins.iter_mut().zip(raw.mins) {
            set(slots, row, x);
        }
    }
    #[inline(always)]
    fn of<M: Machine>(&self, machine: M, block: usize, _: usize) -> (M::Floats, M::Floats) {
        let scale = machine.unsigned(self.scales.get(block).copied().unwrap_or_default());
        let less = machine.unsigned(self.mins.get(block).copied().unwrap_or_default());
        (machine.mul(scale, machine.halves(&self.scale)), machine.mul(less, machine.halves(&self.less)))
    }
}

/// For eight blocks a scale, and for each half of each a signed share of it; 32 stands for nothing.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Fine {
    scale: [u16; ROWS],
    scales: [[i8; ROWS]; 16],
}

impl Scales for Fine {
    const EMPTY: Self = Self { scale: [0; ROWS], scales: [[0; ROWS]; 16] };
    const PARTS: usize = 2;
    fn put(&mut self, row: usize, raw: &Raw) {
        set(&mut self.scale, row, raw.scale.to_bits());
        for (slots, x) in self.scales.iter_mut().zip(raw.scales) {
            set(slots, row, x.cast_signed());
        }
    }
    #[inline(always)]
    fn of<M: Machine>(&self, machine: M, block: usize, part: usize) -> (M::Floats, M::Floats) {
        let share = machine.signed(self.scales.get(2 * block + part).copied().unwrap_or_default());
        let scale = machine.mul(share, machine.halves(&self.scale));
        (scale, machine.mul(scale, machine.splat(32.0)))
    }
}

/// Numbers of four bits: the lower ones of the first half of a block, the upper ones of the second.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct Four([Codes; GROUPS / 2]);

impl Numbers for Four {
    const EMPTY: Self = Self([EMPTY; GROUPS / 2]);
    const RUN: usize = 8;
    fn put(&mut self, row: usize, codes: &[u8; BLOCK]) {
        let (low, high) = codes.split_at(BLOCK / 2);
        for (codes, fours) in
            self.0.iter_mut().zip(low.as_chunks::<4>().0.iter().zip(high.as_chunks::<4>().0))
        {
            let (low, high) = fours;
            for ((slot, low), high) in codes.iter_mut().skip(4 * row).zip(low).zip(high) {
                *slot = low & 15 | high << 4;
            }
        }
    }
    #[inline(always)]
    fn group<M: Machine>(&self, machine: M, group: usize) -> M::Bytes {
        let codes = machine.load(self.0.get(group % (GROUPS / 2)).unwrap_or(&EMPTY));
        if group < GROUPS / 2 { machine.low(codes) } else { machine.high(codes) }
    }
}

/// Numbers of five bits: the fifth of each lies apart, that of register `n` in bit `n`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Five {
    low: Four,
    high: Codes,
}

impl Numbers for Five {
    const EMPTY: Self = Self { low: Four::EMPTY, high: EMPTY };
    const RUN: usize = 4;
    fn put(&mut self, row: usize, codes: &[u8; BLOCK]) {
        self.low.put(row, codes);
        for (group, codes) in codes.as_chunks::<4>().0.iter().enumerate() {
            for (slot, code) in self.high.iter_mut().skip(4 * row).zip(codes) {
                *slot = *slot & !(1 << group) | (code >> 4 & 1) << group;
            }
        }
    }
    #[inline(always)]
    fn group<M: Machine>(&self, machine: M, group: usize) -> M::Bytes {
        let shift = 4 - i32::try_from(group).unwrap_or(0);
        machine.join(self.low.group(machine, group), machine.load(&self.high), shift, 16)
    }
}

/// Numbers of six bits: the upper two of each lie apart, those of four registers in one byte.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Six {
    low: Four,
    high: [Codes; 2],
}

impl Numbers for Six {
    const EMPTY: Self = Self { low: Four::EMPTY, high: [EMPTY; 2] };
    const RUN: usize = 2;
    fn put(&mut self, row: usize, codes: &[u8; BLOCK]) {
        self.low.put(row, codes);
        for (group, codes) in codes.as_chunks::<4>().0.iter().enumerate() {
            let (half, shift) = (group / 4, 2 * (group % 4));
            for high in self.high.iter_mut().skip(half).take(1) {
                for (slot, code) in high.iter_mut().skip(4 * row).zip(codes) {
                    *slot = *slot & !(3 << shift) | (code >> 4 & 3) << shift;
                }
            }
        }
    }
    #[inline(always)]
    fn group<M: Machine>(&self, machine: M, group: usize) -> M::Bytes {
        let shift = 4 - 2 * i32::try_from(group % 4).unwrap_or(0);
        let high = machine.load(self.high.get(group / 4).unwrap_or(&EMPTY));
        machine.join(self.low.group(machine, group), high, shift, 48)
    }
}

/// Signed numbers of eight bits.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct Eight([Codes; GROUPS]);

impl Numbers for Eight {
    const EMPTY: Self = Self([EMPTY; GROUPS]);
    const RUN: usize = 1;
    const SIGNED: bool = true;
    fn put(&mut self, row: usize, codes: &[u8; BLOCK]) {
        for (slots, codes) in self.0.iter_mut().zip(codes.as_chunks::<4>().0) {
            for (slot, code) in slots.iter_mut().skip(4 * row).zip(codes) {
                *slot = *code;
            }
        }
    }
    #[inline(always)]
    fn group<M: Machine>(&self, machine: M, group: usize) -> M::Bytes {
        machine.load(self.0.get(group).unwrap_or(&EMPTY))
    }
}

const EMPTY: Codes = [0; 4 * ROWS];

fn set<T>(slots: &mut [T; ROWS], row: usize, x: T) {
    if let Some(slot) = slots.get_mut(row) {
        *slot = x;
    }
}
