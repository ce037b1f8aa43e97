//! What many rounds of one thing come to: the least, the middle and the ninth of ten, in ms.

use serde::Serialize;

/// In ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The quickest round: what the machine can do when nobody disturbs it.
    pub min: f64,
    /// Half of the rounds were quicker.
    pub median: f64,
    /// Nine of ten rounds were quicker.
    pub p90: f64,
}

impl Spread {
    /// `None` when there was no round.
    pub fn of(rounds: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = rounds.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |tenths: usize| sorted.get((sorted.len().saturating_sub(1)) * tenths / 10).copied();
        Some(Self { min: at(0)?, median: at(5)?, p90: at(9)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        let ten = (1..=11).rev().map(f64::from);
        assert_eq!(Spread::of(ten), Some(Spread { min: 1.0, median: 6.0, p90: 10.0 }));
        let one = Spread { min: 3.0, median: 3.0, p90: 3.0 };
        assert_eq!(Spread::of(std::iter::once(3.0)), Some(one));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }
}
