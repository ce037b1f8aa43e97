//! A few lines of tokens beside each other, so that two kinds of question that take turns do not make the
//! network forget each other's beginning.

use std::mem;

use toktrie::TokenId;

use super::branch::Branch;
use super::network::Network;

/// Lines that are remembered at a time, beside the current one: there are six kinds of question.
const MOST: usize = 5;

/// The branches of one network.
#[derive(Debug)]
pub(super) struct Branches {
    /// The one that is read on.
    pub(super) current: Branch,
    /// The others, the one used last at the end.
    others: Vec<Branch>,
}

impl Branches {
    /// A single empty branch.
    pub(super) fn new(network: &Network) -> Self {
        Self { current: Branch::new(network), others: Vec::new() }
    }

    /// Makes that branch the current one which has most in common with `ids`, if it has all of their first
    /// `lasting` tokens, else a new one or the one that was not used for longest.
    pub(super) fn choose(&mut self, network: &Network, ids: &[TokenId], lasting: usize) {
        let least = lasting.max(1);
        let here = self.current.common(ids);
        let others = self.others.iter().map(|branch| branch.common(ids)).enumerate();
        let best = others
            .filter(|(_, common)| *common >= least.max(here + 1))
            .max_by_key(|(_, common)| *common);
        let next = match best {
            Some((at, _)) => self.others.remove(at),
            None if here >= least || self.current.ids().is_empty() => return,
            None if self.others.len() < MOST => Branch::new(network),
            None => self.others.remove(0),
        };
        self.others.push(mem::replace(&mut self.current, next));
    }
}
