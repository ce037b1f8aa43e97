//! The product of eight rows of packed weights with a few rows of input.

#![expect(clippy::inline_always, reason = "a loop gets the wide registers only if it is inlined")]

use std::array;

use super::input::Block;
use super::machine::{Machine, ROWS};
use super::unit::{BLOCK, Numbers, Scales, Unit};

/// Registers of a block.
const GROUPS: usize = BLOCK / 4;

/// The products of each row of `units` with each of the `MANY` rows of `input`.
#[inline(always)]
pub(super) fn products<M, S, N, const BLOCKS: usize, const MANY: usize>(
    machine: M,
    units: &[Unit<S, N, BLOCKS>],
    input: [&[Block]; MANY],
) -> [[f32; ROWS]; MANY]
where
    M: Machine,
    S: Scales,
    N: Numbers,
{
    let mut sums = [machine.splat(0.0); MANY];
    let mut at = 0;
    for unit in units {
        for (block, numbers) in unit.blocks.iter().enumerate() {
            let input: [&Block; MANY] = input.map(|row| row.get(at).unwrap_or(&Block::EMPTY));
            at += 1;
            for part in 0..S::PARTS {
                let (scale, offset) = unit.scales.of(machine, block, part);
                let ints = whole::<_, _, MANY>(machine, numbers, input, part, S::PARTS);
                sums = array::from_fn(|row| {
                    let (Some(sum), Some(ints), Some(block)) =
                        (sums.get(row), ints.get(row), input.get(row))
                    else {
                        return machine.splat(0.0);
                    };
                    let [low, high] = block.sums;
                    let all = if S::PARTS == 1 {
                        low + high
                    } else if part == 0 {
                        low
                    } else {
                        high
                    };
                    let scale = machine.mul(scale, machine.splat(block.scale));
                    let sum = machine.mul_add(machine.floats(*ints), scale, *sum);
                    if N::SIGNED { sum } else { machine.mul_sub(offset, machine.splat(all), sum) }
                });
            }
        }
    }
    sums.map(|sum| machine.store(sum))
}

/// The sums of the products of whole numbers in one of `parts` parts of a block.
#[inline(always)]
fn whole<M: Machine, N: Numbers, const MANY: usize>(
    machine: M,
    numbers: &N,
    input: [&Block; MANY],
    part: usize,
    parts: usize,
) -> [M::Ints; MANY] {
    let groups = GROUPS / parts;
    let mut ints = [machine.zero(); MANY];
    for first in (0..groups).step_by(N::RUN) {
        let mut run = [machine.none(); MANY];
        for group in first..(first + N::RUN).min(groups) {
            let group = part * groups + group;
            let codes = numbers.group(machine, group);
            for (run, block) in run.iter_mut().zip(input) {
                let values = machine.four(block.codes.get(group).copied().unwrap_or_default());
                *run = if N::SIGNED {
                    machine.add_signed(*run, codes, values)
                } else {
                    machine.add(*run, codes, values)
                };
            }
        }
        for (ints, run) in ints.iter_mut().zip(run) {
            *ints = machine.flush(*ints, run);
        }
    }
    ints
}
